"""Rows as JSON: amounts exact, days as midnights, in the forms of the switches.

A full read of a large table is 20,000 rows of 80 columns, so a row becomes JSON without any object between.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from mlc_pipelines.sandbox.epicor import schema
from mlc_pipelines.sandbox.epicor.columns import Columns

if TYPE_CHECKING:
    from mlc_pipelines.sandbox.epicor.site import Kinetic

Row = Mapping[str, Any]

_NUMBERS = msgspec.json.Encoder(decimal_format="number")
_FIVE = Decimal("0.00001")
_ENDS = {"plain": "", "Z": "Z", "offset": "-06:00"}
UNKNOWN_FIELD = "Unlisted_c"


def encoded(value: Any) -> bytes:
    """Plain data as JSON, decimals as numbers with all their digits."""
    return _NUMBERS.encode(value)


def shown(site: "Kinetic", columns: Columns, names: Sequence[str], rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The named columns of rows, ready for `encoded`."""
    spots = [(name, *columns.sources[name]) for name in names]
    fields = [(name, source, schema.EMPTY[letter]) for name, source, letter in spots]
    found = [{name: row.get(source, default) for name, source, default in fields} for row in rows]
    days = [name for name, _, letter in spots if letter == "t"]
    amounts = [name for name, _, letter in spots if letter == "d"]
    form, decimals = _ENDS[site.switches["date_form"]], site.switches["decimals"]
    for one in found:
        for name in days:
            if one[name] is not None:
                one[name] = moment(one[name], form)
        if decimals != "number":
            for name in amounts:
                one[name] = str(one[name]) if decimals == "text" else one[name].quantize(_FIVE)
    if site.switches["extra_unknown_fields"]:
        for one in found:
            one[UNKNOWN_FIELD] = ""
    return found


@lru_cache(maxsize=100_000)
def moment(value: date, end: str = "") -> str:
    """2026-01-31T00:00:00: days and instants look alike [C MCP, KERI]; `end` is what stands behind."""
    if not isinstance(value, datetime):
        return f"{value.isoformat()}T00:00:00{end}"
    at = value.astimezone(UTC) if value.tzinfo else value
    return f"{at.replace(tzinfo=None, microsecond=0).isoformat()}{end}"
