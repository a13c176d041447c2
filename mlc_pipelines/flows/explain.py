"""Why plan and ledger differ after an import: each refused or ignored row with its money, its cause, and the journal lines behind it."""

from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.files import keep_frame, read_kept_frame
from mlc_pipelines.flows.report import money_table
from mlc_pipelines.flows.steps import EXPLANATION, EXTRACT, FILE
from mlc_pipelines.flows.trail import record_step
from mlc_pipelines.ledger.cells import CellColumns
from mlc_pipelines.ledger.control import Leg
from mlc_pipelines.ledger.differences import NOT_EXPLAINED, Import, attribute, explained_minor
from mlc_pipelines.ledger.mapping import ACCOUNT, CELL_KEYS, COST_CENTER, place
from mlc_pipelines.ledger.mapping_table import at_period
from mlc_pipelines.ledger.ports import ImportOutcome

_LINE_COLUMNS = [
    "batch", "line", "transaction_on", ACCOUNT, "subaccount", "reference", "description", "debit_minor", "credit_minor",
]  # fmt: skip
_CELLS_WITH_LINES = 500
_LINES_SHOWN = 10
WHY, WHY_LINES = "Why the figures differ", "Why the figures differ: largest journal lines behind each cell"


@dataclass(frozen=True)
class Explanation:
    """said: one or two sentences. cells: differences.COLUMNS with ledger_account, ledger_cost_center, lines. lines: what was posted there."""

    said: str
    cells: pd.DataFrame
    lines: pd.DataFrame
    currency: str

    def tables(self) -> dict[str, pd.DataFrame]:
        """What a screen shows, which sorts titles by letter: the lines after the cells, and only the largest of each cell. All are kept."""
        sized = self.lines.assign(
            size=(self.lines["debit_minor"] - self.lines["credit_minor"]).abs(),
            cell=self.lines.groupby(CELL_KEYS, sort=False).ngroup(),
        )
        largest = (
            sized.sort_values(["cell", "size"], ascending=[True, False], kind="stable")
            .groupby("cell")
            .head(_LINES_SHOWN)
        )
        return {
            WHY: money_table(self.cells, self.currency),
            WHY_LINES: money_table(largest.drop(columns=["cell", "size"]), self.currency),
        }


def explain(
    desk: Desk,
    key: str,
    model: Leg,
    outcome: ImportOutcome,
    sent: pd.DataFrame,
    before: pd.DataFrame,
    members: pd.DataFrame,
) -> Explanation:
    """Lay the difference of the leg to the rows behind it, join each with its codes and journal lines, and keep both as evidence.

    sent and before: account, cost_center (member codes), amount_minor; members: the lists as they were read for this load. What cannot be explained is said, with its money.
    """
    found = attribute(model.breaks, _as_seen(desk, outcome, sent, before, members))
    codes, lines = _behind(desk, key, found)
    cells = found.merge(codes, on=CELL_KEYS, how="left")
    cells = cells.fillna({"ledger_account": "", "ledger_cost_center": "", "lines": 0}).astype({"lines": "int64"})
    explanation = Explanation(_said(found, model), cells, lines, model.unit)
    explained, unexplained = explained_minor(found)
    facts = {"explained_minor": explained, "unexplained_minor": unexplained, "lines": keep_frame(desk, lines)}
    record_step(desk, EXPLANATION, key, keep_frame(desk, cells), facts)
    return explanation


def _as_seen(
    desk: Desk, outcome: ImportOutcome, sent: pd.DataFrame, before: pd.DataFrame, members: pd.DataFrame
) -> Import:
    coded = members["code"].where(members["code"] != "", members["name"])
    known, parents = set(coded), set(coded[~members["leaf"]]) - set(coded[members["leaf"]])
    ended = "" if outcome.state == "COMPLETE" else f"The import ended {outcome.state}."
    if not ended and not outcome.successful and not outcome.rows_taken:
        ended = "The import did not succeed and took no row."
    return Import(
        sent,
        before,
        refused_rows(outcome.refused, sent, desk.target.columns),
        outcome.rows_ignored or 0,
        ended,
        {member for key in CELL_KEYS for member in sent[key] if member not in known},
        parents,
    )


