"""Every failure as a message with its four parts and an exit code that a script can read."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from mlc_pipelines.ledger.errors import (
    DataError,
    PipelineError,
    SetupError,
    TransientError,
    UncertainError,
    WaitingError,
)

EXIT_CODES: dict[type[PipelineError], int] = {
    WaitingError: 6,
    DataError: 1,
    SetupError: 3,
    TransientError: 4,
    UncertainError: 5,
}


@contextmanager
def speaking_of_errors() -> Iterator[None]:
    """Show a failure raised on purpose without a traceback; let every other failure show all it has."""
    try:
        yield
    except PipelineError as error:
        click.echo(click.style("Not done. ", fg="red", bold=True) + error.what, err=True)
        for part in (error.holds, error.to_do):
            if part:
                click.echo(f"  {part}", err=True)
        sys.exit(next(code for kind, code in EXIT_CODES.items() if isinstance(error, kind)))
