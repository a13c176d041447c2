"""mlc demo: sandbox, Dagit and two loaded periods in one command."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from mlc_pipelines.flows.steps import ACTUALS, SPEND, Feed
from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.ledger.money import Money
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.history import AGREED
from mlc_pipelines.store.home import Store
from mlc_pipelines.wiring.connections import find

CONNECTIONS = {
    "demo": "Acumatica MERIDIAN -> Anaplan Finance / Meridian FP&A, amounts in USD",
    "demo_epicor": "Epicor IVM -> Anaplan Operations / Ironvale FP&A, amounts in USD",
}
PERIODS = ("FY2026-P01", "FY2026-P02")
_SANDBOX_PORT, _DAGIT_PORT = 8765, 3000
_READY_SECONDS, _STOP_SECONDS = 120, 15


@click.command()
@click.option(
    "--once", is_flag=True, help="Without Dagit: load, print the table and end; exit code 0 only if all agreed."
)
@click.option(
    "--port", default=_DAGIT_PORT, show_default=True, help="Port for Dagit; another free one is taken if it is in use."
)
def demo(once: bool, port: int) -> None:
    """Start the sandbox and Dagit, load two periods of both demo connections (Acumatica, Epicor) through Dagster, and show what agreed."""
    console = Console()
    root = project_folder()
    # A shell's background job ignores SIGINT, and Dagster would inherit that and could not be stopped [C dagster sheet 0.15].
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    with Sandbox.start(port=_free(_SANDBOX_PORT)) as sandbox:
        environment = prepare(sandbox, root)
        dagit = nullcontext("") if once else _dagit(root, environment, _free(port))
        with dagit as url:
            console.print("Loading two periods of both demo connections through Dagster ...")
            failed = _launch(root, environment)
            agreed = _show(console, sandbox) and not failed
            if once:
                sys.exit(0 if agreed else 1)
            _where_to_look(console, url, sandbox)
            _until_interrupted()


def project_folder() -> Path:
    """The folder with dagster.yaml and workspace.yaml: the current one, or the checkout that this package lies in."""
    for place in (Path.cwd(), Path(__file__).parents[2]):
        if (place / "dagster.yaml").is_file() and (place / "workspace.yaml").is_file():
            return place
    raise SetupError("No dagster.yaml and workspace.yaml here.", next_step="Run `mlc demo` in the project's folder.")


def prepare(sandbox: Sandbox, root: Path) -> dict[str, str]:
    """The environment in which the demo connection finds the sandbox; its made-up credentials go into the vault like real ones."""
    os.environ["MLC_HOME"] = os.environ.get("MLC_HOME") or str(root / ".mlc")
    os.environ["MLC_SANDBOX_URL"] = sandbox.url
    os.environ.setdefault("DAGSTER_HOME", str(root))
    info = sandbox.info
    erp = {field: info["acumatica"][field] for field in ("username", "password", "client_id", "client_secret")}
    plan = {field: info["anaplan"][field] for field in ("username", "password")}
    vault = Store.open().vault
    vault.put("demo-acumatica", erp)
    vault.put("demo-epicor", {field: info["epicor"][field] for field in ("api_key", "username", "password")})
    vault.put("demo-anaplan", plan)
    return dict(os.environ)


def _launch(root: Path, environment: Mapping[str, str]) -> bool:
    """Materialize reference data and both periods of each connection; True if a run failed. Its messages are shown only then."""
    command = [sys.executable, "-m", "mlc_pipelines.assets.launch", ",".join(CONNECTIONS), *PERIODS]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        click.echo(done.stdout + done.stderr, err=True)
    return bool(done.returncode)


def _show(console: Console, sandbox: Sandbox) -> bool:
    """A table per connection: what was read, what was loaded, and whether it equals the sandbox's own books. True if all agreed."""
    agreed = [
        _table(console, sandbox, connection) for connection in CONNECTIONS
    ]  # all are shown, whatever the first says
    return all(agreed)


