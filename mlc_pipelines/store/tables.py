"""Tables on their way into a file."""

from collections.abc import Iterable, Iterator

import pyarrow as pa


def gathered(tables: Iterable[pa.Table | pa.RecordBatch], rows: int) -> Iterator[pa.Table]:
    """Many small tables as fewer of at least so many rows, in order: each becomes a group of its Parquet file, which has its price, also for all who read it.

    Coded columns share one list of texts: pieces of a group with lists of their own become a larger file, and half as slow again to read (seen).
    Each column is in one piece, which whoever looks at it next would make of it otherwise.
    """
    waiting: list[pa.Table] = []
    for table in tables:
        waiting.append(pa.Table.from_batches([table]) if isinstance(table, pa.RecordBatch) else table)
        if sum(map(len, waiting)) >= rows:
            yield _in_one_piece(waiting)
            waiting = []
    if waiting:
        yield _in_one_piece(waiting)


def _in_one_piece(tables: list[pa.Table]) -> pa.Table:
    return pa.concat_tables(tables).unify_dictionaries().combine_chunks()
