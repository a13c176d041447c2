"""Tables for people, as CSV that a spreadsheet opens: exact amounts, and no text that could be taken for a formula (K16)."""

import csv
import io
import re
from collections.abc import Callable, Mapping
from decimal import Decimal

import pandas as pd

from mlc_pipelines.flows.evidence.contents import Contents, Loaded, chart_of
from mlc_pipelines.flows.steps import SPEND
from mlc_pipelines.ledger.money import Money

CREDIT_NATURE = frozenset({"Income", "Liability"})
"""Kinds of accounts that grow by credits: in natural sign a credit is positive there."""

_MAY_BEGIN = re.compile(r"(^|[;|\t\r\n])([^\w;|\t\r\n=+\-@＝＋－＠]*)(?=[=+\-@＝＋－＠])")
_CONTROLS = re.compile(r"^[\t\r\n\0]")


def harmless(text: str) -> str:
    """The text with an apostrophe wherever a spreadsheet might see a formula begin: at its start, behind spaces and quotes, and behind what another cut of the line makes a start.

    Excel, LibreOffice and others take = + - @ (also in their wide forms) for the beginning of a formula, in quoted fields too [S OWASP CSV Injection].
    """
    marked = _MAY_BEGIN.sub(r"\1'\2", text)
    return f"'{marked}" if _CONTROLS.match(marked) else marked


def csv_of(frame: pd.DataFrame) -> bytes:
    """UTF-8 with a mark that Excel needs; numbers plain (-1234.50), every text quoted. The same frame gives the same bytes."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    writer.writerow([harmless(str(title)) for title in frame.columns])
    for row in frame.astype(object).itertuples(index=False, name=None):
        writer.writerow([_field(value) for value in row])
    return text.getvalue().encode("utf-8-sig", errors="replace")


def _field(value: object) -> object:
    """A number as it is, all else as a harmless text. A Decimal is written with all its digits."""
    if isinstance(value, bool) or value is None:
        return "" if value is None else "yes" if value else "no"
    return value if isinstance(value, int | Decimal) else harmless(str(value))


def tables_of(contents: Contents) -> dict[str, pd.DataFrame]:
    """Every table by the name of its file; those without rows are left out."""
    found = {name: make(contents) for name, make in _TABLES.items()}
    for loaded in contents.loaded:
        found[f"accounts_{loaded.feed.name}"] = accounts(contents, loaded)
        found[f"cells_{loaded.feed.name}"] = cells(contents, loaded)
        found[f"mapping_{loaded.feed.name}"] = mapping(contents, loaded)
    return {name: frame for name, frame in found.items() if len(frame)}


def money(frame: pd.DataFrame, currency: str) -> pd.DataFrame:
    """Each *_minor column as exact decimals, its title without the ending."""
    shown = frame.copy()
    for column in [name for name in frame.columns if name.endswith("_minor")]:
        amounts = [Money(int(minor), currency).decimal for minor in frame[column]]
        shown[column] = pd.Series(amounts, frame.index, dtype=object)
    return shown.rename(columns=lambda name: str(name).removesuffix("_minor").replace("_", " "))


def tie_outs(contents: Contents) -> pd.DataFrame:
    """Every leg that a step proved, with both sides, oldest first."""
    rows = [
        {
            "made at (UTC)": step.made_at,
            "step": step.step,
            "check": leg["leg"],
            "one side": leg["left"],
            "amount": _amount(leg["left_minor"], leg["unit"]),
            "other side": leg["right"],
            "its amount": _amount(leg["right_minor"], leg["unit"]),
            "difference": _amount(leg["right_minor"] - leg["left_minor"], leg["unit"]),
            "unit": leg["unit"],
            "compared": leg["compared"],
            "differing": leg["differing"],
        }
        for step in contents.steps
        for leg in step.facts.get("legs", [])
    ]
    return pd.DataFrame(rows)


def _amount(minor: int, unit: str) -> int | Decimal:
    return minor if unit == "rows" else Money(minor, unit).decimal


def _steps(contents: Contents) -> pd.DataFrame:
    rows = [
        {
            "made at (UTC)": one.made_at,
            "step": one.step,
            "period": one.period,
            "run": one.run,
            "file": one.artefact,
            "facts": "; ".join(f"{name}: {said}" for name, said in one.facts.items() if name != "legs"),
        }
        for one in contents.steps
    ]
    return pd.DataFrame(rows)


def _loads(contents: Contents) -> pd.DataFrame:
    rows = [
        {
            "load": str(one.id),
            "begun at (UTC)": one.begun_at,
            "ended at (UTC)": one.ended_at,
            "figures": one.feed,
            "state": one.state,
            "file sent": one.sent,
            "read back": one.read_back,
            "refused rows": one.dump,
            "note": one.note,
        }
        for loaded in contents.loaded
        for one in loaded.attempts
    ]
    return pd.DataFrame(rows)


def sign_offs(contents: Contents) -> pd.DataFrame:
    """Every agreement, what the ERP did to the period, and every suspension; the newest last."""
    rows = [
        {
            "at (UTC)": one.at,
            "what": one.state.lower().replace("_", " "),
            "load": str(one.load or ""),
            "said": one.note,
            "journals that changed": one.changes,
            "run": one.run,
        }
        for one in contents.standings
    ]
    return pd.DataFrame(rows)


def _approvals(contents: Contents) -> pd.DataFrame:
    return pd.DataFrame([
        {"at (UTC)": one.at, "plan": one.plan, "what": one.state, "by": one.who, "content": one.package, "evidence": one.evidence, "note": one.note}
        for one in contents.decisions
    ])  # fmt: skip


def _journals(contents: Contents) -> pd.DataFrame:
    rows = [
        {
            "plan": one.draft.plan,
            "version": one.draft.version,
            "journal": one.posting.number,
            "state": one.posting.state,
            "debit": one.draft.debit.decimal,
            "credit": one.draft.credit.decimal,
            "currency": one.draft.currency,
            "approved by": one.approval.by if one.approval else "",
            "approved at (UTC)": one.approval.at if one.approval else "",
            "content": one.package,
            "mapping version": one.posting.mapping,
            "books": str(one.draft.destination),
            "reference": one.draft.reference,
            "note": one.posting.note,
        }
        for one in contents.journals
    ]
    return pd.DataFrame(rows)


def _journal_lines(contents: Contents) -> pd.DataFrame:
    rows = [
        {
            "journal": one.posting.number,
            "reference": one.draft.reference,
            "account": line.account,
            "subaccount": line.subaccount,
            "debit": Money(line.debit_minor, one.draft.currency).decimal,
            "credit": Money(line.credit_minor, one.draft.currency).decimal,
            "description": line.description,
        }
        for one in contents.journals
        for line in one.draft.lines
    ]
    return pd.DataFrame(rows)


def _transitions(contents: Contents) -> pd.DataFrame:
    rows = [
        {
            "at (UTC)": event.at,
            "reference": one.draft.reference,
            "state": event.state,
            "journal": event.number,
            "by": event.who,
            "run": event.run,
            "note": event.note,
        }
        for one in contents.journals
        for event in one.events
    ]
    return pd.DataFrame(rows)


_TABLES: Mapping[str, Callable[[Contents], pd.DataFrame]] = {
    "tie_outs": tie_outs,
    "steps": _steps,
    "loads": _loads,
    "sign_offs": sign_offs,
    "approvals": _approvals,
    "journals": _journals,
    "journal_lines": _journal_lines,
    "journal_transitions": _transitions,
}


def accounts(contents: Contents, loaded: Loaded) -> pd.DataFrame:
    """What was read, by account: name, kind, debit, credit, the figure in natural sign, lines; and what the ERP's own balances say, where they are kept."""
    read = contents.frame(loaded.extract.artefact) if loaded.extract else None
    if read is None:
        return pd.DataFrame()
    columns = [name for name in ("debit_minor", "credit_minor", "amount_minor", "lines") if name in read]
    by_account = read.groupby("account", sort=True)[columns].sum().reset_index()
    chart = chart_of(contents, loaded)
    of_code = chart.set_index("code") if chart is not None else pd.DataFrame(columns=["name", "kind"])
    by_account.insert(1, "name", by_account["account"].map(of_code["name"]).fillna(""))
    by_account.insert(2, "kind", by_account["account"].map(of_code["kind"]).fillna(""))
    sign = by_account["kind"].isin(CREDIT_NATURE).map({True: -1, False: 1})
    by_account["in natural sign_minor"] = by_account.pop("amount_minor") * sign
    balances = contents.frame(loaded.extract.facts.get("balances", "")) if loaded.extract else None
    if balances is not None and loaded.feed != SPEND:
        own = balances.groupby("account", sort=True)[["debit_minor", "credit_minor"]].sum()
        for side in ("debit_minor", "credit_minor"):
            by_account[f"ERP's own {side}"] = by_account["account"].map(own[side]).fillna(0).astype("int64")
    return money(by_account, loaded.currency)


