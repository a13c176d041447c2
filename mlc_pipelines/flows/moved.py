"""What a load moved, as records of the audit trail: every cell with what it held before and after, and every posted line with the cell it went into.

    a cell      source: the file that was sent, its row;  amount = what was sent;  before, after = what the model held, by its own word
    a balance   source: the ledger, an account and subaccount;  amount = its opening balance or its movement, in the planners' sign
    a line      source: the ledger, batch and line as it gives them;  amount = what the line brings to its cell, in the planners' sign

So a cell's amount is the sum of its balances and lines. Lines stand in the order of the kept extract, all of them, also those that are no part
of any cell: behind the records of cells and balances, record n is row n of that file.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.explain import refused_rows
from mlc_pipelines.flows.files import read_kept_frame
from mlc_pipelines.flows.steps import BALANCES, SPEND, YTD
from mlc_pipelines.ledger import journal
from mlc_pipelines.ledger.mapping import COST_CENTER
from mlc_pipelines.store.history import Step
from mlc_pipelines.store.told import escaped
from mlc_pipelines.store.trail.records import to_records

LOADED, REFUSED, DIFFERS, NOT_SEEN = "LOADED", "REFUSED", "DIFFERS", "NOT_SEEN"
"""Of a cell and all that went into it: the model holds what was sent; it refused the row; it holds something else; it could not be asked."""
NO_CELL = "NO_CELL"
"""Of a line: it is part of no figure that was sent."""
ZERO = "nothing is booked there any more: set to zero"
_APART = "not part of these figures"
_BOOKS = ["company", "ledger"]
_CHANGED = "modified_at"  # text to those who add lines up; a document's lines share it
_LEFT_ASIDE = frozenset({"branch", "reference", "description", "transaction_on"})


@dataclass(frozen=True)
class Sent:
    """A load at its end. cells: as sent; before, after: as the model held them, None where it could not be asked; refused: rows of the dump."""

    file: str
    cells: pd.DataFrame
    currency: str
    before: pd.DataFrame
    after: pd.DataFrame | None
    refused: pd.DataFrame = field(default_factory=pd.DataFrame)


def target_of(cells: pd.DataFrame, keys: Sequence[str], period: str) -> list[str]:
    """The name of each cell in the trail: its keys and the fiscal period, "A6100|CC_110|FY2026-P03"."""
    end = escaped(period)
    columns = [_each(cells[key].tolist(), escaped) for key in keys]
    return ["|".join((*codes, end)) for codes in zip(*columns, strict=True)]


def _each(texts: list[str], change: Callable[[str], str]) -> list[str]:
    """Every text changed; each distinct one once."""
    changed = {text: change(text) for text in set(texts)}
    return [changed[text] for text in texts]


def records_of_load(desk: Desk, period: str, sent: Sent, extract: Step, file: Step) -> Iterator[pa.Table]:
    """All records of one load: cells, then balances, then lines. extract, file: the steps that the figures and the file came from."""
    keys = desk.target.columns.keys
    placed = read_kept_frame(desk, file.facts["placed"])
    judged = _judged(desk, sent, placed, keys)
    targets = target_of(judged, keys, period)
    version = str(file.facts.get("mapping_version") or file.facts["member_map"])
    same = {"mapping": version, "currency": sent.currency}
    yield _of_cells(judged, targets, source=desk.feed.file, source_key=sent.file, **same)
    landing = _Landing(placed, judged, targets, keys)
    centers = read_kept_frame(desk, extract.facts["centers"]).set_index("subaccount")[COST_CENTER]
    if extract.facts.get("counted") == BALANCES:
        figure = "closing" if desk.target.figures == YTD else "movement"
        yield _of_balances(desk, landing, read_kept_frame(desk, extract.facts["extract"]), centers, figure, same)
        return
    if opening := extract.facts.get("opening"):
        yield _of_balances(desk, landing, read_kept_frame(desk, opening), centers, "opening", same)
    coded, columns = _columns_of(desk)
    with pq.ParquetFile(desk.store.artefacts.path(extract.facts["extract"]), read_dictionary=coded) as kept:
        for group in range(kept.num_row_groups):
            lines = kept.read_row_group(group, columns=columns, use_threads=False)  # threads cost more than they win
            yield _of_lines(desk, landing, lines, centers, same)


def _columns_of(desk: Desk) -> tuple[list[str], list[str]]:
    """Of the feed's lines: the columns that are read coded, and all that are read."""
    shape = [one for one in (journal.SPEND if desk.feed == SPEND else journal.LINES) if one.name not in _LEFT_ASIDE]
    coded = [one.name for one in shape if pa.types.is_dictionary(one.type) or one.name == _CHANGED]
    return coded, [one.name for one in shape]


