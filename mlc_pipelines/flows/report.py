"""What a step tells afterwards, in words and numbers a finance person can read; screens and terminals only lay it out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from mlc_pipelines.ledger.control import Leg, joined
from mlc_pipelines.ledger.money import Money


@dataclass(frozen=True)
class Notice:
    """Something a person should look at, which stops nothing. serious: figures are concerned. rows: what was noticed, under their title; empty is good news."""

    name: str
    said: str
    rows: pd.DataFrame
    serious: bool = False
    title: str = "What changed"

    @property
    def good(self) -> bool:
        """There is nothing to look at."""
        return self.rows.empty and not self.serious


@dataclass(frozen=True)
class Report:
    """The outcome of one step.

    amounts and counts are keyed by a short title and are the same for every period, so that a screen can draw them as lines.
    artefact is the hash of the file that the step made.
    """

    step: str
    period: str
    summary: str
    artefact: str
    counts: Mapping[str, int] = field(default_factory=dict)
    amounts: Mapping[str, Money] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    legs: tuple[Leg, ...] = ()
    notices: tuple[Notice, ...] = ()


def money_table(frame: pd.DataFrame, currency: str) -> pd.DataFrame:
    """The frame as people read it: each *_minor column as an amount with its decimals and thousands marks, titles without underscores."""
    shown = frame.copy()
    for column in [name for name in frame.columns if name.endswith("_minor")]:
        shown[column] = [f"{Money(int(minor), currency).decimal:,}" for minor in frame[column]]
    return shown.rename(columns=lambda name: str(name).removesuffix("_minor").replace("_", " "))


def together(reports: Sequence[Report]) -> Report:
    """The reports of one step over several fiscal years as one; a single one as it is."""
    if len(reports) == 1:
        return reports[0]
    first = reports[0]
    tables: dict[str, list[pd.DataFrame]] = {}
    for report in reports:
        for title, frame in report.tables.items():
            tables.setdefault(title, []).append(frame)
    return replace(
        first,
        period=", ".join(report.period for report in reports),
        summary=" ".join(report.summary for report in reports),
        artefact=" ".join(report.artefact for report in reports),
        counts={title: sum(report.counts[title] for report in reports) for title in first.counts},
        amounts={
            title: Money(sum(report.amounts[title].minor for report in reports), money.currency)
            for title, money in first.amounts.items()
        },
        texts={title: "; ".join(dict.fromkeys(report.texts[title] for report in reports)) for title in first.texts},
        tables={title: pd.concat(frames, ignore_index=True) for title, frames in tables.items()},
        legs=tuple(
            joined([leg for report in reports for leg in report.legs if leg.name == one.name]) for one in first.legs
        ),
        notices=tuple(_noticed([report.notices[at] for report in reports]) for at in range(len(first.notices))),
    )


def _noticed(notices: Sequence[Notice]) -> Notice:
    """One notice of those that each year left: as grave as the gravest."""
    rows = pd.concat([one.rows for one in notices], ignore_index=True)
    said = " ".join(one.said for one in notices)
    return replace(notices[0], said=said, rows=rows, serious=any(one.serious for one in notices))
