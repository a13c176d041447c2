"""Why sent and held figures differ: each difference laid to the row that was refused or passed over, or said to be unexplained.

What is explained and what is not always add up to the whole difference, to the cent.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

import pandas as pd

from mlc_pipelines.ledger.mapping import CELL_KEYS

UNKNOWN_MEMBER, PERIOD, NUMBER = "unknown member", "period", "number format"
CALCULATED, PARENT, DUPLICATE, OTHER = "calculated target", "parent target", "duplicate", "other"
NOT_EXPLAINED = "not explained"
COLUMNS = ["cause", *CELL_KEYS, "sent_minor", "held_minor", "difference_minor", "line", "reason"]

# What a refusal says, in the order in which the words are looked for: "Invalid line item identifier" is no unknown member.
_SAID = (
    (PERIOD, r"\bdate\b|time ?scale|time (period|entity)"),
    (DUPLICATE, r"duplicate|already exists|more than once"),
    (CALCULATED, r"calculat|formula"),
    (PARENT, r"\bparent\b|summary|aggregate"),
    (OTHER, r"line item"),
    (NUMBER, r"\bnumber|numeric"),
    (UNKNOWN_MEMBER, r"identifier|not found|does not exist|unknown"),
)

Key = tuple[str, str]
Finding = tuple[str, str, str, int, int, int, str, str]


@dataclass(frozen=True)
class Import:
    """What an import said, and what is known beside it.

    sent, before: account, cost_center, amount_minor of the file, and of what the model held before it.
    refused: account, cost_center, line, reason of each refused row. ignored: rows passed over, by the import's own count.
    ended: "" for an import that ran to its end, else how it ended. absent, parents: member codes that are not in their list, or not leaves.
    """

    sent: pd.DataFrame
    before: pd.DataFrame
    refused: pd.DataFrame
    ignored: int = 0
    ended: str = ""
    absent: Collection[str] = field(default_factory=frozenset)
    parents: Collection[str] = field(default_factory=frozenset)


def cause_of(reason: str) -> str:
    """The class of a refusal, by its words."""
    return next((cause for cause, words in _SAID if re.search(words, reason, re.IGNORECASE)), OTHER)


def attribute(breaks: pd.DataFrame, seen: Import) -> pd.DataFrame:
    """One row per refused row and per differing cell without one; COLUMNS, largest difference first.

    breaks: account, cost_center, left_minor (sent), right_minor (held) of every cell that differs.
    difference_minor adds up to the sum of all breaks: a row that was refused twice, or whose cell holds the right figure all
    the same, counts 0, and what no refusal accounts for stands under NOT_EXPLAINED.
    """
    sent, before = _by_key(seen.sent), _by_key(seen.before)
    keys = zip(breaks["account"], breaks["cost_center"], strict=True)
    open_ = dict(zip(keys, zip(breaks["left_minor"], breaks["right_minor"], strict=True), strict=True))
    found: list[Finding] = []
    counted: dict[Key, tuple[int, int]] = {}
    for row in seen.refused[[*CELL_KEYS, "line", "reason"]].itertuples(index=False):
        key, words = (str(row[0]), str(row[1])), (str(row[2]), str(row[3]))
        if key in open_:
            counted[key] = open_.pop(key)
            found += _refused(key, counted[key], before.get(key, 0), words, seen)
        else:
            figures = counted.get(key, (sent.get(key, 0), sent.get(key, 0)))
            found.append((_cause(key, words[1], seen), *key, *figures, 0, *words))
    found += _without_word(open_, sent, before, seen)
    frame = pd.DataFrame(found, columns=COLUMNS)
    frame = frame.astype(dict.fromkeys(["sent_minor", "held_minor", "difference_minor"], "int64"))
    return frame.sort_values("difference_minor", key=abs, ascending=False, kind="stable", ignore_index=True)


def _by_key(cells: pd.DataFrame) -> dict[Key, int]:
    return dict(zip(zip(cells["account"], cells["cost_center"], strict=True), cells["amount_minor"], strict=True))


def _refused(key: Key, figures: tuple[int, int], was: int, words: tuple[str, str], seen: Import) -> Iterator[Finding]:
    """A refused row explains that its cell still holds the earlier figure, or nothing where the import clears first; no more."""
    (sent, held), (line, reason) = figures, words
    explained = held - sent if held in (was, 0) else was - sent
    yield _cause(key, reason, seen), *key, sent, held, explained, line, reason
    if rest := held - sent - explained:
        yield NOT_EXPLAINED, *key, sent, held, rest, line, "Its row was refused, and yet the cell changed meanwhile."


def _cause(key: Key, reason: str, seen: Import) -> str:
    """By the words of the refusal; where they say nothing known, by what the lists say about the members."""
    cause = cause_of(reason)
    return (_by_members(key, seen) or cause) if cause == OTHER else cause


def _by_members(key: Key, seen: Import) -> str:
    if any(member in seen.absent for member in key):
        return UNKNOWN_MEMBER
    return PARENT if any(member in seen.parents for member in key) else ""


def _without_word(
    open_: Mapping[Key, tuple[int, int]], sent: Mapping[Key, int], before: Mapping[Key, int], seen: Import
) -> Iterator[Finding]:
    """Cells that differ although no refusal names them."""
    adds = any(value and before.get(key) and held == before[key] + value for key, (value, held) in open_.items())
    left = {key: held in (before.get(key, 0), 0) for key, (_, held) in open_.items() if key in sent}
    passed_over = sum(left.values()) <= seen.ignored
    for key, (value, held) in open_.items():
        was = before.get(key, 0)
        if key not in sent:
            cause, why = NOT_EXPLAINED, "We sent no figure here: somebody else wrote it."
        elif adds and held == was + value:
            cause, why = DUPLICATE, "The import added the figure to the one that stood there, instead of replacing it."
        elif not left[key]:
            cause, why = (
                NOT_EXPLAINED,
                "The cell holds neither the figure sent nor the earlier one: somebody else wrote it.",
            )
        elif seen.ended:
            cause, why = OTHER, seen.ended
        elif cause := _by_members(key, seen):
            why = "It is a parent in its list." if cause == PARENT else "It is not in its list any more."
        elif passed_over:
            cause, why = _ignored(seen)
        else:
            cause, why = NOT_EXPLAINED, _SILENT
        yield cause, *key, value, held, held - value, "", why


_SILENT = (
    "The import did not report this row, and the cell did not take the figure: the import may be set to ignore this member, "
    "or somebody wrote the old figure back."
)


def _ignored(seen: Import) -> tuple[str, str]:
    if seen.ignored >= len(seen.sent):
        return CALCULATED, "The import ignored every row: its target is calculated, or cannot be written to."
    return OTHER, "The import ignored the row and does not say why: its target may be calculated or set to be ignored."


def explained_minor(frame: pd.DataFrame) -> tuple[int, int]:
    """Sums of what is explained, and of what is not; together the difference of the leg."""
    unexplained = frame["cause"] == NOT_EXPLAINED
    return int(frame.loc[~unexplained, "difference_minor"].sum()), int(frame.loc[unexplained, "difference_minor"].sum())
