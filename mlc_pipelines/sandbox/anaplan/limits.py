"""The tenant's request limit: one bucket for all its callers. Reference: anaplan 8 [S].

The bucket holds as many calls as a minute allows and is refilled evenly, 10 a second at 600 a minute. A call that finds it
empty is answered 429 and takes nothing. The authentication host is not counted [I].
"""

import math
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime

from starlette.responses import JSONResponse

from mlc_pipelines.sandbox.anaplan.logins import Ticking
from mlc_pipelines.sandbox.anaplan.switches import Switches
from mlc_pipelines.sandbox.anaplan.wire import RefusedError, error_response

MINUTE_SECONDS = 60.0


@dataclass(slots=True)
class Bucket:
    """What is left, and when calls were let through."""

    clock: Ticking
    switches: Switches
    left: float = math.inf
    filled_at: datetime | None = None
    refused: int = 0
    admitted: list[datetime] = field(default_factory=list)

    def take(self) -> float:
        """Let a call through: 0; or refuse it: the seconds until the next one may come."""
        now, per_minute = self.clock.now(), self.switches["rate_per_minute"]
        if per_minute:
            passed = max((now - self.filled_at).total_seconds(), 0.0) if self.filled_at else 0.0
            self.left = min(self.left + passed * per_minute / MINUTE_SECONDS, float(per_minute))
            self.filled_at = now
            if self.left < 1:
                self.refused += 1
                return (1 - self.left) * MINUTE_SECONDS / float(per_minute)
            self.left -= 1
        self.admitted.append(now)
        return 0.0

    def report(self) -> dict[str, int]:
        """How many calls were let through and refused, and the most that were let through within any 60 seconds."""
        recent: deque[datetime] = deque()
        peak = 0
        for at in self.admitted:
            recent.append(at)
            while (at - recent[0]).total_seconds() >= MINUTE_SECONDS:
                recent.popleft()
            peak = max(peak, len(recent))
        return {"calls": len(self.admitted), "refused": self.refused, "peak_60s": peak}


def refusal(wait: float, path: str, now: datetime, form: str) -> JSONResponse:
    """The 429 to a call that may come again in so many seconds; its body is not documented, hence the usual one [I]."""
    answer = error_response(RefusedError(429), path, now)
    seconds = math.ceil(wait)
    if form == "date":
        answer.headers["Retry-After"] = format_datetime(now + timedelta(seconds=seconds), usegmt=True)
    elif form == "seconds":
        answer.headers["Retry-After"] = str(seconds)
    return answer
