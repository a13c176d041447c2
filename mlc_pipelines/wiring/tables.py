"""Tables made by hand beside a connection file: CSV with two columns, codes as texts."""

import csv
from pathlib import Path

from mlc_pipelines.ledger.errors import DataError, SetupError
from mlc_pipelines.ledger.fiscal import split_key
from mlc_pipelines.ledger.mapping_table import Entry

_HOLDS = "Nothing was read or sent."


def read_mapping_file(path: Path, dimension: str) -> tuple[Entry, ...]:
    """ERP code -> list member, header `code,member`; a further column `from` names the fiscal period from which an entry holds."""
    rows = _read_table(path, ("code", "member"), "mapping file", "mapping", since="from")
    return tuple(
        Entry(dimension, code, member, since, f"{path.name} line {line}") for line, code, member, since in rows
    )


def read_targets_file(path: Path) -> dict[str, str]:
    """List member -> what the ERP posts to, header `member,target`."""
    return {key: value for _, key, value, _ in _read_table(path, ("member", "target"), "targets file", "plans")}


def _read_table(
    path: Path, header: tuple[str, str], what: str, section: str, *, since: str = ""
) -> list[tuple[int, str, str, str]]:
    """Line, key, value and, where the table has such a column, the period from which that holds.

    Raises SetupError for a missing file, DataError naming the lines of an entry that stands twice for one period or is not complete.
    """
    rows = _rows(path, what, section)
    if not rows or tuple(rows[0][:2]) != header:
        raise DataError(
            f"The {what} {path.name} must begin with the header {','.join(header)}.",
            holds=_HOLDS,
            next_step="Correct its first line.",
        )
    dated = rows[0].index(since) if since and since in rows[0] else None
    table: list[tuple[int, str, str, str]] = []
    seen: dict[tuple[str, str], tuple[int, str]] = {}
    for line, row in enumerate(rows[1:], start=2):
        if len(row) < 2 or not row[0] or not row[1]:
            raise DataError(
                f"Line {line} of the {what} {path.name} does not name a {header[0]} and a {header[1]}.",
                holds=_HOLDS,
                next_step="Complete or delete the line.",
            )
        key, value, begins = row[0], row[1], row[dated].strip() if dated is not None and len(row) > dated else ""
        if begins:
            _require_period(begins, f"Line {line} of the {what} {path.name}")
        if earlier := seen.get((key, begins)):
            when = f" from {begins}" if begins else ""
            raise DataError(
                f"The {what} {path.name} names {header[0]} {key}{when} twice: line {earlier[0]} says {earlier[1]}, line {line} says {value}.",
                holds=_HOLDS,
                next_step="Delete one of the two lines.",
            )
        seen[key, begins] = line, value
        table.append((line, key, value, begins))
    return table


def _require_period(text: str, where: str) -> None:
    try:
        split_key(text)
    except DataError as error:
        raise error.within(what=f"{where}:", holds=_HOLDS) from None


def _rows(path: Path, what: str, section: str) -> list[list[str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.reader(file))
    except OSError as error:
        raise SetupError(
            f"The {what} {path} cannot be read ({error.strerror}).",
            holds=_HOLDS,
            next_step=f"Correct its name under `{section}` in the connection file.",
        ) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"The {what} {path.name} is not CSV in UTF-8 ({error}).",
            holds=_HOLDS,
            next_step="Save it as CSV UTF-8, with commas.",
        ) from None
