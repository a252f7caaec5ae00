"""The broker's rate limit: so many requests per account and minute, over all connections, trading and data together."""

from collections.abc import Callable, Mapping
from math import ceil
from time import time

DEFAULT_PER_MINUTE = 200
_WINDOW_S = 60.0


class RateLimit:
    """Counts requests in windows of one minute; the first request after a window starts the next one.

    Args:
        per_minute: the requests that a window allows; 0 means no limit, and no headers.
        clock: returns Unix seconds; the wall clock on a server, virtual time in a simulation.
    """

    def __init__(self, per_minute: int = DEFAULT_PER_MINUTE, clock: Callable[[], float] = time) -> None:
        self.per_minute = per_minute
        self._clock = clock
        self._count = 0
        self._resets_at = 0.0

    def take(self) -> bool:
        """Count one request; return False when the window allows no more."""
        if not self.per_minute:
            return True
        now = self._clock()
        if now >= self._resets_at:
            self._count, self._resets_at = 0, now + _WINDOW_S
        self._count += 1
        return self._count <= self.per_minute

    def clear(self) -> None:
        """Forget the requests of this window."""
        self._resets_at = 0.0
        self._count = 0

    def headers(self) -> Mapping[str, str]:
        """Return the headers of an answer: the limit, what is left of it, and when it resets, in Unix seconds."""
        if not self.per_minute:
            return {}
        return {
            "X-RateLimit-Limit": str(self.per_minute),
            "X-RateLimit-Remaining": str(max(self.per_minute - self._count, 0)),
            "X-RateLimit-Reset": str(ceil(self._resets_at)),
        }
