"""List members as the ERP's codes want them: what would be new, renamed, moved, changed or gone, and which of them no list can take."""

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

import pandas as pd

from mlc_pipelines.ledger.errors import DataError, SetupError

LONGEST = 60  # characters of a name or code [S domain 3.4]
BASE = ["code", "name", "parent"]
CHANGE_COLUMNS = ["change", "code", "name", "before", "now"]
NEW, RENAMED, MOVED, CHANGED, GONE = "new", "renamed", "moved", "property changed", "gone from the ERP"

_FIELD = re.compile(r"\{(\w+)\}")
_INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}


@dataclass(frozen=True)
class ListRule:
    """How a list follows the ERP. Patterns name fields of the ERP's rows, as in "{code} {name}".

    source: accounts, cost_centers, or what a file of its own is called. by: "import" or "items". columns: header of the import's
    file -> code, name, parent or a property, in file order. keep: what is left as the planners have it, where the member exists.
    parent: pattern for the code or name of the parent; "" puts new members at the top and leaves the others. apart: ERP codes that
    are mapped by hand and not followed. spared: members that are never called gone. file: where the codes stand, if not in the ERP.
    """

    source: str
    list_name: str
    by: str
    import_name: str
    columns: Mapping[str, str]
    code: str
    name: str = "{name}"
    parent: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)
    keep: Collection[str] = ()
    apart: Collection[str] = ()
    spared: Collection[str] = ()
    file: str = ""


@dataclass(frozen=True)
class ListPlan:
    """rows: what must be written: code, name, parent (code of the parent, or its name where it has none), properties; parents first.

    after: the same members as they must stand afterwards, parent by name. added: codes among them that are new. changes: for people.
    """

    rule: ListRule
    rows: pd.DataFrame
    after: pd.DataFrame
    added: frozenset[str]
    changes: pd.DataFrame


def plan_list(rule: ListRule, codes: pd.DataFrame, listed: pd.DataFrame) -> ListPlan:
    """Hold the ERP's codes against the list. Raises DataError naming every member that cannot be written; then nothing may be.

    codes: code and the fields that the patterns name. listed: code, name, parent (its name), leaf, and the list's properties.
    """
    wanted = _wanted(rule, codes)
    refused = [*_clashes(wanted), *_bad_texts(wanted), *_twins(wanted, listed)]
    target = _as_kept(rule, wanted, listed)
    target, orphans = _with_parents(target, listed)
    require_none_refused(rule, refused + orphans)
    target = target.drop_duplicates("code")
    old = listed[listed["code"] != ""].set_index("code")
    changes = [*_changes(rule, target, old), *_gone(rule, target, listed)]
    frame = pd.DataFrame(changes, columns=CHANGE_COLUMNS, dtype=object)
    touched = set(frame["code"][frame["change"] != GONE])
    after = _parents_first(target[target["code"].isin(touched)])
    rows = after.assign(parent=after["parent_text"]).drop(columns="parent_text")
    added = frozenset(frame["code"][frame["change"] == NEW])
    return ListPlan(rule, rows, after.drop(columns="parent_text"), added, frame)


def _wanted(rule: ListRule, codes: pd.DataFrame) -> pd.DataFrame:
    """One row per ERP code that is followed: erp, code, name, parent (as the pattern says), properties."""
    patterns = {"code": rule.code, "name": rule.name, "parent": rule.parent, **rule.properties}
    asked = {name for pattern in patterns.values() for name in _FIELD.findall(pattern)}
    if unknown := sorted(asked - set(codes.columns)):
        raise SetupError(
            f"`lists.{rule.source}` uses {', '.join(f'{{{name}}}' for name in unknown)}, which {rule.source} do not have.",
            holds="Nothing was sent.",
            next_step=f"Use one of {', '.join(f'{{{name}}}' for name in codes.columns)} in the connection file.",
        )
    followed = codes[~codes["code"].isin(list(rule.apart))].drop_duplicates()
    texts = {column: followed[column].map(_as_text).tolist() for column in asked | {"code"}}
    columns = {title: _filled(pattern, texts, len(followed)) for title, pattern in patterns.items()}
    return pd.DataFrame({"erp": texts["code"], **columns}, dtype=object)


