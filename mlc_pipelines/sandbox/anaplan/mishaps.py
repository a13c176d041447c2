"""What a test can let happen to a tenant at any moment: people, administrators and other jobs at work. No part of Anaplan."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from mlc_pipelines.sandbox.anaplan.built import Process
from mlc_pipelines.sandbox.anaplan.certificates import YEARS_3, Issued
from mlc_pipelines.sandbox.anaplan.cloudworks import Planned
from mlc_pipelines.sandbox.anaplan.files import DataFile
from mlc_pipelines.sandbox.anaplan.logins import User
from mlc_pipelines.sandbox.anaplan.model import Model
from mlc_pipelines.sandbox.anaplan.tenant import Tenant


def user_of(tenant: Tenant, email: str) -> User:
    """A user of the tenant, the integration user without an address. KeyError when there is none."""
    return {user.email: user for user in tenant.world.users}[email or tenant.world.users[0].email]


# -- access -----------------------------------------------------------------------------------------------------------


def issue_certificate(
    tenant: Tenant, user: str = "", *, days_from: float = -1, days: float = YEARS_3, registered: bool = True
) -> Issued:
    """Another certificate: expired, not yet valid, or known to nobody, as wished."""
    with tenant.lock:
        return tenant.certificates.issue(user_of(tenant, user), days_from, days, registered=registered)


def decide_device(tenant: Tenant, decision: str, user_code: str = "", user: str = "") -> str:
    """Approve or deny a waiting device, the newest without a code. Its user code; KeyError when none waits."""
    with tenant.lock:
        return tenant.oauth.decide(decision, user_code, user_of(tenant, user)).user_code


def authorize(tenant: Tenant, url: str, *, user: str = "", decision: str = "approve") -> str:
    """Do at an authorization URL what a person does in the browser. Where the browser is sent then.

    Raises BadRequestError when the person would be shown an error instead.
    """
    asked: Mapping[str, str] = dict(parse_qsl(urlsplit(url).query))
    with tenant.lock:
        return tenant.oauth.consent(asked, user_of(tenant, user), decision)


# -- the model --------------------------------------------------------------------------------------------------------


def sleep(tenant: Tenant, model: str = "") -> None:
    """Let a model fall asleep: the next call wakes it, which takes the switch `open_seconds`."""
    with tenant.lock:
        tenant.settle()
        place = tenant.model(model)
        place.closed, place.opens_at = True, None


def forget_task(tenant: Tenant, task: str) -> None:
    """Let a task vanish from polls and lists; what it does or did stays. KeyError when there is none."""
    with tenant.lock:
        tenant.settle()
        {one.id: one for model in tenant.models() for one in model.queue.tasks}[task].forgotten = True


def change_action(tenant: Tenant, kind: str, name: str, do: str, *, to: str = "", model: str = "") -> str:
    """Let a model builder remove, recreate (under another id) or rename an action. The id that it has, or had."""
    with tenant.lock:
        tenant.settle()
        place = tenant.model(model)
        old = {action.name: action for action in place.built if action in place.actions(kind)}[name]
        if do == "remove":
            place.built.remove(old)
            return old.id
        if do == "rename":
            place.built[place.built.index(old)] = replace(old, name=to)
            return old.id
        if do == "recreate":
            return _recreate(place, old.id)
        raise ValueError(f"no deed {do!r}; there are remove, recreate and rename")


def _recreate(model: Model, old: str) -> str:
    """The same action under the next free id of its kind; processes run it as before, an export has a file again."""
    new = str(max(int(action.id) for action in model.built if action.id[:3] == old[:3]) + 1)
    for place, action in enumerate(model.built):
        if action.id == old:
            model.built[place] = replace(action, id=new)
        elif isinstance(action, Process):
            model.built[place] = replace(action, steps=tuple(new if step == old else step for step in action.steps))
    if old in model.files:
        file = model.files.pop(old)
        model.files[new] = DataFile(new, file.name, file.header_names)
    return new


# -- CloudWorks -------------------------------------------------------------------------------------------------------


def add_integration(tenant: Tenant, plan: Mapping[str, Any], model: str = "") -> str:
    """Make an integration from the fields of `Planned`. Its id."""
    with tenant.lock:
        place = tenant.model(model)
        creator = tenant.world.users[-1]
        return tenant.cloudworks.add(Planned(**plan), place, tenant.workspace_of(place).id, creator).id


def run_integration(
    tenant: Tenant, integration: str, seconds: float, *, trigger: str = "scheduled", ends: str = "success"
) -> tuple[str, str]:
    """Let an integration, by name or id, run for some seconds. The ids of the run and of its task."""
    with tenant.lock:
        now = tenant.settle()
        one = tenant.cloudworks.find(integration)
        run = tenant.cloudworks.run(one, one.creator, trigger=trigger, seconds=seconds, ends=ends, at=now)
        return run.id, run.task.id
