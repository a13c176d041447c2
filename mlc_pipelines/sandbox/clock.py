"""The sandbox's own clock: it ticks like the real one, and a test may push it forward."""

import threading
import time
from datetime import UTC, datetime, timedelta


class Clock:
    """A clock that starts at the real now, or at a given instant, and runs at the speed of the real one."""

    def __init__(self, start: datetime | None = None) -> None:
        """Start at an aware instant; without one, at the real now. Raises ValueError on a naive instant."""
        if start is not None and start.tzinfo is None:
            raise ValueError(f"the instant {start} has no time zone")
        self._base = (start or datetime.now(UTC)).astimezone(UTC)
        self._started = time.monotonic()
        self._advanced = timedelta(0)
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        with self._lock:
            return self._base + self._advanced + timedelta(seconds=time.monotonic() - self._started)

    def advance(self, seconds: float) -> datetime:
        """Move the clock; the new now. A negative number of seconds moves it back."""
        with self._lock:
            self._advanced += timedelta(seconds=seconds)
        return self.now()

    def reset(self) -> datetime:
        """Undo every push; the new now."""
        with self._lock:
            self._advanced = timedelta(0)
        return self.now()
