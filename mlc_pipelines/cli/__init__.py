"""`mlc`, the same flows by hand. Exit codes: 0 done and agreed, 1 data to correct, 2 wrong usage, 3 set-up to correct, 4 try later, 5 look up first, 6 waiting for others.

errors        messages and exit codes for every kind of failure
load          mlc load: one period from ledger to plan, proved equal
budget        mlc budget preview|approve|withdraw|post|status|abandon|reopen|sweep: approved plans back into the ledger
audit         mlc audit verify|checkpoint|export|prune: is the audit trail what it was, and the evidence of a period
replay        mlc replay: a load done again, from what the ERP says now or exactly as then
trace         mlc trace: from a cell of the plan to the journal lines behind it, and back
calendar      mlc calendar show|periods|sync: when what is loaded by itself; the fiscal periods, by rule or taken from the ERP
check         mlc check [CONNECTION]: what is missing before the first load, and who can mend it
changes       mlc changes: which periods are no longer what was loaded
extract       mlc extract: a declared list of records of the ERP as a Parquet file
connections   mlc connections new|list|show|check|schema
secrets       mlc secrets set|list|test|rotate|rotate-key|remove|start-over
login         mlc login: a person logs in once, where a system asks for that
signoff       mlc signoff list|history: how each period stands, and all that became of it
sessions      mlc sessions list|close: ERP sessions that are open, and those that a killed run left open
listen        mlc listen: the door for an ERP's push notifications
lists         mlc lists sync: list members after the ERP's codes
notify        mlc notify test|show: whether people can be reached, and what they were told of
map           mlc map suggest|accept|withdraw|list|history|check: members for single codes, by two people
refused       mlc refused list|waive: records that were refused, until somebody has dealt with them
sandbox       mlc sandbox: the emulated systems, for trying and testing
serve         mlc serve: Dagit, daemon and code server, each started again when it ends
demo          mlc demo: sandbox, Dagit and two loaded periods in one command
"""

import gc
import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from mlc_pipelines.cli.errors import speaking_of_errors

_COMMANDS = {
    "audit": "audit",
    "budget": "budget",
    "calendar": "calendar",
    "changes": "changes",
    "check": "check",
    "connections": "connections",
    "demo": "demo",
    "extract": "extract",
    "listen": "listen",
    "lists": "lists",
    "load": "load",
    "login": "login",
    "map": "map",
    "replay": "replay",
    "notify": "notify",
    "refused": "refused",
    "sandbox": "sandbox",
    "secrets": "secrets",
    "serve": "serve",
    "sessions": "sessions",
    "trace": "trace",
    "signoff": "signoff",
}


# httpx brings a command of its own, which loads rich and pygments (30 ms). With None in its place httpx does without, as where those are not installed.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]


class _Lazy(click.Group):
    """Loads only the command that is asked for: `mlc --help` does not wait for pandas."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = f"{__name__}.{_COMMANDS[cmd_name]}"
        with _made_to_last(module):
            command: click.Command = getattr(importlib.import_module(module), cmd_name)
        return command


@contextmanager
def _made_to_last(module: str) -> Iterator[None]:
    """While a module is imported, and what it needs: those objects live to the end, so looking for garbage among them is a waste, a tenth of the start."""
    if module in sys.modules or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mlc-pipelines")
def cli() -> None:
    """Keeps plan (Anaplan) and ledger (Acumatica, Epicor Kinetic) in agreement, to the cent."""


def main() -> None:
    """Entry point of the `mlc` command."""
    with speaking_of_errors():
        cli(prog_name="mlc")
