"""Doubts: large moves, repeated prices, odd volumes; what is ordinary raises none."""

from datetime import date
from typing import Any

import pytest

from tests.the_alchemiser.shared.market_data.samples import bars, sessions
from the_alchemiser.data_quality_monitor.doubts import Doubt, DoubtKind, find_doubts, median
from the_alchemiser.shared.market_data.bars import Bars, DailyBar

DAYS = sessions(60)


def closes(*prices: float, volume: float = 0.0) -> Bars:
    return tuple(
        DailyBar(day, price, price, price, price, volume, price) for day, price in zip(DAYS, prices, strict=False)
    )


def traded(*volumes: float) -> Bars:
    """Return bars whose prices differ from day to day."""
    return tuple(
        DailyBar(day, 1, 200, 1, 100 + number, volume, 100 + number)
        for number, (day, volume) in enumerate(zip(DAYS, volumes, strict=False))
    )


@pytest.mark.parametrize(
    ("values", "middle"), [([7.0], 7.0), ([3.0, 1.0, 2.0], 2.0), ([1.0, 4.0], 2.5), ([8.0, 1.0, 4.0, 2.0], 3.0)]
)
def test_median_is_the_middle_value_or_the_mean_of_both(values: list[float], middle: float) -> None:
    assert median(values) == middle


def test_doubts_of_ordinary_bars_are_none() -> None:
    assert find_doubts(bars(60)) == ()


def test_doubts_of_no_bars_are_none() -> None:
    assert find_doubts(()) == ()


@pytest.mark.parametrize(
    ("price", "move"), [(109.9, None), (110.0, 0.1), (90.1, None), (89.99, -0.1001), (10.0, -0.9), (1000.0, 9.0)]
)
def test_doubts_include_a_move_of_a_tenth(price: float, move: float | None) -> None:
    found = find_doubts(closes(100, price))

    assert [(doubt.kind, doubt.date) for doubt in found] == ([] if move is None else [(DoubtKind.MOVE, DAYS[1])])
    assert [doubt.value for doubt in found] == pytest.approx([] if move is None else [move])


def test_doubts_of_moves_look_at_adjusted_closes() -> None:
    history = closes(100, 100.5)
    split = (history[0]._replace(close=1000.0), history[1])

    assert find_doubts(split) == ()


@pytest.mark.parametrize(("count", "is_doubtful"), [(4, False), (5, True)])
def test_doubts_include_five_equal_closes(count: int, *, is_doubtful: bool) -> None:
    found = find_doubts(closes(99, *[100.0] * count, 101))

    assert found == ((Doubt(DoubtKind.FLAT, DAYS[1], float(count)),) if is_doubtful else ())


def test_doubts_include_a_flat_series_at_the_end() -> None:
    assert find_doubts(closes(99, *[100.0] * 7)) == (Doubt(DoubtKind.FLAT, DAYS[1], 7.0),)


def test_doubts_include_each_flat_series() -> None:
    found = find_doubts(closes(*[100.0] * 5, *[101.0] * 6))

    assert found == (Doubt(DoubtKind.FLAT, DAYS[0], 5.0), Doubt(DoubtKind.FLAT, DAYS[5], 6.0))


def test_doubts_include_a_whole_bar_that_is_repeated() -> None:
    assert find_doubts(closes(99, 100, 100, volume=7)) == (Doubt(DoubtKind.FLAT, DAYS[1], 2.0),)


def test_doubts_of_the_same_close_with_another_volume_are_none() -> None:
    first, second = closes(100, 100, volume=7)

    assert find_doubts((first, second._replace(volume=8.0))) == ()


@pytest.mark.parametrize(
    ("volume", "is_doubtful"), [(19.9, False), (20, True), (0.051, False), (0.05, True), (0, True)]
)
def test_doubts_include_a_volume_far_from_the_usual(volume: float, *, is_doubtful: bool) -> None:
    found = find_doubts(traded(*[100.0, 100.5] * 10, volume * 100.25))

    assert [(doubt.kind, doubt.date) for doubt in found] == ([(DoubtKind.VOLUME, DAYS[20])] if is_doubtful else [])
    assert [doubt.value for doubt in found] == pytest.approx([volume] if is_doubtful else [])


def test_doubts_of_volumes_need_twenty_sessions_before() -> None:
    assert find_doubts(traded(*[100.0, 101.0] * 9, 100.0, 9999.0)) == ()


def test_doubts_of_bars_without_volumes_are_none() -> None:
    assert find_doubts(closes(*range(1000, 1040))) == ()


def test_doubts_of_volumes_after_none_are_none() -> None:
    assert find_doubts(traded(*[0.0] * 20, 100.0)) == ()


@pytest.mark.parametrize(
    ("change", "is_same"),
    [
        ({}, True),
        ({"value": 0.1249}, True),
        ({"value": 0.1251}, False),
        ({"value": 0.1149}, False),
        ({"date": date(2022, 1, 5)}, False),
        ({"kind": DoubtKind.VOLUME}, False),
    ],
)
def test_doubt_is_the_same_when_its_value_hardly_differs(change: dict[str, Any], *, is_same: bool) -> None:
    doubt = Doubt(DoubtKind.MOVE, date(2022, 1, 4), 0.12)

    assert doubt.is_same(doubt.changed(**change)) == is_same
