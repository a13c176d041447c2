"""Tables on their way into a file."""

from collections.abc import Iterable, Iterator

import pyarrow as pa


def gathered(tables: Iterable[pa.Table | pa.RecordBatch], rows: int) -> Iterator[pa.Table]:
    """Many small tables as fewer of at least so many rows, in order: each becomes a group of its Parquet file, which has its price, also for all who read it.

    Coded columns share one list of texts: pieces of a group with lists of their own become a larger file, and half as slow again to read (seen).
    """
    waiting: list[pa.Table] = []
    for table in tables:
        waiting.append(pa.Table.from_batches([table]) if isinstance(table, pa.RecordBatch) else table)
        if sum(map(len, waiting)) >= rows:
            yield pa.concat_tables(waiting).unify_dictionaries()
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting).unify_dictionaries()
