"""Workspace, model, actions and lists, by name or id; found at run time, because a model builder may rename or remake them."""

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from math import inf
from typing import Any, Protocol

from mlc_pipelines.anaplan.api import Api, GoneError
from mlc_pipelines.anaplan.config import AnaplanConfig
from mlc_pipelines.ledger.errors import SetupError

_LISTS_AGAIN_SECONDS = 24 * 3600.0


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


class Memory(Protocol):
    """Ids that earlier runs found, by place and name; kept by the store."""

    def recall(self, place: str, name: str, *, younger_than_seconds: float) -> str:
        """The id, "" where it is unknown or its list was read too long ago."""
        ...

    def keep(self, place: str, name: str, id_: str) -> str:
        """Write down what a list has just shown; the id that was known before, "" for none."""
        ...


class Model:
    """The one model, found at the first question; what was found is kept for the run. path is its workspace form, ids in their letter case.

    What earlier runs found is a hint, with this rule. Workspace and model: the remembered id is asked for by itself, and believed only
    if Anaplan still gives it the wanted name in the wanted workspace; so a rename or a swap of names is seen at once, and a second
    model of the same name within a day, when the lists are read again. Imports, exports and all else: their list is read once in
    every run, for which file an import reads stands nowhere else. Whenever a name has come to mean another id than before, a person is told.
    """

    def __init__(
        self,
        api: Api,
        config: AnaplanConfig,
        *,
        memory: Memory | None = None,
        say: Callable[[str], None] = lambda _said: None,
    ) -> None:
        self._api = api
        self._config = config
        self._memory = memory
        self._say = say
        self._ids: tuple[str, str] | None = None
        self._lists: dict[str, list[dict[str, Any]]] = {}
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
        """One of the model's imports, exports, processes, actions, files, lists, modules or views, by name or id.

        Raises SetupError with the candidates, close names first, when there is none of that name or several.
        """
        if (collection, name) not in self._found:
            if collection not in self._lists:
                self._lists[collection] = self._api.list(f"{self.path}/{collection}", collection)
            found = pick(kind, name, self._lists[collection], str(self))
            self._note(f"{self.path} {collection}", f"{kind} {name}", str(found["id"]))
            self._found[collection, name] = found
        return self._found[collection, name]

    def known(self, collection: str) -> list[dict[str, Any]]:
        """What was found so far in this run; no call is made."""
        return [one for (where, _), one in self._found.items() if where == collection]

    def forget(self) -> None:
        """Look everything but the model itself up again: a model builder may have remade it."""
        self._found.clear()
        self._lists.clear()

    def _identity(self) -> tuple[str, str]:
        if self._ids is None:
            self._ids = self._remembered() or self._looked_up()
        return self._ids

    def _remembered(self) -> tuple[str, str] | None:
        """The model of earlier runs, if it still is what the connection names."""
        if self._memory is None:
            return None
        known = self._memory.recall(self._config.api_url, str(self), younger_than_seconds=_LISTS_AGAIN_SECONDS)
        workspace_id, _, model_id = known.partition("/")
        if not model_id:
            return None
        try:
            model = self._api.get(f"/models/{model_id}").get("model") or {}
        except GoneError:
            return None
        wanted = self._config
        same = (
            model.get("id") == model_id
            and model.get("currentWorkspaceId") == workspace_id
            and wanted.model in {model_id, model.get("name")}
            and wanted.workspace in {workspace_id, model.get("currentWorkspaceName")}
        )
        if not same:
            return None
        _require_usable(str(self), str(model.get("activeState", "")))
        return workspace_id, model_id

    def _looked_up(self) -> tuple[str, str]:
        workspaces = self._api.list("/workspaces", "workspaces")
        workspace = pick("workspace", self._config.workspace, workspaces, "This Anaplan tenant")
        models = self._api.list(f"/workspaces/{workspace['id']}/models", "models")
        model = pick("model", self._config.model, models, f"Workspace {workspace.get('name')}")
        _require_usable(str(self), str(model.get("activeState", "")))
        self._note(self._config.api_url, str(self), f"{workspace['id']}/{model['id']}", always=True)
        return str(workspace["id"]), str(model["id"])

    def _note(self, place: str, name: str, id_: str, *, always: bool = False) -> None:
        """Remember the id under its name; say so if it was another one before."""
        if self._memory is None:
            return
        if not always and self._memory.recall(place, name, younger_than_seconds=inf) == id_:
            return
        before = self._memory.keep(place, name, id_)
        if before not in {"", id_}:
            self._say(f"{name} is another one than before: its id is {id_}, it was {before}. Was it remade on purpose?")


def _require_usable(model: str, state: str) -> None:
    """Refuse an archived or locked model before anything is sent. Unknown states pass: the calls themselves will tell.

    An offline model lets workspace administrators in [S HELP-mode], a deployed one takes data [S OAS]: neither is refused here.
    """
    if state in {"ARCHIVED", "LOCKED"}:
        raise SetupError(
            f"{model} is {state.lower()}.",
            holds="Nothing was sent.",
            next_step=f"A workspace administrator must {'restore' if state == 'ARCHIVED' else 'unlock'} it in Model Management.",
        )
