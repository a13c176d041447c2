"""ERP codes <-> list members. What has no partner is kept, counted and shown with the money at stake; never dropped."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from operator import itemgetter, le

import numpy as np
import pandas as pd

from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.ledger.mapping_table import Entry, entries_of_property, timelines

ACCOUNT, COST_CENTER, VENDOR = "account", "cost_center", "vendor"
CELL_KEYS = ["account", "cost_center"]
MAP_COLUMNS = ["dimension", "code", "name", "kind", "active", "member", "member_name", "sign", "problem", "since"]
"""since: the fiscal period from which a row holds, "" from the beginning; of several rows of a code, the one that began last counts."""


@dataclass(frozen=True, slots=True)
class MemberRule:
    """How a code finds its member. An entry of a table wins over the rule.

    template: member code with `{code}` in it, such as "A{code}"; "" where only the tables count.
    table: code -> member code, such as that of figures without a code.
    signs: kind of account -> +1 (planners see debits positive) or -1 (they see credits positive); missing kinds count +1.
    entries: what people wrote down, in files and at the mapping desk. list_property: of the members, which names their ERP codes; "" for none.
    """

    dimension: str
    list_name: str
    template: str = ""
    table: Mapping[str, str] = field(default_factory=dict)
    signs: Mapping[str, int] = field(default_factory=dict)
    entries: tuple[Entry, ...] = ()
    list_property: str = ""

    def every_entry(self, members: pd.DataFrame) -> list[Entry]:
        """Those that were written down here, then those that the model holds itself. members: of the list, with its property."""
        if not self.list_property:
            return list(self.entries)
        return [*self.entries, *entries_of_property(self.dimension, members, self.list_property)]

    def by_pattern(self, code: str) -> str:
        """The member without any entry of people's."""
        return self.table.get(code) or (self.template.replace("{code}", code) if self.template else "")


@dataclass(frozen=True, slots=True)
class Suspense:
    """The named members that take what has no partner, where the company allows it instead of a stop."""

    account: str
    cost_center: str
    vendor: str = ""


def align(codes: pd.DataFrame, members: pd.DataFrame, rule: MemberRule) -> pd.DataFrame:
    """Each ERP code beside its list member: one row per code, and one for each later period from which another member counts; MAP_COLUMNS, in code order.

    codes: code, name, active and, for accounts, kind. members: code, name, leaf.
    member is "" and problem says why where a code has no usable partner: no rule, no such member, a parent, or an ambiguous member code.
    """
    known = [one for one in zip(members["code"], members["name"], members["leaf"], strict=True) if one[0]]
    twice = {code for code, times in Counter(code for code, _, _ in known).items() if times > 1}
    names = {code: name for code, name, _ in known}
    leaves = {code for code, _, leaf in known if leaf}
    rows = []
    written = timelines(rule.every_entry(members))
    for code, name, kind, active in _described(codes):
        sign = rule.signs.get(kind, 1)
        for since, wanted in {"": rule.by_pattern(code), **written.get(code, {})}.items():
            problem = _problem(wanted, rule.list_name, names, leaves, twice)
            member = "" if problem else wanted, names.get(wanted, "")
            rows.append((rule.dimension, code, name, kind, active, *member, sign, problem, since))
    return pd.DataFrame(sorted(rows, key=itemgetter(1, -1)), columns=MAP_COLUMNS)


def _described(codes: pd.DataFrame) -> Sequence[tuple[str, str, str, bool]]:
    kinds = codes["kind"] if "kind" in codes else pd.Series("", index=codes.index)
    return list(zip(codes["code"], codes["name"], kinds, codes["active"], strict=True))


def _problem(wanted: str, list_name: str, names: Mapping[str, str], leaves: set[str], twice: set[str]) -> str:
    if not wanted:
        return "no rule and no entry of a mapping table names a member"
    if wanted not in names:
        return f"list {list_name!r} has no member with code {wanted}"
    if wanted in twice:
        return f"list {list_name!r} has more than one member with code {wanted}"
    return "" if wanted in leaves else f"member {wanted} of list {list_name!r} is a parent; figures land on leaves only"


def dead_entries(rule: MemberRule, codes: pd.DataFrame) -> list[str]:
    """Codes that a mapping table names and the ERP does not have: harmless, but a sign of a typing error."""
    return sorted({*rule.table, *(one.code for one in rule.entries)} - set(codes["code"]))


def require_known(
    amounts: pd.DataFrame, member_map: pd.DataFrame, dimensions: Sequence[str] = tuple(CELL_KEYS)
) -> None:
    """Refuse figures on codes that appeared in the ERP after the map was made: the map must be made again first."""
    mapped = set(zip(member_map["dimension"], member_map["code"], strict=True))
    for dimension in dimensions:
        if strangers := sorted(code for code in set(amounts[dimension]) if (dimension, code) not in mapped):
            raise DataError(
                f"The member map does not know {dimension.replace('_', ' ')} {', '.join(strangers[:10])}: it is older than the figures.",
                holds="Nothing was sent.",
                next_step="Materialize the member map (with the codes of the ERP and the plan members that it is made of), then this period again.",
            )


