"""With which code and which configuration something was done, and by whom: what stands in every event of the audit trail."""

import hashlib
import json
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlc_pipelines
from mlc_pipelines.store.home import Store
from mlc_pipelines.store.trail.logbook import Logbook
from mlc_pipelines.wiring.connections import Named
from mlc_pipelines.wiring.people import who
from mlc_pipelines.wiring.years import file_of

_DIGITS = 16


@cache
def code_version() -> str:
    """The version of the package, and the first digits of a hash over its source files: it tells a changed installation from the released one."""
    folder = Path(mlc_pipelines.__file__).parent
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*.py"), key=lambda one: one.relative_to(folder).as_posix()):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return f"{version('mlc-pipelines')} {digest.hexdigest()[:_DIGITS]}"


def configuration_hash(named: Named) -> str:
    """SHA-256 of the connection's settings as they are understood, variables filled in, and of what stands in the files that they name: mapping, targets,
    calendar, and the fiscal years taken over from the ERP. They name credentials and hold none.
    """
    settings = named.settings.model_dump(mode="json")
    files = [named.file.parent / name for name in sorted(set(_files_of(settings)))]
    content = [_hash(file) for file in (*files, file_of(named.name))]
    said = json.dumps([settings, content], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(said.encode()).hexdigest()


def _files_of(settings: Any) -> Iterator[str]:
    """Names of the files that stand under `file` anywhere; keys and certificates have other names."""
    if isinstance(settings, dict):
        if isinstance(name := settings.get("file"), str) and name:
            yield name
        settings = list(settings.values())
    for one in settings if isinstance(settings, list) else ():
        yield from _files_of(one)


def _hash(file: Path) -> str:
    """Nothing for a file that is not there: the step that needs it says so."""
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""


def logbook_of(named: Named, store: Store, run: str = "") -> Logbook:
    """The audit trail in the hand of work that is done at no desk."""
    return Logbook(store.trail, named.name, who(), run, code_version(), configuration_hash(named))
