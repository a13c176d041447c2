"""A large read in the background, and how far it is at an instant.

The content is that of the moment of the request. Pages go when they are deleted, or 30 minutes after the last look at a
page whose number a hundred divides. Reference: anaplan 8, 9 [S].
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

PAGES_LIFE = timedelta(minutes=30)
TIMER_PAGES = 100


@dataclass(slots=True)
class ReadRequest:
    """One large read: of what, its pages, and when they were or will be ready."""

    id: str
    kind: str
    subject: str
    pages: list[bytes]
    begun_at: datetime
    ready_at: datetime
    good: bool
    touched_at: datetime
    cancelled: bool = False

    def available(self, now: datetime) -> int:
        """Pages that can be read by now: they come one after the other."""
        if not self.good or now - self.touched_at >= PAGES_LIFE:
            return 0
        if now >= self.ready_at:
            return len(self.pages)
        return int(len(self.pages) * ((now - self.begun_at) / (self.ready_at - self.begun_at)))

    def state(self, now: datetime) -> str:
        """As the API names it."""
        if self.cancelled:
            return "CANCELLED"
        return "COMPLETE" if now >= self.ready_at else "IN_PROGRESS"
