"""The mapping desk: an entry is proposed by one person and accepted by another; what is wrong with the tables is told; each version is kept.

An entry counts from the next member map on. Two people give the same command: the first proposes, the second accepts.
"""

import json
from collections.abc import Mapping, Sequence

import pandas as pd

from mlc_pipelines.flows.approval import SamePerson
from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.files import read_frame
from mlc_pipelines.flows.report import Notice
from mlc_pipelines.flows.steps import MAPPING_SOUND, MEMBER_MAP, MEMBERS
from mlc_pipelines.ledger.errors import DataError, told_as
from mlc_pipelines.ledger.mapping import MemberRule
from mlc_pipelines.ledger.mapping_table import SERIOUS, Entry, findings, require_no_clash
from mlc_pipelines.store.mappings import ACCEPTED, DESK, PROPOSED, WITHDRAWN, Change
from mlc_pipelines.store.trail.event import Event

_UNCHANGED = "Nothing was changed."


def accept(
    desk: Desk, code: str, member: str, why: str, *, since: str = "", dimension: str = "", same_person: bool = False
) -> Change:
    """Propose that a code goes to a member from a period on; or, where somebody else proposed exactly that, accept it.

    Returns what was written: PROPOSED or ACCEPTED. same_person: who proposed may accept as well, so one command does both.
    Raises DataError where code or member is not there, another table says something else, or nothing would change.
    """
    _require_reason(why)
    if since:
        desk.calendar.period(since)
    rule = _rule_of(desk, code, dimension)
    entry = Entry(rule.dimension, code, member, since)
    members = read_frame(desk, desk.store.history.require_step(desk.connection, MEMBERS))
    of_list = members[members["list"] == rule.list_name]
    _require_member(desk, rule, of_list, member)
    _require_no_other(rule.every_entry(of_list), entry)
    return _decided(desk, entry, why, same_person=same_person)


def withdraw(
    desk: Desk,
    code: str,
    why: str,
    *,
    since: str = "",
    dimension: str = "",
    take_back: bool = False,
    same_person: bool = False,
) -> Change:
    """Take a proposal back, at once; or propose, and as somebody else accept, that an accepted entry goes.

    take_back: what waits is taken back, also where it is that an entry goes.
    """
    _require_reason(why)
    desk_of = desk.store.mappings(desk.connection)
    found = [
        one
        for one in [*desk_of.waiting(), *desk_of.accepted()]
        if (one.code, one.since) == (code, since) and dimension in ("", one.dimension)
    ]
    if len({one.dimension for one in found}) != 1:
        held = ", ".join(sorted({one.dimension.replace("_", " ") for one in found}))
        raise DataError(
            f"{code} has entries as {held}: say which is meant."
            if held
            else f"The mapping desk of {desk.connection} has no entry for {code}{f' from {since}' if since else ''}.",
            holds=_UNCHANGED,
            next_step="Name it with --of." if held else f"`mlc map list {desk.connection}` shows what there is.",
        )
    first = found[0]
    if first.state == PROPOSED and (first.member or take_back):
        return _written(desk, desk_of.decide(first, WITHDRAWN, desk.who, why))
    return _decided(desk, Entry(first.dimension, code, "", since), why, same_person=same_person)


def _decided(desk: Desk, entry: Entry, why: str, *, same_person: bool) -> Change:
    """Accept the same proposal of somebody else; without one, propose."""
    desk_of, place = desk.store.mappings(desk.connection), (entry.dimension, entry.code, entry.since)
    waiting = next((one for one in desk_of.waiting() if one.place == place), None)
    if waiting is None:
        waiting = _written(desk, desk_of.propose(entry, desk.who, why))
        return _written(desk, desk_of.decide(waiting, ACCEPTED, desk.who, why)) if same_person else waiting
    if waiting.member != entry.member:
        raise DataError(
            f"{waiting} waits for acceptance, proposed by {waiting.who}: {waiting.why}.",
            holds=_UNCHANGED,
            next_step=f"Accept that one, or take it back first: `mlc map withdraw {desk.connection} {entry.code} --proposal`.",
        )
    if waiting.who == desk.who and not same_person:
        raise SamePerson(
            f"{desk.who} proposed {waiting} and cannot accept it.",
            holds=_UNCHANGED,
            next_step="Have somebody else give the same command, or declare `same_person: true` under `mapping` in the connection file.",
        )
    return _written(desk, desk_of.decide(waiting, ACCEPTED, desk.who, why))


def _written(desk: Desk, change: Change) -> Change:
    """Into the audit trail as well."""
    query = {"code": change.code, "dimension": change.dimension, "from": change.since, "member": change.member}
    desk.store.trail.append(
        Event(
            f"mapping_entry_{change.state.lower()}",
            desk.connection,
            change.state,
            change.who,
            reference=f"mapping proposal {change.proposal}",
            note=change.why,
            query=query,
        )
    )
    return change


def _require_reason(why: str) -> None:
    if not why.strip():
        raise DataError(
            "The mapping is changed for a reason, which is kept.", holds=_UNCHANGED, next_step="Say why, with --why."
        )


