"""Frames and tables as kept files."""

from collections.abc import Collection, Iterable

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.ledger.journal import AMOUNT_COLUMNS, AMOUNT_KEYS, BOOKS_KEYS, LINES, SPEND
from mlc_pipelines.ledger.mapping import COST_CENTER
from mlc_pipelines.store.history import Step
from mlc_pipelines.store.tables import gathered

_ROWS_AT_ONCE = 1 << 15


def keep_frame(desk: Desk, frame: pd.DataFrame) -> str:
    """A small frame as Parquet; the same frame gives the same hash."""
    with desk.store.artefacts.draft() as path:
        pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), path)
        return desk.store.artefacts.keep(path)


def read_frame(desk: Desk, step: Step) -> pd.DataFrame:
    return read_kept_frame(desk, step.artefact)


def read_kept_frame(desk: Desk, artefact: str) -> pd.DataFrame:
    with pq.ParquetFile(desk.store.artefacts.path(artefact)) as file:  # read_table would load what reads whole folders
        frame: pd.DataFrame = file.read().to_pandas()
    return frame


def keep_centers(desk: Desk, subaccounts: Collection[str]) -> str:
    """The cost center of each subaccount as it is now, since a connection may cut its subaccounts in another way one day."""
    codes = sorted(subaccounts)
    centers = {"subaccount": codes, COST_CENTER: desk.ledger.cost_centers_of(codes)}
    return keep_frame(desk, pd.DataFrame(centers, dtype=object))


def keep_lines(desk: Desk, batches: Iterable[pa.RecordBatch], schema: pa.Schema = LINES) -> str:
    """Posted lines as Parquet, written as they come, some batches at a time, so that memory does not grow with the period."""
    with desk.store.artefacts.draft() as path:
        with pq.ParquetWriter(path, schema, compression="zstd") as writer:
            for lines in gathered(batches, _ROWS_AT_ONCE):
                writer.write_table(lines)
        return desk.store.artefacts.keep(path)


def keep_spend(desk: Desk, batches: Iterable[pa.RecordBatch]) -> str:
    """AP distributions as Parquet, as they come."""
    return keep_lines(desk, batches, SPEND)


def read_spend(desk: Desk, artefact: str) -> pd.DataFrame:
    """What is added up and told of AP distributions: vendor, invoice, account, subaccount, origin (texts), debit_minor, credit_minor."""
    keys = ["vendor", "invoice", "account", "subaccount", "origin"]
    frame: pd.DataFrame = pq.read_table(desk.store.artefacts.path(artefact), columns=keys + AMOUNT_COLUMNS).to_pandas()
    return frame.astype(dict.fromkeys(keys, object))


def read_line_amounts(desk: Desk, artefact: str) -> pa.Table:
    """Only the columns that are added up: company, currency, branch, account, subaccount, debit_minor, credit_minor."""
    path = desk.store.artefacts.path(artefact)
    keys = BOOKS_KEYS + AMOUNT_KEYS
    with pq.ParquetFile(path, read_dictionary=keys) as file:
        return file.read(columns=keys + AMOUNT_COLUMNS)
