"""Reports and failures as Dagster metadata: what a finance person reads on the screen."""

from collections.abc import Mapping

import dagster as dg
import pandas as pd

from mlc_pipelines.flows.report import Notice, Report, money_table
from mlc_pipelines.ledger.control import ROWS, Leg
from mlc_pipelines.ledger.errors import PipelineError

_ROWS_SHOWN = 200
_TITLES = {"left_minor": "left", "right_minor": "right", "difference_minor": "difference"}


def report_metadata(report: Report) -> dict[str, dg.MetadataValue]:
    """Summary first; counts and amounts under the same names for every period, so that Dagster draws them as lines.

    Amounts stand twice: exact, as text to read, and in whole currency units, as a number to draw.
    """
    shown: dict[str, dg.MetadataValue] = {"summary": dg.MetadataValue.md(report.summary)}
    shown |= {title: dg.MetadataValue.text(str(money)) for title, money in report.amounts.items()}
    shown |= {
        f"{title}, whole {money.currency}": dg.MetadataValue.int(int(money.decimal))
        for title, money in report.amounts.items()
    }
    shown |= {title: dg.MetadataValue.int(count) for title, count in report.counts.items()}
    shown |= {title: dg.MetadataValue.text(text) for title, text in report.texts.items()}
    shown |= {title: table(frame) for title, frame in report.tables.items()}
    shown |= {leg.name.replace("_", " "): dg.MetadataValue.text(str(leg)) for leg in report.legs}
    shown["file (SHA-256)"] = dg.MetadataValue.text(report.artefact)
    return shown


def table(frame: pd.DataFrame) -> dg.MetadataValue:
    """A frame as a table on the screen; a long one is cut, and says so."""
    if frame.empty:
        return dg.MetadataValue.text("none")
    titles = [str(column) for column in frame.columns]
    records = [
        dg.TableRecord(dict(zip(titles, map(_plain, row), strict=True)))
        for row in frame.head(_ROWS_SHOWN).itertuples(index=False)
    ]
    if len(frame) > _ROWS_SHOWN:
        more = dict.fromkeys(titles, "") | {titles[0]: f"... and {len(frame) - _ROWS_SHOWN:,} more rows"}
        records.append(dg.TableRecord(more))
    schema = dg.TableSchema(columns=[dg.TableColumn(title, "string") for title in titles])
    return dg.MetadataValue.table(records, schema)


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None or value is pd.NA or value != value else str(value)


def leg_check(leg: Leg, key: dg.AssetKey, error: PipelineError | None = None) -> dg.AssetCheckResult:
    """One leg of the tie-out beside its asset: as evidence, or red with what differs and, if it ended the step, the message."""
    ended_it = error is not None and error.leg == leg.name
    shown: dict[str, dg.MetadataValue] = {
        "compared": dg.MetadataValue.int(leg.compared),
        leg.left: dg.MetadataValue.text(leg.shown(leg.left_minor)),
        leg.right: dg.MetadataValue.text(leg.shown(leg.right_minor)),
    }
    if not leg.agreed:
        shown["What differs"] = table(_differences(leg))
    if error is not None and ended_it:
        shown |= failure_metadata(error)
    return dg.AssetCheckResult(
        passed=leg.agreed and not ended_it, check_name=leg.name, asset_key=key, description=str(leg), metadata=shown
    )


def notice_check(notice: Notice, key: dg.AssetKey) -> dg.AssetCheckResult:
    """Something noticed, beside its asset: yellow, or red where figures are concerned. It stops nothing."""
    return dg.AssetCheckResult(
        passed=notice.good,
        check_name=notice.name,
        asset_key=key,
        severity=dg.AssetCheckSeverity.ERROR if notice.serious else dg.AssetCheckSeverity.WARN,
        description=notice.said,
        metadata={notice.title: table(notice.rows)},
    )


def failed_check(error: PipelineError, key: dg.AssetKey) -> dg.AssetCheckResult:
    """The check that ended the step, red, with the message."""
    return dg.AssetCheckResult(
        passed=False, check_name=error.leg, asset_key=key, description=error.what, metadata=failure_metadata(error)
    )


def _differences(leg: Leg) -> pd.DataFrame:
    """What differs, under the names of the two sides: counts as they are, amounts with their decimals."""
    shown = leg.breaks.rename(columns=_TITLES) if leg.unit == ROWS else money_table(leg.breaks, leg.unit)
    return shown.rename(columns={"left": leg.left, "right": leg.right})


def failure(error: PipelineError) -> dg.Failure:
    """The four parts of the message, and the records concerned, on the failed step. Nothing is tried again by itself."""
    return dg.Failure(error.what, metadata=failure_metadata(error), allow_retries=False)


def failure_metadata(error: PipelineError) -> dict[str, dg.MetadataValue]:
    shown: Mapping[str, str] = {
        "What happened": error.what,
        "What now holds": error.holds,
        "What to do next": error.to_do,
    }
    texts = {title: dg.MetadataValue.text(text) for title, text in shown.items() if text}
    return texts | {title: table(frame) for title, frame in error.evidence.items()}
