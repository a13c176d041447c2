"""Tables made by hand beside a connection file: CSV with two columns, codes as texts."""

import csv
from pathlib import Path

from mlc_pipelines.ledger.errors import DataError, SetupError

_HOLDS = "Nothing was read or sent."


def read_mapping_file(path: Path) -> dict[str, str]:
    """ERP code -> list member, header `code,member`."""
    return _read_table(path, ("code", "member"), "mapping file", "mapping")


def read_targets_file(path: Path) -> dict[str, str]:
    """List member -> what the ERP posts to, header `member,target`."""
    return _read_table(path, ("member", "target"), "targets file", "plans")


def _read_table(path: Path, header: tuple[str, str], what: str, section: str) -> dict[str, str]:
    """Raises SetupError for a missing file, DataError naming the lines of an entry that stands twice or is not complete."""
    rows = _rows(path, what, section)
    if not rows or tuple(rows[0][:2]) != header:
        raise DataError(
            f"The {what} {path.name} must begin with the header {','.join(header)}.",
            holds=_HOLDS,
            next_step="Correct its first line.",
        )
    table: dict[str, str] = {}
    lines: dict[str, int] = {}
    for line, row in enumerate(rows[1:], start=2):
        if len(row) < 2 or not row[0] or not row[1]:
            raise DataError(
                f"Line {line} of the {what} {path.name} does not name a {header[0]} and a {header[1]}.",
                holds=_HOLDS,
                next_step="Complete or delete the line.",
            )
        key, value = row[0], row[1]
        if key in table:
            raise DataError(
                f"The {what} {path.name} names {header[0]} {key} twice: line {lines[key]} says {table[key]}, line {line} says {value}.",
                holds=_HOLDS,
                next_step="Delete one of the two lines.",
            )
        table[key], lines[key] = value, line
    return table


def _rows(path: Path, what: str, section: str) -> list[list[str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.reader(file))
    except OSError as error:
        raise SetupError(
            f"The {what} {path} cannot be read ({error.strerror}).",
            next_step=f"Correct its name under `{section}` in the connection file.",
        ) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"The {what} {path.name} is not CSV in UTF-8 ({error}).",
            holds=_HOLDS,
            next_step="Save it as CSV UTF-8, with commas.",
        ) from None
