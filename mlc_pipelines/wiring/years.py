"""Fiscal years that appeared in the ERP after the last one of a connection's calendar: taken over, so that their periods become partitions without anyone editing a file.

They are kept in a file of the home, one for each connection, in fiscal order, and stand behind the declared ones. A year is taken over only as a whole, when
it follows without a gap, has as many periods as the one before, and, where the calendar is declared by rule, is what the rule says of it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mlc_pipelines.ledger.errors import DataError, PipelineError
from mlc_pipelines.ledger.fiscal import FiscalCalendar, FiscalPeriod, calendar_of, from_iso
from mlc_pipelines.store.place import default_home
from mlc_pipelines.wiring.calendars import Calendar, CalendarFile, read_calendar, write_calendar

if TYPE_CHECKING:
    from mlc_pipelines.ledger.ports import LedgerPeriod


def file_of(connection: str) -> Path:
    return default_home() / "calendars" / f"{connection}.csv"


def with_new_years(connection: str, declared: FiscalCalendar) -> FiscalCalendar:
    """The declared calendar and the years taken over that follow it."""
    if not (file := file_of(connection)).exists():
        return declared
    last = declared.periods[-1].end_on
    later = [one for one in read_calendar(file).periods if one.start_on > last]
    if not later:
        return declared
    try:
        return calendar_of([*declared.periods, *later])
    except DataError as error:
        raise DataError(
            f"The fiscal years taken over from the ERP do not follow the declared calendar of {connection}: {error.what}",
            holds="This connection is not loaded; the others are not affected.",
            next_step=f"Delete {file}: the next look at the ERP takes them over anew. Or correct `calendar` in the connection file.",
        ) from None


def take_over(
    connection: str,
    chosen: Calendar,
    folder: Path,
    known: FiscalCalendar,
    beyond: Mapping[str, Sequence["LedgerPeriod"]],
    require_places: Callable[[FiscalCalendar], None],
) -> tuple[list[str], list[str]]:
    """Take over what the ERP has after the known calendar. Returns the years taken over, and why others were not.

    beyond: the ERP's later periods by company; all of them must have the same. require_places: raises where a period would have no place of its own in the plan.
    """
    per_company = [list(periods) for periods in beyond.values()]
    taken: list[FiscalPeriod] = []
    refused: list[str] = []
    for year, periods in _by_year(per_company[0] if per_company else []).items():
        before = FiscalCalendar((*known.periods, *taken))
        try:
            found = _year(chosen, folder, before, year, periods, per_company)
            require_places(FiscalCalendar((*before.periods, *found)))
            taken += found
        except PipelineError as error:
            refused.append(f"{year}: {error.what} {error.next_step}".strip())
            break
    if taken:
        file = file_of(connection)
        file.parent.mkdir(parents=True, exist_ok=True)
        kept = list(read_calendar(file).periods) if file.exists() else []
        write_calendar(file, FiscalCalendar((*kept, *taken)))
    return list(dict.fromkeys(_year_of(one.key) for one in taken)), refused


def _year(
    chosen: Calendar,
    folder: Path,
    known: FiscalCalendar,
    year: str,
    periods: list["LedgerPeriod"],
    per_company: list[list["LedgerPeriod"]],
) -> list[FiscalPeriod]:
    """The periods of one year as they are taken over. Raises DataError where it is not whole, does not follow, or is not what the rule says."""
    if any(_days(periods) != _days(_by_year(other).get(year, [])) for other in per_company):
        raise DataError("the companies of this connection do not have the same periods.", next_step="")
    last = _year_of(known.keys[-1])
    before = [one for one in known.periods if _year_of(one.key) == last and not one.adjustment]
    found = [from_iso(one.key, one.start_on, one.end_on, adjustment=one.adjustment) for one in periods]
    if sum(not one.adjustment for one in found) < len(before):
        raise DataError(
            f"the ERP has {len(found)} of its periods; {last} has {len(before)}.",
            next_step="Have the whole year generated in the ERP's financial calendar.",
        )
    placed = calendar_of([*known.periods, *found]).periods[len(known.periods) :]
    return list(placed) if isinstance(chosen, CalendarFile) else _by_rule(chosen, folder, placed)


def _by_rule(chosen: Calendar, folder: Path, placed: Sequence[FiscalPeriod]) -> list[FiscalPeriod]:
    """The periods that the rule gives for the year, which must be among the ERP's with the same days."""
    number = placed[0].year
    ruled = [one for one in chosen.model_copy(update={"last_year": number}).build(folder).periods if one.year == number]
    of_erp = {one.key: one for one in placed}
    for one in ruled:
        other = of_erp.get(one.key)
        if other is None or (other.start_on, other.end_on) != (one.start_on, one.end_on):
            says = f"runs from {other.start_on} to {other.end_on}" if other else "does not exist"
            raise DataError(
                f"{one.key} {says} in the ERP; by the connection's rule it runs from {one.start_on} to {one.end_on}.",
                next_step="Correct `calendar` in the connection file, or the financial calendar of the ERP.",
            )
    return [replace(one) for one in ruled]


def _by_year(periods: Sequence["LedgerPeriod"]) -> dict[str, list["LedgerPeriod"]]:
    years: dict[str, list[LedgerPeriod]] = {}
    for one in periods:
        years.setdefault(_year_of(one.key), []).append(one)
    return years


def _year_of(key: str) -> str:
    return key.partition("-")[0]


def _days(periods: Sequence["LedgerPeriod"]) -> list[tuple[str, str, str]]:
    return [(one.key, one.start_on, one.end_on) for one in periods]
