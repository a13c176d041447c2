"""What time it is here: the one place where the store asks for it, so that a year can be lived through in a minute."""

from datetime import UTC, datetime


def now() -> datetime:
    """Our own clock, in UTC."""
    return datetime.now(UTC)


def as_text(at: datetime) -> str:
    """An aware moment as the store writes it, in UTC to the millisecond: such texts compare like the moments."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")


def timestamp() -> str:
    """Now, as the store writes it."""
    return as_text(now())
