from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from automation.system.errors import UsageError
from desk.backtest.analysis.comparison import Track, compare, track_of
from desk.backtest.result import Curve, Result
from tests.desk.backtest.worlds import candidate, day_of, traded
from tests.the_alchemiser.strategy_v2.cases import asset, market

HALF = {"AAA": Decimal("0.5")}


def track(name: str, first: int, *values: float) -> Track:
    days = tuple(day_of(first + number) for number in range(len(values)))
    targets = dict.fromkeys(days[1:], HALF)
    return Track(name, Curve("strategy", days, np.array(values)), targets, 7, Decimal("1.50"))


def test_compare_same_sessions_is_whole() -> None:
    ours, theirs = track("this", 0, 100, 110, 121), track("old", 0, 200, 210, 199.5)

    compared = compare(ours, theirs, capital=Decimal(1000))

    assert (compared.name, compared.sessions, compared.is_whole) == ("old", 2, True)
    assert compared.ours.values.tolist() == pytest.approx([1000, 1100, 1210])
    assert compared.theirs.values.tolist() == pytest.approx([1000, 1050, 997.5])
    assert compared.theirs.name == "old"
    assert (compared.trades, compared.costs) == ((7, 7), (Decimal("1.50"), Decimal("1.50")))
    assert compared.different_days == ()


def test_compare_overlapping_sessions_uses_common_ones() -> None:
    compared = compare(track("this", 0, 100, 110, 121, 60), track("old", 1, 50, 55, 60, 70), capital=Decimal(1000))

    assert compared.ours.dates == (day_of(1), day_of(2), day_of(3))
    assert compared.ours.statistics.total_return == pytest.approx(60 / 110 - 1)
    assert compared.theirs.statistics.total_return == pytest.approx(60 / 50 - 1)
    assert not compared.is_whole


def test_compare_lists_sessions_with_different_weights() -> None:
    ours, theirs = track("this", 0, 100, 110, 121), track("old", 0, 200, 210, 199.5)
    changed = replace(theirs, targets={**theirs.targets, day_of(2): {"BBB": Decimal("0.5")}})

    assert compare(ours, changed, capital=Decimal(1000)).different_days == (day_of(2),)


def test_compare_without_common_session_raises() -> None:
    """The message has the periods of both, from the first date of each to its last one."""
    with pytest.raises(UsageError) as raised:
        compare(track("this", 0, 100, 110, 120), track("old", 2, 50, 55, 60), capital=Decimal(1000))

    periods = "2021-01-04 to 2021-01-06 and 2021-01-06 to 2021-01-08"
    assert str(raised.value) == f"backtest: --compare: the two backtests have no session in common ({periods})"


def test_compare_lists_different_first_session() -> None:
    ours, theirs = track("this", 0, 100, 110, 121), track("old", 0, 200, 210, 199.5)
    changed = replace(theirs, targets={})

    assert compare(ours, changed, capital=Decimal(1000)).different_days == (day_of(1), day_of(2))


def test_compare_two_common_dates_are_one_session() -> None:
    compared = compare(track("this", 0, 100, 110, 121), track("old", 1, 50, 55), capital=Decimal(1000))

    assert (compared.sessions, compared.ours.dates) == (1, (day_of(1), day_of(2)))


def test_track_of_result_leaves_zero_weights_out() -> None:
    days = traded(market(AAA=[10, 10, 11], BBB=[5, 5, 4]), {"AAA": "1", "BBB": "0"}, {"BBB": "1"}, costs_bps="10")
    result = Result((candidate(asset("AAA")),), "invented", Decimal(10000), Decimal(10), days, None, "none")

    ours = track_of(result, "this")

    assert ours.targets == {day_of(1): {"AAA": Decimal(1)}, day_of(2): {"BBB": Decimal(1)}}
    assert (ours.name, ours.trades, ours.costs) == ("this", 3, result.costs)
    assert ours.curve.values.tolist() == result.curve.values.tolist()
