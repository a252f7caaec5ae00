"""The sizes of the newest release."""

from automation.sizing.history import SeriesKind
from desk.page.stack import SizeLine, size_lines
from tests.automation.sizing.releases import WHEELS, history_of, sizes


def test_size_lines_are_those_of_the_newest_release() -> None:
    first = sizes("r1", {"Wheels": {"numpy==1": 10}, "Gone": {"x==1": 5}})
    second = sizes("r2", {"Wheels": {"numpy==2": 30_000_000}, "Till": {"(own code)": 1000}})

    assert size_lines(history_of(first, second, limits={WHEELS: 60_000_000})) == (
        SizeLine("Wheels", SeriesKind.LAYER, 30_000_000, 60_000_000),
        SizeLine("Till", SeriesKind.FUNCTION, 1000, None),
        SizeLine("Till", SeriesKind.MOUNTED, 30_001_000, None),
    )


def test_size_lines_without_a_release_are_empty() -> None:
    assert size_lines(history_of()) == ()


def test_size_line_has_its_share_of_the_limit() -> None:
    line = SizeLine("Wheels", SeriesKind.LAYER, 45_000_000, 60_000_000)

    assert (line.size, line.limit, line.used_percent) == ("45.00 MB", "60.00 MB", 75.0)
    assert (SizeLine("x", SeriesKind.LAYER, 1, None).limit, SizeLine("x", SeriesKind.LAYER, 1, 0).used_percent) == (
        "",
        None,
    )
