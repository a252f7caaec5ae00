"""The broker's rate limit, and how the product keeps to it.

The broker allows 200 requests per minute and account, over all connections. Every answer says how many are left and
when the next minute starts; a request over the limit gets a 429 and does nothing. An answer may also have Retry-After,
which then counts instead. Several functions share the limit, and all they know of each other is the number in the
answers.

- A read waits while less is left than this part of the minute may use: the first requests of a minute do not wait, the
  next ones are spread over it, and the last ones are kept for orders and cancellations.
- An order or a cancellation does not wait.
- A read or a cancellation that gets a 429 is repeated when the next minute has started.
- An order is not repeated here: `Broker.submit` raises, the message returns to its queue, and the next delivery submits
  it again.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from the_alchemiser.shared import wall_clock
from the_alchemiser.shared.broker.errors import BrokerUnavailableError, RateLimitedError
from the_alchemiser.shared.records import Frozen

_WINDOW_S = 60.0


class Retries(Frozen):
    """When a failed read is repeated: one pause, in seconds, before each repetition."""

    pauses_s: tuple[float, ...] = (0.1, 0.3)
    sleep: Callable[[float], None] = wall_clock.sleep


class Pacing(Frozen):
    """How reads keep to the rate limit. What lies between `burst` and `reserve` is spread over the minute.

    Attributes:
        burst: the share of a minute's requests that do not wait.
        reserve: the share that is kept for orders and cancellations.
        longest_wait_s: what one request may wait in all, with its repetitions; one that would have to wait longer
            raises at once, so that its message returns to the queue.
    """

    burst: float = 0.5
    reserve: float = 0.1
    longest_wait_s: float = 20.0


class Pace:
    """What the latest answer of the broker said about the rate limit."""

    def __init__(self, pacing: Pacing, *, now: Callable[[], datetime] = wall_clock.now) -> None:
        self.pacing = pacing
        self._now = now
        self._limit = 0
        self._remaining = 0
        self._resets_at = 0.0

    def note(self, headers: Mapping[str, str]) -> None:
        """Read the headers of an answer. When one of them is missing or malformed, what is known does not change."""
        retry_at = _retry_at(headers.get("Retry-After", ""), self._now())
        if retry_at is not None:
            self._remaining, self._resets_at = 0, retry_at
            return
        try:
            limit = int(headers["X-RateLimit-Limit"])
            remaining = int(headers["X-RateLimit-Remaining"])
            resets_at = float(headers["X-RateLimit-Reset"])
        except (KeyError, ValueError):
            return
        if limit > 0:
            self._limit, self._remaining, self._resets_at = limit, remaining, resets_at

    @property
    def allowance(self) -> int | None:
        """Return how many requests were left after the latest answer; None when no answer of this minute says it."""
        return self._remaining if self.resets_in_s > 0 else None

    @property
    def resets_in_s(self) -> float:
        """Return the seconds until the next minute; 0 when it has started, or no answer says when it does."""
        # At most a whole minute: the broker's clock and the one of this machine may differ.
        return min(max(self._resets_at - self._now().timestamp(), 0.0), _WINDOW_S)

    @property
    def wait_s(self) -> float:
        """Return the seconds that a read has to wait now."""
        left = self._remaining - self._limit * self.pacing.reserve
        if left <= 0:
            return self.resets_in_s

        # So many requests are spread over a whole minute; what is left must last until the next one.
        spread = self._limit * (1 - self.pacing.burst - self.pacing.reserve)
        return max(self.resets_in_s - _WINDOW_S * left / spread, 0.0)


def _retry_at(text: str, now: datetime) -> float | None:
    """Return when a request may be sent again, in Unix seconds; None when the header does not say it.

    The header has seconds, or a date; one in the past means now.
    """
    if not text:
        return None
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - 14 ms that most answers do not need

    try:
        seconds = float(text) if text.strip().isdecimal() else (parsedate_to_datetime(text) - now).total_seconds()
    except (ValueError, TypeError):
        return None
    return now.timestamp() + max(seconds, 0.0)


class Waiting:
    """The time that one request may wait for the rate limit."""

    def __init__(self, pace: Pace, sleep: Callable[[float], None]) -> None:
        self._pace = pace
        self._sleep = sleep
        self._left_s = pace.pacing.longest_wait_s

    def until_allowed(self) -> None:
        """Wait until a read may be sent.

        Raises:
            RateLimitedError: that takes longer than the request may wait.
        """
        self._wait(self._pace.wait_s)

    def until_reset(self) -> None:
        """Wait until the next minute.

        Raises:
            RateLimitedError: that takes longer than the request may wait.
        """
        self._wait(self._pace.resets_in_s)

    def _wait(self, seconds: float) -> None:
        if seconds > self._left_s:
            raise RateLimitedError(f"not sent: the rate limit allows it in {seconds:.1f} s", retry_after_s=seconds)
        if seconds > 0:
            self._left_s -= seconds
            self._sleep(seconds)


def read_with_retries(read: Callable[[], object], retries: Retries, pace: Pace) -> object:
    """Call `read` when the rate limit allows it, and repeat it after each pause while the broker is unavailable.

    Raises:
        BrokerUnavailableError: the last attempt failed too. RateLimitedError is one of its subclasses.
    """
    waiting = Waiting(pace, retries.sleep)
    for pause_s in retries.pauses_s:
        waiting.until_allowed()
        try:
            return read()
        except BrokerUnavailableError:
            retries.sleep(pause_s)
    waiting.until_allowed()
    return read()


def cancel_with_retry(cancel: Callable[[], object], retries: Retries, pace: Pace) -> None:
    """Call `cancel`, and once more in the next minute if it was over the limit.

    Raises:
        BrokerUnavailableError: the cancellation failed for another reason, or twice.
    """
    try:
        cancel()
    except RateLimitedError:
        # It was not carried out. Another cancellation of the same order would also do no harm.
        Waiting(pace, retries.sleep).until_reset()
        cancel()
