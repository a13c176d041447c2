"""Where a figure came from, and where a journal line went: told from the audit trail, as it was loaded then, whatever was loaded since.

Nothing is asked of the ERP or of the plan. The records that are told are held against the trail first.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mlc_pipelines.flows.attempts import LOAD_ENDED, reference_of
from mlc_pipelines.flows.steps import Feed
from mlc_pipelines.ledger.errors import DataError, few
from mlc_pipelines.store.history import AGREED
from mlc_pipelines.store.home import Store
from mlc_pipelines.store.postings import SEALED
from mlc_pipelines.store.told import JOURNAL, codes_of
from mlc_pipelines.store.trail.trail import Entry, Trail

TOLD = ["transaction_on", "account", "subaccount", "reference", "description"]
"""What the kept extract says of a line beyond its record."""
_NOTHING = "Nothing was read or sent."


@dataclass(frozen=True)
class Origin:
    """A cell as one load moved it. sent, before, after: in minor units of the currency; before and after None where the model was not seen.

    lines: what went into it, one row per line or balance: document, line, modified_at, amount_minor (in the planners' sign), reason, source,
    and TOLD where the extract is still kept. entry: of the audit trail.
    """

    target: str
    sent_minor: int
    before_minor: int | None
    after_minor: int | None
    currency: str
    outcome: str
    reason: str
    mapping: str
    lines: pd.DataFrame
    entry: Entry

    @property
    def lines_minor(self) -> int:
        return int(self.lines["amount_minor"].sum())

    @property
    def agrees(self) -> bool:
        """Whether the lines add up to the cell."""
        return self.lines_minor == self.sent_minor


@dataclass(frozen=True)
class Landing:
    """Where lines of one journal went in one load, or the lines of a journal of ours: target, line, amount_minor, outcome, reason."""

    entry: Entry
    lines: pd.DataFrame


def trace_cell(
    store: Store,
    connection: str,
    feed: Feed,
    period: str,
    codes: Mapping[str, str],
    *,
    keys: Sequence[str],
    load: int = 0,
    as_of: str = "",
) -> list[Origin]:
    """The cells of a period with these codes ({"account": "A6100"} means all of an account), as the newest load that agreed moved them, and what
    went into each. keys: what makes a cell of the feed, in the order of its file.

    load: another one, by its number. as_of: the newest that had agreed by then, a moment as the trail writes it. Raises DataError where there is none, or no such cell.
    """
    entry = _entry(store, connection, feed, period, load, as_of)
    wanted = [(list(keys).index(key), code) for key, code in codes.items()]

    def chosen(target: str) -> bool:
        parts = codes_of(target)
        return len(parts) == len(keys) + 1 and all(parts[place] == code for place, code in wanted)

    rows, found = _found(store.trail, entry, "target", chosen)
    cells = found[found["source"] == feed.file]
    if cells.empty:
        raise DataError(
            f"{entry.event['reference']} of {connection} {period} moved no cell {' / '.join(codes.values())}.",
            holds=_NOTHING,
            next_step=f"Name the members' codes, as they stand in the file of cells. {_near(store.trail, entry, feed, wanted)}".strip(),
        )
    moved = found[found["source"] != feed.file]
    moved = moved.join(_extract_rows(store, entry, rows[(found["source"] != feed.file).to_numpy()], moved.index))
    of_target = dict(iter(moved.groupby("target", sort=False)))
    return [_origin(cell, of_target.get(cell["target"], moved.head(0)), entry) for _, cell in cells.iterrows()]


def _near(trail: Trail, entry: Entry, feed: Feed, wanted: Sequence[tuple[int, str]]) -> str:
    """What the load moved instead of each code that it did not move: the ones spelled most alike, or else the first there are."""
    _, cells = _found(trail, entry, "source", lambda source: source == feed.file)
    moved = [codes_of(target) for target in cells["target"]]
    said = []
    for place, code in wanted:
        others = [(at, other) for at, other in wanted if at != place]
        beside = [codes for codes in moved if all(codes[at] == other for at, other in others)] or moved
        known = sorted({codes[place] for codes in beside})
        if known and code not in known:
            said.append(f"Near {code} it moved {few(get_close_matches(code, known) or known)}.")
    return " ".join(said)


def trace_journal(
    store: Store, connection: str, number: str, *, period: str = "", load: int = 0, as_of: str = ""
) -> list[Landing]:
    """Where the lines of a journal (or invoice) went: the cells, as the newest load of each period that agreed moved them; and the lines of a journal of ours.

    number: as the ERP shows it, with or without what stands before it ("GL GL000123" or "GL000123"); or our own reference.
    """

    def is_it(document: str) -> bool:
        return number in (document, document.rpartition(" ")[2])

    searched: dict[str, Any] = {"connection": connection, "kind": LOAD_ENDED, **({"period": period} if period else {})}
    newest: dict[tuple[str, str], Entry] = {}
    for entry in store.trail.entries(**searched):
        if _counts(entry, load, as_of) and store.trail.has_records(entry):
            newest[entry.event["period"], entry.event["step"]] = entry
    landings = [
        Landing(entry, frame) for entry in newest.values() if not (frame := _lines_of(store, entry, is_it)).empty
    ]
    landings += list(_own(store, connection, number))
    if not landings:
        of_period = f" of {period}" if period else ""
        raise DataError(
            f"No load{of_period} of {connection} that the audit trail can tell moved a line of {number}, and no journal of ours has that number.",
            holds=_NOTHING,
            next_step="Check the number as the ERP shows it; a period that was never loaded has no trace.",
        )
    return landings


def _lines_of(store: Store, entry: Entry, is_it: Callable[[str], bool]) -> pd.DataFrame:
    """Of one load; its cells, whose document is the file that was sent, left aside."""
    _, found = _found(store.trail, entry, "source_key", is_it)
    lines: pd.DataFrame = found[found["document"] != entry.event["artefacts"].get("file")].reset_index(drop=True)
    return lines


def _own(store: Store, connection: str, number: str) -> Iterator[Landing]:
    """Journals of ours: by their reference, or by the number that the ERP gave them."""
    for entry in store.trail.entries(connection=connection, kind=JOURNAL):
        said = entry.event
        known = said["objects"]["journal"]
        if said["outcome"] == SEALED and number in (said["reference"], known, known.rpartition(" ")[2]):
            yield Landing(entry, _found(store.trail, entry, "source_key", lambda _: True)[1])


def _entry(store: Store, connection: str, feed: Feed, period: str, load: int, as_of: str) -> Entry:
    of_feed = [
        one
        for one in store.trail.entries(connection=connection, kind=LOAD_ENDED, period=period)
        if one.event["step"] == feed.load
    ]
    fitting = [one for one in of_feed if _counts(one, load, as_of)]
    if not fitting:
        which = f"load {load}" if load else "that agreed" + (f" by {as_of}" if as_of else "")
        known = ", ".join(
            f"{one.event['reference']} {one.event['outcome']} at {one.event['at'][:19]}" for one in of_feed[-5:]
        )
        raise DataError(
            f"The audit trail knows no {which if load else f'load {which}'} of {connection} {period}; it knows {known or 'none at all'}.",
            holds=_NOTHING,
            next_step=("Name one of them with --load, or load" if known else "Check how the period is written, or load")
            + f" the period: `mlc load {connection} {period}`; `mlc signoff list {connection}` lists what was loaded.",
        )
    chosen = fitting[-1]
    if not store.trail.has_records(chosen):
        why = store.trail.files.given_up(chosen.file) or "nothing was sent by it"
        raise DataError(
            f"{chosen.event['reference']} of {connection} {period} has no records to tell: {why}.",
            holds=_NOTHING,
            next_step="Name a later load with --load.",
        )
    store.trail.require_unchanged(chosen)
    return chosen


def _counts(entry: Entry, load: int, as_of: str) -> bool:
    """Whether this is the load that is meant, or one that may be."""
    if load:
        return bool(entry.event["reference"] == reference_of(load))
    return bool(entry.event["outcome"] == AGREED and (not as_of or entry.event["at"] <= as_of))


def _found(
    trail: Trail, entry: Entry, column: str, wanted: Callable[[str], bool]
) -> tuple[npt.NDArray[np.int64], pd.DataFrame]:
    """Numbers and records, the texts as texts."""
    parts = list(trail.find(entry, column, wanted))
    rows = np.concatenate([rows for rows, _ in parts] or [np.zeros(0, np.int64)])
    from mlc_pipelines.store.trail.records import RECORD

    table = pa.concat_tables([table for _, table in parts]) if parts else RECORD.empty_table()
    plain = {
        name: table[name].cast(pa.string()) if pa.types.is_dictionary(table[name].type) else table[name]
        for name in table.column_names
    }
    frame = pd.DataFrame({name: column.to_pandas(integer_object_nulls=True) for name, column in plain.items()})
    return rows, frame.rename(columns={"source_key": "document", "source_line": "line"})


def _extract_rows(store: Store, entry: Entry, rows: npt.NDArray[np.int64], index: pd.Index) -> pd.DataFrame:
    """TOLD of the lines, from the kept extract: the lines are the last records of the entry, in its order."""
    kept: Mapping[str, Any] = entry.event["artefacts"]
    extract = kept.get("extract", "")
    if not extract or store.artefacts.given_up(extract) or entry.event["query"].get("counted") == "balances":
        return pd.DataFrame(index=index)
    with pq.ParquetFile(store.artefacts.path(extract)) as file:
        names = [name for name in TOLD if name in file.schema_arrow.names]
        at, first = rows - (entry.records - file.metadata.num_rows), 0
        parts = []
        for batch in file.iter_batches(1 << 17, columns=names):
            here = at[(at >= first) & (at < first + len(batch))] - first
            parts.append(batch.take(pa.array(here)))
            first += len(batch)
    told = pa.Table.from_batches(parts).to_pandas() if parts else pd.DataFrame(columns=names)
    told.index = index[at >= 0]
    return told.astype(object)


def _origin(cell: "pd.Series[Any]", lines: pd.DataFrame, entry: Entry) -> Origin:
    before, after = (None if pd.isna(cell[name]) else int(cell[name]) for name in ("before_minor", "after_minor"))
    currency, outcome, reason, mapping = (str(cell[name]) for name in ("currency", "outcome", "reason", "mapping"))
    sent, whole = int(cell["amount_minor"]), lines.reset_index(drop=True)
    return Origin(str(cell["target"]), sent, before, after, currency, outcome, reason, mapping, whole, entry)
