"""The pace of reads: how long each waits for the rate limit, and what is repeated after a 429."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from the_alchemiser.shared.broker.errors import BrokerServerError, BrokerTimeoutError, RateLimitedError
from the_alchemiser.shared.broker.rate_limit import (
    Pace,
    Pacing,
    Retries,
    Waiting,
    cancel_with_retry,
    read_with_retries,
)

START = datetime(2024, 3, 15, 19, 45, tzinfo=UTC)


@dataclass
class Time:
    """A clock that advances only by sleeping, and the pauses that were slept."""

    at: float = START.timestamp()
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.at, UTC)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds

    def retries(self, *pauses_s: float) -> Retries:
        return Retries(pauses_s=pauses_s, sleep=self.sleep)


def headers(remaining: int, resets_in_s: float, *, limit: int = 200) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(remaining),
        "X-RateLimit-Reset": str(START.timestamp() + resets_in_s),
    }


def pace_after(remaining: int, resets_in_s: float, time: Time | None = None, *, longest_wait_s: float = 20.0) -> Pace:
    pace = Pace(Pacing(longest_wait_s=longest_wait_s), now=(time or Time()).now)
    pace.note(headers(remaining, resets_in_s))
    return pace


@dataclass
class Calls:
    """A request that fails with these errors in turn, then succeeds with its number."""

    errors: list[Exception]
    sent: int = 0
    on_send: Callable[[], None] = lambda: None

    def __call__(self) -> int:
        self.sent += 1
        self.on_send()
        if self.errors:
            raise self.errors.pop(0)
        return self.sent


def test_pacing_keeps_a_tenth_and_spreads_after_a_half() -> None:
    assert Pacing() == Pacing(0.5, 0.1, 20.0)


def test_retries_are_two_after_a_tenth_and_three_tenths_of_a_second() -> None:
    assert Retries().pauses_s == (0.1, 0.3)


def test_read_waits_for_less_than_a_second_too() -> None:
    time = Time()

    assert read_with_retries(Calls([]), time.retries(), pace_after(99, 60, time)) == 1

    assert time.slept == [0.75]


def test_pace_before_an_answer_knows_nothing_and_waits_for_nothing() -> None:
    pace = Pace(Pacing())

    assert (pace.allowance, pace.resets_in_s, pace.wait_s) == (None, 0.0, 0.0)


def test_allowance_is_that_of_the_answer_until_the_reset() -> None:
    time = Time()
    pace = pace_after(7, 12.5, time)

    at_first = (pace.allowance, pace.resets_in_s)
    time.at += 12
    shortly_before = (pace.allowance, pace.resets_in_s)
    time.at += 0.5
    at_the_reset = (pace.allowance, pace.resets_in_s, pace.wait_s)

    assert at_first == (7, 12.5)
    assert shortly_before == (7, 0.5)
    assert at_the_reset == (None, 0.0, 0.0)


def test_allowance_of_nothing_is_zero() -> None:
    assert pace_after(0, 10).allowance == 0


@pytest.mark.parametrize(
    "changed",
    [
        {"X-RateLimit-Limit": "many"},
        {"X-RateLimit-Limit": "0"},
        {"X-RateLimit-Limit": "-1"},
        {"X-RateLimit-Remaining": ""},
        {"X-RateLimit-Reset": "soon"},
    ],
    ids=str,
)
def test_pace_with_a_malformed_header_keeps_what_it_knows(changed: dict[str, str]) -> None:
    pace = pace_after(7, 12)

    pace.note(headers(100, 60) | changed)

    assert (pace.allowance, pace.resets_in_s) == (7, 12)


@pytest.mark.parametrize("missing", sorted(headers(1, 1)))
def test_pace_without_one_of_the_headers_keeps_what_it_knows(missing: str) -> None:
    pace = pace_after(7, 12)
    others = {name: value for name, value in headers(100, 60).items() if name != missing}

    pace.note(others)

    assert (pace.allowance, pace.resets_in_s) == (7, 12)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7", 7), (" 7 ", 7), ("0", 0), ("Fri, 15 Mar 2024 19:45:30 GMT", 30), ("Fri, 15 Mar 2024 19:44:00 GMT", 0)],
)
def test_retry_after_counts_instead_of_the_reset(text: str, seconds: float) -> None:
    pace = pace_after(150, 45)

    pace.note({**headers(150, 45), "Retry-After": text})

    assert (pace.resets_in_s, pace.wait_s) == (seconds, seconds)


@pytest.mark.parametrize("text", ["", "soon", "-5", "1.5e", "Fri, 15 Mar 2024 19:45:30 -0000"])
def test_retry_after_that_cannot_be_read_is_ignored(text: str) -> None:
    pace = pace_after(150, 45)

    pace.note({"Retry-After": text})

    assert (pace.allowance, pace.resets_in_s) == (150, 45)


def test_reset_is_never_more_than_a_minute_away() -> None:
    assert pace_after(7, 3600).resets_in_s == 60


@pytest.mark.parametrize(
    ("remaining", "resets_in_s", "wait_s"),
    [
        (200, 60, 0),  # the first half of the requests does not wait
        (100, 60, 0),
        (99, 60, 0.75),  # 80 requests are spread over 60 s
        (60, 60, 30),
        (60, 30, 0),  # half of them are left for half of the minute
        (60, 31, 1),
        (60, 10, 0),
        (21, 60, 59.25),
        (20, 60, 60),  # the last tenth is kept
        (20, 12, 12),
        (0, 12, 12),
    ],
)
def test_wait_depends_on_what_is_left_of_requests_and_minute(remaining: int, resets_in_s: int, wait_s: float) -> None:
    assert pace_after(remaining, resets_in_s).wait_s == pytest.approx(wait_s)


def test_wait_grows_with_the_burst_and_the_reserve() -> None:
    pace = Pace(Pacing(burst=0.2, reserve=0.3), now=Time().now)

    pace.note(headers(80, 60))

    # 60 are kept, so 20 of the 100 that are spread are left, for 12 s.
    assert pace.wait_s == pytest.approx(48)


def test_waiting_sleeps_until_the_read_is_allowed() -> None:
    time = Time()
    waiting = Waiting(pace_after(20, 15, time), time.sleep)

    waiting.until_allowed()
    waiting.until_allowed()

    assert time.slept == [15]


def test_waiting_may_take_all_of_the_longest_wait() -> None:
    time = Time()

    Waiting(pace_after(0, 20, time), time.sleep).until_allowed()

    assert time.slept == [20]


def test_waiting_longer_than_allowed_raises_at_once_and_says_when() -> None:
    time = Time()

    with pytest.raises(RateLimitedError) as raised:
        Waiting(pace_after(0, 20.5, time), time.sleep).until_allowed()

    assert str(raised.value) == "not sent: the rate limit allows it in 20.5 s"
    assert raised.value.retry_after_s == 20.5
    assert raised.value.status is None
    assert time.slept == []


def test_waiting_adds_up_over_the_repetitions() -> None:
    time = Time()
    pace = pace_after(0, 15, time)
    waiting = Waiting(pace, time.sleep)
    waiting.until_allowed()
    pace.note(headers(0, 15 + 5))
    waiting.until_allowed()
    pace.note(headers(0, 15 + 5 + 1))

    with pytest.raises(RateLimitedError):
        waiting.until_allowed()
    assert time.slept == [15, 5]


def test_waiting_for_the_reset_does_not_depend_on_what_is_left() -> None:
    time = Time()

    Waiting(pace_after(200, 8, time), time.sleep).until_reset()

    assert time.slept == [8]


def test_read_waits_before_it_is_sent() -> None:
    time = Time()
    sent_at: list[float] = []
    calls = Calls([], on_send=lambda: sent_at.append(time.at))

    result = read_with_retries(calls, time.retries(0.1), pace_after(0, 9, time))

    assert result == 1
    assert sent_at == [START.timestamp() + 9]


def test_read_that_may_not_wait_so_long_is_not_sent() -> None:
    time, calls = Time(), Calls([])

    with pytest.raises(RateLimitedError):
        read_with_retries(calls, time.retries(0.1), pace_after(0, 21, time))

    assert calls.sent == 0


def test_read_over_the_limit_is_repeated_after_the_reset() -> None:
    time = Time()
    pace = pace_after(200, 60, time)
    calls = Calls([RateLimitedError("429")], on_send=lambda: pace.note(headers(0, 18)))

    result = read_with_retries(calls, time.retries(0.5, 0.5), pace)

    assert result == 2
    assert time.slept == [0.5, 17.5]


def test_read_over_the_limit_with_a_far_reset_is_sent_once() -> None:
    time = Time()
    pace = pace_after(200, 60, time)
    calls = Calls([RateLimitedError("429")], on_send=lambda: pace.note(headers(0, 45)))

    with pytest.raises(RateLimitedError) as raised:
        read_with_retries(calls, time.retries(0.5, 0.5), pace)

    assert calls.sent == 1
    assert raised.value.retry_after_s == 44.5


def test_last_repetition_waits_for_the_limit_too() -> None:
    time = Time()
    pace = pace_after(200, 60, time)
    calls = Calls([BrokerServerError("503")], on_send=lambda: pace.note(headers(0, 6)))

    assert read_with_retries(calls, time.retries(1), pace) == 2
    assert time.slept == [1, 5]


def test_cancel_over_the_limit_is_repeated_after_the_reset() -> None:
    time, calls = Time(), Calls([RateLimitedError("429")])

    cancel_with_retry(calls, time.retries(), pace_after(0, 11, time))

    assert calls.sent == 2
    assert time.slept == [11]


def test_cancel_does_not_wait_before_it_is_sent() -> None:
    time, calls = Time(), Calls([])

    cancel_with_retry(calls, time.retries(), pace_after(0, 59, time))

    assert calls.sent == 1
    assert time.slept == []


def test_cancel_twice_over_the_limit_raises() -> None:
    time, calls = Time(), Calls([RateLimitedError("429"), RateLimitedError("429")])

    with pytest.raises(RateLimitedError):
        cancel_with_retry(calls, time.retries(0.1), pace_after(0, 11, time))

    assert calls.sent == 2


def test_cancel_over_the_limit_with_a_far_reset_raises() -> None:
    time, calls = Time(), Calls([RateLimitedError("429")])

    with pytest.raises(RateLimitedError):
        cancel_with_retry(calls, time.retries(), pace_after(0, 21, time))

    assert calls.sent == 1


def test_cancel_without_an_answer_is_not_repeated() -> None:
    time, calls = Time(), Calls([BrokerTimeoutError("slow")])

    with pytest.raises(BrokerTimeoutError):
        cancel_with_retry(calls, time.retries(0.1), pace_after(200, 60, time))

    assert calls.sent == 1
