"""What is wrong with one entry, looked at by itself: its event, its records. Each finding says where and what."""

from collections.abc import Iterator
from hashlib import file_digest

from mlc_pipelines.store.artefacts import Artefacts
from mlc_pipelines.store.trail import merkle
from mlc_pipelines.store.trail.canonical import NotCanonicalError, from_canonical
from mlc_pipelines.store.trail.event import BEGUN, FIELDS, PRUNED, searched
from mlc_pipelines.store.trail.rows import HEX_DIGITS, Row

Found = tuple[str, str]


def of_event(row: Row) -> Iterator[str]:
    """What is wrong with the text of its event, and with what stands in columns beside it."""
    try:
        event = from_canonical(row.values["event"].encode())
    except NotCanonicalError as error:
        yield f"its event is not in the canonical form. {error.what}"
        return
    if not isinstance(event, dict) or {name: type(value) for name, value in event.items()} != FIELDS:
        yield "its event does not have the fields of an event"
        return
    for name, said in searched(event).items():
        if row.values.get(name, said) != said:
            yield f"its {name} is {row.values[name]!r}, its event says {said!r}"


def of_records(row: Row, files: Artefacts) -> Iterator[Found]:
    """What is wrong with its records: the hashes kept of them, their file, and every line in it."""
    where, held = f"entry {row.number}", row.values
    leaves = merkle.split(held["leaves"])
    whole = merkle.root_of(leaves).hex() == held["root"]
    if not whole:
        yield where, "the hashes of its records do not lead to its root"
    if not held["records"]:
        if held["file"] or leaves:
            yield where, "it names records, though it has none"
        return
    if len(held["file"]) != 64 or not HEX_DIGITS.issuperset(held["file"]):
        yield where, "it does not name the file of its records"
        return
    place, short = files.place(held["file"]), held["file"][:12]
    with place.open("rb") as file:
        changed = file_digest(file, "sha256").hexdigest() != held["file"]
    if changed:
        yield where, f"the file of its records ({short}) was changed"
    yield from _of_lines(row, files, leaves if whole else [])


def _of_lines(row: Row, files: Artefacts, leaves: list[bytes]) -> Iterator[Found]:
    """leaves: hashes that lead to the root; none where they do not."""
    from mlc_pipelines.store.trail.body import UnreadableError, read
    from mlc_pipelines.store.trail.records import LEAF_LINES, Leaves, lines_of

    where, found = f"entry {row.number}", Leaves()
    try:
        for table in read(files.place(row.values["file"])):
            for lines in lines_of(table):
                found.add(lines)
    except UnreadableError as error:
        yield where, f"the file of its records cannot be read. {error.what}"
        return
    if found.records != row.values["records"]:
        yield where, f"its file holds {found.records:,} records instead of {row.values['records']:,}"
    own = found.all()
    if not leaves:
        if merkle.root_of(own).hex() != row.values["root"]:
            yield where, "its records do not lead to its root"
        return
    differing = [at for at, (is_, was) in enumerate(zip(own, leaves, strict=False)) if is_ != was]
    if differing:
        low = differing[0] * LEAF_LINES
        high = min(low + LEAF_LINES, found.records)
        more = f"; so were {len(differing) - 1} other groups of {LEAF_LINES}" if len(differing) > 1 else ""
        yield f"{where}, records {low + 1} to {high}", f"one or more of these records were changed{more}"
    elif len(own) != len(leaves):
        yield (
            f"{where}, records from {min(len(own), len(leaves)) * LEAF_LINES + 1}",
            "records were added or taken away here",
        )


def begun_as(row: Row | None) -> str:
    """The installation that the first entry names; "" where it names none."""
    try:
        event = from_canonical(row.values["event"].encode()) if row else {}
        name = event["objects"]["installation"] if event["kind"] == BEGUN else ""
    except (NotCanonicalError, KeyError, TypeError):
        return ""
    return name if isinstance(name, str) and len(name) == 32 and HEX_DIGITS.issuperset(name) else ""


def given_up(row: Row, files: Artefacts) -> set[str]:
    """The files that this entry says were given up on purpose, by the list that its records are."""
    if row.values.get("kind") != PRUNED or not row.values.get("records"):
        return set()
    from mlc_pipelines.store.trail.body import UnreadableError, read

    try:
        return {digest for table in read(files.place(row.values["file"])) for digest in table["source_key"].to_pylist()}
    except (KeyError, UnreadableError):
        return set()