def _judged(desk: Desk, sent: Sent, placed: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """The cells beside what the model held: the keys, amount_minor, before_minor, after_minor (null where unknown), outcome, reason."""
    names = list(keys)
    judged = sent.cells[[*names, "amount_minor"]].reset_index(drop=True)
    judged["before_minor"] = _held(judged, sent.before, names)
    unknown = pd.Series(pd.NA, index=judged.index, dtype="Int64")
    judged["after_minor"] = unknown if sent.after is None else _held(judged, sent.after, names)
    same = judged["after_minor"].eq(judged["amount_minor"]).fillna(False).to_numpy(bool)
    other = NOT_SEEN if sent.after is None else DIFFERS
    judged["outcome"] = np.where(same, LOADED, other)
    filled = pd.MultiIndex.from_frame(_landings(placed, names))
    judged["reason"] = np.where(pd.MultiIndex.from_frame(judged[names]).isin(filled), "", ZERO)
    if sent.refused.empty:
        return judged
    return _with_refusals(judged, refused_rows(sent.refused, sent.cells, desk.target.columns), names)


def _held(judged: pd.DataFrame, held: pd.DataFrame, keys: list[str]) -> "pd.Series[Any]":
    sums = held.groupby(keys, sort=False)["amount_minor"].sum().rename("held_minor")
    return judged[keys].join(sums, on=keys)["held_minor"].fillna(0).astype("Int64")


def _with_refusals(judged: pd.DataFrame, refused: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    if refused.empty:
        return judged
    reasons = refused.drop_duplicates(keys).set_index(keys)["reason"]
    told = judged[keys].join(reasons.rename("told"), on=keys)["told"]
    hit = told.notna().to_numpy()
    return judged.assign(
        outcome=np.where(hit, REFUSED, judged["outcome"]), reason=np.where(hit, told.fillna(""), judged["reason"])
    )


def _landings(placed: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """The keys of the cell that each combination of codes landed on."""
    return pd.DataFrame({key: placed[f"to_{key}" if f"to_{key}" in placed else key] for key in keys})


def _of_cells(judged: pd.DataFrame, targets: list[str], **same: str) -> pa.Table:
    columns = {name: pa.array(judged[name], pa.int64()) for name in ("amount_minor", "before_minor", "after_minor")}
    columns |= {name: pa.array(judged[name], pa.string()) for name in ("outcome", "reason")}
    line_of_file = pa.array(np.arange(len(judged)) + 2)  # the first one is the header
    return to_records(
        pa.table({**columns, "target": pa.array(targets, pa.string()), "source_line": line_of_file}), **same
    )


class _Landing:
    """Where codes lead: target, sign, outcome and reason, worked out once for each combination of codes and taken by number for each line."""

    def __init__(self, placed: pd.DataFrame, judged: pd.DataFrame, targets: list[str], keys: Sequence[str]) -> None:
        self.keys = list(keys)
        # figures may be told apart by more than cells are
        placed = placed.drop_duplicates(self.keys, ignore_index=True)
        self._texts = [pd.Index(placed[key].drop_duplicates()) for key in self.keys]
        places = [index.get_indexer(placed[key]) for index, key in zip(self._texts, self.keys, strict=True)]
        self._combinations = pd.Index(self._numbers(places))
        cells = pd.MultiIndex.from_frame(judged[self.keys])
        cell = cells.get_indexer(pd.MultiIndex.from_frame(_landings(placed, self.keys)))
        self.cell = np.append(
            np.where(cell < 0, len(targets), cell), len(targets)
        )  # the last place of each is for what lands nowhere
        self.sign = np.append(placed["sign"].to_numpy(np.int64), 1)
        self.targets = [*targets, ""]
        outcomes, reasons = [*judged["outcome"].tolist(), NO_CELL], [*judged["reason"].tolist(), _APART]
        self.outcomes, self._outcome_of = _distinct([outcomes[at] for at in self.cell])
        said = [*placed["problem"].tolist(), ""]
        self.reasons, self._reason_of = _distinct(
            ["; ".join(filter(None, (reasons[at], one))) for at, one in zip(self.cell, said, strict=True)]
        )

    def _numbers(self, places: list[npt.NDArray[np.int64]]) -> npt.NDArray[np.int64]:
        """One number for each combination of codes; one code that is not known (-1) makes it a number that no known combination has."""
        number = np.zeros(len(places[0]), np.int64)
        for place, texts in zip(places, self._texts, strict=True):
            number = number * (len(texts) + 1) + place + 1
        return number

    def rows(self, codes: list[pa.DictionaryArray]) -> npt.NDArray[np.int64]:
        """For each line the combination of its codes; the last place where there is none."""
        places = [
            np.append(index.get_indexer(pd.Index(one.dictionary.to_pylist())), -1)[
                pc.fill_null(one.indices, len(one.dictionary)).to_numpy()
            ]
            for index, one in zip(self._texts, codes, strict=True)
        ]
        # -1, the last place, where there is none
        return np.asarray(self._combinations.get_indexer(pd.Index(self._numbers(places))), np.int64)

    def columns(self, rows: npt.NDArray[np.int64], minor: npt.NDArray[np.int64]) -> dict[str, Any]:
        """target, outcome, reason, amount_minor of lines that bring so much, debit positive, to these combinations."""
        coded = {
            "target": (self.cell, self.targets),
            "outcome": (self._outcome_of, self.outcomes),
            "reason": (self._reason_of, self.reasons),
        }
        said: dict[str, Any] = {
            name: pa.DictionaryArray.from_arrays(pa.array(code[rows].astype(np.int32)), pa.array(texts, pa.string()))
            for name, (code, texts) in coded.items()
        }
        return {**said, "amount_minor": pa.array(minor * self.sign[rows])}


def _distinct(texts: list[str]) -> tuple[list[str], npt.NDArray[np.int64]]:
    codes, distinct = pd.factorize(pd.Series(texts, dtype=object))
    return list(distinct), codes.astype(np.int64)


def _of_balances(
    desk: Desk, landing: _Landing, pairs: pd.DataFrame, centers: "pd.Series[Any]", figure: str, same: dict[str, str]
) -> pa.Table:
    """Opening balances, or whole figures where no line was read: by account and subaccount."""
    moved = pairs["debit_minor"] - pairs["credit_minor"]
    pairs = pairs.assign(
        minor=moved if figure == "movement" else pairs[f"{figure}_minor"], cost_center=pairs["subaccount"].map(centers)
    )
    pairs = pairs[pairs["minor"] != 0]
    rows = landing.rows([pa.array(pairs[key], pa.string()).dictionary_encode() for key in landing.keys])
    keys = [
        f"{figure} {account} {subaccount}".strip()
        for account, subaccount in zip(pairs["account"], pairs["subaccount"], strict=True)
    ]
    books = [
        f"{desk.system} {company} {ledger}" for company, ledger in zip(pairs["company"], pairs["ledger"], strict=True)
    ]
    said = {"source": pa.array(books, pa.string()), "source_key": pa.array(keys, pa.string())}
    return to_records(pa.table({**said, **landing.columns(rows, pairs["minor"].to_numpy(np.int64))}), **same)


def _of_lines(
    desk: Desk, landing: _Landing, lines: pa.Table, centers: "pd.Series[Any]", same: dict[str, str]
) -> pa.Table:
    coded = {name: _coded(lines[name]) for name in _columns_of(desk)[0]}
    subaccounts = coded["subaccount"]
    found = centers.reindex(subaccounts.dictionary.to_pylist()).fillna("").tolist()
    coded[COST_CENTER] = pa.DictionaryArray.from_arrays(subaccounts.indices, pa.array(found, pa.string()))
    rows = landing.rows([coded[key] for key in landing.keys])
    if desk.feed == SPEND:
        is_invoice = (
            pc.equal(coded["origin"].cast(pa.string()), "invoice").fill_null(False).to_numpy(zero_copy_only=False)
        )
        rows = np.where(is_invoice, rows, len(landing.sign) - 1)
    minor = lines["debit_minor"].to_numpy() - lines["credit_minor"].to_numpy()
    said = {"source": _books(desk.system, coded), "source_key": _document(lines, coded), "source_line": lines["line"]}
    if _CHANGED in coded:
        said[_CHANGED] = pc.fill_null(coded[_CHANGED], "")
    return to_records(pa.table({**said, **landing.columns(rows, minor)}), **same)


def _coded(column: pa.ChunkedArray) -> pa.DictionaryArray:
    whole = column.combine_chunks()
    whole = whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole
    return whole if pa.types.is_dictionary(whole.type) else whole.dictionary_encode()


def _books(system: str, coded: dict[str, pa.DictionaryArray]) -> pa.DictionaryArray:
    """Whose books each line stands in: "acumatica MERIDIAN ACTUAL"."""
    company, ledger = (coded[name] for name in _BOOKS)
    ledgers = ledger.dictionary.to_pylist()
    texts = [f"{system} {one} {other}" for one in company.dictionary.to_pylist() for other in ledgers]
    codes = company.indices.to_numpy().astype(np.int32) * len(ledgers) + ledger.indices.to_numpy()
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), pa.array(texts, pa.string()))


def _document(lines: pa.Table, coded: dict[str, pa.DictionaryArray]) -> pa.Array:
    """The document that people know: a journal batch with its module, or an invoice with its vendor."""
    if "batch" in coded:
        return coded["batch"]
    return pc.binary_join_element_wise(coded["vendor"].cast(pa.string()), lines["invoice"].combine_chunks(), " ")
