"""Cold starts by release: only what was measured has a figure, and each release is compared with the one before."""

from datetime import UTC, datetime, timedelta

import pytest

from automation.deploying.releases import cold_starts
from automation.deploying.releases.cold_starts import Durations, ReleaseStarts
from automation.deploying.releases.release_windows import ReleaseWindow
from automation.lambda_runtime.start_reports import Reports, Start, StartKind

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
WINDOWS = tuple(ReleaseWindow(f"r{hour}", NOON + timedelta(hours=hour)) for hour in (1, 2, 3))


def starts(*entries: tuple[int, float], kind: StartKind = StartKind.INIT) -> Reports:
    """Make starts from pairs of minutes after noon and milliseconds."""
    begun = tuple(Start(NOON + timedelta(minutes=minute), kind, duration) for minute, duration in entries)
    return Reports(len(entries), begun)


@pytest.mark.parametrize(
    ("samples", "p50", "p95", "largest"),
    [
        ((5.0,), 5.0, None, 5.0),
        ((4.0, 1.0, 3.0, 2.0), 2.5, None, 4.0),
        ((5.0, 1.0, 4.0, 2.0, 3.0), 3.0, 4.8, 5.0),
        (tuple(map(float, range(1, 101))), 50.5, 95.05, 100.0),
    ],
)
def test_durations_of_fewer_than_5_have_no_p95(
    samples: tuple[float, ...], p50: float, p95: float | None, largest: float
) -> None:
    durations = Durations(samples)

    assert (durations.count, durations.p50_ms, durations.max_ms) == (len(samples), p50, largest)
    assert durations.p95_ms == (None if p95 is None else pytest.approx(p95))


def test_by_release_compares_with_the_release_before() -> None:
    reports = starts((0, 10), (60, 20), (119, 40), (180, 50), (200, 60), (210, 100))

    assert cold_starts.by_release(reports, WINDOWS) == (
        ReleaseStarts("r3", StartKind.INIT, Durations((50, 60, 100)), Durations((20, 40))),
        ReleaseStarts("r1", StartKind.INIT, Durations((20, 40)), Durations((10,))),
        ReleaseStarts("before", StartKind.INIT, Durations((10,)), None),
    )


def test_change_is_that_of_the_median() -> None:
    newest, oldest = cold_starts.by_release(starts((60, 20), (61, 40), (120, 35)), WINDOWS)

    assert (newest.change_ms, oldest.change_ms) == (5.0, None)


def test_by_release_kinds_of_starts_are_not_compared() -> None:
    init, restore = starts((60, 900)), starts((120, 200), kind=StartKind.RESTORE)

    rows = cold_starts.by_release(Reports(2, (*init.starts, *restore.starts)), WINDOWS)

    assert [(row.release, row.kind, row.change_ms) for row in rows] == [
        ("r2", StartKind.RESTORE, None),
        ("r1", StartKind.INIT, None),
    ]


def test_by_release_a_release_that_runs_again_has_all_its_starts() -> None:
    again = (*WINDOWS, ReleaseWindow("r1", NOON + timedelta(hours=4)))

    rows = cold_starts.by_release(starts((60, 10), (180, 20), (240, 30)), again)

    assert [(row.release, row.durations.samples_ms) for row in rows] == [("r3", (20,)), ("r1", (10, 30))]


def test_by_release_without_windows_is_before_them() -> None:
    assert [row.release for row in cold_starts.by_release(starts((0, 10)), ())] == ["before"]


def test_by_release_without_starts_is_empty() -> None:
    assert cold_starts.by_release(Reports(7), WINDOWS) == ()
