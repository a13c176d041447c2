"""What the query string of a read asks for: `$select`, `$expand`, `$custom`, `$top`, `$skip`, `$filter`.

Reference: acumatica 3.2 [S]. There is no `$orderby`; it is ignored like any other unknown parameter [I].
"""

from collections.abc import Mapping
from dataclasses import dataclass

from mlc_pipelines.sandbox.acumatica.errors import bad_request


@dataclass(frozen=True, slots=True)
class Query:
    """One read, parsed. `select` is empty when all fields are wanted; its nested names look like "Details/Account"."""

    select: tuple[str, ...] = ()
    expand: tuple[str, ...] = ()
    custom: tuple[str, ...] = ()
    filter: str = ""
    top: int | None = None
    skip: int = 0

    @classmethod
    def of(cls, params: Mapping[str, str]) -> "Query":
        """From decoded query parameters. Raises a 400 when a count is no whole number from 0 on [I on the status]."""
        top = params.get("$top", "").strip()
        return cls(
            select=_names(params.get("$select", "")),
            expand=_names(params.get("$expand", "")),
            custom=_names(params.get("$custom", "")),
            filter=params.get("$filter", "").strip(),
            top=_count(top) if top else None,
            skip=_count(params.get("$skip", "").strip() or "0"),
        )

    def fields_of(self, fields: Mapping[str, str], detail: str = "") -> dict[str, str]:
        """The fields (name -> letter) that are wanted at the top, or of a detail that is expanded."""
        wanted = {name.removeprefix(f"{detail}/") for name in self.select if _parent(name) == detail}
        if detail and not wanted:
            return dict(fields)
        return {name: letter for name, letter in fields.items() if not self.select or name in wanted}


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _parent(name: str) -> str:
    return name.rpartition("/")[0]


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise bad_request(f"'{text}' is not a number of records.")
    return int(text)
