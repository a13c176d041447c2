"""The log-in as a conversation: one token for a run, renewed in time, asked for once more after a 401, always ended."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlc_pipelines.anaplan import auth
from mlc_pipelines.anaplan.api import Api
from mlc_pipelines.anaplan.client import Anaplan
from mlc_pipelines.anaplan.config import AnaplanCredential
from mlc_pipelines.anaplan.upload import upload
from mlc_pipelines.ledger.errors import PipelineError, SetupError, TransientError
from mlc_pipelines.sandbox.faults import Fault
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.sandbox.traffic import Request
from mlc_pipelines.transport.secret import Secret

Calls = Callable[[str], list[Request]]
Connect = Callable[..., Anaplan]
Plant = Callable[..., Fault]

LOG_IN, LOG_OUT, REFRESH = "POST /token/authenticate", "POST /token/logout", "POST /token/refresh"
JSON = {"content-type": "application/json"}
FILE = "113000000001"


def test_one_token_serves_a_run_and_is_ended(connect: Connect, sandbox: Sandbox, calls: Calls) -> None:
    """One log-in, one log-out, whatever is asked in between; afterwards no token is left."""
    with connect() as plan:
        plan.wait_until_free()
        plan.read_members("Accounts")
    assert [1, 1] == [len(calls(LOG_IN)), len(calls(LOG_OUT))]
    assert {} == sandbox.tenant.tokens


def test_a_client_that_was_not_used_calls_nothing(connect: Connect, sandbox: Sandbox) -> None:
    """Nothing is called before the first question."""
    with connect():
        pass
    assert [] == sandbox.traffic.requests


def test_a_failure_inside_still_logs_out(connect: Connect, sandbox: Sandbox, calls: Calls) -> None:
    """The token is ended also after an error, which stays the error."""
    with pytest.raises(SetupError, match="no list named 'Nowhere'"), connect() as plan:
        plan.read_members("Nowhere")
    assert 1 == len(calls(LOG_OUT))
    assert {} == sandbox.tenant.tokens


def test_a_log_out_that_fails_does_not_hide_the_first_error(connect: Connect, plant: Plant) -> None:
    """Both are told: the first as the error, the log-out as a note."""
    fault = plant(LOG_OUT, times=-1, kind="status", status=503)
    with pytest.raises(SetupError, match="Nowhere") as caught, connect() as plan:
        plan.read_members("Nowhere")
    assert "Logging out failed as well" in caught.value.__notes__[0]
    assert fault.fired > 0


def test_a_log_out_that_fails_alone_is_told(connect: Connect, plant: Plant) -> None:
    """A token that may live on is not passed over in silence."""
    plant(LOG_OUT, times=-1, kind="status", status=503)
    with pytest.raises(TransientError, match="logout"), connect() as plan:
        plan.wait_until_free()


def test_a_token_that_had_already_ended_is_no_failure(connect: Connect, sandbox: Sandbox, calls: Calls) -> None:
    """A log-out refused with 401 has reached its aim."""
    with connect() as plan:
        plan.wait_until_free()
        sandbox.tenant.revoke_tokens()
    assert [401] == [one.status for one in calls(LOG_OUT)]


def test_B01_a_token_that_ends_between_two_chunks_is_replaced(
    api: Api, sandbox: Sandbox, hands: Any, calls: Calls, plant: Plant, tmp_path: Path, place: str
) -> None:
    """35 minutes pass at chunk 2: one log-in more, the same chunk again, the file byte for byte the same."""
    path = tmp_path / "file.csv"
    path.write_text("".join(f"row {number}\n" for number in range(30)))
    plant("PUT .*/chunks/2", kind="status", status=503)
    hands.meanwhile.append(lambda: sandbox.clock.advance(35 * 60))
    upload(api, f"{place}/files/{FILE}", FILE, path, chunk_bytes=50)
    [held] = sandbox.tenant.model().files[FILE].private.values()
    assert path.read_bytes() == held.content
    assert 2 == len(calls(LOG_IN))
    assert [503, 401, 204] == [one.status for one in calls("PUT .*/chunks/2")]
    assert [204] == [one.status for one in calls("PUT .*/chunks/1")]


def test_B02_a_401_on_a_good_token_costs_one_log_in(plan: Anaplan, plant: Plant, calls: Calls) -> None:
    """One new log-in, one repetition, then it goes on."""
    fault = plant("GET .*/lists", kind="status", status=401)
    assert len(plan.read_members("Accounts")) > 100
    assert 1 == fault.fired
    assert 2 == len(calls(LOG_IN))


def test_B02_a_401_on_the_start_of_an_import_starts_one_task(
    plan: Anaplan, plant: Plant, sandbox: Sandbox, three_rows: Path
) -> None:
    """401 means that nothing was carried out: the start is repeated with a new token, and one task runs."""
    plant("POST .*/tasks", kind="status", status=401)
    assert 3 == plan.import_file("Load GL Actuals", three_rows).rows_taken
    assert 1 == len(sandbox.tenant.log()["actions"])


def test_B02_a_user_who_may_no_longer_call_is_told_so(plan: Anaplan, plant: Plant, calls: Calls) -> None:
    """A second 401 is the answer: no storm of log-ins."""
    plant("GET .*/workspaces", times=-1, kind="status", status=401)
    with pytest.raises(SetupError, match="401"):
        plan.key()
    assert 2 == len(calls(LOG_IN))


@pytest.mark.parametrize("body", ["{}", '{"tokenInfo":null}', '{"tokenInfo":{"tokenValue":""}}', "[]", '""'])
@pytest.mark.parametrize("status", [200, 201])
def test_B03_B05_a_log_in_without_a_token_is_refused(
    plan: Anaplan, plant: Plant, calls: Calls, body: str, status: int
) -> None:
    """A good status without a token is no log-in: nothing is called with "None" in its header, nobody tries again and again."""
    plant(LOG_IN, times=-1, kind="status", status=status, headers=JSON, body=body)
    with pytest.raises(SetupError, match="without a token"):
        plan.key()
    assert 1 == len(calls(LOG_IN))
    assert [] == calls("GET ")


@pytest.mark.parametrize("body", ["", '{"tokenInfo":'])
def test_B05_a_log_in_answered_with_nothing_readable_is_tried_again(plan: Anaplan, plant: Plant, body: str) -> None:
    """An empty or cut answer may be a passing fault."""
    fault = plant(LOG_IN, kind="status", status=201, headers=JSON, body=body)
    assert plan.key()
    assert 1 == fault.fired


def test_a_token_in_an_unreadable_log_in_is_not_told(plan: Anaplan, plant: Plant) -> None:
    """The answer to a log-in carries the token: no part of it stands in an error."""
    body = '{"tokenInfo":{"tokenValue":"4ed163af-very-secret"}'
    plant(LOG_IN, times=-1, kind="status", status=201, headers=JSON, body=body)
    with pytest.raises(PipelineError, match="unreadable JSON") as caught:
        plan.key()
    assert "very-secret" not in str(caught.value)


@pytest.mark.parametrize("status", [202, 302, 404, 500])
def test_k02_the_text_of_a_log_ins_answer_is_never_told(plan: Anaplan, plant: Plant, status: int) -> None:
    """Whatever its status: it may hold the token, or echo the password."""
    body = '{"tokenInfo":{"tokenValue":"4ed163af-very-secret"}}'
    plant(LOG_IN, times=-1, kind="status", status=status, headers=JSON, body=body)
    with pytest.raises(PipelineError) as caught:
        plan.key()
    assert "very-secret" not in repr(caught.value)


def test_a_wrong_password_is_told_in_plain_words(connect: Connect, sandbox: Sandbox, calls: Calls) -> None:
    """Which credential, where, what to do; tried once, for more would lock the user out; user and password stay out of it."""
    username = sandbox.info["anaplan"]["username"]
    wrong = AnaplanCredential(Secret(username, "username"), Secret("not-the-password", "password"), "acme-plan")
    with pytest.raises(SetupError) as caught, connect(credential=wrong) as plan:
        plan.key()
    said = str(caught.value)
    assert "refused user and password of credential 'acme-plan'" in said
    assert "mlc secrets set acme-plan" in said
    assert [False, False] == [secret in said for secret in ("not-the-password", username)]
    assert [1, 0] == [len(calls(LOG_IN)), len(calls(LOG_OUT))]


@pytest.mark.parametrize("status", [400, 403])
def test_a_refused_log_in_is_for_a_person_to_mend(plan: Anaplan, plant: Plant, calls: Calls, status: int) -> None:
    """A malformed header or a forbidden user is not tried again."""
    plant(LOG_IN, times=-1, kind="status", status=status)
    with pytest.raises(SetupError):
        plan.key()
    assert 1 == len(calls(LOG_IN))


def test_B17_a_web_page_instead_of_a_log_in_is_refused(plan: Anaplan, plant: Plant) -> None:
    """The address may be wrong, or a proxy may want somebody to sign in."""
    plant(LOG_IN, times=-1, kind="html", status=200)
    with pytest.raises(SetupError, match="web page"):
        plan.key()


def test_B13_a_busy_log_in_is_waited_out_as_long_as_it_asks(plan: Anaplan, plant: Plant, hands: Any) -> None:
    """429 with Retry-After on the log-in itself."""
    fault = plant(LOG_IN, kind="status", status=429, headers={"retry-after": "7"})
    assert plan.key()
    assert 1 == fault.fired
    assert hands.slept[0] >= 7


def test_a_token_near_its_end_is_renewed(
    plan: Anaplan, sandbox: Sandbox, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Renewing moves the end of the same token; no second log-in."""
    monkeypatch.setattr(auth, "_RENEW_AFTER_SECONDS", -1.0)
    plan.key()
    assert 1 == len(calls(LOG_IN))
    assert len(calls(REFRESH)) >= 1
    assert 1 == len(sandbox.tenant.tokens)


@pytest.mark.parametrize("status", [400, 401, 500])
def test_a_renewal_that_is_refused_is_no_wrong_password(
    plan: Anaplan, sandbox: Sandbox, plant: Plant, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """After a long sleep of the machine the old token may be dead: that leads to a log-in."""
    monkeypatch.setattr(auth, "_RENEW_AFTER_SECONDS", -1.0)
    plan.key()
    sandbox.tenant.revoke_tokens()
    fault = plant(REFRESH, times=-1, kind="status", status=status)
    assert len(plan.read_members("Accounts")) > 100
    assert fault.fired >= 1
