"""Mapping tables: what people wrote down about single codes, from which fiscal period on it holds, and what is wrong with it. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import pandas as pd

from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.ledger.fiscal import split_key

CLASH, DUPLICATE, DEAD_CODE, DEAD_MEMBER = "clash", "duplicate", "code is gone", "member is gone"
NO_PERIOD, LOOP, CHAIN = "no such period", "loop", "chain"
SERIOUS = frozenset({CLASH, DEAD_MEMBER, NO_PERIOD})
"""Figures are concerned; the others do no harm, and are told because somebody should know."""
FINDINGS = ["finding", "dimension", "code", "from", "member", "source", "said"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One code and the member that it goes to from a fiscal period on; since is "" where it holds from the beginning.

    source: where it is written, for people: a file and its line, the mapping desk, a property of the list.
    """

    dimension: str
    code: str
    member: str
    since: str = ""
    source: str = ""

    def __str__(self) -> str:
        return f"{self.member}{f' from {self.since}' if self.since else ''} ({self.source or 'by hand'})"


def entries_of_property(dimension: str, members: pd.DataFrame, name: str) -> list[Entry]:
    """Entries that the model itself holds: a property of each list member names its ERP codes, divided by commas."""
    if name not in members:
        raise DataError(
            f"The members were read without their property {name}, which names their ERP codes.",
            holds="The member map was not made anew; nothing was sent.",
            next_step="Materialize plan_members again, then the member map.",
        )
    return [
        Entry(dimension, code.strip(), member, source=f"property {name} of member {member}")
        for member, codes in zip(members["code"], members[name], strict=True)
        for code in str(codes).split(",")
        if code.strip() and member
    ]


def timelines(entries: Sequence[Entry]) -> dict[str, dict[str, str]]:
    """Code -> period from which -> member. Of entries that clash the first counts here; `require_no_clash` is asked before."""
    held: dict[str, dict[str, str]] = {}
    for one in entries:
        held.setdefault(one.code, {}).setdefault(one.since, one.member)
    return held


def in_order(periods: Sequence[str], since: str) -> int:
    """Where an entry begins among the calendar's periods: -1 before all of them, as many as there are after all.

    A period that the calendar lacks is placed by its year and number: calendars roll on, and what began long ago still holds.
    """
    if not since:
        return -1
    if since in periods:
        return periods.index(since)
    return -1 if not periods or split_key(since) < split_key(periods[0]) else len(periods)


def at_period(member_map: pd.DataFrame, periods: Sequence[str], key: str) -> pd.DataFrame:
    """The member map as it holds for one fiscal period: of the rows of a code, the one that began last."""
    if "since" not in member_map or not (member_map["since"] != "").any():
        return member_map
    begun = member_map["since"].map(lambda since: in_order(periods, since))
    held = member_map.assign(begun=begun)[begun <= periods.index(key)]
    latest = held.sort_values("begun", kind="stable").drop_duplicates(["dimension", "code"], keep="last")
    return latest.sort_index().drop(columns="begun")


def require_no_clash(entries: Sequence[Entry]) -> None:
    """Refuse two entries that send one code to different members from the same period on: nothing tells which is meant."""
    said = [row["said"] for row in _repeated(entries) if row["finding"] == CLASH]
    if said:
        raise DataError(
            f"The mapping tables contradict each other: {'; '.join(said[:10])}.",
            holds="The member map was not made anew; nothing was sent.",
            next_step="Keep one entry of each: correct the mapping file or the list property, or `mlc map withdraw` the accepted one.",
        )


