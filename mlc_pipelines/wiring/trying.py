"""Which connections use a credential, whether they can log in with it, and the way from an old password to a new one that was tried before."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from mlc_pipelines.ledger.errors import PipelineError, SetupError
from mlc_pipelines.store.home import Store
from mlc_pipelines.wiring.configs import anaplan_config
from mlc_pipelines.wiring.connections import Named, read_all
from mlc_pipelines.wiring.credentials import anaplan_credential
from mlc_pipelines.wiring.erps import AcumaticaErp
from mlc_pipelines.wiring.ledgers import open_ledger
from mlc_pipelines.wiring.receiver import doors

ANAPLAN, PUSH = "anaplan", "push"


@dataclass(frozen=True, slots=True)
class Use:
    """One place of a connection file that names the credential. system: acumatica, epicor, anaplan, or push for its notifications."""

    named: Named
    system: str

    def __str__(self) -> str:
        return f"{self.named.name} ({self.system})"


def uses(credential: str, named: Iterable[Named] | None = None) -> list[Use]:
    """The usable connections that name the credential; a broken connection file uses nothing."""
    found: list[Use] = []
    for one in read_all()[0] if named is None else named:
        erp, plan = one.settings.erp, one.settings.anaplan
        push = erp.push if isinstance(erp, AcumaticaErp) else None
        named_in = {erp.system: erp.credential, ANAPLAN: plan.credential, PUSH: push.credential if push else None}
        found += [Use(one, system) for system, name in named_in.items() if name == credential]
    return found


def log_in_test(use: Use, store: Store, *, sleep: Callable[[float], None] = time.sleep) -> str:
    """Log in, ask one question, log out; what to tell of it. Raises what a run would raise. Nothing is written there."""
    if use.system == PUSH:
        _, problems = doors([use.named], store)
        if problems:
            raise problems[0]
        return f"{use}: the shared secret is there; only the ERP's next notification shows whether it is the same."
    if use.system == ANAPLAN:
        from mlc_pipelines.anaplan.client import Anaplan

        config, credential = anaplan_config(use.named.settings.anaplan), anaplan_credential(use.named, store)
        with Anaplan(config, credential, sleep=sleep) as model:
            model.key()
            return f"{use}: logged in, found {model.identity()}."
    with open_ledger(use.named, store, sleep) as books:
        ledger = books.ledger.identity()
        return f"{use}: logged in, found ledger {ledger.ledger}."


def rotated(
    credential: str,
    changes: Mapping[str, str],
    store: Store,
    *,
    by: str,
    say: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """The credential with some fields changed, in use as soon as every connection that names it has logged in with them; its version.

    Until then the version before is in use. It stays so, and the new one is forgotten, when a log-in fails. A killed process leaves the
    new one beside it, to be tried again. Raises SetupError when no connection could try it.
    """
    if not (used_by := uses(credential)):
        raise SetupError(
            f"No connection uses credential {credential!r}, so that a log-in with it cannot be tried.",
            holds="Nothing was stored.",
            next_step=f"Check the name; `mlc secrets set {credential}` stores it without trying.",
        )
    store.vault.put_next(credential, changes, by=by)
    try:
        for use in used_by:
            say(log_in_test(use, replace(store, trying=frozenset({credential})), sleep=sleep))
    except PipelineError as error:
        store.vault.drop_next(credential)
        raise error.within(
            what=f"Credential {credential!r} is as it was: {use} could not log in with the new values.",
            holds="The version before is still in use, the new one was forgotten.",
        ) from None
    return store.vault.switch(credential, by=by)
