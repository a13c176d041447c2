"""Who acts: the person or service whose name stands in the history of postings and approvals."""

import os
import pwd


def who() -> str:
    """MLC_USER where it is set, for services whose people log in elsewhere; else the name of the operating system's user.

    It is worth as much as the machine's own log-in: whoever may set that variable may act under any name.
    """
    return os.environ.get("MLC_USER", "").strip() or log_in()


def log_in() -> str:
    """The name of the operating system's user, whatever MLC_USER says: kept beside it where a person decides."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user without an entry
        return f"user {os.getuid()}"
