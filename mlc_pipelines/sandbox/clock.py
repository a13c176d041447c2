"""The sandbox's own clock: it ticks like the real one; a test may push it forward, hold it still or let it run faster."""

import threading
import time
from datetime import UTC, datetime, timedelta


class Clock:
    """A clock that starts at the real now, or at a given instant, and runs at the speed of the real one."""

    def __init__(self, start: datetime | None = None) -> None:
        """Start at an aware instant; without one, at the real now. Raises ValueError on a naive instant."""
        if start is not None and start.tzinfo is None:
            raise ValueError(f"the instant {start} has no time zone")
        self._start = (start or datetime.now(UTC)).astimezone(UTC)
        self._started = time.monotonic()
        self._lock = threading.Lock()
        self._ticking_from(self._start, self._started, 1.0)

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        with self._lock:
            return self._now()

    def advance(self, seconds: float) -> datetime:
        """Move the clock; the new now. A negative number of seconds moves it back."""
        with self._lock:
            self._base += timedelta(seconds=seconds)
            return self._now()

    def run(self, speed: float) -> datetime:
        """From now on run so many times as fast as the real one; 0 stands still, so that only pushes move it. The present now."""
        with self._lock:
            now = self._now()
            self._ticking_from(now, time.monotonic(), speed)
            return now

    def reset(self) -> datetime:
        """Undo every push and every change of speed; the new now."""
        with self._lock:
            self._ticking_from(self._start, self._started, 1.0)
            return self._now()

    def _now(self) -> datetime:
        return self._base + timedelta(seconds=(time.monotonic() - self._since) * self._speed)

    def _ticking_from(self, base: datetime, since: float, speed: float) -> None:
        self._base, self._since, self._speed = base, since, speed