def findings(
    entries: Sequence[Entry], template: str, codes: pd.DataFrame, members: pd.DataFrame, periods: Sequence[str]
) -> pd.DataFrame:
    """What is wrong with the entries of one dimension, the serious first: FINDINGS.

    codes: code of the ERP. members: code, leaf of the list. template: the pattern that entries are exceptions to.
    """
    known = set(codes["code"])
    leaves = set(members["code"][members["leaf"]])
    rows = [
        *_repeated(entries),
        *_dead(entries, known, leaves, set(members["code"])),
        *_out_of_time(entries, periods),
        *_loops(entries, template, known, periods),
    ]
    frame = pd.DataFrame(rows, columns=FINDINGS, dtype=object)
    order = frame["finding"].map(lambda one: one not in SERIOUS)
    return frame.assign(order=order).sort_values(["order", "code"], kind="stable", ignore_index=True)[FINDINGS]


def _row(finding: str, entry: Entry, said: str) -> dict[str, str]:
    told = {"dimension": entry.dimension.replace("_", " "), "code": entry.code, "from": entry.since or "the beginning"}
    return {"finding": finding, **told, "member": entry.member, "source": entry.source, "said": said}


def _repeated(entries: Sequence[Entry]) -> Iterator[dict[str, str]]:
    """Entries for one code from one period on: a clash where they differ, a duplicate where they agree."""
    ordered = sorted(entries, key=lambda one: (one.dimension, one.code, one.since))
    for (dimension, code, since), group in groupby(ordered, key=lambda one: (one.dimension, one.code, one.since)):
        first, *others = list(group)
        for other in others:
            finding = DUPLICATE if other.member == first.member else CLASH
            verb = "twice the same" if finding == DUPLICATE else "two members"
            when = f" from {since}" if since else ""
            said = f"{dimension.replace('_', ' ')} {code} has {verb}{when}: {first} and {other}"
            yield _row(finding, other, said)


def _dead(entries: Sequence[Entry], codes: set[str], leaves: set[str], members: set[str]) -> Iterator[dict[str, str]]:
    for one in entries:
        named = one.dimension.replace("_", " ")
        if one.code and one.code not in codes:
            yield _row(
                DEAD_CODE, one, f"the ERP has no {named} {one.code} (any more): a typing error, or to be deleted"
            )
        if one.member not in leaves:
            what = (
                "is a parent, figures land on leaves only" if one.member in members else "is not in the list (any more)"
            )
            yield _row(DEAD_MEMBER, one, f"member {one.member} {what}: figures of {one.code} would stop")


def _out_of_time(entries: Sequence[Entry], periods: Sequence[str]) -> Iterator[dict[str, str]]:
    """Periods within the calendar's years that it does not have, and those after its end."""
    for one in entries:
        if one.since and one.since not in periods and in_order(periods, one.since) >= 0:
            yield _row(NO_PERIOD, one, f"the fiscal calendar has no period {one.since}: the entry never begins")


def _loops(
    entries: Sequence[Entry], template: str, codes: set[str], periods: Sequence[str]
) -> Iterator[dict[str, str]]:
    """Codes that are sent to each other's members, and codes whose new place was moved on itself. As the last entries say.

    A member has one code by the pattern, so an entry that takes 6100 to the member of 6200 leads from code to code. Figures follow one
    step only, never two; where the next code was moved as well, somebody may have expected otherwise.
    """
    last = {one.code: one for one in sorted(entries, key=lambda one: in_order(periods, one.since))}
    leads = {
        code: to for code, one in last.items() if {code, to := _code_of(one.member, template)} <= codes and to != code
    }
    for code, towards in leads.items():
        path = [code]
        while (step := leads.get(path[-1])) is not None and step not in path:
            path.append(step)
        if step == code:
            if code == min(path):  # told once
                yield _row(LOOP, last[code], f"codes that take each other's members: {' -> '.join([*path, code])}")
        elif towards in last and last[towards].member != last[code].member:
            said = f"{code} goes to the member of {towards}, whose own figures go to {last[towards].member}: they part"
            yield _row(CHAIN, last[code], said)


def _code_of(member: str, template: str) -> str:
    """The code whose member this is by the pattern; "" where it is nobody's."""
    before, mark, after = template.partition("{code}")
    fits = mark and member.startswith(before) and member.endswith(after)
    return member.removeprefix(before).removesuffix(after) if fits else ""
