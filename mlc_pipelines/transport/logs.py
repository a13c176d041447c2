"""The last net under all logs of the process: what was revealed as a secret is blanked out of every record, whoever writes it, and counted.

Nothing of ours logs a secret, and wire logging is off. The net is for a library that begins to; each catch is a defect to be mended.
"""

import logging
import traceback
from collections.abc import Callable
from typing import Any


class Net:
    """Makes log records as the factory before it did, and looks each one through. caught: how many had to be changed."""

    def __init__(self, make: Callable[..., logging.LogRecord], blank: Callable[[str], str]) -> None:
        self.caught = 0
        self._make, self._blank = make, blank

    def __call__(self, *given: Any, **named: Any) -> logging.LogRecord:
        record = self._make(*given, **named)
        said = _message(record)
        if (clean := self._blank(said)) != said:
            record.msg, record.args = clean, ()
            self.caught += 1
        if record.exc_info and record.exc_info[0]:
            told = "".join(traceback.format_exception(*record.exc_info))
            if (clean := self._blank(told)) != told:
                # Handlers then write the text and never see the exception itself.
                record.exc_info, record.exc_text = None, clean.rstrip("\n")
                self.caught += 1
        return record


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):  # logging itself would print the arguments beside its complaint
        return f"{record.msg} {record.args}"


def spread(blank: Callable[[str], str]) -> Net:
    """Spread the net, once in a process. It hangs below every logger and handler, also those that are made later."""
    made = logging.getLogRecordFactory()
    if not isinstance(made, Net):
        made = Net(made, blank)
        logging.setLogRecordFactory(made)
    return made


def caught() -> int:
    """How many records had to be changed so far."""
    made = logging.getLogRecordFactory()
    return made.caught if isinstance(made, Net) else 0
