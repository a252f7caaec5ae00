import pytest

from sandbox.exchange.rate_limit import RateLimit
from tests.sandbox.exchange.venues import Clock


def test_take_allows_as_many_as_the_window_has() -> None:
    limit = RateLimit(3, Clock())

    assert [limit.take() for _ in range(5)] == [True, True, True, False, False]


@pytest.mark.parametrize(("waited", "allowed"), [(59.99, False), (60.0, True)])
def test_take_after_a_minute_is_a_new_window(waited: float, *, allowed: bool) -> None:
    clock = Clock()
    limit = RateLimit(1, clock)
    limit.take()
    clock.now += waited

    assert limit.take() is allowed


def test_headers_show_what_is_left_and_when_it_resets() -> None:
    limit = RateLimit(2, Clock())
    seen = []
    for _ in range(3):
        limit.take()
        seen.append(limit.headers()["X-RateLimit-Remaining"])

    assert seen == ["1", "0", "0"]
    assert limit.headers() == {
        "X-RateLimit-Limit": "2",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": "1061",
    }


def test_clear_starts_a_new_window() -> None:
    limit = RateLimit(1, Clock())
    limit.take()
    limit.clear()

    assert limit.take()
    assert limit.headers()["X-RateLimit-Remaining"] == "0"


def test_clear_shows_the_whole_limit_as_left() -> None:
    limit = RateLimit(5, Clock())
    limit.take()
    limit.clear()

    assert limit.headers()["X-RateLimit-Remaining"] == "5"


def test_no_limit_allows_everything_without_headers() -> None:
    limit = RateLimit(0, Clock())

    assert all(limit.take() for _ in range(500))
    assert limit.headers() == {}


def test_limit_of_the_broker_is_the_default() -> None:
    assert RateLimit().per_minute == 200
