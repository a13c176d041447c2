"""What a load or a mapping refused, brought into the queue in which it stays until somebody has dealt with it."""

from collections.abc import Iterator

import pandas as pd
import sqlalchemy as sa

from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.explain import refused_rows
from mlc_pipelines.ledger.money import Money
from mlc_pipelines.store.refusals import CODE, ROW, Held, Refused

AGES = [
    "number",
    "period",
    "figures",
    "what",
    "record",
    "reason",
    "money at stake",
    "since (UTC)",
    "state",
    "by",
    "why",
]
"""Columns of the queue as people see it."""


def note_rows(
    desk: Desk, db: sa.Connection, key: str, refused: pd.DataFrame, cells: pd.DataFrame, currency: str, why: str
) -> None:
    """The rows that an import refused, each with the money of its cell; none where it took all of them."""
    keys = desk.target.columns.keys
    found: list[Refused] = []
    if not refused.empty:
        rows = refused_rows(refused, cells, desk.target.columns)
        rows = rows.merge(cells[[*keys, "amount_minor"]], on=keys, how="left").fillna({"amount_minor": 0})
        found = list(_records(rows.astype({"amount_minor": "int64"}), keys, "reason"))
    queue = desk.store.refusals(desk.connection)
    queue.settle(db, desk.feed.name, key, ROW, found, currency=currency, why=why)


def note_codes(desk: Desk, key: str, lacking: pd.DataFrame, currency: str) -> None:
    """The codes without a member that stop a slice; none where all have one now."""
    codes = [name for name in ("vendor", "account", "cost_center", "company") if name in lacking]
    queue = desk.store.refusals(desk.connection)
    with desk.store.trail.writing() as db:
        found = list(_records(lacking, codes, "problem"))
        queue.settle(db, desk.feed.name, key, CODE, found, currency=currency, why="the mapping has members for it now")


def _records(rows: pd.DataFrame, keys: list[str], reason: str) -> Iterator[Refused]:
    for *codes, said, minor in rows[[*keys, reason, "amount_minor"]].itertuples(index=False, name=None):
        yield Refused(" / ".join(map(str, codes)), str(said), int(minor))


def as_table(held: list[Held]) -> pd.DataFrame:
    """The queue for people."""
    rows = [
        (
            one.number,
            one.period,
            one.feed,
            one.kind,
            one.record,
            one.reason,
            str(Money(one.amount_minor, one.currency)),
            one.since[:16].replace("T", " "),
            one.state,
            one.who,
            one.why,
        )
        for one in held
    ]
    return pd.DataFrame(rows, columns=AGES)