def _table(console: Console, sandbox: Sandbox, connection: str) -> bool:
    table = Table(title=CONNECTIONS[connection], box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for title in ("period", "figures", "lines", "amount", "cells", "unmapped", "agreed"):
        table.add_column(title, justify="left" if title in {"period", "figures"} else "right", no_wrap=True)
    feeds = (ACTUALS, SPEND) if find(connection).settings.ap_spend else (ACTUALS,)
    agreed = [_row(table, sandbox, connection, period, feed) for period in PERIODS for feed in feeds]
    console.print(table)
    return all(agreed)


def _row(table: Table, sandbox: Sandbox, connection: str, period: str, feed: Feed) -> bool:
    """Actuals by their debits, spend by its sum; agreed where the load did, and where the books themselves say the same."""
    history = Store.open().history
    steps = (feed.extract, feed.file, feed.load)
    read, file, load = (history.latest_step(connection, step, period) for step in steps)
    if read is None or file is None or load is None:
        table.add_row(period, feed.name, *["-"] * 4, "[red]no[/]")
        return False
    amount = read.facts["debit_minor" if feed is ACTUALS else "amount_minor"]
    attempts = history.loads(connection, period, feed=feed.name)
    agreed = bool(attempts) and attempts[-1].state == AGREED and amount == _truth(sandbox, connection, period, feed)
    shown = [f"{Money(minor, read.facts['currency']).decimal:,}" for minor in (amount, file.facts["unmapped_minor"])]
    lines = read.facts["lines" if feed is ACTUALS else "distributions"]
    mark = "[green]yes[/]" if agreed else "[red]no[/]"
    table.add_row(period, feed.name, f"{lines:,}", shown[0], f"{load.facts['rows']:,}", shown[1], mark)
    return agreed


def _truth(sandbox: Sandbox, connection: str, period: str, feed: Feed) -> int:
    """The same amount from the sandbox's own books."""
    if feed is SPEND:
        return sum(row[-1] for row in sandbox.ironvale.spend_truth(period, expense_only=True))
    rows = (
        sandbox.ironvale.truth("MAIN", period) if connection == "demo_epicor" else sandbox.books.truth("ACTUAL", period)
    )
    return sum(row[3] for row in rows)


@contextmanager
def _dagit(root: Path, environment: Mapping[str, str], port: int) -> Iterator[str]:
    """Dagit in a session of its own, stopped with everything that it started."""
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "dagster", "dev", "-h", "127.0.0.1", "-p", str(port)]
    log = (root / ".dagster").joinpath("demo.log")
    log.parent.mkdir(exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=root, env=environment, stdout=output, stderr=output, start_new_session=True
        )
        try:
            _wait_for(url, process, log)
            yield url
        finally:
            _stop(process)


def _wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    give_up_at = time.monotonic() + _READY_SECONDS
    while time.monotonic() < give_up_at and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/server_info", timeout=2):  # noqa: S310  our own loopback address
                return
        except OSError:
            time.sleep(0.5)
    raise SetupError(f"Dagit did not start within {_READY_SECONDS} seconds.", next_step=f"Read {log}.")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """Interrupt it as Ctrl-C would; what has not ended by then is killed with its whole session."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        click.echo("Dagit did not end in time and is being killed.", err=True)
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # all of it has ended
    process.wait(_STOP_SECONDS)


def _where_to_look(console: Console, url: str, sandbox: Sandbox) -> None:
    console.print(
        f"\nDagit:    {url}/asset-groups/  (groups [bold]demo[/] and [bold]demo_epicor[/]; click actuals_import to see the proof)"
    )
    console.print(f"Sandbox:  {sandbox.info['control_url']}/log  (every request it answered)")
    console.print("Try it:   materialize more periods in Dagit, or run a backfill over all of FY2026.")
    console.print(
        "          The way back: `mlc budget preview demo FY2027`, or budget_journals in Dagit; then approve it as somebody else."
    )
    console.print("Ctrl-C ends everything.\n")


def _until_interrupted() -> None:
    try:
        signal.pause()
    except KeyboardInterrupt:
        click.echo("Stopping ...")


def _free(wanted: int) -> int:
    """The wanted port if nobody has it, else any free one."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise SetupError("No free port on the loopback address.", next_step="End other programs, then try again.")
