"""The wall clock of the machine: deadlines, lifetimes and pauses. Business time is the broker's clock.

Every function of the product reads the clock and pauses here. The calls look `time` and `datetime` up when they run,
so a test that replaces them also reaches the defaults of arguments.
"""

import time
from datetime import UTC, datetime


def now() -> datetime:
    """Return the current moment, in UTC."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Return seconds since an arbitrary moment; only the difference of two values has a meaning."""
    return time.monotonic()


def sleep(seconds: float) -> None:
    """Pause the calling thread."""
    time.sleep(seconds)
