"""The tenant: who may log in, the workspaces with their models, and the doors for tests in the same process."""

import hashlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from mlc_pipelines.sandbox.anaplan.actions import effect_of
from mlc_pipelines.sandbox.anaplan.built import Action, ImportAction, ListImport, Process
from mlc_pipelines.sandbox.anaplan.byhand import edit_member, members_of
from mlc_pipelines.sandbox.anaplan.certificates import Certificates
from mlc_pipelines.sandbox.anaplan.cloudworks import CloudWorks, Planned
from mlc_pipelines.sandbox.anaplan.evidence import Evidence, action_row, upload_row
from mlc_pipelines.sandbox.anaplan.limits import Bucket
from mlc_pipelines.sandbox.anaplan.logins import Logins, Ticking, Token, User
from mlc_pipelines.sandbox.anaplan.model import Model
from mlc_pipelines.sandbox.anaplan.oauth import OAuth
from mlc_pipelines.sandbox.anaplan.plan import plan_info
from mlc_pipelines.sandbox.anaplan.switches import DEFAULTS, Switches, checked
from mlc_pipelines.sandbox.anaplan.tasks import DONE, Ending, Task


@dataclass(slots=True)
class Workspace:
    """A container of models, by model id."""

    id: str
    name: str
    models: dict[str, Model]


@dataclass(slots=True)
class World:
    """What a tenant starts with. The first user is the integration user; the main model is meant where none is named."""

    users: list[User]
    workspaces: list[Workspace]
    main_model: str
    integrations: list[Planned] = field(default_factory=list)


