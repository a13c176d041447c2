"""ERP codes -> list members: previewed, refused by name where a list cannot take them, written once, read back. Nothing is ever deleted."""

import csv
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.files import keep_frame, read_frame
from mlc_pipelines.flows.report import Report
from mlc_pipelines.flows.steps import CHART, COST_CENTERS, LIST_SYNC
from mlc_pipelines.flows.trail import record_step
from mlc_pipelines.ledger.errors import DataError, PipelineError, SetupError, UncertainError
from mlc_pipelines.ledger.members import CHANGED, GONE, MOVED, NEW, RENAMED, ListPlan, ListRule, differing, plan_list
from mlc_pipelines.ledger.outcomes import shortfall

_COUNTS = {
    NEW: "new members",
    RENAMED: "renamed members",
    MOVED: "members with another parent",
    CHANGED: "changed properties",
    GONE: "members gone from the ERP",
}
_ERP_SOURCES = {"accounts": CHART, "cost_centers": COST_CENTERS}


@dataclass(frozen=True)
class _Listed:
    """A plan beside the list as it stood when the plan was made."""

    plan: ListPlan
    before: pd.DataFrame


def sync_lists(desk: Desk, *, dry_run: bool = False) -> Report:
    """Bring every declared list up to the ERP's codes; the ERP's side is what chart_of_accounts and cost_centers read last.

    All lists are planned before the first is written, and one bad member stops them all. A dry run only shows what would change.
    """
    require_declared(desk)
    if dry_run:
        return _report(desk, [_planned(desk, rule) for rule in desk.lists], dry_run=True)
    desk.plan.wait_until_welcome()
    with desk.fence("lists"):
        desk.plan.wait_until_free()
        planned = [_planned(desk, rule) for rule in desk.lists]
        for one in planned:
            if len(one.plan.rows):
                _write(desk, one)
    return _report(desk, planned, dry_run=False)


def require_declared(desk: Desk) -> None:
    """Raises SetupError where the connection declares no lists."""
    if not desk.lists:
        raise SetupError(
            f"Connection {desk.connection} declares no lists.",
            holds="Nothing was read or sent.",
            next_step="Add a section `lists` to the connection file: docs/lists.md shows one.",
        )


def _planned(desk: Desk, rule: ListRule) -> _Listed:
    step = _ERP_SOURCES.get(rule.source)
    codes = (
        read_frame(desk, desk.store.history.require_step(desk.connection, step))
        if step
        else read_codes(Path(rule.file))
    )
    before = desk.plan.read_members(rule.list_name, tuple(rule.properties))
    if rule.by == "import":
        desk.plan.require_import(rule.import_name, tuple(rule.columns))
    return _Listed(plan_list(rule, codes, before), before)


