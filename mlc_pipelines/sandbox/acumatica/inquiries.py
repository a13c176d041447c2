"""Answers inquiries, which are asked by PUT and store nothing. Reference: acumatica 3.5.

A rendered answer is kept until the batches that it shows change, so that asking again costs next to nothing.
"""

import threading
import uuid
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from mlc_pipelines.sandbox.acumatica import lines, summary
from mlc_pipelines.sandbox.acumatica.contract import Entity
from mlc_pipelines.sandbox.acumatica.errors import RefusalError, failure, message
from mlc_pipelines.sandbox.acumatica.query import Query
from mlc_pipelines.sandbox.acumatica.question import ParameterError, Question, parameters
from mlc_pipelines.sandbox.acumatica.site import Site
from mlc_pipelines.sandbox.acumatica.wire import Rows, Value, quote, wrapped

LINES = "AccountDetailsForPeriodInquiry"
ANSWERS_KEPT = 40


class Inquiries:
    """The inquiries of one site."""

    def __init__(self, site: Site) -> None:
        """Nothing is kept yet."""
        self._site = site
        self._kept: dict[tuple[Any, ...], tuple[tuple[Any, ...], list[bytes]]] = {}
        self._rendering = threading.Lock()

    def answer(self, entity: Entity, body: Any, query: Query) -> Iterator[bytes]:
        """The whole answer in blocks of bytes: the parameters echoed, and Results if they were expanded.

        Raises RefusalError when the inquiry is hidden on this site or a parameter is wrong.
        """
        given = parameters(entity, body)
        if entity.name == LINES:
            self._require_visible()
            given = {**lines.DEFAULTS, **given}
        try:
            question = (lines if entity.name == LINES else summary).question(self._site, given)
        except ParameterError as wrong:
            raise self._refusal(entity, given, wrong.errors) from wrong
        rows = self._results(entity, question, query) if "Results" in query.expand else None
        return self._whole(entity, given, query, rows)

    def _require_visible(self) -> None:
        """A generic inquiry can be hidden by the site; the texts are ours [I]."""
        status = self._site.switches["inquiry_hidden"]
        if status == 403:
            raise message(403, f"You have insufficient rights to access the object ({LINES}).")
        if status == 404:
            raise message(404, f"The entity {LINES} is not found.")

    # -- Results ------------------------------------------------------------------------------------------------------

    def _results(self, entity: Entity, question: Question, query: Query) -> list[bytes]:
        switches = self._site.switches
        fields = query.fields_of(entity.details["Results"].fields, "Results")
        rows = self._rendered(question, Rows(fields, unknown=switches["extra_unknown_fields"]))
        if entity.name == LINES and (switches["drop_rows"] or switches["repeat_rows"]):
            rows = rows[: max(0, len(rows) - switches["drop_rows"])] + rows[: switches["repeat_rows"]]
        return self._site.ordered(rows)

    def _rendered(self, question: Question, shape: Rows) -> list[bytes]:
        """One text per row: those kept from last time if the state is the same, else worked out anew."""
        key = (question.asked, shape.template)
        with self._rendering:
            state, rows = self._kept.pop(key, ((), []))
            if state != question.state:
                rows = [shape.write(record, number).encode() for number, record in enumerate(question.records(), 1)]
            self._kept[key] = (question.state, rows)
            while len(self._kept) > ANSWERS_KEPT:
                self._kept.pop(next(iter(self._kept)))
        return rows

    # -- the answer around them ---------------------------------------------------------------------------------------

    def _whole(
        self, entity: Entity, given: Mapping[str, Value], query: Query, rows: list[bytes] | None
    ) -> Iterator[bytes]:
        head = f'{{"id":"{uuid.uuid4()}","rowNumber":1,"note":null'.encode()
        echo = _echo(given, query.fields_of(entity.fields)).encode()
        tail = b',"custom":{}}'
        if rows is None:
            empty = b',"Results":[]' if self._site.switches["unexpanded"] == "empty" else b""
            return iter([head, echo, empty, tail])
        results = chain([b',"Results":['], _blocks(rows), [b"]"])
        if self._site.switches["results_key_order"] == "before":
            return chain([head], results, [echo, tail])
        return chain([head, echo], results, [tail])

    def _refusal(self, entity: Entity, given: Mapping[str, Value], errors: Mapping[str, str]) -> RefusalError:
        if self._site.switches["inquiry_error_status"] == 500:
            return failure("; ".join(f"Error: {name}: {text}" for name, text in errors.items()))
        error = quote(f"Updating  '{entity.name}' record raised at least one error. Please review the errors.")
        head = f'{{"id":"{uuid.uuid4()}","rowNumber":1,"note":null,"error":{error}'
        return RefusalError(422, f'{head}{_echo(given, entity.fields, errors)},"custom":{{}}}}')


def _echo(given: Mapping[str, Value], fields: Mapping[str, str], errors: Mapping[str, str] | None = None) -> str:
    wrong = errors or {}
    return "".join(f',"{name}":{wrapped(letter, given.get(name), wrong.get(name))}' for name, letter in fields.items())


def _blocks(rows: list[bytes], size: int = 1000) -> Iterator[bytes]:
    for at in range(0, len(rows), size):
        yield (b"," if at else b"") + b",".join(rows[at : at + size])