def _filled(pattern: str, texts: Mapping[str, list[str]], rows: int) -> list[str]:
    """The pattern with the fields of each row in their places; a brace inside a field stays a brace."""
    parts = _FIELD.split(pattern)  # text, field, text, field, ... text
    return ["".join(texts[part][row] if odd % 2 else part for odd, part in enumerate(parts)) for row in range(rows)]


def _as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) or type(value).__name__ in {"bool", "bool_"} else str(value)


def _clashes(wanted: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """C11: two ERP rows that want the same member."""
    for member, rows in wanted.groupby("code"):
        if len(rows) > 1:
            yield str(member), f"is wanted by more than one row of the ERP: {', '.join(rows['erp'])}"


def _bad_texts(wanted: pd.DataFrame) -> Iterator[tuple[str, str]]:
    for code, name in zip(wanted["code"], wanted["name"], strict=True):
        for what, text in (("its code", code), ("its name", name)):
            if problem := text_problem(text):
                yield code, f"{what} {problem}"


def text_problem(text: str) -> str:
    """C10: why a text cannot be the name or code of a member; "" if it can. Digits only, "=1+2" and emoji are texts like others."""
    if not text.strip():
        return "is empty"
    if len(text) > LONGEST:
        return f"has {len(text)} characters, and {LONGEST} are allowed: {text[:20]}..."
    if text != text.strip():
        return f"begins or ends with a blank: {text!r}"
    odd = next((letter for letter in text if unicodedata.category(letter) in _INVISIBLE), "")
    return f"holds the invisible character U+{ord(odd):04X}" if odd else ""


def _twins(wanted: pd.DataFrame, listed: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """Names, and codes, that a list takes for the same: equal but for letter case or for the way accents are written (NFC, NFD)."""
    others = listed[~listed["code"].isin(set(wanted["code"]))]
    names = [*zip(wanted["code"], wanted["name"], strict=True), *zip(others["code"], others["name"], strict=True)]
    codes = [(code, code) for code in dict.fromkeys([*wanted["code"], *others["code"]]) if code]
    own = set(wanted["code"])
    for what, pairs in (("name", names), ("code", codes)):
        seen: dict[str, str] = {}
        for code, text in dict.fromkeys(pairs):
            first = seen.setdefault(unicodedata.normalize("NFC", text).casefold(), code)
            if first != code and (code in own or first in own):
                mine, other = (code, first) if code in own else (first, code)
                yield mine, f"has the same {what} as member {other or '(without a code)'}: {text}"


def _as_kept(rule: ListRule, wanted: pd.DataFrame, listed: pd.DataFrame) -> pd.DataFrame:
    """What the planners have decided for existing members stays, where the connection says so."""
    target = wanted.drop(columns="erp").copy()
    old = listed[listed["code"] != ""].drop_duplicates("code").set_index("code")
    exists = target["code"].isin(old.index)
    kept = [*(["name"] if "name" in rule.keep else []), *(rule.properties if "properties" in rule.keep else [])]
    if "parent" in rule.keep or not rule.parent:
        kept.append("parent")
    for column in kept:
        theirs = target["code"].map(old[column] if column in old else pd.Series(dtype=object))
        target[column] = target[column].where(~exists, theirs)
    for column in [name for name in rule.properties if name in old]:  # the ERP has no value: what is there stays
        blank = exists & (target[column] == "")
        target[column] = target[column].where(~blank, target["code"].map(old[column]))
    return target


def _with_parents(target: pd.DataFrame, listed: pd.DataFrame) -> tuple[pd.DataFrame, list[tuple[str, str]]]:
    """The parents by name; parent_text is the code (the name where there is none); and who names a parent that is nowhere."""
    named = [*zip(listed["code"], listed["name"], strict=True), *zip(target["code"], target["name"], strict=True)]
    final = {code: name for code, name in named if code}
    name_of = {"": ""} | {name: final.get(code, name) for code, name in named} | final
    code_of = {name: code for code, name in final.items()}
    orphans = [
        (code, f"its parent {parent} is not in the list")
        for code, parent in zip(target["code"], target["parent"], strict=True)
        if parent not in name_of
    ]
    names = target["parent"].map(lambda text: name_of.get(text, text))
    return target.assign(parent=names, parent_text=names.map(lambda name: code_of.get(name) or name)), orphans


def require_none_refused(rule: ListRule, refused: list[tuple[str, str]]) -> None:
    """Refuse the whole list by name as soon as one member cannot be written."""
    if not refused:
        return
    table = pd.DataFrame(list(dict.fromkeys(refused)), columns=["member", "problem"], dtype=object)
    shown = "; ".join(f"{member} {problem}" for member, problem in table.head(8).itertuples(index=False))
    error = DataError(
        f"{len(table):,} members of the list {rule.list_name} cannot be written: {shown}.",
        holds="Nothing was sent to the plan.",
        next_step=f"Correct the codes or descriptions in the ERP, the patterns under `lists.{rule.source}`, or the members in Anaplan.",
    )
    error.evidence = {"Members refused": table}
    raise error


def _changes(rule: ListRule, target: pd.DataFrame, old: pd.DataFrame) -> Iterator[tuple[str, str, str, str, str]]:
    watched = [("name", RENAMED), ("parent", MOVED), *((title, CHANGED) for title in rule.properties)]
    for row in target.to_dict("records"):
        code, name = row["code"], row["name"]
        if code not in old.index:
            yield NEW, code, name, "", row["parent"]
            continue
        for column, change in watched:
            was, now = str(old.at[code, column]), row[column]
            if not same_value(was, now):
                shown = f"{column}: " if change == CHANGED else ""
                yield change, code, name, f"{shown}{was}", f"{shown}{now}"


def _gone(rule: ListRule, target: pd.DataFrame, listed: pd.DataFrame) -> Iterator[tuple[str, str, str, str, str]]:
    """Leaves that look like ours and have no code in the ERP any more. They are told, never deleted: their figures would go with them."""
    ours = re.compile("(.+)".join(map(re.escape, rule.code.split("{code}"))))
    known = set(target["code"]) | set(rule.spared)
    for member in listed[listed["leaf"]].to_dict("records"):
        if member["code"] and member["code"] not in known and ours.fullmatch(member["code"]):
            yield GONE, member["code"], member["name"], "", ""


def _parents_first(rows: pd.DataFrame) -> pd.DataFrame:
    """An import knows only parents that exist or stand above in its file. Raises DataError for a loop (C11)."""
    waiting, names = rows, set(rows["name"])
    ordered = []
    while len(waiting):
        ready = waiting[~waiting["parent"].isin(names)]
        if ready.empty:
            raise DataError(
                f"The parents of {', '.join(waiting['code'].head(5))} form a loop.",
                holds="Nothing was sent to the plan.",
                next_step="Correct the parent rule under `lists` in the connection file.",
            )
        ordered.append(ready)
        names -= set(ready["name"])
        waiting = waiting.drop(ready.index)
    return pd.concat(ordered, ignore_index=True) if ordered else rows


def differing(plan: ListPlan, before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Read back: what does not stand as planned, and what changed that should not have: code, what, wanted, held."""
    held = after[after["code"] != ""].drop_duplicates("code").set_index("code")
    rows = []
    for row in plan.after.to_dict("records"):
        code = row.pop("code")
        if code not in held.index:
            rows.append((code, "member", "in the list", "missing"))
            continue
        rows += [
            (code, str(column), text, str(held.at[code, column]))
            for column, text in row.items()
            if not same_value(str(held.at[code, column]), text)
        ]
    renamed = dict(zip(plan.after["code"], plan.after["name"], strict=True))
    new_name = {was: renamed[code] for code, was in zip(before["code"], before["name"], strict=True) if code in renamed}
    for code, name, parent in before.loc[~before["code"].isin(list(renamed)), BASE].itertuples(index=False):
        now = after[(after["code"] == code) & (after["name"] == name)]
        if now.empty:
            rows.append((code or name, "member", name, "gone or renamed"))
        elif now["parent"].iloc[0] not in (parent, new_name.get(parent, parent)):
            rows.append((code or name, "parent", parent, str(now["parent"].iloc[0])))
    return pd.DataFrame(rows, columns=["code", "what", "wanted", "held"], dtype=object)


def same_value(one: str, other: str) -> bool:
    """Whether two texts mean the same property: 12 and 12.0 do, true and TRUE do, 0012 and 12 do not."""
    if one == other:
        return True
    if one.casefold() == other.casefold() and one.casefold() in {"true", "false"}:
        return True
    if any(
        text.lstrip("-").startswith("0") and not text.lstrip("-").startswith("0.") and len(text) > 1
        for text in (one, other)
    ):
        return False
    try:
        return Decimal(one) == Decimal(other)
    except InvalidOperation:
        return False
