"""Extracts: any list of records of an ERP, declared in a connection, read whole or kept up to date, key by key."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Protocol

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mlc_pipelines.ledger.control import ROWS, Leg, compare
from mlc_pipelines.ledger.fiscal import FiscalPeriod

FIELDS_PUBLISHED = "fields_published"
EACH_KEY_ONCE = "each_key_once"
ANNOUNCED_CAME = "announced_came"

Stamps = Mapping[tuple[str | int, ...], str]
"""Key -> when the record was last modified, as ISO text in UTC, or its number of revision; "" where nothing tells."""


@dataclass(frozen=True)
class ExtractRule:
    """What is read. Exactly one of entity and inquiry is given; fields are named as the ERP names them.

    select: fields to keep, in this order; () keeps all. expand: details and linked records, kept as lists within the record.
    filter: in the ERP's own filter language. keys: fields that tell records apart. modified: field with the time of the last change.
    by_period: field with the fiscal period, where the extract is read period by period. parameters: of an inquiry.
    whole_every_days: after so many days everything is read again, whatever the stamps say; 0 reads everything each time.
    """

    name: str
    keys: tuple[str, ...]
    entity: str = ""
    inquiry: str = ""
    select: tuple[str, ...] = ()
    expand: tuple[str, ...] = ()
    filter: str = ""
    modified: str = ""
    by_period: str = ""
    period_format: str = "MMYYYY"
    parameters: Mapping[str, str] = field(default_factory=dict)
    whole_every_days: int = 7
    page: int = 200

    @property
    def source(self) -> str:
        return self.entity or self.inquiry

    @property
    def declaration(self) -> str:
        """A short name of everything that decides which records and columns there are: what was kept under another one is read anew."""
        decides = {name: value for name, value in asdict(self).items() if name not in {"page", "whole_every_days"}}
        return hashlib.sha256(repr(sorted(decides.items())).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class ExtractRead:
    """What came. rows: the records that were read, columns as the ERP's own description types them; announced: every key there is.

    types: column -> the ERP's name for its type. legs: what was proved on the way.
    """

    rows: pa.Table
    announced: Stamps
    types: Mapping[str, str]
    legs: tuple[Leg, ...] = ()


class Extracts(Protocol):
    """Reads declared extracts. Errors by kind as for GeneralLedger; a record that does not come exactly once is a DataError naming it."""

    def read_extract(self, rule: ExtractRule, period: FiscalPeriod | None, held: Stamps) -> ExtractRead:
        """The records that are not held with their present stamp, and the keys of all there are."""
        ...


def stamps_of(table: pa.Table, rule: ExtractRule) -> dict[tuple[str | int, ...], str]:
    """Keys and stamps of a kept extract, spelled as the reader spells them. A record without a stamp has "", which is never taken as unchanged."""
    columns = [[_key_part(value) for value in table[name].to_pylist()] for name in rule.keys]
    times = table[rule.modified].to_pylist() if rule.modified else [None] * len(table)
    return dict(zip(zip(*columns, strict=True), map(stamp_text, times), strict=True))


def stamp_text(at: datetime | int | None) -> str:
    """A time as ISO text, a number of revision as its digits."""
    if at is None:
        return ""
    return str(at) if isinstance(at, int) else at.isoformat()


def _key_part(value: object) -> str | int:
    return value if isinstance(value, int) else str(value)


def merged(kept: pa.Table | None, read: ExtractRead, rule: ExtractRule) -> pa.Table:
    """Kept records that still exist and were not read again, and those that were; in the order of their keys."""
    rows = read.rows
    if kept is not None:
        again = stamps_of(rows, rule).keys()
        stays = pa.array([key in read.announced and key not in again for key in stamps_of(kept, rule)], pa.bool_())
        rows = pa.concat_tables([kept.filter(stays), rows])
    order = pc.sort_indices(rows.select(list(rule.keys)), sort_keys=[(name, "ascending") for name in rule.keys])
    return rows.take(order).combine_chunks()


def legs_of(table: pa.Table, announced: Stamps, rule: ExtractRule, what: str) -> tuple[Leg, Leg]:
    """Each key stands once; the keys are those that were announced. what: the extract and its period, for messages."""
    keys = [f"key {number}" for number in range(1, len(rule.keys) + 1)] if len(rule.keys) > 1 else ["key"]
    columns = [[_key_part(value) for value in table[name].to_pylist()] for name in rule.keys]
    held = pd.DataFrame(dict(zip(keys, columns, strict=True))).assign(amount_minor=1)
    distinct = held.drop_duplicates(keys)
    promised = frame_of_keys(list(announced), keys, 1)
    return (
        compare(EACH_KEY_ONCE, what, ("keys", distinct), ("rows", held), keys=keys, unit=ROWS),
        compare(ANNOUNCED_CAME, what, ("announced", promised), ("kept", distinct), keys=keys, unit=ROWS),
    )


def frame_of_keys(found: Sequence[Sequence[str | int]], columns: Sequence[str], times: int) -> pd.DataFrame:
    """Keys as a frame of amounts, each counted so many times."""
    return pd.DataFrame(list(found), columns=list(columns)).assign(amount_minor=times)


def fields_leg(declared: Sequence[str], published: Sequence[str], what: str) -> Leg:
    """Every declared field is published with a type that can be kept."""
    ours, theirs = (pd.DataFrame({"field": list(names), "amount_minor": 1}) for names in (declared, published))
    return compare(FIELDS_PUBLISHED, what, ("declared", ours), ("published", theirs), keys=["field"], unit=ROWS)
