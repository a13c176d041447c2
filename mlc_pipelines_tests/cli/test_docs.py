"""Every command that README and docs show is run here as it stands, or is named with the test that runs it."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from mlc_pipelines.cli import cli
from mlc_pipelines.wiring.connections import Named

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
ELSEWHERE = {
    "make demo": "the recipe is `mlc demo`: test_live_demo.py",
    "make test": "is what runs this",
    "make bench": "bench/test_smoke.py",
    "mlc demo": "test_live_demo.py",
    "mlc connections new yourname": "test_connections.py, with its questions answered",
    **dict.fromkeys(
        (
            "mlc budget preview",
            "mlc budget approve",
            "mlc budget post",
            "mlc budget status",
            "mlc budget withdraw",
            "mlc budget abandon",
            "mlc budget reopen",
            "mlc budget reversed",
            "mlc budget sweep",
            "mlc budget approve demo FY2027 CONTENT",
            "mlc budget post demo FY2027 --period FY2027-P01",
            "mlc budget post demo FY2027",
        ),
        "budgets/test_cli.py, with the content that the preview shows",
    ),
    **dict.fromkeys(
        (
            "mlc map accept",
            "mlc map check",
            'mlc map accept demo 6100 A6110 --from FY2027-P01 --why "merged with lodging"',
            'mlc map withdraw demo 6100 --from FY2027-P01 --why "the members were divided again"',
        ),
        "test_map.py, by two people",
    ),
    "mlc secrets rotate": "test_secrets.py",
    "mlc secrets set": "test_secrets.py",
    "mlc secrets test": "test_secrets.py",
    "mlc secrets remove NAME": "test_secrets.py",
    "mlc secrets start-over": "test_secrets.py, with a lost ring",
    "mlc secrets rotate yourname-anaplan": "test_secrets.py, with the credential of a connection",
    "mlc calendar sync yourname": "test_calendar.py, with a calendar file",
    "mlc listen": "test_listen.py",
    "mlc login yourname": "test_login.py",
    "mlc login yourname --system acumatica": "wiring/test_log_in.py, and the choice in test_login.py",
    "mlc notify test": "test_notify.py",
    "mlc notify test yourname": "test_notify.py, with a chat to write to",
    "mlc notify show yourname": "test_notify.py",
    "mlc sandbox": "test_cli.py",
    "mlc serve": "live/test_backfills.py",
    'mlc refused waive demo 3 --because "the member comes in May"': "flows/test_refused.py, with rows that were refused",
    "mlc audit export demo FY2026-P03 --to evidence-march.zip": "flows/evidence/test_pack.py, with a period that was loaded",
    **dict.fromkeys(
        (
            "mlc trace demo FY2026-P03 A5010 CC_110",
            "mlc trace demo FY2026-P03 A5010",
            'mlc trace demo --row "A5010,CC_110,Sep 25,Actual"',
            "mlc trace demo --journal GL000123",
        ),
        "battery/test_trace.py, of a loaded period",
    ),
    **dict.fromkeys(
        (
            "mlc replay demo FY2026-P03",
            "mlc replay demo FY2026-P03 --as-then",
            "mlc replay demo FY2026-P03 --as-then --mapping then --load 17",
        ),
        "battery/test_replay.py, of a loaded period",
    ),
    "mlc lists sync yourname": "test_lists.py, with the lists of the page",
    "mlc lists sync yourname --dry-run": "test_lists.py, with the lists of the page",
}
TYPED = {
    "mlc secrets set yourname-epicor --field api_key --field username --field password": "key\nann\nword\n",
    "mlc secrets set yourname-epicor --field api_key --field client_id --field client_secret": "key\nid\nsecret\n",
    "mlc secrets set yourname-acumatica --field username --field password --field client_id --field client_secret": "ann\nword\nid\nsecret\n",
    "mlc secrets set yourname-anaplan": "ann\nword\n",
    "mlc secrets set yourname-mail": "ann\nword\n",
    "mlc secrets set yourname-chat --field url": "https://chat.example/hook\n",
    "mlc secrets set yourname-anaplan --file private_key=plan.p12 --field passphrase": "pass\n",
    "mlc secrets set yourname-anaplan --field client_id --field client_secret": "id\nsecret\n",
    "mlc secrets set yourname-push --field header_value": "a long random value\n",
}


def commands() -> list[str]:
    """Lines of fenced blocks and inline code that begin with mlc or make."""
    found: list[str] = []
    for page in PAGES:
        text = page.read_text()
        blocks = re.findall(r"```\w*\n(.*?)```", text, re.DOTALL)
        inline = re.findall(r"(?<!`)`((?:mlc|make) [^`]+)`(?!`)", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
        found += [line.strip() for block in blocks for line in block.splitlines()] + [
            " ".join(one.split()) for one in inline
        ]
    return sorted({line for line in found if re.match(r"(mlc|make) \w", line)})


@pytest.mark.quickly(12)
@pytest.mark.parametrize("command", [command for command in commands() if command not in ELSEWHERE])
def test_the_command_works_as_written(
    command: str, demo: Named, demo_epicor: Named, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`yourname` stands for the reader's own connection: here a copy of the demo connection. As a process of its own `mlc` runs in test_cli.py."""
    (tmp_path / "own").mkdir()
    (tmp_path / "plan.p12").write_bytes(b"a key file")
    for name in ("demo", "yourname"):
        (tmp_path / "own" / f"{name}.yaml").write_text(demo.file.read_text())
    (tmp_path / "own" / "demo_epicor.yaml").write_text(demo_epicor.file.read_text())
    monkeypatch.setenv("MLC_CONNECTIONS", str(tmp_path / "own"))
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli, shlex.split(command)[1:], input=TYPED.get(command, ""), prog_name="mlc")
    assert (0, None) == (done.exit_code, done.exception), done.output


def test_commands_run_elsewhere_are_still_shown() -> None:
    """An entry of the list above that no page shows any more is to be deleted."""
    assert set(ELSEWHERE) <= set(commands())


def test_the_make_targets_exist() -> None:
    """Each `make` word of the pages is a target."""
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {command.split()[1] for command in commands() if command.startswith("make")} <= targets
