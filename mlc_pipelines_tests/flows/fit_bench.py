"""What defects are planted in: a sandbox, a connection file, a vault; and the report that is then made."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from mlc_pipelines.flows.fit import fit_report
from mlc_pipelines.ledger.fit import FitReport
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.home import Store
from mlc_pipelines.wiring.connections import find, read_one
from mlc_pipelines.wiring.fit import open_premises
from mlc_pipelines_tests.conftest import briefly, store_demo_credentials, store_epicor_credentials


@dataclass
class Bench:
    """What a defect is planted in: the sandbox, the connection file as a tree, the vault. later: how far this machine's clock is ahead."""

    sandbox: Sandbox
    tree: dict[str, Any]
    store: Store
    folder: Path
    later: timedelta = timedelta()

    def set(self, path: str, value: Any) -> None:
        """A field of the connection file; {url} is the sandbox."""
        *sections, name = path.split(".")
        at = self.tree["attributes"]
        for section in sections:
            at = at[section]
        at[name] = value.replace("{url}", self.sandbox.url) if isinstance(value, str) else value

    def refuse(self, match: str, status: int = 403) -> None:
        fault = {"match": match, "times": -1, "action": {"kind": "status", "status": status}}
        self.sandbox.traffic.plant_all([fault])

    def replace(self, match: str, pattern: str, text: str) -> None:
        fault = {
            "match": match,
            "times": -1,
            "action": {"kind": "replace", "pattern": pattern, "with": text, "count": 0},
        }
        self.sandbox.traffic.plant_all([fault])

    def credential(self, name: str, **fields: str) -> None:
        """Other values in a stored credential."""
        info = {"demo-acumatica": "acumatica", "demo-anaplan": "anaplan", "demo-epicor": "epicor"}
        known = self.sandbox.info[info[name]]
        names = ("api_key", "username", "password", "client_id", "client_secret")
        self.store.vault.put(name, {**{one: known[one] for one in names if one in known}, **fields})

    def action_id(self, kind: str, name: str) -> str:
        return next(one.id for one in self.sandbox.tenant.model().actions(kind) if one.name == name)

    def report(self, name: str) -> FitReport:
        file = self.folder / f"{name}.yaml"
        file.write_text(yaml.safe_dump(self.tree))
        later = self.later
        with open_premises(
            read_one(file), store=self.store, sleep=briefly, now=lambda: datetime.now(UTC) + later
        ) as premises:
            return fit_report(premises)


def bench_of(sandbox: Sandbox, name: str, store: Store, folder: Path) -> Bench:
    """The demo connection as it is, with its credentials as they should be."""
    text = find(name).file.read_text()
    tree = yaml.safe_load(text.replace("${MLC_SANDBOX_URL:-http://127.0.0.1:8765}", sandbox.url))
    tree["attributes"]["anaplan"]["cloudworks_url"] = f"{sandbox.url}/cloudworks/2/0"
    tree["attributes"].pop("close", None)  # what it meets depends on the day of the test
    store_demo_credentials(sandbox, store)
    store_epicor_credentials(sandbox, store)
    return Bench(sandbox, tree, store, folder)
