"""Fields of any entity or inquiry as typed columns: text stays text, decimals keep every digit, times become instants in UTC.

The types are those that the site itself publishes: value objects of the contract [C EndpointDefinitions], or EDM types of OData [S OData v4].
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pyarrow as pa

from mlc_pipelines.acumatica import wire
from mlc_pipelines.ledger.decimals import DECIMAL, decimal_column
from mlc_pipelines.ledger.errors import DataError

MOMENT = pa.timestamp("us", tz="UTC")

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?(Z|[+-]\d\d:\d\d)")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_NEXT_STEP = "Correct the record in Acumatica, or leave the field out with `select`."

Where = Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Kind:
    """column: its type with us; value, boxed: how it is decoded, bare (OData) or as a value object; key: whether it can tell records apart."""

    column: pa.DataType
    value: Any
    boxed: Any
    key: bool = False
    quoted: bool = False


_TEXT = Kind(pa.string(), str | None, wire.Text, key=True, quoted=True)
_ID = Kind(pa.string(), str | None, wire.Text, key=True)
_FLAG = Kind(pa.bool_(), bool | None, wire.Flag)
_COUNT = Kind(pa.int64(), int | None, wire.Count, key=True)
_EXACT = Kind(DECIMAL, msgspec.Raw, wire.Amount)
_FLOATING = Kind(pa.string(), msgspec.Raw, wire.Amount)
_MOMENT = Kind(MOMENT, str | None, wire.Text)
_DATE = Kind(pa.date32(), str | None, wire.Text, key=True)

CONTRACT: Mapping[str, Kind] = {
    "StringValue": _TEXT,
    "GuidValue": replace(_ID, key=False),  # how a filter would spell it is not known
    "BooleanValue": _FLAG,
    "ByteValue": _COUNT,
    "ShortValue": _COUNT,
    "IntValue": _COUNT,
    "LongValue": _COUNT,
    "DecimalValue": _EXACT,
    "DoubleValue": _FLOATING,
    "DateTimeValue": _MOMENT,
    "DateOnlyValue": replace(_DATE, key=False),
}

EDM: Mapping[str, Kind] = {
    "Edm.String": _TEXT,
    "Edm.Guid": _ID,
    "Edm.Boolean": _FLAG,
    "Edm.Byte": _COUNT,
    "Edm.SByte": _COUNT,
    "Edm.Int16": _COUNT,
    "Edm.Int32": _COUNT,
    "Edm.Int64": _COUNT,
    "Edm.Decimal": _EXACT,
    "Edm.Double": _FLOATING,
    "Edm.Single": _FLOATING,
    "Edm.DateTimeOffset": _MOMENT,
    "Edm.Date": _DATE,
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name, what the site calls its type, and what that is with us."""

    name: str
    type: str
    kind: Kind


def value_of(raw: Any) -> Any:
    """A decoded value; a number kept as it was sent is its own text, without quotes where the site sent a text [S DOC GI OData]."""
    if isinstance(raw, msgspec.Raw):
        text = bytes(raw).decode("ascii", "replace").strip('"')
        return None if text in {"", "null"} else text
    return raw


def column(field: Field, values: Sequence[Any], where: Where) -> pa.Array:
    """Values as a column. Raises DataError naming the record, the field and the text for a value that does not fit without loss."""
    kind = field.kind.column
    if kind == DECIMAL:
        return decimal_column(values, lambda text, complaint, row: _refused(field, text, complaint, row, where))
    if kind == MOMENT:
        return pa.array([_moment(field, value, row, where) for row, value in enumerate(values)], MOMENT)
    if kind == pa.date32():
        return pa.array([_day(field, value, row, where) for row, value in enumerate(values)], kind)
    return pa.array(values, kind)


def moment_text(text: str | None) -> str:
    """A time as every time is compared here: ISO in UTC, to the microsecond; "" for none and for one that cannot be read in one way."""
    return datetime.fromisoformat(text).astimezone(UTC).isoformat() if text and _TIME.fullmatch(text) else ""


def _moment(field: Field, text: str | None, row: int, where: Where) -> datetime | None:
    if text is None:
        return None
    if not _TIME.fullmatch(text):
        raise _refused(field, text, "which does not say its offset from UTC", row, where)
    return datetime.fromisoformat(text).astimezone(UTC)


def _day(field: Field, text: str | None, row: int, where: Where) -> date | None:
    if text is None:
        return None
    if not _DAY.fullmatch(text):
        raise _refused(field, text, "which is no day", row, where)
    return date.fromisoformat(text)


def _refused(field: Field, text: str, complaint: str, row: int, where: Where) -> DataError:
    return DataError(
        f"{where(row)}: {field.name} is {text[:60]!r}, {complaint}.", holds="Nothing was kept.", next_step=_NEXT_STEP
    )
