from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from desk.backtest.result import Curve, Result, benchmark_curve
from tests.desk.backtest.worlds import candidate, day_of, traded
from tests.the_alchemiser.strategy_v2.cases import asset, market


def curve(*values: float) -> Curve:
    return Curve("one", tuple(day_of(number) for number in range(len(values))), np.array(values))


def result_of(*weights: dict[str, str], costs_bps: str = "0") -> Result:
    history = market(AAA=[10.0] * (len(weights) + 1), BBB=[5.0] * (len(weights) + 1))
    days = traded(history, *weights, costs_bps=costs_bps)
    return Result((candidate(asset("AAA")),), "made up", Decimal(10000), Decimal(costs_bps), days, None, "none")


def test_curve_begins_with_the_capital_on_the_close_before() -> None:
    told = result_of({"AAA": "1"}, {"AAA": "1"}).curve

    assert told.dates == (day_of(0), day_of(1), day_of(2))
    assert told.values.tolist() == [10000, 10000, 10000]


def test_curve_deepest_drawdowns_are_ordered_and_dated() -> None:
    told = curve(100, 90, 100, 80, 60, 90, 120, 114).deepest(2)

    assert [one[:3] for one in told] == [(day_of(2), day_of(4), day_of(6)), (day_of(0), day_of(1), day_of(2))]
    assert [one.depth for one in told] == pytest.approx([-0.4, -0.1])


def test_curve_drawdown_that_lasts_is_not_recovered() -> None:
    (told,) = curve(100, 90, 95).deepest(5)

    assert (told.peak, told.trough, told.recovered) == (day_of(0), day_of(1), None)


def test_curve_that_never_falls_has_no_drawdown() -> None:
    assert curve(100, 100, 110).deepest(5) == ()


def test_curve_months_compound_to_the_year() -> None:
    days = (date(2020, 12, 31), date(2021, 1, 4), date(2021, 1, 5), date(2021, 3, 1), date(2022, 1, 3))
    told = Curve("one", days, np.array([100, 110, 121, 133.1, 66.55])).years()

    assert [one.year for one in told] == [2021, 2022]
    assert told[0].months == (pytest.approx(0.21), None, pytest.approx(0.1), *[None] * 9)
    assert [one.total for one in told] == pytest.approx([0.331, -0.5])


def test_turnover_of_a_full_switch_is_once_the_portfolio() -> None:
    days = 252
    weights = [{"AAA": "1"}] * (days - 1) + [{"BBB": "1"}]

    # Half of buying in, and the switch.
    assert result_of(*weights).turnover == pytest.approx(0.99 * 1.5)


def test_costs_are_what_the_fills_took() -> None:
    told = result_of({"AAA": "1"}, {"BBB": "1"}, costs_bps="10")

    assert told.costs == pytest.approx(10000 - told.days[-1].equity, abs=Decimal("0.02"))


def test_held_parts_sum_with_the_cash_to_one() -> None:
    told = result_of({"AAA": "0.5", "BBB": "0.5"}, {"BBB": "1"})

    assert told.held()["AAA"] == pytest.approx([0.495, 0])
    assert told.held()["BBB"] == pytest.approx([0.495, 0.99])


def test_benchmark_is_bought_at_the_first_close() -> None:
    told = benchmark_curve([day_of(number) for number in range(4)], np.array([50.0, 55.0, 44.0]), Decimal(1000))

    assert told.values.tolist() == pytest.approx([1000, 1000, 1100, 880])
