"""What became of a period that was agreed: the journals that are new, changed or gone, line by line, from what was read then and what is read now."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlc_pipelines.ledger.balances import FIGURES, by_figure

NEW, CHANGED, REMOVED = "new", "changed", "removed"

LINE_COLUMNS = ["company", "batch", "line", "branch", "account", "subaccount", "debit_minor", "credit_minor"]
"""What makes the figure of a posted line, and whose it is; its description may change without any figure changing."""

CHANGED_COLUMNS = ["company", "journal", "what", "line", "account", "subaccount", "was_minor", "now_minor"]
"""One row per line of a journal that is not what it was; was and now with debits positive. Of balances: journal is "", what names the figure."""

_JOURNAL = ["company", "batch"]
_PLACE = ["company", "batch", "line", "branch", "account", "subaccount"]


def changed_lines(then: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """The lines that differ, in the shape CHANGED_COLUMNS. then, now: LINE_COLUMNS, any order; a line whose number the source does not give has none.

    A line that was moved to another account stands there twice: what it was, and what it is.
    """
    then, now = (side[LINE_COLUMNS].assign(line=side["line"].fillna(-1).astype("int64")) for side in (then, now))
    of_then, of_now = _journals(then), _journals(now)
    before, after = _marks(then, of_then), _marks(now, of_now)
    every = before.index.union(after.index)
    touched = every[before.reindex(every, fill_value=0) != after.reindex(every, fill_value=0)]
    gone, come = _plain(then[of_then.isin(touched)], -1), _plain(now[of_now.isin(touched)], 1)
    left = pd.concat([gone, come], ignore_index=True).groupby(LINE_COLUMNS, sort=False, as_index=False)["times"].sum()
    left = left[left["times"] != 0]
    net = (left["debit_minor"] - left["credit_minor"]) * left["times"]
    left = left.assign(was_minor=np.where(left["times"] < 0, -net, 0), now_minor=np.where(left["times"] > 0, net, 0))
    lines = left.groupby(_PLACE, sort=True, as_index=False)[["was_minor", "now_minor"]].sum()
    was, is_now = (set(zip(side["company"], side["batch"], strict=True)) for side in (gone, come))
    journals = list(zip(lines["company"], lines["batch"], strict=True))
    what = [CHANGED if one in was & is_now else NEW if one in is_now else REMOVED for one in journals]
    numbers = [str(number) if number >= 0 else "" for number in lines["line"]]
    shown: pd.DataFrame = lines.assign(journal=lines["batch"], what=what, line=numbers)[CHANGED_COLUMNS]
    return shown


def changed_balances(then: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """The balances that differ, in the shape CHANGED_COLUMNS, each figure by itself. then, now: company, account, subaccount and the four figures."""
    keys = ["company", "account", "subaccount"]
    sides = [
        by_figure(side[[*keys, *FIGURES]], keys).set_index([*keys, "figure"])["amount_minor"] for side in (then, now)
    ]
    every = sides[0].index.union(sides[1].index)
    was, is_now = (side.reindex(every, fill_value=0) for side in sides)
    rows = pd.DataFrame({"was_minor": was, "now_minor": is_now})[was != is_now].reset_index()
    return rows.assign(journal="", what=rows["figure"], line="")[CHANGED_COLUMNS]


def _journals(lines: pd.DataFrame) -> "pd.Series[int]":
    """A number for the journal of each line: codes are hashed once, so that a million lines are grouped in a moment."""
    return pd.Series(_hashed(lines[_JOURNAL]), index=lines.index)


def _marks(lines: pd.DataFrame, journals: "pd.Series[int]") -> "pd.Series[int]":
    """A number for each journal that is another one when any of its lines is, in whatever order they came. No line counts as nothing."""
    return pd.Series(_hashed(lines) | 1).groupby(journals.to_numpy(), sort=False).sum()


def _hashed(rows: pd.DataFrame) -> npt.NDArray[np.int64]:
    return pd.util.hash_pandas_object(rows, index=False).to_numpy().view(np.int64)


def _plain(lines: pd.DataFrame, times: int) -> pd.DataFrame:
    codes = ("company", "batch", "branch", "account", "subaccount")
    return lines.astype(dict.fromkeys(codes, object)).assign(times=times)
