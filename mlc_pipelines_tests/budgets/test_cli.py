"""mlc budget as its users type it: what they read, and the exit codes that their scripts go by."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from mlc_pipelines.cli import main
from mlc_pipelines_tests.budgets.office import ANALYST, CONTROLLER, quarter
from mlc_pipelines_tests.budgets.ways import FIRST, SECOND, YEAR, Articles, PlanBook, Statistical, Way, ways


class Done(NamedTuple):
    code: int
    out: str
    err: str


Mlc = Callable[..., Done]


@pytest.fixture
def folder(way: Way, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of connection files of one's own: the demo's, with a calendar of three periods and nothing to wait for."""
    said = yaml.safe_load(way.named.file.read_text())
    said["attributes"]["calendar"] = quarter(way.named).model_dump()
    said["attributes"]["plans"][way.plan]["quiet_seconds"] = 0
    (tmp_path / f"{way.connection}.yaml").write_text(yaml.safe_dump(said, sort_keys=False))
    monkeypatch.setenv("MLC_CONNECTIONS", str(tmp_path))
    return tmp_path


@pytest.fixture
def mlc(folder: Path, way: Way, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Mlc:
    """The command in this process, as its entry point runs it: mlc budget COMMAND CONNECTION ... --plan PLAN."""

    def run(command: str, *words: str, who: str = ANALYST) -> Done:
        of_plan = [] if command in {"status", "abandon", "reopen", "sweep"} else ["--plan", way.plan]
        monkeypatch.setenv("MLC_USER", who)
        monkeypatch.setattr(sys, "argv", ["mlc", "budget", command, way.connection, *words, *of_plan])
        with pytest.raises(SystemExit) as ended:
            main()
        return Done(int(ended.value.code or 0), *capsys.readouterr())

    return run


def previewed(mlc: Mlc) -> str:
    """The content that a preview tells to approve."""
    done = mlc("preview", YEAR)
    assert 0 == done.code, done.err
    found = re.search(rf"mlc budget approve \S+ {YEAR} ([0-9a-f]{{16}})", done.out)
    assert found, done.out
    return found[1]


def approved(mlc: Mlc) -> str:
    content = previewed(mlc)
    assert 0 == mlc("approve", YEAR, content, who=CONTROLLER).code
    return content


@ways(Statistical, also=[Articles, PlanBook])
def test_from_preview_to_posted(mlc: Mlc, way: Way) -> None:
    """Each step says what it did and what comes next; 1 is a refusal, 6 something to wait for, 0 done."""
    content = previewed(mlc)
    refused = mlc("approve", YEAR, content)
    assert (1, True) == (refused.code, f"{ANALYST} prepared the journals" in refused.err)
    waits = mlc("post", YEAR)
    assert (6, True) == (
        waits.code,
        "Nobody has approved" in waits.err and f"mlc budget approve {way.connection}" in waits.err,
    )
    given = mlc("approve", YEAR, content, who=CONTROLLER)
    assert (0, True) == (given.code, f"{CONTROLLER} approved content {content}" in given.out)
    assert [] == way.writes()
    assert 0 == mlc("withdraw", YEAR, "--because", "a second look").code
    assert 6 == mlc("post", YEAR).code
    assert 0 == mlc("approve", YEAR, content, who=CONTROLLER).code
    posted = mlc("post", YEAR, "--period", FIRST, "--period", SECOND)
    if way.by_person:
        assert (6, True) == (posted.code, "GL505510" in posted.err)
        way.release()
        posted = mlc("post", YEAR)
    assert (0, True) == (
        posted.code,
        ("Our journals are what was approved" if way.connection == "demo_epicor" else "Plan and ledger agree")
        in posted.out,
    )
    assert (-125_050, 30_001) == tuple(way.totals(FIRST)[way.targets[what]] for what in ("fees", "travel"))
    again = mlc("post", YEAR, "--json")
    [step] = json.loads(again.out)["steps"]
    assert (0, True) == (again.code, "already posted as" in step["summary"])
    states = json.loads(mlc("status", "--json").out)
    assert [("SEALED", FIRST), ("SEALED", SECOND)] == [(one["state"], one["period"]) for one in states]
    assert "SEALED" in mlc("status").out


@pytest.mark.parametrize("way", [Statistical], indirect=True)
def test_what_is_left_to_a_person_is_told_after_a_posting(mlc: Mlc, way: Way) -> None:
    """Done is done, and exit code 0; but nobody reads "agree" without what could not be looked for, with what to do."""
    content = previewed(mlc)
    mlc("approve", YEAR, content, who=CONTROLLER)
    assert "no_stray_drafts" not in mlc("post", YEAR, "--period", FIRST).out
    way.sandbox.traffic.plant(
        {"match": "GET .*/JournalTransaction.*startswith", "times": -1, "action": {"kind": "status", "status": 403}}
    )
    told = mlc("post", YEAR, "--period", FIRST)
    assert (0, True) == (told.code, "no_stray_drafts: Late drafts deleted: 0. Late drafts could not" in told.out)
    assert "What was posted stays posted. `mlc budget sweep" in told.out
    assert "Ask the Acumatica administrator" in told.out
    [step] = json.loads(mlc("post", YEAR, "--period", FIRST, "--json").out)["steps"]
    assert {"journals_approved": True, "no_stray_drafts": False} == {
        one["name"]: one["good"] for one in step["notices"]
    }


@pytest.mark.parametrize("way", [Statistical], indirect=True)
def test_exit_codes_of_refusals(mlc: Mlc, folder: Path, way: Way) -> None:
    """1 data, 3 set-up; the message goes to standard error, with what holds and what to do."""
    assert "no journal was ever previewed" in mlc("status").out
    for words, code, said in (
        (("post", YEAR), 1, "budget_journals"),
        (("preview", "FY2031"), 3, "There is no fiscal year FY2031"),
        (("abandon", "MLC-NONE", "--because", "x"), 1, "MLC-NONE"),
        (("reversed", "GL999991", "--by", "GL999992", "--because", "x"), 1, "Journal GL999991 is not there in the ERP"),
    ):
        done = mlc(*words)
        assert (code, True) == (done.code, said in done.err), done.err
    previewed(mlc)
    wrong = mlc("approve", YEAR, "0" * 16, who=CONTROLLER)
    assert (1, True) == (wrong.code, "Nothing was approved" in wrong.err)
    file = folder / "demo.yaml"
    file.write_text(file.read_text().replace("ledger: PLAN", "ledger: ACTUAL"))
    refused = mlc("preview", YEAR)
    assert (3, True) == (refused.code, "plans are never written there" in refused.err)
    assert [] == way.writes()


@ways(also=[Statistical])
def test_a_journal_is_given_up(mlc: Mlc, way: Way) -> None:
    """What waits for an approval in the ERP is deleted there and never posted; what is posted cannot be given up."""
    approved(mlc)
    way.sandbox.set_switches(acumatica={"approval_map": True})
    assert (6, True) == ((done := mlc("post", YEAR, "--period", FIRST)).code, "approval of batch" in done.err)
    [waiting, _] = json.loads(mlc("status", "--json").out)
    assert ("WAITING", True) == (waiting["state"], "approval" in waiting["why"])
    done = mlc("abandon", waiting["reference"], "--because", "not this year")
    assert (0, f"{waiting['reference']}: ABANDONED.\n") == (done.code, done.out)
    assert [] == [one for one in way.sandbox.books.batches if one.ledger == "PLAN"]
    way.sandbox.set_switches(acumatica={"approval_map": False})
    content = approved(mlc)
    assert content
    assert 0 == mlc("post", YEAR).code
    sealed = next(one for one in json.loads(mlc("status", "--json").out) if one["state"] == "SEALED")
    refused = mlc("abandon", sealed["reference"], "--because", "too late")
    assert (1, True) == (refused.code, "cannot be abandoned" in refused.err)


@pytest.mark.prove
@pytest.mark.parametrize("way", [Statistical], indirect=True)
def test_G10_a_conflict_is_put_right_and_reopened(mlc: Mlc, way: Way) -> None:
    """Somebody changed the draft in the ERP: it is not released; after it was corrected there a person lets the work go on."""
    approved(mlc)
    way.sandbox.set_switches(acumatica={"approval_map": True})
    assert 6 == mlc("post", YEAR, "--period", FIRST).code
    [batch] = [one for one in way.sandbox.books.batches if one.ledger == "PLAN"]
    now, was = way.sandbox.clock.now(), batch.lines[0].account
    way.sandbox.books.recode(batch.number, 1, account="6200", now=now)
    batch.status = "Balanced"
    conflict = mlc("post", YEAR, "--period", FIRST)
    assert (1, True) == (conflict.code, "is not what was approved" in conflict.err)
    [one, _] = json.loads(mlc("status", "--json").out)
    assert "CONFLICT" == one["state"]
    assert 1 == mlc("post", YEAR, "--period", FIRST).code
    way.sandbox.books.recode(batch.number, 1, account=was, now=now)
    assert 0 == mlc("reopen", one["reference"], "--because", "corrected in Acumatica").code
    assert 0 == mlc("post", YEAR, "--period", FIRST).code
    assert (-125_050, 30_001) == tuple(way.totals(FIRST)[way.targets[what]] for what in ("fees", "travel"))


@ways(also=[Statistical])
def test_real_processes_under_other_names(folder: Path, way: Way) -> None:
    """Two people, each with a process of their own: the name comes from MLC_USER."""

    def run(*words: str, who: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "mlc_pipelines.cli", "budget", *words],
            capture_output=True,
            text=True,
            env={**os.environ, "MLC_USER": who},
            timeout=120,
            check=False,
        )

    shown = run("preview", "demo", YEAR, "--json", who=ANALYST)
    steps = json.loads(shown.stdout)["steps"]
    content = steps[-1]["texts"]["content to approve"]
    assert 1 == run("approve", "demo", YEAR, content, who=ANALYST).returncode
    given = run("approve", "demo", YEAR, content, who=CONTROLLER)
    assert (0, True) == (given.returncode, given.stdout.startswith(f"{CONTROLLER} approved"))
    posted = run("post", "demo", YEAR, "--json", who=ANALYST)
    assert (0, 2) == (posted.returncode, json.loads(posted.stdout)["steps"][0]["counts"]["journals posted now"])
    assert way.totals(FIRST)
