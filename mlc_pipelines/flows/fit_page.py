"""The fit report as a page of its own, for a person who gets it by mail: what to do, by person, and below it everything that was looked at."""

from collections.abc import Iterable, Sequence
from html import escape

from mlc_pipelines.ledger.fit import BEWARE, BROKEN, FINE, MISSING, NOT_CHECKED, NOT_YET, READY, Finding, FitReport

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #1c2330; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: .2rem; } h2 { font-size: 1.15rem; margin-top: 2rem; } h3 { font-size: 1rem; margin: 1rem 0 .2rem; }
.verdict { display: inline-block; padding: .25rem .7rem; border-radius: .4rem; font-weight: 600; }
.ready { background: #d9f2e0; } .not-yet { background: #fdeecb; } .broken { background: #f9d7d5; }
table { border-collapse: collapse; width: 100%; margin-top: .4rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid #dde2ea; }
th { font-weight: 600; background: #f3f5f9; } td.state { white-space: nowrap; font-weight: 600; }
.missing { color: #a8201a; } .beware { color: #8a5a00; } .fine { color: #1d6b36; } .unchecked { color: #5b6472; }
footer, .quiet { color: #5b6472; } @media print { body { margin: 0; max-width: none; } }
"""
_VERDICT = {READY: "ready", NOT_YET: "not-yet", BROKEN: "broken"}
_WORDS = {
    READY: "Ready for its first load",
    NOT_YET: "Not ready yet",
    BROKEN: "Broken: not everything could be opened",
}
_CLASSES = {MISSING: "missing", BEWARE: "beware", FINE: "fine", NOT_CHECKED: "unchecked"}


def page_of(reports: Sequence[FitReport]) -> str:
    """One self-contained page: no script, nothing that is fetched from elsewhere."""
    parts = [part for report in reports for part in _report(report)]
    title = f"Fit report: {', '.join(report.connection for report in reports)}"
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    foot = "<footer><p>Nothing was written into any system while this was looked at.</p></footer>"
    return "\n".join(
        [
            f'<!DOCTYPE html>\n<html lang="en"><head>{head}<style>{_STYLE}</style></head><body>',
            *parts,
            foot,
            "</body></html>\n",
        ]
    )


def _report(report: FitReport) -> Iterable[str]:
    yield f"<h1>{escape(report.connection)}</h1>"
    yield f'<p><span class="verdict {_VERDICT[report.state]}">{_WORDS[report.state]}</span> <span class="quiet">looked at on {report.at:%Y-%m-%d %H:%M} UTC</span></p>'
    yield f"<p>{escape(report.summary)}</p>"
    if report.objections:
        yield "<h2>What is to be done, by person</h2>"
        for who in dict.fromkeys(one.who for one in report.objections):
            yield f"<h3>{escape(who[:1].upper() + who[1:])}</h3>"
            yield from _table([one for one in report.objections if one.who == who], ("", "what", "found", "what to do"))
    yield "<h2>Everything that was looked at</h2>"
    yield from _table(report.findings, ("", "system", "what", "found", "who mends it"))


def _table(findings: Sequence[Finding], titles: tuple[str, ...]) -> Iterable[str]:
    yield f"<table><tr>{''.join(f'<th>{escape(title)}</th>' for title in titles)}</tr>"
    for one in findings:
        said = {
            "system": one.area,
            "what": one.title,
            "found": one.said,
            "who mends it": one.who,
            "what to do": one.next_step,
        }
        cells = "".join(f"<td>{escape(said[title])}</td>" for title in titles if title)
        yield f'<tr><td class="state {_CLASSES[one.state]}">{escape(one.state)}</td>{cells}</tr>'
    yield "</table>"
