"""When each release ran: which of them a moment belongs to, stack by stack."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from automation.deploying.releases.records import Release, ReleasedStack


@dataclass(frozen=True, slots=True)
class ReleaseWindow:
    """From when on a stack ran a release, until the next window begins.

    Attributes:
        release: its name, such as `r7`.
        since: aware.
    """

    release: str
    since: datetime


def windows_of(releases: Sequence[Release], stack: str) -> tuple[ReleaseWindow, ...]:
    """Return the windows of a stack, oldest first.

    A change that failed leaves the stack with the content of an earlier release, which then goes on.

    Args:
        releases: newest first.
        stack: its name in pyproject.toml.
    """
    windows: list[ReleaseWindow] = []
    for release in reversed(releases):
        for released in release.stacks:
            if released.stack == stack and release.created_at:
                number = released.content_of or release.number
                windows.append(ReleaseWindow(f"r{number}", _since(release, released)))
    return tuple(sorted(windows, key=lambda window: window.since))


def release_at(windows: Iterable[ReleaseWindow], moment: datetime) -> str:
    """Return the release that ran at a moment; empty before the first one."""
    running = ""
    for window in windows:
        if window.since <= moment:
            running = window.release
    return running


def _since(release: Release, released: ReleasedStack) -> datetime:
    """Return when a release began on a stack: when the stack changed, or when the release did if the stack stayed."""
    created_at = datetime.fromisoformat(release.created_at)
    if not released.changed_at:
        return created_at
    return max(created_at, datetime.fromisoformat(released.changed_at))
