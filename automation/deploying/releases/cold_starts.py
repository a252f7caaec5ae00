"""The cold starts of deployed functions, release by release. Only what was measured has a figure."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from automation.deploying.releases import release_windows
from automation.deploying.releases.release_windows import ReleaseWindow
from automation.lambda_runtime.start_reports import Reports, StartKind

# Of fewer values, a 95th percentile would say no more than the greatest.
LEAST_FOR_P95 = 5
PERCENTILE_METHOD = "linear interpolation between the measured values (statistics.quantiles, inclusive)"
BEFORE_RELEASES = "before"


@dataclass(frozen=True, slots=True)
class Durations:
    """Measured durations in milliseconds; never empty."""

    samples_ms: tuple[float, ...]

    @property
    def count(self) -> int:
        return len(self.samples_ms)

    @property
    def p50_ms(self) -> float:
        return statistics.median(self.samples_ms)

    @property
    def p95_ms(self) -> float | None:
        """Return the 95th percentile; None of fewer than `LEAST_FOR_P95` values."""
        if self.count < LEAST_FOR_P95:
            return None
        return statistics.quantiles(self.samples_ms, n=20, method="inclusive")[-1]

    @property
    def max_ms(self) -> float:
        return max(self.samples_ms)


@dataclass(frozen=True, slots=True)
class ReleaseStarts:
    """The cold starts of one function in one release.

    Attributes:
        release: its name; `BEFORE_RELEASES` for what ran before the oldest known release.
        before: the same kind of start in the release before it that has some; None without one.
    """

    release: str
    kind: StartKind
    durations: Durations
    before: Durations | None = None

    @property
    def change_ms(self) -> float | None:
        """Return by how much the median changed since the release before; None when there is none to compare with."""
        return None if self.before is None else self.durations.p50_ms - self.before.p50_ms


@dataclass(frozen=True, slots=True)
class FunctionStarts:
    """The cold starts of one deployed function.

    Attributes:
        invocations: how many invocations Lambda reported, cold and warm.
        releases: those with cold starts, newest first.
        local_import_ms: how long this machine takes to import its code; None when that was not measured.
    """

    stack: str
    name: str
    log_group: str
    invocations: int
    releases: tuple[ReleaseStarts, ...] = ()
    local_import_ms: float | None = None


def by_release(reports: Reports, windows: Sequence[ReleaseWindow]) -> tuple[ReleaseStarts, ...]:
    """Return the starts of a function by release and kind, newest first.

    Args:
        windows: of its stack, oldest first.
    """
    samples: dict[tuple[StartKind, str], list[float]] = {}
    for start in reports.starts:
        release = release_windows.release_at(windows, start.at) or BEFORE_RELEASES
        samples.setdefault((start.kind, release), []).append(start.duration_ms)

    order = _order(windows)
    rows: list[ReleaseStarts] = []
    for kind in StartKind:
        before: Durations | None = None
        for release in (name for name in order if (kind, name) in samples):
            durations = Durations(tuple(samples[kind, release]))
            rows.append(ReleaseStarts(release, kind, durations, before))
            before = durations
    return tuple(sorted(rows, key=lambda row: order.index(row.release), reverse=True))


def _order(windows: Iterable[ReleaseWindow]) -> list[str]:
    """Return the names of releases in the order in which they first ran."""
    return list(dict.fromkeys([BEFORE_RELEASES, *(window.release for window in windows)]))
