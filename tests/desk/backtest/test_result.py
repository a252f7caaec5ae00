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
    return Result((candidate(asset("AAA")),), "invented", Decimal(10000), Decimal(costs_bps), days, None, "none")


def test_curve_starts_with_capital_at_close_before() -> None:
    equity = result_of({"AAA": "1"}, {"AAA": "1"}).curve

    assert equity.dates == (day_of(0), day_of(1), day_of(2))
    assert equity.values.tolist() == [10000, 10000, 10000]


def test_deepest_drawdowns_are_ordered_and_dated() -> None:
    deepest = curve(100, 90, 100, 80, 60, 90, 120, 114).deepest(2)

    assert [drawdown[:3] for drawdown in deepest] == [
        (day_of(2), day_of(4), day_of(6)),
        (day_of(0), day_of(1), day_of(2)),
    ]
    assert [drawdown.depth for drawdown in deepest] == pytest.approx([-0.4, -0.1])


def test_deepest_open_drawdown_is_not_recovered() -> None:
    (drawdown,) = curve(100, 90, 95).deepest(5)

    assert (drawdown.peak, drawdown.trough, drawdown.recovered) == (day_of(0), day_of(1), None)


def test_deepest_rising_curve_gives_none() -> None:
    assert curve(100, 100, 110).deepest(5) == ()


def test_years_months_compound_to_the_year() -> None:
    days = (date(2020, 12, 31), date(2021, 1, 4), date(2021, 1, 5), date(2021, 3, 1), date(2022, 1, 3))
    years = Curve("one", days, np.array([100, 110, 121, 133.1, 66.55])).years()

    assert [year.year for year in years] == [2021, 2022]
    assert years[0].months == (pytest.approx(0.21), None, pytest.approx(0.1), *[None] * 9)
    assert [year.total for year in years] == pytest.approx([0.331, -0.5])


def test_turnover_full_switch_counts_once() -> None:
    days = 252
    weights = [{"AAA": "1"}] * (days - 1) + [{"BBB": "1"}]

    # The initial purchase counts half; the switch sells and buys the whole portfolio.
    assert result_of(*weights).turnover == pytest.approx(0.99 * 1.5)


def test_costs_equal_the_equity_lost_to_fills() -> None:
    result = result_of({"AAA": "1"}, {"BBB": "1"}, costs_bps="10")

    assert result.costs == pytest.approx(10000 - result.days[-1].equity, abs=Decimal("0.02"))


def test_position_weights_are_shares_of_equity() -> None:
    weights = result_of({"AAA": "0.5", "BBB": "0.5"}, {"BBB": "1"}).position_weights()

    assert weights["AAA"] == pytest.approx([0.495, 0])
    assert weights["BBB"] == pytest.approx([0.495, 0.99])


def test_benchmark_curve_buys_at_first_close() -> None:
    benchmark = benchmark_curve([day_of(number) for number in range(4)], np.array([50.0, 55.0, 44.0]), Decimal(1000))

    assert benchmark.values.tolist() == pytest.approx([1000, 1000, 1100, 880])
