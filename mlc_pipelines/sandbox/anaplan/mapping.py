"""Mapping parameters: what an import that asks at run time is told about its mapping.

`{"entityType": "Version", "entityName": "Actual"}`, perhaps with the `importId` that it is meant for inside a process.
Reference: anaplan 5 [S]; what happens to wrong ones is not recorded, hence the switch `mapping_refusal` [I].
"""

from collections.abc import Sequence
from typing import Any

from mlc_pipelines.sandbox.anaplan.built import Action, FileImport, ImportAction, ListImport, Process
from mlc_pipelines.sandbox.anaplan.imports import Answers
from mlc_pipelines.sandbox.anaplan.model import Model

Asked = Sequence[Any]
"""The entries as they were sent."""

ENTITY_TYPES = {"Versions": "Version"}
"""Dimension -> entityType; other dimensions go by their own name [I]."""


def answers_for(model: Model, action: FileImport, asked: Asked) -> tuple[Answers, str]:
    """The answers to what an import asks, and what is wrong with them, or ""."""
    mine = [one for one in asked if isinstance(one, dict) and one.get("importId", action.id) == action.id]
    answers: Answers = {}
    for name in action.asks:
        type_ = ENTITY_TYPES.get(name, name)
        given = [str(one.get("entityName", "")) for one in mine if one.get("entityType") == type_]
        if len(given) != 1:
            return {}, f"{action.name} wants one mapping parameter of entityType {type_}, not {len(given)}"
        key = _member_key(model, name, given[0])
        if key is None:
            return {}, f"{given[0]} is no member of {name}"
        answers[name] = key
    return answers, ""


def objection_to(model: Model, action: Action, asked: Asked) -> str:
    """What is wrong with the mapping parameters of a start, or ""."""
    imports = [one for one in _steps(model, action) if isinstance(one, ImportAction | ListImport)]
    for entry in asked:
        if not isinstance(entry, dict):
            return "A mapping parameter is not a JSON object"
        takers = [one for one in imports if entry.get("importId", one.id) == one.id]
        if not any(entry.get("entityType") == ENTITY_TYPES.get(name, name) for one in takers for name in one.asks):
            return f"Nothing asks for a mapping parameter of entityType {entry.get('entityType')}"
    return next((objection for one in imports if (objection := answers_for(model, one, asked)[1])), "")


def _steps(model: Model, action: Action) -> list[Action]:
    return [one for one in model.built if one.id in action.steps] if isinstance(action, Process) else [action]


def _member_key(model: Model, dimension: str, text: str) -> str | None:
    """The key of the member with this name, else this code."""
    found = next(one for one in model.dimensions() if one.name == dimension)
    return next((member.key for member in found.members if text and text in (member.name, member.code)), None)
