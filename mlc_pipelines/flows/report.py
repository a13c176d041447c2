"""What a step tells afterwards, in words and numbers a finance person can read; screens and terminals only lay it out."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from mlc_pipelines.ledger.control import Leg
from mlc_pipelines.ledger.money import Money


@dataclass(frozen=True)
class Notice:
    """Something a person should look at, which stops nothing. serious: figures are concerned. rows: what was noticed; empty is good news."""

    name: str
    said: str
    rows: pd.DataFrame
    serious: bool = False


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