class Tenant:
    """One Anaplan tenant. Every public method may be called from any thread."""

    def __init__(self, clock: Ticking, build: Callable[[datetime, Switches], World]) -> None:
        """`build` makes the seeded world at an instant; models keep the switches it is given."""
        self.clock, self._build = clock, build
        self.lock = threading.RLock()
        self.switches: Switches = {}
        self._begin()
        self.certificates = Certificates(clock, self.switches, self.world.users[0])

    def reset(self) -> None:
        """Back to the seeded start: no login, no upload, no task, default switches."""
        with self.lock:
            for model in self.models():
                model.abandon()
            self._begin()
            self.certificates.reset()

    def _begin(self) -> None:
        self.switches.clear()
        self.switches.update(DEFAULTS)
        self.world = self._build(self.clock.now(), self.switches)
        self.logins = Logins(self.clock, self.switches, self.world.users)
        self.oauth = OAuth(self.clock, self.switches, self.logins)
        self.bucket = Bucket(self.clock, self.switches)
        self.cloudworks = CloudWorks(self.clock, self.switches, self._occupy)
        self.evidence = Evidence()
        self._counter = 0
        for plan in self.world.integrations:
            model = self.model()
            self.cloudworks.add(plan, model, self.workspace_of(model).id, self.world.users[-1])

    def settle(self) -> datetime:
        """Let everything happen that is due, and return the instant up to which it has."""
        with self.lock:
            now = self.clock.now()
            self.cloudworks.start_due(now)
            for model in self.models():
                model.queue.settle(now)
            return now

    def set_switches(self, changes: Switches) -> Switches:
        """Change some switches, return all. Raises ValueError on an unknown one."""
        with self.lock:
            self.settle()
            self.switches.update(checked(changes))
            for model in self.models():
                model.follow_switches()
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

    @property
    def tokens(self) -> dict[str, Token]:
        """The logins, by token value."""
        return self.logins.tokens

    def revoke_tokens(self, *, refresh: bool = False) -> None:
        """Make every login invalid at once; with `refresh` every refresh token too."""
        with self.lock:
            self.logins.end_all()
            if refresh:
                self.oauth.revoke()

    # -- tasks --------------------------------------------------------------------------------------------------------

    def start(
        self, model: Model, kind: str, action: Action, user: str, session: str, asked: Sequence[Any] = ()
    ) -> Task:
        """Queue a task of an action for a user; `asked` are its mapping parameters."""
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
                effect=effect_of(model, action, user, task_id, asked),
            )
            model.queue.post(task)
            model.queue.settle(now)
            return task

    def foreign_task(
        self,
        seconds: float,
        *,
        model: str = "",
        user: str = "Jesse Smith",
        kind: str = "imports",
        action: str = "",
        effect: bool = False,
    ) -> str:
        """Put somebody else's task on a model for some seconds. The task's id.

        `action` is a name or an id, the first of its kind without. It changes nothing, unless `effect` is set: then it
        does what the action does, for the user of the tenant whose e-mail address `user` is. KeyError names what is
        unknown.
        """
        with self.lock:
            now, place = self.settle(), self.model(model)
            actions = {key: one for one in reversed(place.actions(kind)) for key in (one.name, one.id)}
            chosen = actions[action] if action else next(iter(place.actions(kind)), None)
            task = self._planted(place, kind, chosen, user, seconds, now)
            if effect and chosen is not None:
                person = {one.email: one for one in self.world.users}[user]
                task.user, task.effect = person.id, effect_of(place, chosen, person.id, task.id)
            place.queue.post(task)
            place.queue.settle(now)
            return task.id

    def _occupy(self, model: Model, kind: str, action: str, user: str, seconds: float, at: datetime) -> Task:
        """A task of CloudWorks, for a user by id: it takes its time and changes nothing."""
        task = self._planted(model, kind, model.action(kind, action), user, seconds, at)
        model.queue.post(task)
        model.queue.settle(at)
        return task

    def _planted(self, model: Model, kind: str, action: Action | None, user: str, seconds: float, at: datetime) -> Task:
        result = {
            "successful": True,
            "failureDumpAvailable": False,
            "objectId": action.id if action else "",
            "details": [],
        }
        return Task(
            id=self._next_id(model),
            kind=kind,
            action=action.id if action else "",
            action_name=action.name if action else "",
            user=user,
            session="foreign",
            created_at=at,
            work_seconds=seconds,
            effect=lambda _: Ending(DONE, result),
            planted=True,
        )

    def _next_id(self, model: Model) -> str:
        self._counter += 1
        return hashlib.sha256(f"{model.id} task {self._counter}".encode()).hexdigest()[:32].upper()

    # -- for tests ----------------------------------------------------------------------------------------------------

    def truth_cells(self, model: str = "", module: str = "") -> list[dict[str, str]]:
        """Every cell that is not zero or was ever written, in display order: of a module by name, the model's first without.

        The fields are named after the module's dimensions, such as vendor, account, cost_center, period, version; `amount`
        is the first line item that is an input. KeyError without such a model or module.
        """
        with self.lock:
            self.settle()
            grid = self.model(model).module_named(module)
            cells, names = grid.inputs[grid.main_item], [one.field for one in grid.dimensions]
            return [
                {**dict(zip(names, key, strict=True)), "amount": _two_places(cells[key])}
                for key in sorted(cells, key=grid.sort_key)
            ]

    def edit_cell(self, key: tuple[str, ...], amount: Decimal | None, model: str = "", module: str = "") -> None:
        """Write one cell by hand, as a planner would, in the module that `truth_cells` shows. KeyError on an unknown member.

        `key` is in the order of the module's dimensions; ValueError when it is too short or too long. Without an amount the
        cell is left blank.
        """
        with self.lock:
            self.settle()
            grid = self.model(model).module_named(module)
            grid.sort_key(key)
            if amount is None:
                grid.inputs[grid.main_item].pop(key, None)
                grid.blanks.add(key)
            else:
                grid.inputs[grid.main_item][key] = amount

    def cell_fields(self, model: str = "", module: str = "") -> list[str]:
        """The names of the parts of a cell's key, in order."""
        with self.lock:
            return [one.field for one in self.model(model).module_named(module).dimensions]

    def truth_members(self, list_name: str, model: str = "") -> list[dict[str, Any]]:
        """The members of a list, by its name, in display order; the parent by its code. KeyError without such a list."""
        with self.lock:
            self.settle()
            return members_of(self.model(model), list_name)

    def edit_member(self, list_name: str, code: str, *, remove: bool = False, model: str = "", **fields: Any) -> None:
        """Add, change or remove a member by hand, as a planner would: `name`, `parent` (a code), `properties`.

        KeyError on a list, a parent or a member to remove that is not there.
        """
        with self.lock:
            self.settle()
            edit_member(self.model(model), list_name, code, remove=remove, **fields)

    def set_default_file(self, file: str, content: bytes | None, model: str = "") -> None:
        """Give a file, by name, a shared default version, or take it away."""
        with self.lock:
            self.settle()
            files = {one.name: one for one in self.model(model).files.values()}
            files[file].default = content

    def log(self) -> dict[str, Any]:
        """Actions, uploads and overlaps so far, and how the request limit stands."""
        with self.lock:
            self.settle()
            actions, overlaps = [], []
            for model in self.models():
                actions += [action_row(model.id, task) for task in model.queue.tasks]
                overlaps += self.evidence.overlaps(model.id, model.queue.tasks, _files_read(model))
            uploads = [upload_row(upload) for upload in self.evidence.uploads]
            return {"actions": actions, "uploads": uploads, "overlaps": overlaps, "rate": self.bucket.report()}

    def info(self, base_url: str) -> dict[str, str]:
        """What a client needs to know; `base_url` has no path."""
        model, user = self.model(), self.world.users[0]
        workspace = self.workspace_of(model)
        return {
            "auth_url": base_url,
            "api_url": f"{base_url}/2/0",
            "oauth_url": base_url,
            "cloudworks_url": f"{base_url}/cloudworks/2/0",
            "workspace_id": workspace.id,
            "workspace": workspace.name,
            "model_id": model.id,
            "model": model.name,
            "username": user.email,
            "password": user.password,
            **asdict(self.certificates.main),
            "oauth_device_client_id": self.oauth.device_client.id,
            "oauth_client_id": self.oauth.code_client.id,
            "oauth_client_secret": self.oauth.code_client.secret,
            "import": model.actions("imports")[0].name,
            "file": next(iter(model.files.values())).name,
            "export": model.actions("exports")[0].name,
            "module": model.module_named().name,
            "view": model.views[0].name,
            "process": model.actions("processes")[-1].name,
            "import_accounts": model.actions("imports")[1].name,
            "import_cost_centers": model.actions("imports")[2].name,
            **plan_info(model),
        }


def _two_places(amount: Decimal) -> str:
    """Exact text with at least two decimals."""
    exponent = amount.as_tuple().exponent
    return format(amount.quantize(Decimal("0.01")) if isinstance(exponent, int) and exponent > -2 else amount, "f")


def _files_read(model: Model) -> dict[str, list[str]]:
    """The files that each import, or process of imports, reads."""
    imports = [one for one in model.actions("imports") if isinstance(one, ImportAction | ListImport)]
    files = {action.id: [action.file] for action in imports}
    for action in model.built:
        if isinstance(action, Process):
            files[action.id] = [file for step in action.steps for file in files.get(step, [])]
    return files