def cells(contents: Contents, loaded: Loaded) -> pd.DataFrame:
    """Every cell of the newest agreed load, or of the newest there is: what was sent, what the plan held when it was read back, and the difference."""
    load = next(
        (one for one in reversed(loaded.attempts) if loaded.load and one.sent == loaded.load.artefact), loaded.newest
    )
    sent = contents.cells(loaded.feed.name, load.sent, loaded.currency) if load else None
    held = contents.frame(load.read_back) if load else None
    if sent is None or held is None:
        return pd.DataFrame()
    keys = [name for name in held.columns if not name.endswith("_minor")]
    both = sent.groupby(keys, sort=True)["amount_minor"].sum().to_frame("sent_minor")
    both = both.join(held.groupby(keys, sort=True)["amount_minor"].sum().rename("in the plan_minor"), how="outer")
    both = both.fillna(0).astype("int64").sort_index().reset_index()
    both["difference_minor"] = both["in the plan_minor"] - both["sent_minor"]
    return money(both, loaded.currency)


def mapping(contents: Contents, loaded: Loaded) -> pd.DataFrame:
    """ERP codes and their members, as the file was made with them."""
    pairs = contents.frame(loaded.file.facts["member_map"]) if loaded.file else None
    return pd.DataFrame() if pairs is None else pairs.rename(columns=lambda name: str(name).replace("_", " "))
