"""Many runs one after another and two at a time, each a process of its own, some of them killed: the program behind test_sessions.

Arguments: one JSON object with erp (the sandbox's info), home, control_url, runs, seed, auth, period, config (what the connection says more). Prints one JSON object:
finished (what each run that came to its end read: debit, credit), refused (errors by kind), killed (how many).
"""

import json
import os
import random
import signal
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from mlc_pipelines.acumatica.client import Acumatica
from mlc_pipelines.acumatica.config import AcumaticaConfig, AcumaticaCredential
from mlc_pipelines.ledger.errors import PipelineError
from mlc_pipelines.ledger.fiscal import monthly_calendar
from mlc_pipelines.store.home import Store
from mlc_pipelines.transport.caller import Limits
from mlc_pipelines.transport.secret import Secret

CALLS = (
    "connect/token",
    "auth/login",
    "auth/logout",
    "/entity ",
    "swagger",
    "/Ledger",
    "AccountDetails|JournalTransaction",
    "AccountDetails|JournalTransaction.*Details",
)
ACTIONS: tuple[dict[str, Any], ...] = (
    {"kind": "reset"},
    {"kind": "reset", "after": True},
    {"kind": "status", "status": 503},
    {"kind": "status", "status": 401},
    {"kind": "status", "status": 500, "body": '{"exceptionMessage":"API Login Limit"}'},
    {"kind": "html", "status": 500},
    {"kind": "truncate", "keep": 0.5},
    {"kind": "delay", "seconds": 0.05},
)


def main(said: dict[str, Any]) -> None:
    dice = random.Random(said["seed"])
    killed = 0
    for number in range(0, said["runs"], 2):
        plant(said["control_url"], dice)
        children = [start(said, number + one) for one in range(2)]
        for child in children:
            if dice.random() < 0.5:
                time.sleep(dice.random() * 0.25)
                os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            killed += os.WIFSIGNALED(status)
    told = [json.loads(file.read_text()) for file in Path(said["home"]).glob("run-*.json")]
    finished = [one for one in told if "error" not in one]
    refused = [one["error"] for one in told if "error" in one]
    sys.stdout.write(json.dumps({"finished": finished, "refused": refused, "killed": killed}))


def start(said: dict[str, Any], number: int) -> int:
    """One run in a process of its own, which imports nothing any more."""
    child = os.fork()
    if child:
        return child
    result = run(said)
    place = Path(said["home"]) / f"run-{number}.json"
    draft = place.with_suffix(".draft")
    draft.write_text(json.dumps(result))
    draft.replace(place)
    os._exit(0)


def run(said: dict[str, Any]) -> dict[str, Any]:
    """Read one period; its totals, or the kind of the failure."""
    store = Store.open(Path(said["home"]), f"sqlite:///{said['home']}/mlc.db")
    calendar = monthly_calendar(2025, 2027, first_month=7, adjustment=True)
    try:
        with client(said, store) as ledger:
            batches = list(ledger.read_posted(calendar.period(said["period"])))
    except PipelineError as error:
        return {"error": type(error).__name__}
    return {side: sum(sum(batch[f"{side}_minor"].to_pylist()) for batch in batches) for side in ("debit", "credit")}


def client(said: dict[str, Any], store: Store) -> Acumatica:
    erp = said["erp"]
    config = AcumaticaConfig(
        **{name: erp[name] for name in ("url", "tenant", "company", "ledger")},
        auth=said["auth"],
        session_wait_seconds=60,
        limits=Limits(attempts=3),
        **said.get("config", {}),
    )
    credential = AcumaticaCredential(
        *(Secret(erp[name], name) for name in ("username", "password", "client_id", "client_secret")), "demo"
    )
    return Acumatica(config, credential, sleep=briefly, seats=store.seats("run"), contracts=store.contracts)


def briefly(seconds: float) -> None:
    time.sleep(min(seconds, 0.01))


def plant(control_url: str, dice: random.Random) -> None:
    """None to two faults for the next runs, in place of those before."""
    faults = [
        {"match": dice.choice(CALLS), "times": dice.choice((1, 1, 4)), "action": dice.choice(ACTIONS)}
        for _ in range(dice.randrange(3))
    ]
    # A site that answers a sign-out with 401 says that the session has ended; nobody can know better.
    faults = [one for one in faults if (one["match"], one["action"].get("status")) != ("auth/logout", 401)]
    for method, body in (("DELETE", None), ("POST", json.dumps(faults).encode())):
        request = urllib.request.Request(f"{control_url}/faults", data=body, method=method)
        urllib.request.urlopen(request, timeout=10).close()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
