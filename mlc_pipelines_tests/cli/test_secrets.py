"""mlc secrets: stored without an echo, tried before they are used, rotated, removed; nothing of a value is ever shown."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mlc_pipelines.cli import cli
from mlc_pipelines.cli.errors import speaking_of_errors
from mlc_pipelines.ledger.errors import PipelineError, SetupError
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.home import Store
from mlc_pipelines.wiring.connections import Named

WORD = "canary-New-9f"


def mlc(*words: str, typed: str = "") -> Result:
    return CliRunner().invoke(cli, words, input=typed)


def refused(*words: str, typed: str = "") -> PipelineError:
    error = mlc(*words, typed=typed).exception
    assert isinstance(error, PipelineError), error
    return error


def held(name: str) -> dict[str, str]:
    return {field: secret.reveal() for field, secret in Store.open().vault.open(name).items()}


def test_a_password_that_is_typed_is_not_echoed(home: Path) -> None:
    """A name may be seen; everything else is hidden, and the answer lists fields only."""
    done = mlc("secrets", "set", "acme", typed=f"ann\n{WORD}\n")
    assert {"username": "ann", "password": WORD} == held("acme")
    assert "acme is stored, version 1, with password, username." in done.output
    assert WORD not in done.output


def test_K11_no_command_takes_a_secret_as_an_argument(home: Path) -> None:
    """The command line is there for every user of the machine to read: fields come from a prompt, a file or standard input."""
    for command in ("set", "rotate"):
        options = {
            option for line in mlc("secrets", command, "--help").output.split() for option in [line] if line[:2] == "--"
        }
        assert {"--field", "--file", "--stdin", "--help"} == options
        assert 2 == mlc("secrets", command, "acme", WORD).exit_code


def test_the_list_tells_who_uses_a_credential_and_who_stored_it(demo: Named, monkeypatch) -> None:
    """Also for scripts; never a value."""
    monkeypatch.setenv("MLC_USER", "ann of finance")
    mlc("secrets", "set", "acme", typed=f"ann\n{WORD}\n")
    shown = mlc("secrets", "list").output
    assert "used by demo (acumatica)" in shown
    assert "by ann of finance" in next(line for line in shown.splitlines() if line.startswith("acme  version 1"))
    lines = [json.loads(line) for line in mlc("secrets", "list", "--json").output.splitlines()]
    assert {"acme": [], "demo-acumatica": ["demo (acumatica)"]}.items() <= {
        one["name"]: one["used_by"] for one in lines
    }.items()
    assert WORD not in shown + str(lines)


def test_a_credential_is_tried_where_it_is_used(demo: Named, sandbox: Sandbox) -> None:
    """Logged in, one question asked, logged out; nothing is written there."""
    assert "demo (acumatica): logged in, found ledger ACTUAL." in mlc("secrets", "test", "demo-acumatica").output
    assert "logged in, found Finance / Meridian FP&A." in mlc("secrets", "test", "demo-anaplan").output
    assert [] == sandbox.tenant.log()["uploads"]
    Store.open().vault.put("lonely", {"password": WORD})
    assert "no log-in was tried" in mlc("secrets", "test", "lonely").output
    Store.open().vault.put("demo-anaplan", {"username": "ann", "password": "wrong"})
    assert isinstance(refused("secrets", "test", "demo-anaplan"), SetupError)


def test_a_new_password_is_tried_before_it_is_taken(demo: Named, sandbox: Sandbox) -> None:
    """Changed in Acumatica, then here: version 2 is in use, the other fields stay, the one before is forgotten."""
    before = held("demo-acumatica")
    sandbox.site.password = WORD
    done = mlc("secrets", "rotate", "demo-acumatica", "--field", "password", typed=f"{WORD}\n")
    assert "demo-acumatica is version 2 now, with new password" in done.output, done.output + repr(done.exception)
    assert {**before, "password": WORD} == held("demo-acumatica")
    assert ["demo-acumatica", "demo-anaplan"] == [name for name, _, _ in Store.open().vault.names()]
    assert WORD not in done.output


def test_a_new_password_that_is_refused_changes_nothing(demo: Named, sandbox: Sandbox) -> None:
    """A typing mistake: the connection goes on with what it had."""
    before = held("demo-anaplan")
    error = refused("secrets", "rotate", "demo-anaplan", "--stdin", typed=json.dumps({"password": WORD}))
    assert "'demo-anaplan' is as it was: demo (anaplan) could not log in" in str(error)
    assert "The version before is still in use, the new one was forgotten." == error.holds
    assert WORD not in str(error)
    assert (before, ["demo-acumatica", "demo-anaplan"]) == (
        held("demo-anaplan"),
        [name for name, _, _ in Store.open().vault.names()],
    )


def test_the_default_is_to_ask_for_what_is_secret(demo: Named, sandbox: Sandbox) -> None:
    """Password and client secret, in the order in which they were stored; names stay."""
    sandbox.site.password, sandbox.site.client_secret = WORD, "another secret"
    assert 0 == mlc("secrets", "rotate", "demo-acumatica", typed=f"{WORD}\nanother secret\n").exit_code
    assert {"password": WORD, "client_secret": "another secret"}.items() <= held("demo-acumatica").items()


def test_what_nobody_uses_cannot_be_tried(home: Path) -> None:
    """`set` stores it without."""
    Store.open().vault.put("lonely", {"password": "x"})
    assert "No connection uses credential 'lonely'" in str(refused("secrets", "rotate", "lonely", typed="y\n"))
    assert {"password": "x"} == held("lonely")


def test_a_rotation_that_was_killed_is_told_and_can_be_done_again(demo: Named, sandbox: Sandbox) -> None:
    """The candidate lies beside the one in use; runs do not see it."""
    Store.open().vault.put_next("demo-anaplan", {"password": WORD})
    assert "demo-anaplan (next)  version 1" in mlc("secrets", "list").output
    assert (
        "left by a rotation that did not end: `mlc secrets rotate demo-anaplan` again" in mlc("secrets", "list").output
    )
    assert WORD not in held("demo-anaplan").values()
    trying = replace(Store.open(), trying=frozenset({"demo-anaplan"}))
    assert WORD == trying.vault.open("demo-anaplan")["password"].reveal()
    assert 0 == mlc("secrets", "remove", "demo-anaplan", "--yes").exit_code
    assert ["demo-acumatica"] == [name for name, _, _ in Store.open().vault.names()]


def test_removing_asks_and_names_who_needs_it(demo: Named) -> None:
    """No is no; yes forgets the log-in beside it too."""
    Store.open().vault.put("demo-anaplan (log-in)", {"refresh_token": WORD, "application": "a"})
    asked = mlc("secrets", "remove", "demo-anaplan", typed="n\n")
    assert (
        "demo-anaplan is used by demo (anaplan), demo_epicor (anaplan), which will not run any more. Forget it?"
        in asked.output
    )
    assert (1, 3) == (asked.exit_code, len(Store.open().vault.names()))
    done = mlc("secrets", "remove", "demo-anaplan", typed="y\n")
    assert "Forgotten: demo-anaplan, demo-anaplan (log-in)." in done.output
    assert "No credential is stored" in str(refused("secrets", "remove", "demo-anaplan", "--yes"))


def test_the_key_is_rotated_by_a_command(demo: Named) -> None:
    """Old keys stay for backups, or go at once after a leak."""
    first = Store.open().vault.stored()[0].key_id
    assert f"Still in the ring: {first}." in mlc("secrets", "rotate-key").output
    done = mlc("secrets", "rotate-key", "--keep-days", "0")
    assert "2 credentials are encrypted with key" in done.output
    assert f"{first}." in done.output.split("Gone for good: ")[1]
    assert 1 == len((Store.open().home / "keys" / "vault.key").read_text().splitlines())
    assert "demo (acumatica): logged in" in mlc("secrets", "test", "demo-acumatica").output


def test_a_lost_ring_costs_the_credentials_and_nothing_else(demo: Named, sandbox: Sandbox) -> None:
    """The runbook: start over, store them again, load. The history stays."""
    store = Store.open()
    store.history.record_step("demo", "gl_actuals", "FY2026-P01", "hash", {"lines": 7})
    assert "it is not lost" in str(refused("secrets", "start-over", "--yes"))
    credentials = {name: held(name) for name in ("demo-acumatica", "demo-anaplan")}
    (store.home / "keys" / "vault.key").unlink()
    assert "mlc secrets start-over" in refused("secrets", "test", "demo-acumatica").next_step
    done = mlc("secrets", "start-over", typed="y\n")
    assert "mlc secrets set demo-acumatica\nmlc secrets set demo-anaplan\n2 credentials are forgotten" in done.output
    for name, fields in credentials.items():
        mlc("secrets", "set", name, "--stdin", typed=json.dumps(fields))
    assert "demo (acumatica): logged in" in mlc("secrets", "test", "demo-acumatica").output
    assert {"lines": 7} == Store.open().history.require_step("demo", "gl_actuals", "FY2026-P01").facts


def test_refusals_end_with_the_exit_code_of_the_set_up(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """3, as every set-up error of the command line."""
    with pytest.raises(SystemExit) as ended, speaking_of_errors():
        raise refused("secrets", "test", "nobody")
    assert 3 == ended.value.code
    assert "mlc secrets set nobody" in capsys.readouterr().err


def test_the_audit_trail_tells_who_did_what_to_a_credential(
    demo: Named, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stored, rotated, key renewed, forgotten: by whom, which version, which fields; never a value."""
    monkeypatch.setenv("MLC_USER", "ann of finance")
    mlc("secrets", "set", "acme", typed=f"ann\n{WORD}\n")
    same = json.dumps({"password": sandbox.info["anaplan"]["password"]})
    mlc("secrets", "rotate", "demo-anaplan", "--stdin", typed=same)
    mlc("secrets", "rotate-key")
    mlc("secrets", "remove", "acme", "--yes")
    events = [
        one.event
        for one in Store.open().trail.entries()
        if "credential" in one.event["kind"] or "key" in one.event["kind"]
    ]
    assert [
        ("credential_stored", "acme", "1"),
        ("credential_rotated", "demo-anaplan", "2"),
        ("key_rotated", "", ""),
        ("credential_forgotten", "acme", ""),
    ] == [(one["kind"], one["reference"], one["objects"].get("version", "")) for one in events]
    assert {"ann of finance"} == {one["who"] for one in events}
    assert WORD not in repr(events)
