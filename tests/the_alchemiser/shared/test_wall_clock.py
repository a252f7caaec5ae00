"""The wall clock reads and pauses through the standard library, looked up with every call."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from the_alchemiser.shared import wall_clock


def test_now_is_the_current_moment_in_utc() -> None:
    before = datetime.now(UTC)

    now = wall_clock.now()

    assert before <= now <= datetime.now(UTC)
    assert now.utcoffset() == timedelta(0)


def test_monotonic_is_looked_up_with_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 42.5)

    assert wall_clock.monotonic() == 42.5


def test_sleep_is_looked_up_with_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)

    wall_clock.sleep(1.5)

    assert slept == [1.5]
