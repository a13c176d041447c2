"""Public holidays by country, region or exchange."""

from collections.abc import Container
from datetime import date
from typing import cast

from mlc_pipelines.ledger.errors import SetupError


def holidays_of(code: str) -> Container[date]:
    """The holidays of a country (`US`), one of its regions (`US-CO`), or an exchange (`NYSE`), days observed instead included.

    Raises SetupError, naming what there is, for a code that nobody knows.
    """
    import holidays as known  # a fifth of a second, which nothing but a calendar needs

    country, _, region = code.partition("-")
    exchanges = known.list_supported_financial()
    countries = known.list_supported_countries()
    if not region and country in exchanges:
        return cast(Container[date], known.financial_holidays(country))
    if country not in countries:
        raise _unknown(code, f"countries such as US, DE, JP, and the exchanges {', '.join(sorted(exchanges))}")
    if region and region not in countries[country]:
        raise _unknown(code, f"{country} alone, or with {', '.join(sorted(countries[country])) or 'no region'}")
    return cast(Container[date], known.country_holidays(country, subdiv=region or None))


def _unknown(code: str, there_are: str) -> SetupError:
    return SetupError(
        f"Holidays {code!r} are not known; known are {there_are}.",
        holds="Nothing was asked for.",
        next_step="Correct `close.holidays` in the connection file; days of your own stand under `close.days_off`.",
    )