def refused_rows(dump: pd.DataFrame, sent: pd.DataFrame, columns: CellColumns) -> pd.DataFrame:
    """The refused rows by the cell they speak of: the keys of the columns (account, cost_center ...), line, reason.

    By the texts of the row; where they name no cell of the file (the row was cut, or the dump shows other columns), by its
    line in the file: line 2 is the first row.
    """
    keys = columns.keys
    cells = list(zip(*(sent[key] for key in keys), strict=True))
    known = set(cells)
    rows = []
    for row in dump.to_dict("records"):
        key = tuple(str(row.get(getattr(columns, one), "")) for one in keys)
        line = str(row.get("line", ""))
        if key not in known and line.isdecimal() and 2 <= int(line) < len(cells) + 2:
            key = cells[int(line) - 2]
        rows.append((*key, line, str(row.get("reason", ""))))
    return pd.DataFrame(rows, columns=[*keys, "line", "reason"], dtype=object)


def _behind(desk: Desk, key: str, found: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The ERP codes and the number of lines of each cell; and the posted lines of the cells with the most money at stake."""
    history = desk.store.history
    file = history.require_step(desk.connection, FILE, key)
    amounts, pairs = (read_kept_frame(desk, file.facts[fact]) for fact in ("source", "member_map"))
    placed = place(amounts, at_period(pairs, desk.calendar.keys, key), desk.target.suspense)
    landed = placed.rename(columns={ACCOUNT: "ledger_account", COST_CENTER: "ledger_cost_center"})
    landed = landed.rename(columns={"to_account": ACCOUNT, "to_cost_center": COST_CENTER})
    landed = landed.merge(found[CELL_KEYS].drop_duplicates(), on=CELL_KEYS)
    codes = landed.groupby(CELL_KEYS, as_index=False, sort=False).agg(
        ledger_account=("ledger_account", _listed),
        ledger_cost_center=("ledger_cost_center", _listed),
        lines=("lines", "sum"),
    )
    largest = found[CELL_KEYS].drop_duplicates().head(_CELLS_WITH_LINES)
    wanted = largest.merge(landed, on=CELL_KEYS)[[*CELL_KEYS, "ledger_account", "ledger_cost_center"]]
    made_of = [
        one
        for one in history.steps(desk.connection, key)
        if (one.step, one.artefact) == (EXTRACT, file.facts["source"])
    ]
    return codes, _lines(desk, made_of[-1].facts["extract"], wanted)


def _lines(desk: Desk, extract: str, wanted: pd.DataFrame) -> pd.DataFrame:
    """Posted lines on the wanted pairs of codes, each beside its cell."""
    codes = pa.array(wanted["ledger_account"].unique(), pa.string())  # none at all where nobody posted to the cells
    accounts = pc.field(ACCOUNT).cast("string").isin(codes)
    path = desk.store.artefacts.path(extract)
    held = [column for column in _LINE_COLUMNS if column in pq.read_schema(path).names]
    lines = pq.read_table(path, columns=held, filters=accounts).to_pandas()
    if "batch" not in held:  # balances: movements of account and subaccount stand for the lines
        lines[[column for column in _LINE_COLUMNS if column not in held]] = ""
        lines["batch"] = "balance"
    subaccounts = lines["subaccount"].astype(object).unique().tolist()
    center_of = dict(zip(subaccounts, desk.ledger.cost_centers_of(subaccounts), strict=True))
    lines["ledger_cost_center"] = lines["subaccount"].astype(object).map(center_of)
    texts = dict.fromkeys(("ledger_account", "ledger_cost_center", "batch"), object)
    lines = lines.rename(columns={ACCOUNT: "ledger_account"}).astype(texts)
    return wanted.merge(lines, on=["ledger_account", "ledger_cost_center"]).drop(columns="ledger_cost_center")


def _listed(codes: pd.Series) -> str:
    distinct = list(dict.fromkeys(codes))
    return ", ".join(distinct[:5]) + (f" and {len(distinct) - 5} more" if len(distinct) > 5 else "")


def _said(found: pd.DataFrame, model: Leg) -> str:
    """Money by cause; the parts add up to the difference of the leg."""
    if found.empty:
        return ""
    by_cause = found.groupby("cause", sort=False)["difference_minor"].agg(["sum", "count"])
    parts = [
        f"{cause} {model.shown(int(row['sum']))} ({row['count']:,} rows)"
        for cause, row in by_cause.iterrows()
        if cause != NOT_EXPLAINED
    ]
    unexplained = explained_minor(found)[1]
    silent = int((found["cause"] == NOT_EXPLAINED).sum())
    rest = (
        f"; not explained {model.shown(unexplained)} ({silent:,} cells)" if silent else "; nothing is left unexplained"
    )
    return (
        f"Why, of the difference of {model.shown(model.difference_minor)}: {', '.join(parts) or 'nothing known'}{rest}."
    )
