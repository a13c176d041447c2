"""A process that loads a period, and is killed at a boundary that is chosen beforehand; then another one that replays it.

    python -m mlc_pipelines_tests.flows.killed_load   (on its input one line of JSON for each run: home, kill_at, work)

Every run is a process of its own, forked from one that has only loaded the code. What is wrapped is Python's socket and SQLAlchemy's dialect.
"""

import json
import os
import re
import sys
from typing import Any

from sqlalchemy.engine.default import DefaultDialect

from mlc_pipelines.flows.actuals import load_actuals
from mlc_pipelines.flows.replay import replay
from mlc_pipelines.wiring.connections import find
from mlc_pipelines.wiring.rooms import open_desk
from mlc_pipelines_tests.conftest import briefly
from mlc_pipelines_tests.posting.driver import Boundaries

PERIOD = "FY2026-P03"
_RECORDED = re.compile(r"(INSERT INTO|UPDATE) (trail|loads|steps|standings)\b")
_SENT = re.compile(r"(PUT|POST) .*(/chunks/|/complete|/imports/\d+/tasks$)")


class LoadBoundaries(Boundaries):
    """Before and after each commit that records something; before a write to the plan leaves, after it has left, after its answer came."""

    recording = False

    def __init__(self, kill_at: int) -> None:
        super().__init__(kill_at, lambda request: bool(_SENT.match(request)))
        self.moments: list[str] = []

    def cross(self, name: str) -> None:
        if "commit" not in name or self.recording:
            self.moments.append(name)
            super().cross(name)
        if name == "after commit":
            self.recording = False

    def watch(self) -> None:
        super().watch()
        execute = DefaultDialect.do_execute

        def do_execute(dialect: Any, cursor: Any, statement: str, *given: Any) -> None:
            execute(dialect, cursor, statement, *given)
            self.recording = self.recording or bool(_RECORDED.match(statement))

        DefaultDialect.do_execute = do_execute  # type: ignore[method-assign,assignment]


def run(wish: dict[str, Any]) -> dict[str, Any]:
    """One process: forked, killed or at its end, and what is known of it then."""
    said, tell = os.pipe()
    child = os.fork()
    if not child:
        os.close(said)
        os.environ["MLC_HOME"] = wish["home"]
        boundaries = LoadBoundaries(wish["kill_at"])
        with open_desk(find("demo"), sleep=briefly) as desk:
            boundaries.watch()
            reports = (replay if wish["work"] == "replay" else load_actuals)(desk, PERIOD)
        os.write(tell, json.dumps({"moments": boundaries.moments, "summary": reports[-1].summary}).encode())
        os._exit(0)
    os.close(tell)
    with os.fdopen(said, "rb") as pipe:
        text = pipe.read()
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return {"ended": ended, **(json.loads(text) if text else {})}


def main() -> None:
    for line in sys.stdin:
        sys.stdout.write(json.dumps(run(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