def read_codes(path: Path) -> pd.DataFrame:
    """Codes of a dimension that the ERP does not have, from a CSV file in UTF-8 whose header has at least `code`; all texts."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header, *rows = [row for row in csv.reader(file, strict=True) if row]
    except OSError as error:
        raise SetupError(
            f"The file of codes {path} cannot be read ({error.strerror}).",
            holds="Nothing was sent.",
            next_step="Correct its name under `lists` in the connection file.",
        ) from None
    except (ValueError, csv.Error) as error:
        raise _no_codes(path, str(error)) from None
    if "code" not in header or len(set(header)) != len(header):
        raise _no_codes(path, "its header must name each column once, and one of them `code`")
    if short := next((row for row in rows if len(row) != len(header)), None):
        raise _no_codes(path, f"a row has {len(short)} fields instead of {len(header)}: {', '.join(short)[:100]}")
    return pd.DataFrame(rows, columns=header, dtype=object)


def _no_codes(path: Path, why: str) -> DataError:
    return DataError(
        f"The file of codes {path.name} cannot be used: {why}.",
        holds="Nothing was sent.",
        next_step="Save it as CSV UTF-8, with commas and a header.",
    )


def _write(desk: Desk, listed: _Listed) -> None:
    """Write once, then look: the list as it is read back is the proof, whatever the answer was, and also when it was lost."""
    rule = listed.plan.rule
    desk.progress(f"{rule.list_name}: writing {len(listed.plan.rows):,} members")
    unclear: UncertainError | None = None
    answer = _Answer()
    try:
        answer = _imported(desk, listed.plan) if rule.by == "import" else _posted(desk, listed.plan)
    except UncertainError as error:
        unclear = error
    after = desk.plan.read_members(rule.list_name, tuple(rule.properties))
    wrong = differing(listed.plan, listed.before, after)
    if not wrong.empty:
        raise _not_as_planned(rule, wrong, answer, unclear)
    if answer.short:
        raise _not_whole(rule, answer)


@dataclass(frozen=True)
class _Answer:
    """What Anaplan says it did. refused: rows with their reason. short: how an import ended that did not take every row, else ""."""

    refused: pd.DataFrame = field(default_factory=pd.DataFrame)
    short: str = ""


def _imported(desk: Desk, plan: ListPlan) -> _Answer:
    with desk.store.artefacts.draft() as path:
        _write_file(path, plan)
        desk.store.artefacts.keep_bytes(path.read_bytes())
        outcome = desk.plan.import_file(plan.rule.import_name, path)
    return _Answer(outcome.refused, shortfall(outcome, len(plan.rows)))


def _write_file(path: Path, plan: ListPlan) -> None:
    """Every field quoted, UTF-8, parents above their children."""
    rows = plan.rows[list(plan.rule.columns.values())]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow(plan.rule.columns)
        writer.writerows(rows.itertuples(index=False, name=None))


def _posted(desk: Desk, plan: ListPlan) -> _Answer:
    new = plan.rows["code"].isin(plan.added)
    parts = [(plan.rows[new], True), (plan.rows[~new], False)]
    written = [desk.plan.write_members(plan.rule.list_name, rows, new=added) for rows, added in parts if len(rows)]
    return _Answer(pd.concat([one.refused for one in written], ignore_index=True))


def _not_whole(rule: ListRule, answer: _Answer) -> DataError:
    """The list stands as planned, and the import says that it did not take every row: either word may be the wrong one."""
    error = DataError(
        f"The list {rule.list_name} reads as planned, yet of its import {rule.import_name} {answer.short}",
        holds="The members stand as planned; nothing was deleted by us.",
        next_step="Have the model builder look at the import's history in Anaplan; then synchronize again: it starts from what the list holds.",
    )
    error.evidence = {} if answer.refused.empty else {"Refused rows": answer.refused}
    return error


def _not_as_planned(
    rule: ListRule, wrong: pd.DataFrame, answer: _Answer, unclear: UncertainError | None
) -> PipelineError:
    shown = "; ".join(
        f"{code}: {what} {held!r} instead of {wanted!r}"
        for code, what, wanted, held in wrong.head(5).itertuples(index=False)
    )
    refused = answer.refused
    said = f" By its own word {answer.short}" if answer.short else ""
    said += f" Anaplan refused {len(refused):,}: {_first_reasons(refused)}." if len(refused) else ""
    lost = f" {unclear.what}" if unclear else ""
    kind = UncertainError if unclear else DataError
    error = kind(
        f"The list {rule.list_name} does not stand as planned: {len(wrong):,} differences, {shown}.{said}{lost}",
        holds="Members that are not named here were written; nothing was deleted by us.",
        next_step="Correct what is named (the model builder can), then synchronize again: it starts from what the list holds.",
    )
    error.evidence = {"Members that differ": wrong}
    if len(refused):
        error.evidence["Refused rows"] = refused
    return error


def _first_reasons(refused: pd.DataFrame) -> str:
    return "; ".join(str(reason) for reason in refused["reason"].drop_duplicates().head(3))


def _report(desk: Desk, planned: list[_Listed], *, dry_run: bool) -> Report:
    tables = [one.plan.changes.assign(list=one.plan.rule.list_name) for one in planned]
    changes = pd.concat(tables, ignore_index=True)[["list", "change", "code", "name", "before", "now"]]
    counts = {title: int((changes["change"] == change).sum()) for change, title in _COUNTS.items()}
    written = sum(len(one.plan.rows) for one in planned)
    parts = [
        f"{count} {_COUNTS[change]}" for change in _COUNTS if (count := counts[_COUNTS[change]]) and change != GONE
    ]
    said = ", ".join(parts) or "nothing to write"
    names = " and ".join(one.plan.rule.list_name for one in planned)
    summary = f"{names}: {said}" + (
        " (dry run: nothing was sent)." if dry_run else "; read back as planned." if written else "."
    )
    if counts[_COUNTS[GONE]]:
        summary += f" {counts[_COUNTS[GONE]]} members are gone from the ERP; they were left in place, because their figures would go with them."
    artefact = keep_frame(desk, changes)
    if not dry_run:
        record_step(desk, LIST_SYNC, "", artefact, counts)
    gone = changes["change"] == GONE
    return Report(
        LIST_SYNC,
        "",
        summary,
        artefact,
        counts={"members written": 0 if dry_run else written, **counts},
        tables={
            "Changes": changes[~gone].reset_index(drop=True),
            "Gone from the ERP": changes.loc[gone, ["list", "code", "name"]].reset_index(drop=True),
        },
    )
