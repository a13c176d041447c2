"""Small tables are gathered into larger ones: all rows, in order, each coded column with one list of texts."""

import pyarrow as pa
import pytest

from mlc_pipelines.store.tables import gathered


def batch(*codes: str) -> pa.RecordBatch:
    return pa.record_batch([pa.array(codes).dictionary_encode()], names=["code"])


@pytest.mark.parametrize(("rows", "lengths"), [(1, [2, 1, 2]), (3, [3, 2]), (5, [5]), (100, [5])])
def test_nothing_is_lost_or_moved(rows: int, lengths: list[int]) -> None:
    tables = list(gathered([batch("a", "b"), batch("c"), batch("b", "a")], rows))
    assert lengths == [len(table) for table in tables]
    assert ["a", "b", "c", "b", "a"] == [code for table in tables for code in table["code"].to_pylist()]
    for table in tables:
        assert all(chunk.dictionary.equals(table["code"].chunk(0).dictionary) for chunk in table["code"].chunks)


def test_of_nothing_comes_nothing() -> None:
    assert [] == list(gathered([], 10))
