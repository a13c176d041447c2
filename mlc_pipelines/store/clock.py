"""What time it is here: the one place where the store asks for it, so that a year can be lived through in a minute."""

from datetime import UTC, datetime


def now() -> datetime:
    """Our own clock, in UTC."""
    return datetime.now(UTC)


def timestamp() -> str:
    """Now, as the store writes it: such texts compare like the moments."""
    return now().isoformat(timespec="milliseconds")
