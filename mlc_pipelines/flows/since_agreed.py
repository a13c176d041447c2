"""What differs in the ERP from what was agreed for a period: journal by journal, line by line; and the sign-off suspended or confirmed by it."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.files import keep_frame, read_kept_frame
from mlc_pipelines.flows.posted import read_again
from mlc_pipelines.flows.report import money_table
from mlc_pipelines.flows.signoff import sign_off
from mlc_pipelines.flows.steps import JOURNALS
from mlc_pipelines.ledger.changed import (
    CHANGED,
    CHANGED_COLUMNS,
    LINE_COLUMNS,
    NEW,
    REMOVED,
    changed_balances,
    changed_lines,
)
from mlc_pipelines.ledger.money import Money
from mlc_pipelines.store import standings
from mlc_pipelines.store.home import Store
from mlc_pipelines.store.standings import Standing

_NAMED = 3


def compare(desk: Desk, period: str, just_read: Mapping[str, Any] | None = None) -> Standing | None:
    """Hold what the ERP has now against what was agreed: suspended with the journals that differ, or confirmed where none does. None: nothing to tell.

    just_read: facts of a reading of this moment; the period is read again where there is none. One that was opened again stays suspended in any case.
    """
    held = sign_off(desk.store, desk.connection, period)
    if held.agreed is None or held.agreed.state != standings.FINAL:
        return None
    reading = held.agreed.reading
    counted = str(reading["counted"])
    if just_read and just_read["counted"] == counted:
        now = str(just_read["extract"])
    else:
        now = read_again(desk, desk.calendar.period(period), counted)
    lines = _differences(desk, reading, now)
    if lines.empty and not held.suspended:
        return None
    reopened = "Opened again in the ERP. " if held.reopened else ""
    differ = told_changes(lines, str(reading["currency"])) or "No figure differs from what was agreed."
    return desk.store.standings(desk.connection).keep(
        period,
        standings.SUSPENDED if len(lines) or reopened else standings.CONFIRMED,
        reopened + differ,
        notice=held.considered,
        reading={"compared": now},
        changes=keep_frame(desk, lines) if len(lines) else "",
        run=desk.run,
    )


def _differences(desk: Desk, reading: Mapping[str, Any], now: str) -> pd.DataFrame:
    """Between the extract that was agreed and the one of now."""
    if reading["extract"] == now:
        return pd.DataFrame(columns=CHANGED_COLUMNS)
    if reading["counted"] != JOURNALS:
        return changed_balances(read_kept_frame(desk, str(reading["extract"])), read_kept_frame(desk, now))
    return changed_lines(_lines(desk, str(reading["extract"])), _lines(desk, now))


def _lines(desk: Desk, artefact: str) -> pd.DataFrame:
    coded = [name for name in LINE_COLUMNS if name not in {"line", "debit_minor", "credit_minor"}]
    with pq.ParquetFile(desk.store.artefacts.path(artefact), read_dictionary=coded) as file:
        frame: pd.DataFrame = file.read(columns=LINE_COLUMNS).unify_dictionaries().to_pandas()
    return frame


def told_changes(lines: pd.DataFrame, currency: str) -> str:
    """One sentence: how many journals are new, changed, removed, and the first few by name with their money. "" where there is none."""
    if lines.empty:
        return ""
    if not lines["journal"].any():
        return f"{lines['account'].nunique():,} accounts have other balances than those that were agreed."
    by_journal = lines.assign(more=lines["now_minor"].clip(lower=0) - lines["was_minor"].clip(lower=0))
    journals = by_journal.groupby(["journal", "what"], sort=True, as_index=False)["more"].sum()
    counts = [(word, int((journals["what"] == word).sum())) for word in (NEW, CHANGED, REMOVED)]
    named = [f"{name} {what} ({Money(int(more), currency)})" for name, what, more in journals.head(_NAMED).itertuples(index=False)]  # fmt: skip
    more = f", and {len(journals) - _NAMED:,} more" if len(journals) > _NAMED else ""
    counted = ", ".join(f"{count:,} {word}" for word, count in counts if count)
    are = "journal is" if len(journals) == 1 else "journals are"
    return f"{len(journals):,} {are} not what was agreed: {counted}. {', '.join(named)}{more}."


def journals_table(store: Store, one: Standing, currency: str) -> pd.DataFrame:
    """The journals that a suspension names, line by line, as people read them."""
    with pq.ParquetFile(store.artefacts.path(one.changes)) as file:
        frame: pd.DataFrame = file.read().to_pandas()
    return money_table(frame, currency)