def place(
    amounts: pd.DataFrame,
    member_map: pd.DataFrame,
    suspense: Suspense | None,
    dimensions: Sequence[str] = tuple(CELL_KEYS),
) -> pd.DataFrame:
    """Period amounts beside the members they land on.

    amounts: the dimensions (account, cost_center ...), debit_minor, credit_minor, amount_minor, lines. Returns those columns and
    to_account, to_cost_center ... (member codes; "" where there is no partner and no suspense), sign, plan_minor (in the planners' sign), problem.
    """
    placed = amounts.copy()
    sign = np.ones(len(placed), np.int64)
    problem = np.full(len(placed), "", dtype=object)
    columns = (member_map[name] for name in ("dimension", "code", "member", "sign", "problem"))
    partners = {(dimension, code): found for dimension, code, *found in zip(*columns, strict=True)}
    for dimension in dimensions:
        # Each distinct code is looked up once; the rows only take what was found for theirs.
        row_of, codes = pd.factorize(placed[dimension].to_numpy(object))
        found = [partners.get((dimension, code), ("", 1, "not in the map")) for code in codes]
        member = np.array([one for one, _, _ in found], object)
        missing = member == ""
        sign *= np.array([of_one if one else 1 for one, of_one, _ in found], np.int64)[row_of]
        name = dimension.replace("_", " ")
        said = np.array([f"{name} {code}: {why}" for code, (_, _, why) in zip(codes, found, strict=True)], object)
        lacking = missing[row_of]
        problem[lacking] = [
            f"{one}; {other}" if one else other
            for one, other in zip(problem[lacking], said[row_of][lacking], strict=True)
        ]
        landing = np.where(missing, getattr(suspense, dimension), member) if suspense else member
        placed[f"to_{dimension}"] = pd.Series(landing[row_of], placed.index, dtype=object)
    placed["sign"] = sign
    placed["plan_minor"] = placed["amount_minor"] * sign
    placed["problem"] = pd.Series(problem, placed.index, dtype=object)
    return placed


def unmapped(placed: pd.DataFrame) -> pd.DataFrame:
    """What has no partner, by codes, largest money first: account, cost_center (vendor), lines, debit_minor, credit_minor, amount_minor, problem."""
    books = [name for name in (VENDOR, "company", "currency") if name in placed]
    columns = [*CELL_KEYS, *books, "lines", "debit_minor", "credit_minor", "amount_minor", "problem"]
    rows = placed.loc[placed["problem"] != "", columns]
    return _in_order_of(rows, -rows["amount_minor"].abs(), *(rows[name] for name in [*CELL_KEYS, *books]))


def to_cells(placed: pd.DataFrame, keys: Sequence[str] = CELL_KEYS) -> pd.DataFrame:
    """One row per cell key in key order: account, cost_center (member codes), what else the keys name as it stands, amount_minor in the planners' sign. Leaves out what has no member."""
    landing = [f"to_{key}" if f"to_{key}" in placed else key for key in keys]
    landed = placed[
        np.logical_and.reduce([placed[name].to_numpy(object) != "" for name in landing if name.startswith("to_")])
    ]
    sums = landed.groupby(landing, sort=True)["plan_minor"].sum().reset_index()
    return sums.set_axis([*keys, "amount_minor"], axis=1)


def with_zeros(cells: pd.DataFrame, earlier: pd.DataFrame, keys: Sequence[str] = CELL_KEYS) -> pd.DataFrame:
    """The whole slice: the cells, and an explicit zero for every earlier key that holds nothing now; in key order."""
    names = list(keys)
    every = cells if earlier.empty else pd.concat([cells, earlier[names].assign(amount_minor=0)], ignore_index=True)
    whole = every.drop_duplicates(names, keep="first")
    return _in_order_of(whole, *(whole[name] for name in names)).astype({"amount_minor": "int64"})


def _in_order_of(rows: pd.DataFrame, *columns: pd.Series) -> pd.DataFrame:
    """Sorted by these columns, the first one first; rows that stand in order already, as most do, are found so at once."""
    ranks = list(zip(*(column.tolist() for column in columns), strict=True))
    if not all(map(le, ranks, ranks[1:])):
        rows = rows.iloc[sorted(range(len(ranks)), key=ranks.__getitem__)]
    return rows.reset_index(drop=True)


def landable(cells: pd.DataFrame, lists: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The cells with a column problem: why a cell's members cannot take a figure now, "" where they can.

    lists: dimension -> its members (code, name, leaf) as they are at this moment.
    """
    judged = cells.copy()
    told = [[""] * len(cells)]
    for dimension, members in lists.items():
        coded = [code or name for code, name in zip(members["code"], members["name"], strict=True)]
        known, leaves = set(coded), set(compress(coded, members["leaf"]))
        said = {
            member: ""
            if member in leaves
            else f"{dimension.replace('_', ' ')} {member} {'is a parent now' if member in known else 'is gone'}"
            for member in cells[dimension].unique()
        }
        told.append([said[member] for member in cells[dimension]])
    judged["problem"] = pd.Series(
        [", ".join(filter(None, each)) for each in zip(*told, strict=True)], cells.index, object
    )
    return judged


def drift(before: pd.DataFrame, now: pd.DataFrame, *, key: str, watched: Sequence[str]) -> pd.DataFrame:
    """What changed between two readings of the same codes: key, change (a watched column, "new" or "vanished"), before, now.

    In key order. A key that stands more than once counts by its first row. Columns that one reading lacks are not compared.
    """
    old, new = (frame.drop_duplicates(key).set_index(key) for frame in (before, now))
    rows = [(code, "vanished", "", "") for code in old.index.difference(new.index)]
    rows += [(code, "new", "", "") for code in new.index.difference(old.index)]
    both = old.index.intersection(new.index)
    for column in [name for name in watched if name in old and name in new]:
        was, is_ = old.loc[both, column].map(_shown), new.loc[both, column].map(_shown)
        rows += [(code, column.replace("_", " "), was[code], is_[code]) for code in both[(was != is_).to_numpy()]]
    changes = pd.DataFrame(rows, columns=[key, "change", "before", "now"], dtype=object)
    return changes.sort_values([key, "change"], kind="stable", ignore_index=True)


def _shown(value: object) -> str:
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    return str(value)
