"""The tenant: who may log in, the workspaces with their models, and the doors for tests in the same process."""

import hashlib
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

from mlc_pipelines.sandbox.anaplan.actions import effect_of
from mlc_pipelines.sandbox.anaplan.evidence import Evidence, action_row, upload_row
from mlc_pipelines.sandbox.anaplan.model import Action, ImportAction, Model, Process
from mlc_pipelines.sandbox.anaplan.switches import DEFAULTS, Switches, checked
from mlc_pipelines.sandbox.anaplan.tasks import DONE, Ending, Task

TOKEN_LIFE = timedelta(minutes=35)
"""Measured live; some documents say 30. Reference: anaplan 2.1 [S]."""


class Ticking(Protocol):
    """Whatever tells the time."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...


@dataclass(frozen=True, slots=True)
class User:
    """A person or integration user; `admin` is a workspace administrator."""

    id: str
    email: str
    password: str
    first_name: str
    last_name: str
    admin: bool = True


@dataclass(slots=True)
class Token:
    """A login. `id` names it in the evidence; refreshing moves only the expiry."""

    id: str
    value: str
    refresh_id: str
    user: User
    expires_at: datetime


@dataclass(slots=True)
class Workspace:
    """A container of models, by model id."""

    id: str
    name: str
    models: dict[str, Model]


@dataclass(slots=True)
class World:
    """What a tenant starts with. The first user is the integration user; module and line item for `truth_cells`."""

    users: list[User]
    workspaces: list[Workspace]
    main_model: str
    main_module: str
    main_item: str


class Tenant:
    """One Anaplan tenant. Every public method may be called from any thread."""

    def __init__(self, clock: Ticking, build: Callable[[datetime, Switches], World]) -> None:
        """`build` makes the seeded world at an instant; models keep the switches it is given."""
        self.clock, self._build = clock, build
        self.lock = threading.RLock()
        self.switches: Switches = {}
        self.world = World([], [], "", "", "")
        self.reset()

    def reset(self) -> None:
        """Back to the seeded start: no login, no upload, no task, default switches."""
        with self.lock:
            for model in self.models():
                model.queue.abandon()
            self.switches.clear()
            self.switches.update(DEFAULTS)
            self.world = self._build(self.clock.now(), self.switches)
            self.tokens: dict[str, Token] = {}
            self.evidence = Evidence()
            self._counter = 0

    def settle(self) -> datetime:
        """Let everything happen that is due, and return the instant up to which it has."""
        with self.lock:
            now = self.clock.now()
            for model in self.models():
                model.queue.settle(now)
            return now

    def set_switches(self, changes: Switches) -> Switches:
        """Change some switches, return all. Raises ValueError on an unknown one."""
        with self.lock:
            self.settle()
            self.switches.update(checked(changes))
            return dict(self.switches)

    # -- who and what -------------------------------------------------------------------------------------------------

    def models(self) -> list[Model]:
        """All models of all workspaces."""
        return [model for workspace in self.world.workspaces for model in workspace.models.values()]

    def workspace(self, workspace_id: str) -> Workspace | None:
        """A workspace by id, with exact letter case."""
        return next((one for one in self.world.workspaces if one.id == workspace_id), None)

    def workspace_of(self, model: Model) -> Workspace:
        """Where a model stands."""
        return next(one for one in self.world.workspaces if model.id in one.models)

    def model(self, model_id: str = "") -> Model:
        """A model by id, the main one without; KeyError when there is none."""
        return {model.id: model for model in self.models()}[model_id or self.world.main_model]

    def log_in(self, email: str, password: str) -> Token | None:
        """A new token for 35 minutes, or None for a wrong name or password."""
        user = next((one for one in self.world.users if (one.email, one.password) == (email, password)), None)
        if user is None:
            return None
        expires_at = self.clock.now() + TOKEN_LIFE
        token = Token(str(uuid.uuid4()), uuid.uuid4().hex + uuid.uuid4().hex, str(uuid.uuid4()), user, expires_at)
        self.tokens[token.value] = token
        return token

    def token(self, value: str) -> Token | None:
        """The login behind a token value, unless it has expired."""
        token = self.tokens.get(value)
        return token if token and self.clock.now() < token.expires_at else None

    def revoke_tokens(self) -> None:
        """Make every login invalid at once."""
        with self.lock:
            self.tokens.clear()

    # -- tasks --------------------------------------------------------------------------------------------------------

    def start(self, model: Model, kind: str, action: Action, user: str, session: str) -> Task:
        """Queue a task of an action for a user."""
        with self.lock:
            now, task_id = self.settle(), self._next_id(model)
            task = Task(
                id=task_id,
                kind=kind,
                action=action.id,
                action_name=action.name,
                user=user,
                session=session,
                created_at=now,
                work_seconds=self.switches["task_seconds"],
                effect=effect_of(model, action, user, task_id),
            )
            model.queue.post(task)
            model.queue.settle(now)
            return task

    def foreign_task(self, seconds: float, *, model: str = "", user: str = "Jesse Smith", kind: str = "imports") -> str:
        """Put somebody else's task on a model for some seconds; it changes no cell. The task's id."""
        with self.lock:
            now, place = self.settle(), self.model(model)
            action = next((one for one in place.actions(kind)), None)
            result = {"successful": True, "failureDumpAvailable": False, "objectId": "", "details": []}
            task = Task(
                id=self._next_id(place),
                kind=kind,
                action=action.id if action else "",
                action_name=action.name if action else "",
                user=user,
                session="foreign",
                created_at=now,
                work_seconds=seconds,
                effect=lambda _: Ending(DONE, result),
                planted=True,
            )
            place.queue.post(task)
            place.queue.settle(now)
            return task.id

    def _next_id(self, model: Model) -> str:
        self._counter += 1
        return hashlib.sha256(f"{model.id} task {self._counter}".encode()).hexdigest()[:32].upper()

    # -- for tests ----------------------------------------------------------------------------------------------------

    def truth_cells(self, model: str = "") -> list[dict[str, str]]:
        """Every cell of the main line item that is not zero or was ever written, in display order."""
        with self.lock:
            self.settle()
            module = self.model(model).modules[self.world.main_module]
            cells = module.inputs[self.world.main_item]
            names = ("account", "cost_center", "period", "version")
            return [
                {**dict(zip(names, key, strict=True)), "amount": _two_places(cells[key])}
                for key in sorted(cells, key=module.sort_key)
            ]

    def edit_cell(self, key: tuple[str, ...], amount: Decimal, model: str = "") -> None:
        """Write one cell of the main line item by hand, as a planner would. KeyError on an unknown member."""
        with self.lock:
            self.settle()
            module = self.model(model).modules[self.world.main_module]
            module.sort_key(key)
            module.inputs[self.world.main_item][key] = amount

    def set_default_file(self, file: str, content: bytes | None, model: str = "") -> None:
        """Give a file, by name, a shared default version, or take it away."""
        with self.lock:
            self.settle()
            files = {one.name: one for one in self.model(model).files.values()}
            files[file].default = content

    def log(self) -> dict[str, list[dict[str, Any]]]:
        """Actions, uploads and overlaps so far."""
        with self.lock:
            self.settle()
            actions, overlaps = [], []
            for model in self.models():
                actions += [action_row(model.id, task) for task in model.queue.tasks]
                overlaps += self.evidence.overlaps(model.id, model.queue.tasks, _files_read(model))
            uploads = [upload_row(upload) for upload in self.evidence.uploads]
            return {"actions": actions, "uploads": uploads, "overlaps": overlaps}

    def info(self, base_url: str) -> dict[str, str]:
        """What a client needs to know; `base_url` has no path."""
        model, user = self.model(), self.world.users[0]
        workspace = self.workspace_of(model)
        return {
            "auth_url": base_url,
            "api_url": f"{base_url}/2/0",
            "oauth_url": base_url,
            "workspace_id": workspace.id,
            "workspace": workspace.name,
            "model_id": model.id,
            "model": model.name,
            "username": user.email,
            "password": user.password,
            "import": model.actions("imports")[0].name,
            "file": next(iter(model.files.values())).name,
            "export": model.actions("exports")[0].name,
            "module": model.modules[self.world.main_module].name,
        }


def _two_places(amount: Decimal) -> str:
    """Exact text with at least two decimals."""
    exponent = amount.as_tuple().exponent
    return format(amount.quantize(Decimal("0.01")) if isinstance(exponent, int) and exponent > -2 else amount, "f")


def _files_read(model: Model) -> dict[str, list[str]]:
    """The files that each import, or process of imports, reads."""
    files = {action.id: [action.file] for action in model.actions("imports") if isinstance(action, ImportAction)}
    for action in model.built:
        if isinstance(action, Process):
            files[action.id] = [file for step in action.steps for file in files.get(step, [])]
    return files
