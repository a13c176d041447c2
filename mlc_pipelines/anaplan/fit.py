"""Whether an import reads files as we write them: header, separator, delimiter, rows, encoding."""

from collections.abc import Mapping, Sequence
from typing import Any

from mlc_pipelines.ledger.errors import SetupError

_OURS = {"columnSeparator": ",", "textDelimiter": '"', "headerRow": 1, "firstDataRow": 2, "decimalSeparator": "."}
_UTF8 = {"UTF-8", "UTF8"}


def require_fit(
    import_name: str, listed: Mapping[str, Any], metadata: Mapping[str, Any], columns: Sequence[str]
) -> None:
    """Refuse an import that reads no file, or another one than ours; listed is its entry in the list of imports.

    Raises SetupError naming every difference. What `importMetadata.source` leaves out cannot be compared and passes, except the header.
    """
    source = metadata.get("source")
    if metadata.get("type") == "MODEL" or not isinstance(source, Mapping) or not listed.get("importDataSourceId"):
        raise unfit(import_name, ["it does not read a file"])
    wrong = [
        f"its {name} is {source[name]!r}, ours is {ours!r}"
        for name, ours in _OURS.items()
        if name in source and source[name] != ours
    ]
    if str(source.get("textEncoding", "UTF-8")).upper().replace("_", "-") not in _UTF8:
        wrong.append(f"its encoding is {source['textEncoding']}, ours is UTF-8")
    wrong += _header_differences([str(name) for name in source.get("headerNames") or []], columns)
    if wrong:
        raise unfit(import_name, wrong)


def _header_differences(theirs: Sequence[str], ours: Sequence[str]) -> list[str]:
    """Each column that only one side has, and each that stands elsewhere: a mapping by position would load it into the wrong place."""
    wrong = [f"it has a column {name!r}, our file has not" for name in theirs if name not in ours]
    wrong += [f"our file has a column {name!r}, it has not" for name in ours if name not in theirs]
    for place, (its, our) in enumerate(zip(theirs, ours, strict=False), start=1):
        if its != our and its in ours and our in theirs:
            wrong.append(f"its column {place} is {its!r}, ours is {our!r}")
    if not wrong and list(theirs) != list(ours):
        wrong.append(f"its columns are {', '.join(theirs)}; ours are {', '.join(ours)}")
    return wrong


def unfit(import_name: str, wrong: Sequence[str]) -> SetupError:
    """The refusal of an import, every objection at once."""
    return SetupError(
        f"The import {import_name} does not fit our file: {'; '.join(wrong)}.",
        holds="Nothing was sent.",
        next_step="Have the model builder set the import up for this file, or correct `actuals` in the connection file.",
    )
