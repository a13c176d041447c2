"""Workspace, model, actions and lists, by name or id; found at run time, because a model builder may rename or remake them."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from mlc_pipelines.anaplan.api import Api
from mlc_pipelines.anaplan.config import AnaplanConfig
from mlc_pipelines.ledger.errors import SetupError


def pick(kind: str, wanted: str, found: Iterable[dict[str, Any]], where: str) -> dict[str, Any]:
    """The one entry whose id or name is the wanted one, exactly. Raises SetupError listing candidates for none and for several."""
    entries = list(found)
    if by_id := [one for one in entries if one.get("id") == wanted]:
        return by_id[0]
    named = [one for one in entries if one.get("name") == wanted]
    if len(named) == 1:
        return named[0]
    if named:
        ids = ", ".join(str(one["id"]) for one in named)
        raise SetupError(
            f"{where} has {len(named)} {kind}s named {wanted!r} (ids {ids}).",
            holds="Nothing was sent.",
            next_step="Have the model builder rename one of them, or write the id instead of the name into the connection file.",
        )
    raise SetupError(
        f"{where} has no {kind} named {wanted!r}. {_nearest(wanted, entries, kind)}",
        holds="Nothing was sent.",
        next_step=f"Correct the name of the {kind} in the connection file, or ask the model builder whether it was renamed or this user lost access.",
    )


def _nearest(wanted: str, entries: list[dict[str, Any]], kind: str) -> str:
    ids = {str(one.get("name")): str(one.get("id")) for one in entries}
    if not ids:
        return f"This user sees no {kind} there at all."
    folded = {name.casefold(): name for name in sorted(ids, reverse=True)}
    near = [folded[name] for name in get_close_matches(wanted.casefold(), folded, n=3, cutoff=0.6)]
    shown = near or sorted(ids)[:10]
    listed = ", ".join(f"{name!r} (id {ids[name]})" for name in shown)
    return f"There is: {listed}{' ...' if len(shown) < len(ids) else ''}."


class Model:
    """The one model, found at the first question; what was found is kept for the run. path is its workspace form, ids in their letter case."""

    def __init__(self, api: Api, config: AnaplanConfig) -> None:
        self._api = api
        self._config = config
        self._ids: tuple[str, str] | None = None
        self._found: dict[tuple[str, str], dict[str, Any]] = {}

    @property
    def path(self) -> str:
        workspace, model = self._identity()
        return f"/workspaces/{workspace}/models/{model}"

    @property
    def id(self) -> str:
        return self._identity()[1]

    def __str__(self) -> str:
        return f"Anaplan model {self._config.workspace} / {self._config.model}"

    def find(self, collection: str, kind: str, name: str) -> dict[str, Any]:
        """An import, export, file or list of the model by name or id."""
        if (collection, name) not in self._found:
            entries = self._api.list(f"{self.path}/{collection}", collection)
            self._found[collection, name] = pick(kind, name, entries, str(self))
        return self._found[collection, name]

    def known(self, collection: str) -> list[dict[str, Any]]:
        """What was found so far in this run; no call is made."""
        return [one for (where, _), one in self._found.items() if where == collection]

    def forget(self) -> None:
        """Look everything but the model itself up again: a model builder may have remade it."""
        self._found.clear()

    def _identity(self) -> tuple[str, str]:
        if self._ids is None:
            workspaces = self._api.list("/workspaces", "workspaces")
            workspace = pick("workspace", self._config.workspace, workspaces, "This Anaplan tenant")
            models = self._api.list(f"/workspaces/{workspace['id']}/models", "models")
            model = pick("model", self._config.model, models, f"Workspace {workspace.get('name')}")
            _require_usable(str(self), str(model.get("activeState", "")))
            self._ids = str(workspace["id"]), str(model["id"])
        return self._ids


def _require_usable(model: str, state: str) -> None:
    """Refuse an archived or locked model before anything is sent. Unknown states pass: the calls themselves will tell."""
    if state in {"ARCHIVED", "LOCKED"}:
        raise SetupError(
            f"{model} is {state.lower()}.",
            holds="Nothing was sent.",
            next_step=f"A workspace administrator must {'restore' if state == 'ARCHIVED' else 'unlock'} it in Model Management.",
        )
