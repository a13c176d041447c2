"""Acumatica's push notifications (form SM302000): which fiscal periods a notification says have changed. A hint to read, never a figure.

Delivery is at least once, in no promised order, with up to five tries; an update shows its old row under Deleted and its new row under
Inserted, so a line that moved from one period to another names both [S DOC PushNotifications].
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mlc_pipelines.acumatica.periods import to_key
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.transport.answers import decode

PeriodFormat = Literal["MMYYYY", "YYYYMM"]

_YEAR_FIRST = re.compile(r"(\d{4})-?(\d{2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class PushRule:
    """What a connection expects. query: the generic inquiry that is watched; period_field: its column with the fiscal period.

    period_format: an inquiry shows periods as its author chose, MMYYYY or YYYYMM, with or without a hyphen [C grp-mcp]; they cannot be told apart.
    """

    tenant: str
    query: str
    period_field: str
    period_format: PeriodFormat = "MMYYYY"


@dataclass(frozen=True, slots=True)
class Notice:
    """One notification. id and query together name it, also when it comes twice; stamp grows with the site's time and puts notices in order."""

    id: str
    query: str
    stamp: int
    periods: tuple[str, ...]


def read_notice(body: bytes, rule: PushRule) -> Notice:
    """The notification in a POST body. Raises DataError, naming the part, for anything but a notification of the expected inquiry and tenant."""
    try:
        said = decode(body)
    except ValueError as error:
        raise _refused(f"is no JSON ({error})") from None
    if not isinstance(said, Mapping):
        raise _refused("is no JSON object")
    found = {"Query": said.get("Query"), "CompanyId": said.get("CompanyId")}
    for part, expected in (("Query", rule.query), ("CompanyId", rule.tenant)):
        if found[part] != expected:
            raise _refused(f"has {part} {found[part]!r}, not {expected!r}")
    id_, stamp = said.get("Id"), said.get("TimeStamp")
    if not isinstance(id_, str) or not id_:
        raise _refused("has no Id")
    if not isinstance(stamp, int) or isinstance(stamp, bool):
        raise _refused("has no TimeStamp")
    return Notice(id_, rule.query, stamp, tuple(sorted({_period(row, rule) for row in _rows(said)})))


def _rows(said: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for part in ("Inserted", "Deleted"):
        rows = said.get(part) or []
        if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
            raise _refused(f"has {part} that is no list of rows")
        yield from rows


def _period(row: Mapping[str, Any], rule: PushRule) -> str:
    text = row.get(rule.period_field)
    if not isinstance(text, str):
        raise _refused(f"has a row without the column {rule.period_field}; it has {', '.join(sorted(row))}")
    year_first = _YEAR_FIRST.fullmatch(text) if rule.period_format == "YYYYMM" else None
    return to_key(f"{year_first[2]}{year_first[1]}" if year_first else text, f"The notification of {rule.query}")


def _refused(complaint: str) -> DataError:
    return DataError(
        f"The push notification {complaint}.",
        holds="It was not taken; the ERP keeps it in its list of failed notifications (SM502000) for two days.",
        next_step="Compare `erp.push` in the connection file with the definition in SM302000, then send it again from SM502000.",
    )
