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
    "record",
    "money at stake",
    "reason",
    "since (UTC)",
    "what",
    "figures",
    "state",
    "by",
    "why",
]
"""Columns of the queue as people see it, what they look for first."""


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


def told(waiting: list[Held]) -> str:
    """How many wait, of which periods, with how much money, and since when."""
    if not waiting:
        return "Nothing is refused."
    at_stake: dict[str, int] = {}
    for one in waiting:
        at_stake[one.currency] = at_stake.get(one.currency, 0) + abs(one.amount_minor)
    money = " and ".join(str(Money(minor, currency)) for currency, minor in sorted(at_stake.items()))
    periods = ", ".join(dict.fromkeys(one.period for one in waiting))
    oldest = min(one.since for one in waiting)[:10]
    are = "1 record is" if len(waiting) == 1 else f"{len(waiting):,} records are"
    return f"{are} refused, {money} in all, of {periods}; the oldest since {oldest}. Correct the cause and load the period again, or waive them by name."


def as_table(held: list[Held]) -> pd.DataFrame:
    """The queue for people."""
    rows = [
        (
            one.number,
            one.period,
            one.record,
            str(Money(one.amount_minor, one.currency)),
            one.reason,
            one.since[:16].replace("T", " "),
            one.kind,
            one.feed,
            one.state,
            one.who,
            one.why,
        )
        for one in held
    ]
    return pd.DataFrame(rows, columns=AGES)
