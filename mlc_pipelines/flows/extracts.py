"""Declared extracts: any list of records of the ERP as a kept Parquet file, whole for a fiscal period, or kept up to date."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.extract import require_readable
from mlc_pipelines.flows.report import Report
from mlc_pipelines.flows.trail import record_step
from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.ledger.extracts import ExtractRead, ExtractRule, Stamps, legs_of, merged, stamp_text, stamps_of
from mlc_pipelines.ledger.fiscal import FiscalPeriod

COLUMNS = "Columns"

OVERLAP = timedelta(minutes=10)
"""Records changed so shortly before the last reading are read again: the ERP may have been writing them."""

_FIRST_ROWS = 20
_NOTHING_KEPT = "The extract kept last is unchanged."


def read_extract(desk: Desk, name: str, key: str = "", *, whole: bool = False) -> Report:
    """Read a declared extract and keep it. key: the fiscal period, for an extract that is read by period.

    An extract with a field of the last change reads only what changed since it was kept last, and drops what is gone; whole reads everything.
    """
    rule = _declared(desk, name)
    period = _period(desk, rule, key)
    began = desk.ledger.now()
    kept = None if whole or period or not rule.modified else _kept(desk, rule, began)
    desk.progress(f"{name}{f' {key}' if key else ''}: reading {'what changed' if kept else 'all'} of {rule.source}")
    held = kept.unchanged(rule) if kept else {}
    came = desk.extracts.read_extract(rule, period, held)
    if kept and kept.table.schema != came.rows.schema:  # the ERP types a field in another way than last time
        kept, came = None, desk.extracts.read_extract(rule, period, {})
    table = merged(kept.table if kept else None, came, rule)
    legs = legs_of(table, came.announced, rule, f"{name}{f' {key}' if key else ''}")
    for leg in legs:
        leg.require_agreed(
            holds=_NOTHING_KEPT,
            next_step=f"Read {desk.connection}/{name} again, whole; if it stays so, ask the ERP's administrator about these records.",
        )
    full_at = kept.full_at if kept else _text(began)
    artefact = _keep(desk, rule, key, table, {"until": _text(began), "full_at": full_at})
    return _report(rule, key, table, came, kept, artefact, (*came.legs, *legs))


@dataclass(frozen=True)
class _Kept:
    """The extract as it was kept last. until, full_at: the ERP's own time at its last reading, and at the last one of everything."""

    table: pa.Table
    until: datetime
    full_at: str

    def unchanged(self, rule: ExtractRule) -> Stamps:
        """What need not be read again while its stamp stays the same; without what was changed shortly before the last reading.

        A number of revision is sure at once: no other version of a record has it.
        """
        sure_until = (self.until - OVERLAP).isoformat()
        stamps = stamps_of(self.table, rule).items()
        return {key: stamp for key, stamp in stamps if stamp and (stamp.isdecimal() or stamp < sure_until)}


def _kept(desk: Desk, rule: ExtractRule, now: datetime | None) -> _Kept | None:
    """None where everything is to be read: never kept, declared otherwise, too long ago, or without a clock to tell."""
    step = desk.store.history.latest_step(desk.connection, rule.name)
    facts: Mapping[str, Any] = step.facts if step else {}
    if step is None or now is None or facts.get("declaration") != rule.declaration or not facts.get("until"):
        return None
    if now - datetime.fromisoformat(facts["full_at"]) >= timedelta(days=rule.whole_every_days):
        return None
    table = pq.read_table(desk.store.artefacts.path(step.artefact))
    return _Kept(table, datetime.fromisoformat(facts["until"]), facts["full_at"])


def _declared(desk: Desk, name: str) -> ExtractRule:
    for rule in desk.extract_rules:
        if rule.name == name:
            return rule
    names = ", ".join(rule.name for rule in desk.extract_rules) or "none"
    raise SetupError(
        f"Connection {desk.connection} declares no extract {name!r}; there are: {names}.",
        holds="Nothing was read.",
        next_step="Check the name, or declare it under `extracts` in the connection file.",
    )


def _period(desk: Desk, rule: ExtractRule, key: str) -> FiscalPeriod | None:
    if bool(key) != bool(rule.by_period):
        raise SetupError(
            f"Extract {rule.name} is {'read by fiscal period' if rule.by_period else 'not read by period'}.",
            holds="Nothing was read.",
            next_step="Name a period, such as FY2026-P03." if rule.by_period else "Leave the period out.",
        )
    if not key:
        return None
    period = desk.calendar.period(key)
    require_readable(desk.ledger.read_periods(), period)
    return period


def _keep(desk: Desk, rule: ExtractRule, key: str, table: pa.Table, times: Mapping[str, str]) -> str:
    with desk.store.artefacts.draft() as path:
        pq.write_table(table, path, compression="zstd")
        artefact = desk.store.artefacts.keep(path)
    facts = {"rows": len(table), "declaration": rule.declaration, **times}
    record_step(desk, rule.name, key, artefact, facts)
    return artefact


def _report(
    rule: ExtractRule,
    key: str,
    table: pa.Table,
    came: ExtractRead,
    kept: _Kept | None,
    artefact: str,
    legs: tuple[Any, ...],
) -> Report:
    gone = len(stamps_of(kept.table, rule).keys() - came.announced.keys()) if kept else 0
    how = f"{len(came.rows):,} new or changed were read, {gone:,} are gone" if kept else "all were read"
    newest = pc.max(table[rule.modified]).as_py() if rule.modified else None
    texts = {"read from": f"{'entity' if rule.entity else 'inquiry'} {rule.source}"}
    if newest is not None:
        texts["newest modification"] = stamp_text(newest)
    return Report(
        rule.name,
        key,
        f"{len(table):,} records of {rule.source}{f' in {key}' if key else ''}; {how}.",
        artefact,
        counts={"rows": len(table), "records read": len(came.rows), "records gone": gone},
        texts=texts,
        tables={COLUMNS: columns_of(table.schema, came.types), "First rows": first_rows(table)},
        legs=legs,
    )


def columns_of(schema: pa.Schema, types: Mapping[str, str]) -> pd.DataFrame:
    """Each column, those below expanded fields with their path: column, type (ours), in the ERP (its own name for the type)."""
    rows = []
    for field in schema:
        below = list(field.type.value_type) if pa.types.is_list(field.type) else []
        rows.append((field.name, "list of records" if below else str(field.type), types.get(field.name, "")))
        rows += [(f"{field.name}/{one.name}", str(one.type), types[f"{field.name}/{one.name}"]) for one in below]
    return pd.DataFrame(rows, columns=["column", "type", "in the ERP"])


def first_rows(table: pa.Table) -> pd.DataFrame:
    """The first rows as texts for people; a list of records is shown as their number."""
    return pd.DataFrame(
        {
            name: [_shown(value) for value in table[name].slice(0, _FIRST_ROWS).to_pylist()]
            for name in table.column_names
        }
    )


def _shown(value: object) -> str:
    if isinstance(value, list):
        return f"{len(value)} records"
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, Decimal):
        return f"{value:f}".rstrip("0").rstrip(".")
    return "" if value is None else str(value)


def _text(at: datetime | None) -> str:
    return at.isoformat() if at else ""
