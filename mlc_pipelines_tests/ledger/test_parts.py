"""A message that a person must act on says what to do next: where it is raised, or where somebody who knows more passes it on."""

import ast
from collections import Counter
from pathlib import Path

import mlc_pipelines
from mlc_pipelines.ledger.errors import SetupError, TransientError, UncertainError, WaitingError

ROOT = Path(mlc_pipelines.__file__).parent
SPECIFIC = {"DataError", "SetupError", "Unbalanced", "ReferenceReused", "DraftEdited", "ApprovalVoid", "SamePerson", "AuditTampered"}  # fmt: skip
"""Kinds that have no usual next step: what is to be corrected, only the message can say."""
WITHOUT = {
    "anaplan/cells.py": 1,
    "anaplan/views.py": 1,
    "flows/fit_plan.py": 1,
    "flows/premises.py": 1,
    "ledger/amounts.py": 1,
    "ledger/cells.py": 1,
    "ledger/fiscal.py": 4,
    "ledger/journal.py": 1,
    "ledger/money.py": 4,
    "store/trail/records.py": 3,
    "transport/rows.py": 5,
}
"""How many in a file may still lack it, since those who call it add it. These numbers may only become smaller."""


def lacking() -> Counter[str]:
    """Raised by name without `next_step`, by file. The sandbox shows errors of others, not ours."""
    found: Counter[str] = Counter()
    for file in sorted(ROOT.rglob("*.py")):
        name = file.relative_to(ROOT).as_posix()
        for node in () if name.startswith("sandbox/") else ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SPECIFIC:
                said = {one.arg for one in node.keywords}
                found[name] += not {"next_step", None} & said
    return +found


def test_who_must_correct_something_is_told_what() -> None:
    """In every file of ours, those that are listed by their number excepted."""
    assert {} == {name: count for name, count in lacking().items() if count > WITHOUT.get(name, 0)}


def test_what_needs_no_correction_has_a_usual_next_step() -> None:
    """A call that may work later, and a write that may have happened; a step that was named counts more. What must be corrected has none."""
    assert "start it again later" in TransientError("busy").to_do
    assert "Ask Ann." == WaitingError("busy", next_step="Ask Ann.").to_do
    assert "looks up what stands there" in UncertainError("no answer").to_do
    assert "" == SetupError("wrong").to_do
