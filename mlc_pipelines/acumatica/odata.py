"""Generic inquiries over OData v4 [S DOC GI OData]: types from $metadata, rows by the recipe of `records`, pages by key and never by position.

A column of an inquiry may show texts padded with blanks and decimals as texts [S DOC GI OData]; both are kept as what they are.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote, urljoin, urlsplit
from xml.etree import ElementTree

import httpx
import msgspec

from mlc_pipelines.acumatica.config import AcumaticaConfig
from mlc_pipelines.acumatica.connection import Connection
from mlc_pipelines.acumatica.extracts import Entries, collected
from mlc_pipelines.acumatica.records import Key, any_of, beyond, quoted, within
from mlc_pipelines.acumatica.shapes import Shape, shape_of
from mlc_pipelines.acumatica.typed import EDM, Field
from mlc_pipelines.ledger.errors import DataError, SetupError
from mlc_pipelines.ledger.extracts import ExtractRead, ExtractRule, Stamps
from mlc_pipelines.ledger.fiscal import FiscalPeriod

_EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
_SHOWN = 20
_PAGES_MAX = 100_000


def read_inquiry(site: Connection, rule: ExtractRule, period: FiscalPeriod | None, held: Stamps) -> ExtractRead:
    """Rows of a generic inquiry. Raises SetupError when it is not exposed; errors else as `records.Reading.pages`."""
    feed = f"/t/{quote(site.config.tenant)}/api/odata/gi"
    properties = published(site.text(f"{feed}/$metadata"), rule, site.config)
    what = f"$metadata of {site.config.system}"
    shape = shape_of(rule, {rule.inquiry: properties}, rule.inquiry, EDM, what)
    return collected(_Rows(site, rule, shape, period, feed), held)


def published(document: bytes, rule: ExtractRule, config: AcumaticaConfig) -> dict[str, str]:
    """The properties of an inquiry and their EDM types, by the names of the metadata; blanks in the inquiry's name do not count.

    Raises SetupError when the inquiry is not there, which is how one looks that is not exposed [C easy-acumatica].
    """
    root = _parsed(document, config)
    types = {one.get("Name"): one for one in root.iter(f"{_EDM}EntityType")}
    sets = {
        str(one.get("Name")): str(one.get("EntityType")).rpartition(".")[2] for one in root.iter(f"{_EDM}EntitySet")
    }
    found = next((kind for name, kind in sets.items() if _bare(name) == _bare(rule.inquiry)), None)
    if found is None or found not in types:
        names = ", ".join(sorted(sets)[:_SHOWN]) or "none"
        raise SetupError(
            f"{config.system} does not expose a generic inquiry {rule.inquiry} over OData. Exposed are: {names}.",
            holds="Nothing was read.",
            next_step=f"Correct `extracts.{rule.name}.inquiry`, or ask the Acumatica administrator to mark the inquiry "
            "as Expose via OData (Generic Inquiry, SM208000).",
        )
    return {str(one.get("Name")): str(one.get("Type")) for one in types[found].iter(f"{_EDM}Property")}


def _parsed(document: bytes, config: AcumaticaConfig) -> ElementTree.Element:
    """The EDMX document. One with entities of its own is refused unread: no service needs them, and they can be made to explode."""
    try:
        if b"<!DOCTYPE" in document[:4096]:
            raise ElementTree.ParseError("it declares a document type")
        return ElementTree.fromstring(document)  # noqa: S314  (no document type, hence no entities)
    except ElementTree.ParseError as error:
        raise SetupError(
            f"{config.system} answered $metadata of its inquiries with something that cannot be read ({error}).",
            holds="Nothing was read.",
            next_step="Check `erp.url` and `erp.tenant` in the connection file with the Acumatica administrator.",
        ) from None


def _bare(name: str) -> str:
    return name.replace(" ", "").casefold()


class _Rows(Entries):
    """Rows of an inquiry. Sorted by their keys, so that each page begins behind the last key of the one before."""

    def __init__(
        self, site: Connection, rule: ExtractRule, shape: Shape, period: FiscalPeriod | None, feed: str
    ) -> None:
        super().__init__(rule, shape, period)
        self._site = site
        row = msgspec.defstruct("Row", [_plain_field(at, one) for at, one in enumerate(shape.fields)])
        link = msgspec.field(default="", name="@odata.nextLink")
        self._type = msgspec.defstruct("Page", [("value", list[row]), ("next", str, link)])  # type: ignore[valid-type]
        self._address = f"{feed}/{quote(rule.inquiry)}{_with(rule)}"
        self._brief = ",".join(dict.fromkeys([*rule.keys, *filter(None, (rule.modified, rule.by_period))]))
        self._select = ",".join(one.name for one in shape.fields) if rule.select else ""

    def headers(self) -> list[Any]:
        """Page after page until one is empty: a short page may be the site's own limit. Each must bring a key that no other brought."""
        found: list[Any] = []
        seen: set[Key] = set()
        last: Key | None = None
        while True:
            further = f"({beyond(self.rule.keys, self.literals(last), 'gt')})" if last else ""
            came = self._asked(self._brief, further, top=self.rule.page)
            found += came
            keys = [self.key(row) for row in came]
            if not keys:
                return found
            if last and seen.issuperset(keys):
                raise DataError(
                    f"{self.scope}: the page behind {' '.join(map(str, last))} brought only rows that had come before.",
                    holds="Nothing was kept.",
                    next_step=f"Check that `extracts.{self.rule.name}.keys` tell the rows of the inquiry apart.",
                )
            seen.update(keys)
            last = keys[-1]

    def between(self, first: Key, last: Key) -> list[Any]:
        return self._asked(self._select, f"({within(self.rule.keys, self.literals(first), self.literals(last))})")

    def named(self, keys: Sequence[Key]) -> list[Any]:
        return self._asked(self._select, f"({any_of(self.rule.keys, [self.literals(key) for key in keys])})")

    def _asked(self, select: str, which: str, *, top: int = 0) -> list[Any]:
        options = {
            "$select": select,
            "$filter": self.narrowed(which),
            "$orderby": ",".join(self.rule.keys),
            "$top": str(top) if top else "",
        }
        said = "&".join(f"{name}={quote(value, safe=',()/')}" for name, value in options.items() if value)
        return self.required([row for page in self._pages(f"{self._address}?{said}") for row in page.value])

    def _pages(self, path: str) -> Iterator[Any]:
        """The page, and those that the site itself puts behind it: on the same site only, none twice, and not without end."""
        followed = {path}
        for _ in range(_PAGES_MAX):
            page: Any = self._site.page(path, self._type)
            yield page
            path = self._onward(path, page.next)
            if not path:
                return
            if path in followed:
                break
            followed.add(path)
        raise DataError(
            f"{self.scope}: the site's links to a next page lead back to a page that was read, or never end.",
            holds="Nothing was kept.",
            next_step="Ask the Acumatica administrator, or what stands between us and the site, about these links.",
        )

    def _onward(self, path: str, link: str) -> str:
        """A link to the next page, joined to this one; the caller refuses one that leads to another site."""
        if not link:
            return ""
        here = path if urlsplit(path).scheme else self._site.config.site + path
        return str(httpx.URL(urljoin(here, link)))


def _plain_field(at: int, one: Field) -> tuple[str, Any, Any]:
    default = msgspec.Raw(b"") if one.kind.value is msgspec.Raw else None
    return f"f{at}", one.kind.value, msgspec.field(default=default, name=one.name)


def _with(rule: ExtractRule) -> str:
    """Parameters as the inquiry takes them: Inquiry_WithParameters(Name='value') [S DOC GI OData]."""
    if not rule.parameters:
        return ""
    said = ",".join(f"{name}={quoted(value)}" for name, value in rule.parameters.items())
    return f"_WithParameters({quote(said, safe='=,')})"