def _rule_of(desk: Desk, code: str, dimension: str) -> MemberRule:
    """The rule of the dimension that the code belongs to, by the newest member map."""
    pairs = read_frame(desk, desk.store.history.require_step(desk.connection, MEMBER_MAP))
    found = sorted(
        set(pairs["dimension"][pairs["code"] == code]) & ({dimension} if dimension else set(pairs["dimension"]))
    )
    if len(found) != 1:
        raise DataError(
            f"{code} is a code of several kinds ({', '.join(one.replace('_', ' ') for one in found)}): say which is meant."
            if found
            else f"The ERP had no {dimension.replace('_', ' ') or 'account, cost center or vendor'} {code} when it was read last.",
            holds=_UNCHANGED,
            next_step="Name it with --of."
            if found
            else f"Check the code; `mlc map suggest {desk.connection}` reads the codes again.",
        )
    return next(rule for target in desk.targets for rule in target.rules if rule.dimension == found[0])


def _require_member(desk: Desk, rule: MemberRule, members: pd.DataFrame, member: str) -> None:
    held = members[members["code"] == member]
    if len(held) == 1 and bool(held["leaf"].iat[0]):
        return
    why = "has more than one member with this code" if len(held) > 1 else "has it as a parent; figures land on leaves"
    raise DataError(
        f"{member} cannot take figures: list {rule.list_name!r} {why if len(held) else 'had no such member when it was read last'}.",
        holds=_UNCHANGED,
        next_step=f"Name the code of a leaf of {rule.list_name}; `mlc map suggest {desk.connection}` reads the lists again.",
    )


def _require_no_other(entries: Sequence[Entry], entry: Entry) -> None:
    """Refuse what a file or the model says otherwise, and what holds already. What the desk itself says otherwise is replaced."""
    for one in entries:
        if (one.code, one.since) != (entry.code, entry.since):
            continue
        if one.member == entry.member:
            raise DataError(
                f"{entry.code} goes to {one} already.", holds=_UNCHANGED, next_step="There is nothing to do."
            )
        if not one.source.startswith(DESK):
            raise DataError(
                f"{entry.code} goes to {one}. That counts beside the mapping desk, and two answers for one period would be refused.",
                holds=_UNCHANGED,
                next_step="Change it there, or say from which period the new member counts, with --from.",
            )


# -- what the member map is made with ---------------------------------------------------------------------------------


def require_sound(
    desk: Desk, rules: Mapping[str, MemberRule], codes: Mapping[str, pd.DataFrame], members: pd.DataFrame
) -> Notice:
    """What is wrong with the mapping tables, as a person reads it. Raises DataError where entries contradict each other.

    rules, codes: by the step that reads a kind of codes. members: of all lists.
    """
    found = []
    for step, rule in rules.items():
        of_list = members[members["list"] == rule.list_name]
        entries = rule.every_entry(of_list)
        with told_as(MAPPING_SOUND):
            require_no_clash(entries)
        found.append(findings(entries, rule.template, codes[step], of_list, desk.calendar.keys))
    rows = pd.concat(found, ignore_index=True)
    count = sum(len(rule.every_entry(members[members["list"] == rule.list_name])) for rule in rules.values())
    waiting = desk.store.mappings(desk.connection).waiting()
    said = f"{count} entries in the mapping tables; {len(rows)} to look at."
    if waiting:
        said += f" Proposed, and waiting for somebody else: {'; '.join(map(str, waiting[:5]))}."
    return Notice(MAPPING_SOUND, said, rows, bool(set(rows["finding"]) & SERIOUS), "To look at")


def table_of(rules: Sequence[MemberRule], members: pd.DataFrame) -> pd.DataFrame:
    """Every entry that counts: dimension, code, member, from, source."""
    rows = [
        (one.dimension.replace("_", " "), one.code, one.member, one.since or "the beginning", one.source)
        for rule in rules
        for one in rule.every_entry(members[members["list"] == rule.list_name])
    ]
    return pd.DataFrame(rows, columns=["dimension", "code", "member", "from", "source"], dtype=object)


def kept_version(desk: Desk, rules: Sequence[MemberRule], members: pd.DataFrame) -> str:
    """The hash of all that decides where a code goes, kept as a file under it, and remembered with its first use.

    It does not depend on where an entry is written: one that moves from the desk into a file leaves the version as it is.
    """
    suspense = desk.target.suspense
    content = {
        "dimensions": [
            {
                "dimension": rule.dimension,
                "list": rule.list_name,
                "pattern": rule.template,
                "without a code": rule.table.get("", ""),
                "signs": dict(sorted(rule.signs.items())),
                "entries": sorted(
                    [one.code, one.since, one.member]
                    for one in rule.every_entry(members[members["list"] == rule.list_name])
                ),
            }
            for rule in rules
        ],
        "unmapped": {"account": suspense.account, "cost_center": suspense.cost_center, "vendor": suspense.vendor}
        if suspense
        else "stop",
    }
    text = json.dumps(content, ensure_ascii=False, indent=1)
    version = desk.store.artefacts.keep_bytes(text.encode())
    desk.store.mappings(desk.connection).use(version, desk.who, desk.run)
    return version
