"""The plan's list members as they are at this moment, and whether a slice can land on them.

The lists are read once per load, under the fence, before anything is sent. Asking for the slice's codes alone
(`POST dimensions/{d}/items`) would cost as many calls and fewer bytes, but it neither tells parents from leaves nor names,
which the read-back needs anyway; and it takes `a6100` for `A6100` [S OAS, APIMD].
"""

from collections.abc import Collection, Sequence

import pandas as pd

from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.report import money_table
from mlc_pipelines.flows.steps import NOTHING_SENT
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.ledger.mapping import landable
from mlc_pipelines.ledger.money import Money

_SHOWN = 5


def members_now(desk: Desk) -> pd.DataFrame:
    """The lists that the feed's codes land on: list, code, name, parent, leaf; in the lists' own order."""
    return read_lists(desk, list(dict.fromkeys(rule.list_name for rule in desk.target.rules)))


def read_lists(desk: Desk, names: Sequence[str], properties: Collection[tuple[str, str]] = ()) -> pd.DataFrame:
    """The members of these lists, as they are now. properties: list and name of what is read beside them, a column each, "" where a list has none."""
    frames = []
    for name in names:
        wanted = tuple(one for of_list, one in properties if of_list == name)
        frames.append(desk.plan.read_members(name, wanted).assign(list=name))
    return pd.concat(frames, ignore_index=True).fillna(dict.fromkeys((one for _, one in properties), ""))


def require_members(desk: Desk, key: str, cells: pd.DataFrame, members: pd.DataFrame, currency: str) -> pd.DataFrame:
    """The cells that can be sent. Refuses figures on members that vanished, or became parents, since the member map was made.

    A zero for such a member is left out: with the member its cells are gone, and the import would refuse the row for ever.
    """
    lists = {rule.dimension: members[members["list"] == rule.list_name] for rule in desk.target.rules}
    judged = landable(cells, lists)
    lost = judged[(judged["problem"] != "") & (judged["amount_minor"] != 0)]
    if lost.empty:
        return cells[(judged["problem"] == "").to_numpy()].reset_index(drop=True)
    keys = list(desk.target.dimensions)
    lost = lost.sort_values("amount_minor", key=abs, ascending=False, kind="stable")[[*keys, "amount_minor", "problem"]]
    shown = "; ".join(
        f"{' / '.join(codes)} with {Money(int(minor), currency)}: {problem}"
        for *codes, minor, problem in lost.head(_SHOWN).itertuples(index=False)
    )
    at_stake = Money(int(lost["amount_minor"].abs().sum()), currency)
    error = DataError(
        f"{key}: {len(lost):,} cells with {at_stake} have no place in the plan any more: {shown}.",
        holds=NOTHING_SENT,
        next_step=f"Have the model builder restore the members, or map their codes to others; then materialize {desk.connection}/plan_members "
        f"and {desk.connection}/member_map, and {desk.feed.file} for {key} again.",
    )
    error.evidence = {"Cells without a member": money_table(lost, currency)}
    raise error
