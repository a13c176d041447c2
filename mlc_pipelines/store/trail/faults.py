"""What can be wrong with the place where the trail lies: full, broken, or busy for too long. Each stops the work before anything is sent."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from mlc_pipelines.ledger.errors import PipelineError, SetupError, WaitingError

_NOTHING = "Nothing was recorded, and nothing may be sent before it can be."
_FULL_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_SQLITE = {5: "busy", 6: "busy", 13: "full", 8: "broken", 10: "broken", 11: "broken", 14: "broken", 26: "broken"}
_POSTGRES = {"53100": "full", "55P03": "busy", "57014": "busy", "58030": "broken", "XX001": "broken", "XX002": "broken"}


class AuditFullError(SetupError):
    """No room is left for the audit trail."""


class AuditBrokenError(SetupError):
    """The database or a file of the audit trail cannot be read or written."""


class AuditBusyError(WaitingError):
    """Somebody else holds the database for longer than the stated wait."""


@contextmanager
def telling_faults(place: str) -> Iterator[None]:
    """Name what the operating system or the database complains of. A failed fsync is never tried again: the first one may have lost the data."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        if fault := _named(_kind(error.orig), place, str(error.orig)):
            raise fault from error
        raise
    except OSError as error:
        raise _named("full" if error.errno in _FULL_DISK else "broken", place, str(error)) or error from error


def _kind(error: BaseException | None) -> str:
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None:
        return _SQLITE.get(code & 0xFF, "")
    return _POSTGRES.get(getattr(error, "sqlstate", None) or "", "")


def _named(kind: str, place: str, said: str) -> PipelineError | None:
    match kind:
        case "full":
            return AuditFullError(
                f"No room is left for the audit trail in {place} ({said}).",
                holds=_NOTHING,
                next_step="Make room on that disk, then start the work again.",
            )
        case "busy":
            return AuditBusyError(
                f"The audit trail in {place} was held by another writer for too long ({said}).",
                holds=_NOTHING,
                next_step="Find out who holds the database open (a backup, an open transaction), then start the work again.",
            )
        case "broken":
            return AuditBrokenError(
                f"The audit trail in {place} cannot be read or written ({said}).",
                holds=_NOTHING,
                next_step="Restore the newest backup, run `mlc audit verify --full` on it, and replay what came after it (docs/audit-trail.md).",
            )
    return None
