"""Which release a moment belongs to, stack by stack."""

from datetime import UTC, datetime, timedelta

import pytest

from automation.deploying.releases import release_windows
from automation.deploying.releases.records import Release, ReleasedStack
from automation.deploying.releases.release_windows import ReleaseWindow

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def at(minute: int) -> str:
    return (NOON + timedelta(minutes=minute)).isoformat()


def release(number: int, *, minute: int, changed: int | None, content_of: int = 0, name: str = "app") -> Release:
    """Make a release that was created at one minute and changed its stack at another; None if it never did."""
    stack = ReleasedStack(name, changed_at="" if changed is None else at(changed), content_of=content_of)
    return Release(number, created_at=at(minute), stacks=(ReleasedStack("base"), stack))


def windows(*newest_first: Release) -> list[tuple[str, int]]:
    """Return the release and the minute of each window of stack app."""
    begun = release_windows.windows_of(newest_first, "app")
    return [(window.release, int((window.since - NOON).total_seconds()) // 60) for window in begun]


def test_windows_begin_when_the_stack_changed() -> None:
    second = release(2, minute=20, changed=23, content_of=2)

    assert windows(second, release(1, minute=0, changed=2, content_of=1)) == [("r1", 2), ("r2", 23)]


def test_windows_of_an_unchanged_stack_begin_with_the_release() -> None:
    second = release(2, minute=20, changed=2, content_of=2)

    assert windows(second, release(1, minute=0, changed=2, content_of=1)) == [("r1", 2), ("r2", 20)]


def test_windows_of_a_failed_change_go_on_with_the_earlier_release() -> None:
    second = release(2, minute=20, changed=25, content_of=1)

    assert windows(second, release(1, minute=0, changed=2, content_of=1)) == [("r1", 2), ("r1", 25)]


def test_windows_of_an_unfinished_release_begin_when_it_did() -> None:
    assert windows(release(3, minute=20, changed=None)) == [("r3", 20)]


def test_windows_of_another_stack_or_an_undated_release_do_not_count() -> None:
    undated = Release(2, stacks=(ReleasedStack("app"),))

    assert windows(undated, release(1, minute=0, changed=2, name="other")) == []


@pytest.mark.parametrize(("minute", "expected"), [(1, ""), (2, "r1"), (22, "r1"), (23, "r2"), (99, "r2")])
def test_release_at_is_the_last_that_began(minute: int, expected: str) -> None:
    known = (ReleaseWindow("r1", NOON + timedelta(minutes=2)), ReleaseWindow("r2", NOON + timedelta(minutes=23)))

    assert release_windows.release_at(known, NOON + timedelta(minutes=minute)) == expected
