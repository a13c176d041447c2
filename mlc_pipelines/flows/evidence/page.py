"""The page that a controller reads: what was read, what was sent, what agreed, who approved. Self-contained: no script, nothing fetched, no time of its making."""

from collections.abc import Iterable, Sequence
from html import escape

import pandas as pd

from mlc_pipelines.flows.as_then import REPLAYED_FROM
from mlc_pipelines.flows.evidence import charts, tables
from mlc_pipelines.flows.evidence.contents import Contents, Loaded
from mlc_pipelines.flows.signoff import FINAL, PROVISIONAL, loaded_as_then
from mlc_pipelines.ledger.money import Money
from mlc_pipelines.store.history import AGREED
from mlc_pipelines.store.postings import SEALED
from mlc_pipelines.store.trail.checkpoints import Checkpoint

_SHOWN, _BARS = 40, 12
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #1c2330; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: .2rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; } h3 { font-size: 1rem; margin-bottom: .2rem; }
.verdict { display: inline-block; padding: .25rem .7rem; border-radius: .4rem; font-weight: 600; }
.good { background: #d9f2e0; } .bad { background: #f9d7d5; }
table { border-collapse: collapse; margin-top: .4rem; } th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid #dde2ea; }
th { font-weight: 600; background: #f3f5f9; } td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.hash, code { font-family: ui-monospace, monospace; font-size: .85em; overflow-wrap: anywhere; }
svg { display: block; max-width: 100%; height: auto; margin: .5rem 0; font: 13px system-ui, sans-serif; fill: #1c2330; } .quiet { color: #5b6472; }
@media print { body { margin: 0; max-width: none; } }
"""
_ASKED = {
    "books": "books read",
    "from": "from",
    "to": "to",
    "read": "read from",
    "read_why": "because",
    "figures": "figures",
    "currency": "currency",
    "erp_status": "period in the ERP",
    "begun_at": "reading began (UTC)",
    "read_at": "by the ERP's own clock",
    "cursor": "changes of the ERP seen up to number",
    "query": "question",
}
_CHECKS = {
    "lines_match_ledger": "posted lines = the ERP's trial balance, debits and credits of every account",
    "balances_match_ledger": "the ERP's accounts = the sum over their subaccounts",
    "opening_matches_before": "opening = closing of the period before, every account",
    "closing_matches_ledger": "closing of the trial balance = opening and lines",
    "signs_match_classes": "every class of accounts comes out positive under the declared signs",
    "cells_match_lines": "file of cells = posted lines after mapping",
    "rows_all_taken": "rows that the plan took = rows sent",
    "model_matches_cells": "what the plan holds = cells sent, every cell",
    "spend_matches_ledger": "invoices = the ledger's lines from payables",
    "invoices_match_ledger": "every invoice stands in the ledger, and the other way round",
    "journals_match_plan": "journals = approved figures of the plan",
    "journals_balance": "debits = credits in every journal",
    "posted_matches_plan": "our journals, read back from the ERP = approved figures",
    "ledger_matches_plan": "what the ERP holds = approved figures",
}


def page_of(contents: Contents, checkpoint: Checkpoint | None, absent: Sequence[tuple[str, str, str]]) -> str:
    """The whole page. checkpoint: the signed head of the audit trail in the pack; absent: hash, what, why of files that retention gave up."""
    title = f"Evidence: {contents.connection}, {contents.period.key}"
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    guard = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    parts = [
        f'<!DOCTYPE html>\n<html lang="en"><head>{head}{guard}<style>{_STYLE}</style></head><body>',
        *_top(contents, title),
    ]
    for loaded in contents.loaded:
        parts += _loaded(contents, loaded)
    parts += [*_sign_offs(contents), *_tie_outs(contents), *_plans(contents)]
    parts += [*_files(contents, absent), *_trail(contents, checkpoint)]
    return "\n".join([*parts, "</body></html>\n"])


def _top(contents: Contents, title: str) -> Iterable[str]:
    period = contents.period
    yield f"<h1>{escape(title)}</h1>"
    yield f'<p class="quiet">{period.start_on.isoformat()} to {period.end_on.isoformat()}</p>'
    for loaded in contents.loaded:
        yield _verdict(loaded.agreed and not loaded.as_then, f"{_words(loaded.feed.name)}: {_standing(loaded)}")
    if contents.standings:
        held = contents.sign_off
        yield _verdict(held.state in {PROVISIONAL, FINAL}, f"sign-off: {held}")
    if contents.journals:
        done = sum(one.posting.state == SEALED for one in contents.journals)
        yield _verdict(
            done == len(contents.journals), f"journals of plans: {done} of {len(contents.journals)} posted and proved"
        )


def _standing(loaded: Loaded) -> str:
    newest = loaded.newest
    if newest is None:
        return "read, and not sent to the plan"
    if loaded.as_then and loaded.load:
        of = loaded.load.facts[REPLAYED_FROM]
        return f"the plan holds kept figures of {of}, loaded again at {_moment(newest.ended_at)}; the ERP was not asked, so whether plan and ledger agree is not known"
    if newest.state == AGREED:
        return f"plan and ledger agreed at {_moment(newest.ended_at)}"
    return f"not agreed ({newest.state}, begun at {_moment(newest.begun_at)}). {newest.note}"


def _loaded(contents: Contents, loaded: Loaded) -> Iterable[str]:
    yield f"<h2>{escape(_words(loaded.feed.name).capitalize())}: from the ledger into the plan</h2>"
    yield charts.bars("How many there were on each leg of the way", _counts(loaded))
    by_account = tables.accounts(contents, loaded)
    if len(by_account):
        figure = "in natural sign"
        yield f"<h3>Accounts with the largest figures, in {escape(loaded.currency)}</h3>"
        yield '<p class="quiet">In natural sign: income and liabilities are positive when they are credits, all others when they are debits.</p>'
        largest = by_account.sort_values(
            figure, key=lambda column: column.map(abs), ascending=False, kind="stable"
        ).head(_BARS)
        labels = [" ".join(one).strip() for one in zip(largest["account"], largest["name"], strict=True)]
        rows = [
            (label, int(amount.scaleb(4)), f"{amount:,}") for label, amount in zip(labels, largest[figure], strict=True)
        ]
        yield charts.bars("Accounts with the largest figures", rows)
        yield from _table(by_account, f"accounts_{loaded.feed.name}")
    if loaded.extract:
        yield "<h3>What was asked of the ERP</h3>"
        yield from _pairs(
            [(said, str(loaded.extract.facts[name])) for name, said in _ASKED.items() if loaded.extract.facts.get(name)]
        )
    yield from _mapping(loaded)
    yield "<h3>Every attempt to load it</h3>"
    kept = loaded_as_then(contents.standings)
    attempts = [
        {
            "load": str(one.id),
            "begun (UTC)": _moment(one.begun_at),
            "ended (UTC)": _moment(one.ended_at),
            "state": f"{one.state}, kept figures" if one.id in kept else one.state,
            "file sent": one.sent[:16],
            "note": one.note,
        }
        for one in loaded.attempts
    ]
    yield from _table(pd.DataFrame(attempts), "loads")


def _counts(loaded: Loaded) -> list[tuple[str, int, str]]:
    found: list[tuple[str, int]] = []
    if loaded.extract:
        counted = loaded.extract.facts.get("lines", loaded.extract.facts.get("distributions", 0))
        found.append(("posted lines read", int(counted)))
    if loaded.file:
        found.append(("cells in the file", int(loaded.file.facts["rows"])))
    if loaded.load:
        legs = {one["leg"]: one for one in loaded.load.facts.get("legs", [])}
        found.append(("rows sent", int(loaded.load.facts["rows"])))
        if rows := legs.get("rows_all_taken"):
            found.append(("rows taken by the plan", int(rows["right_minor"])))
        if cells := legs.get("model_matches_cells"):
            found.append(("cells compared after read-back", int(cells["compared"])))
    return [(label, count, f"{count:,}") for label, count in found]


def _mapping(loaded: Loaded) -> Iterable[str]:
    if not loaded.file:
        return
    parked = Money(int(loaded.file.facts.get("unmapped_minor", 0)), loaded.currency)
    yield "<h3>Mapping</h3>"
    yield from _pairs(
        [
            ("version of the mapping (SHA-256 of its table)", str(loaded.file.facts["member_map"])),
            (
                "on codes without a member",
                f"{parked}, which went to the suspense members" if parked.minor else "nothing",
            ),
        ]
    )
    yield f'<p class="quiet">The whole table: <a href="tables/mapping_{loaded.feed.name}.csv">tables/mapping_{loaded.feed.name}.csv</a></p>'


def _sign_offs(contents: Contents) -> Iterable[str]:
    if not contents.standings:
        return
    yield "<h2>Sign-off, and what became of the period since</h2>"
    yield from _table(tables.sign_offs(contents), "sign_offs")


def _tie_outs(contents: Contents) -> Iterable[str]:
    frame = tables.tie_outs(contents)
    if frame.empty:
        return
    newest = frame.drop_duplicates(["step", "check"], keep="last")
    yield "<h2>Tie-out: each leg, both sides</h2>"
    for _, row in newest.iterrows():
        differing = int(row["differing"])
        said = f"{int(row['compared']):,} compared, " + ("all equal" if not differing else f"{differing:,} differ")
        unit = row["unit"]
        yield f"<h3>{escape(_CHECKS.get(row['check'], row['check']))}</h3>"
        yield charts.pairs(
            row["check"],
            [
                (
                    (row["one side"], _whole(row["amount"]), f"{row['amount']:,} {unit}"),
                    (row["other side"], _whole(row["its amount"]), f"{row['its amount']:,} {unit}"),
                )
            ],
        )
        yield f'<p class="quiet">{escape(row["step"])}, {_moment(row["made at (UTC)"])} UTC: {said}; difference of the totals {row["difference"]:,} {unit}.</p>'
    yield '<p class="quiet">Legs within the ledger show debits as positive, legs of cells the sign that planners see. Every run of every step: <a href="tables/tie_outs.csv">tables/tie_outs.csv</a></p>'


def _plans(contents: Contents) -> Iterable[str]:
    if not contents.journals:
        return
    yield "<h2>Journals of approved plans</h2>"
    shown = [
        (f"{one.posting.number or 'no number'}, {one.draft.plan}", one.draft.debit.minor, str(one.draft.debit))
        for one in contents.journals
    ]
    yield charts.bars("Debits of each journal", shown[:_BARS])
    frame = tables.tables_of(contents)
    for name, title in (
        ("journals", "Journals"),
        ("journal_lines", "Their lines"),
        ("approvals", "Approvals"),
        ("journal_transitions", "What happened to them"),
    ):
        if name in frame:
            yield f"<h3>{title}</h3>"
            yield from _table(frame[name], name)


def _files(contents: Contents, absent: Sequence[tuple[str, str, str]]) -> Iterable[str]:
    gone = {digest for digest, _, _ in absent}
    yield "<h2>Files</h2><p>Byte by byte as they were read, sent and received; each is named after its own SHA-256.</p>"
    rows = [{"what": what, "file": digest} for digest, what in contents.files.items() if digest not in gone]
    yield from _table(pd.DataFrame(rows), "files", limit=200)
    if absent:
        yield "<h3>Given up by retention</h3>"
        yield from _table(pd.DataFrame(absent, columns=["file", "what", "why"]), "files")


def _trail(contents: Contents, checkpoint: Checkpoint | None) -> Iterable[str]:
    yield "<h2>Audit trail</h2>"
    if checkpoint is None:
        yield "<p>The audit trail has no entry of this period: what stands here is proved by the hashes of the files alone.</p>"
        return
    rows = [
        {
            "entry": one.number,
            "at (UTC)": _moment(one.event["at"]),
            "what": one.event["kind"],
            "outcome": one.event["outcome"],
            "by": one.event["who"],
            "records": one.records,
            "head": one.header[:16],
        }
        for one in contents.entries
    ]
    yield from _table(pd.DataFrame(rows), "", limit=200)
    said = f"All of them lie before entry {checkpoint.number:,}, whose head <code>{checkpoint.header}</code> was signed at {_moment(checkpoint.at)} UTC with the key <code>{checkpoint.key}</code>."
    yield f"<p>{said}</p><h2>How to check it without us</h2>"
    yield "<p>In this folder: <code>python3 -I -S verify_pack.py .</code> says <i>clean</i>, or names what was changed. Give it the public key as you know it from elsewhere, and heads from journals in the ERP: <code>python3 -I -S verify_pack.py . KEY HEAD</code>. README.txt tells more.</p>"


def _verdict(good: bool, said: str) -> str:
    return f'<p><span class="verdict {"good" if good else "bad"}">{escape(said)}</span></p>'


def _pairs(rows: Sequence[tuple[str, str]]) -> Iterable[str]:
    cells = (f'<tr><th>{escape(name)}</th><td class="hash">{escape(said)}</td></tr>' for name, said in rows)
    yield f"<table>{''.join(cells)}</table>"


def _table(frame: pd.DataFrame, name: str, *, limit: int = _SHOWN) -> Iterable[str]:
    """The first rows, and where all are."""
    if frame.empty:
        yield '<p class="quiet">None.</p>'
        return
    yield f"<table><tr>{''.join(f'<th>{escape(str(title))}</th>' for title in frame.columns)}</tr>"
    for row in frame.head(limit).astype(object).itertuples(index=False, name=None):
        yield f"<tr>{''.join(_cell(value) for value in row)}</tr>"
    yield "</table>"
    if len(frame) > limit:
        yield f'<p class="quiet">{limit} of {len(frame):,}; all of them: <a href="tables/{name}.csv">tables/{name}.csv</a></p>'


def _cell(value: object) -> str:
    if isinstance(value, str):
        return f"<td>{escape(value)}</td>"
    return (
        f'<td class="number">{value:,}</td>' if not isinstance(value, bool) else f"<td>{'yes' if value else 'no'}</td>"
    )


def _whole(amount: object) -> int:
    """For the length of a bar."""
    return int(amount) if isinstance(amount, int) else round(amount * 100)  # type: ignore[operator]


def _moment(at: str) -> str:
    return at[:19].replace("T", " ")


def _words(name: str) -> str:
    return {"actuals": "actuals", "ap_spend": "spend on vendors"}.get(name, name)
