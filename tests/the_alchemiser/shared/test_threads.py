"""Calls in threads: once for every key, many at once, results and errors in the order of the keys."""

from threading import Barrier

import pytest

from the_alchemiser.shared.threads import THREADS, map_in_threads


def test_map_in_threads_calls_once_for_every_key_and_sorts_the_results() -> None:
    calls: list[str] = []

    def measure(key: str) -> int:
        calls.append(key)
        return len(key)

    results = map_in_threads(measure, ["ccc", "a", "bb", "a"])

    assert list(results.items()) == [("a", 1), ("bb", 2), ("ccc", 3)]
    assert sorted(calls) == ["a", "bb", "ccc"]


def test_map_in_threads_makes_sixteen_calls_at_once() -> None:
    """A barrier opens when 16 wait at it; with fewer threads it breaks."""
    barrier = Barrier(16)

    results = map_in_threads(lambda _: barrier.wait(timeout=5), [str(number) for number in range(16)])

    assert sorted(results.values()) == list(range(16))
    assert THREADS == 16


def test_map_in_threads_raises_for_the_first_key_that_fails() -> None:
    def fail(key: str) -> None:
        if key != "a":
            raise ValueError(key)

    with pytest.raises(ValueError, match=r"^b$"):
        map_in_threads(fail, ["c", "a", "b"])


def test_map_in_threads_of_nothing_calls_nothing() -> None:
    assert map_in_threads(pytest.fail, []) == {}
