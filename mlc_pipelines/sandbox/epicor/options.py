"""The `$` options of a read, and the keys in an address like GLBooks(Company='IVM',BookID='MAIN').

Options and names are case-sensitive [S EPG]; an unknown `$` option is a 400 [I]. Reference: epicor 1.1, 2.1.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, unquote_plus

from mlc_pipelines.sandbox.epicor.columns import Columns
from mlc_pipelines.sandbox.epicor.errors import bad_query

OPTIONS = {"$select", "$filter", "$orderby", "$top", "$skip", "$expand", "$count", "$format", "$inlinecount"}
_KEY = re.compile(r"\s*(?:(\w+)\s*=\s*)?('(?:[^']|'')*'|[^,']+?)\s*(?:,|$)")


@dataclass(frozen=True, slots=True)
class Expand:
    """One child to be shown with its parent. Only `$select` and `$expand` within it have an effect: a `$filter` there is ignored [C SUG]."""

    name: str
    select: str
    expand: tuple["Expand", ...]


@dataclass(frozen=True, slots=True)
class Options:
    """What a read asks for. `top` is None where it was not sent."""

    filter: str = ""
    select: str = ""
    orderby: str = ""
    top: int | None = None
    skip: int = 0
    count: bool = False
    expand: tuple[Expand, ...] = field(default=())


def query_of(raw: bytes) -> list[tuple[str, str]]:
    """Names and values of a query string. In `$` options a plus sign stays one: blanks are %20 there [C ZEN]; elsewhere it is a blank [C KDV]."""
    parts = [part.partition("=") for part in raw.decode("latin-1").split("&") if part]
    return [
        (name, unquote(value) if name.startswith("$") else unquote_plus(value))
        for name, value in ((unquote(name), value) for name, _, value in parts)
    ]


def read(query: Mapping[str, str]) -> Options:
    """The options of a query. Raises a 400 for one that is unknown or no number."""
    for name in query:
        if name.startswith("$") and name not in OPTIONS:
            raise bad_query(f"The query parameter '{name}' is not supported.")
    return Options(
        query.get("$filter", "").strip(),
        query.get("$select", "").strip(),
        query.get("$orderby", "").strip(),
        _number(query, "$top"),
        _number(query, "$skip") or 0,
        query.get("$count") == "true" or query.get("$inlinecount") == "allpages",
        expands(query.get("$expand", "")),
    )


def _number(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name)
    if text is None:
        return None
    if not text.isdecimal():
        raise bad_query(
            f"Invalid value '{text}' for {name} query option found. It requires a non-negative integer value."
        )
    return int(text)


def selected(select: str, columns: Columns) -> list[str]:
    """The columns of a `$select`, all without one. Raises the recorded 400s for a trailing comma and an unknown column."""
    if not select or select == "*":
        return list(columns.sources)
    names, position = [], 0
    for part in select.split(","):
        if not part.strip():
            raise bad_query(f"An identifier was expected at position {position}.")
        position += len(part) + 1
        columns.require(part.strip())
        names.append(part.strip())
    return names


def ordering(orderby: str, columns: Columns) -> list[tuple[str, bool]]:
    """Columns of an `$orderby` and whether each runs downwards."""
    found = []
    for part in orderby.split(",") if orderby else []:
        name, _, way = part.strip().partition(" ")
        columns.require(name)
        if way.strip() not in ("", "asc", "desc"):
            raise bad_query(f"Syntax error at position {len(orderby)} in '{orderby}'.")
        found.append((name, way.strip() == "desc"))
    return found


def expands(text: str) -> tuple[Expand, ...]:
    """The children of an `$expand`, each perhaps with options of its own in parentheses."""
    return tuple(_expand(part) for part in _split(text, ",") if part.strip())


def _expand(part: str) -> Expand:
    name, _, rest = part.strip().partition("(")
    inner = {}
    if rest:
        for one in _split(rest.removesuffix(")"), ";"):
            option, _, value = one.partition("=")
            inner[option.strip()] = value.strip()
    return Expand(name.strip(), inner.get("$select", ""), expands(inner.get("$expand", "")))


def _split(text: str, mark: str) -> list[str]:
    """The text in parts at the marks that stand in no parentheses and no quotes."""
    parts, depth, quoted = [""], 0, False
    for letter in text:
        quoted ^= letter == "'"
        depth += 0 if quoted else (letter == "(") - (letter == ")")
        if letter == mark and not depth and not quoted:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def keys_of(text: str, names: tuple[str, ...]) -> dict[str, str] | None:
    """Key column -> value as text, from a named or a positional list [C SUG, NPM]; None when it does not fit the key."""
    values: dict[str, str] = {}
    at = position = 0
    while at < len(text):
        found = _KEY.match(text, at)
        if found is None:
            return None
        value = found[2]
        plain = value[1:-1].replace("''", "'") if value.startswith("'") else value
        name = found[1] or (names[position] if position < len(names) else "")
        values[name] = plain
        at, position = found.end(), position + 1
    return values if set(values) == set(names) else None
