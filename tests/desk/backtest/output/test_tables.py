from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from desk.backtest.analysis.comparison import compare, track_of
from desk.backtest.analysis.rolling import rolling_beta, rolling_volatility
from desk.backtest.analysis.split import split_curves
from desk.backtest.output import tables, wording
from desk.backtest.report import Report
from desk.backtest.result import Result, benchmark_curve
from tests.desk.backtest.output.reports import result_of as result_with_sessions
from tests.desk.backtest.output.reports import whole_report
from tests.desk.backtest.worlds import candidate, day_of, traded
from tests.the_alchemiser.strategy_v2.cases import asset, market

HISTORY = market(AAA=[10, 10, 12, 11, 12, 13], BBB=[5, 5, 4, 5, 5, 6])


def result_of(symbol: str, *, benchmark: bool = True) -> Result:
    days = traded(HISTORY, *[{symbol: "1"}] * 5, costs_bps="5")
    result = Result((candidate(asset(symbol)),), "invented", Decimal(10000), Decimal(5), days, None, "none")
    if not benchmark:
        return result
    closes = np.array([100.0, 101, 99, 102, 104])
    return replace(result, benchmark=benchmark_curve(result.curve.dates, closes, Decimal(10000)))


REPORT = Report(result_of("AAA"))


def test_statistics_have_a_value_per_curve() -> None:
    figures = tables.statistics(REPORT)

    assert [figure.title for figure in figures][-4:] == ["Beta", "Alpha per year", "Correlation", "Turnover per year"]
    assert {len(figure.values) for figure in figures} == {2}
    assert figures[0].values == (wording.percent(REPORT.result.curve.statistics.total_return), "4.00%")
    assert figures[-1].values[1] == ""


def test_statistics_without_benchmark_have_one_value() -> None:
    figures = tables.statistics(Report(result_of("AAA", benchmark=False)))

    assert {len(figure.values) for figure in figures} == {1}
    assert "Beta" not in {figure.title for figure in figures}


def test_years_compare_with_benchmark() -> None:
    table = tables.years(REPORT)

    assert table.columns[:4] == ("Year", "Return", "SPY", "Difference")
    assert table.rows[0][0] == "2021"
    assert table.rows[0][2] == "4.00%"


def test_contributions_end_with_total() -> None:
    table = tables.contributions(REPORT.contributions.symbols, REPORT, kind="Symbol")

    profit = REPORT.result.days[-1].equity - 10000
    assert [row[0] for row in table.rows] == ["AAA", "Total"]
    assert {row[1] for row in table.rows} == {f"${profit:,.2f}"}


def test_split_has_three_columns_per_curve() -> None:
    table = tables.split(split_curves(REPORT.curves, day_of(3)))

    assert len(table.columns) == 7
    assert table.rows[0][1] == wording.percent(float(REPORT.result.curve.values[2]) / 10000 - 1)
    assert [row[0] for row in table.rows] == list(wording.TITLES.values())


def test_comparison_shows_trades_and_costs_of_same_sessions_only() -> None:
    ours, theirs = result_of("AAA"), result_of("BBB")
    whole = compare(track_of(ours, "this"), track_of(theirs, "other"), capital=Decimal(10000))

    rows = {row[0]: row[1:] for row in tables.comparison(whole).rows}

    assert rows["Trades"] == ("2", "4", "\N{MINUS SIGN}2")
    assert rows["Costs"][:2] == (f"${ours.costs:,.2f}", f"${theirs.costs:,.2f}")
    assert "Trades" not in {row[0] for row in tables.comparison(replace(whole, is_whole=False)).rows}


@pytest.mark.parametrize(
    ("trades", "difference"), [((7, 5), "+2"), ((5, 7), "\N{MINUS SIGN}2"), ((5, 5), "0"), ((2000, 1), "+1,999")]
)
def test_comparison_signs_difference_of_trades(trades: tuple[int, int], difference: str) -> None:
    ours = track_of(result_of("AAA"), "this")
    whole = replace(compare(ours, ours, capital=Decimal(10000)), trades=trades)

    assert {row[0]: row[-1] for row in tables.comparison(whole).rows}["Trades"] == difference


@pytest.mark.parametrize(
    ("name", "before", "after", "text"),
    [
        ("cagr", 0.10, 0.125, "+2.50 points"),
        ("cagr", 0.10, 0.05, "\N{MINUS SIGN}5.00 points"),
        ("cagr", -0.05434, -0.21386, "\N{MINUS SIGN}15.96 points"),
        ("sharpe", 1.0, 1.5, "+0.50"),
        ("sharpe", 1.5, 1.0, "\N{MINUS SIGN}0.50"),
        ("sharpe", 1.0, 1.001, "0.00"),
        ("sharpe", None, 1.0, "not defined"),
        ("sharpe", 1.0, None, "not defined"),
    ],
)
def test_difference_is_that_of_the_rounded_values(
    name: str, before: float | None, after: float | None, text: str
) -> None:
    assert wording.difference(name, before, after) == text


def test_rolling_has_the_range_of_each_figure_of_each_curve() -> None:
    report = whole_report()
    curve, benchmark = report.curves
    table = tables.rolling(report)

    assert table.columns == ("Over 126 sessions", "Lowest", "Median", "Highest", "Latest")
    assert [row[0] for row in table.rows] == [
        *("strategy Sharpe ratio", "strategy volatility", "SPY Sharpe ratio", "SPY volatility", "Beta to SPY")
    ]
    volatility = rolling_volatility(curve.returns)
    values = (volatility.min(), np.median(volatility), volatility.max(), volatility[-1])
    assert table.rows[1][1:] == tuple(wording.percent(float(value)) for value in values)
    betas = rolling_beta(curve.returns, benchmark.returns)
    values = (betas.min(), np.median(betas), betas.max(), betas[-1])
    assert table.rows[4][1:] == tuple(wording.ratio(float(value)) for value in values)


def test_rolling_without_benchmark_has_no_beta() -> None:
    table = tables.rolling(Report(result_with_sessions(benchmark=False)))

    assert [row[0] for row in table.rows] == ["strategy Sharpe ratio", "strategy volatility"]


@pytest.mark.parametrize(("sessions", "rows"), [(125, 0), (126, 5)])
def test_rolling_needs_a_full_window(sessions: int, rows: int) -> None:
    assert len(tables.rolling(Report(result_with_sessions(count=sessions + 1))).rows) == rows


def test_rolling_figure_that_is_not_defined_last_says_so() -> None:
    """A window in which nothing moved has no Sharpe ratio; without any window that has one, there is no row."""
    [row] = tables._rolling_row("x", np.array([1.0, 3.0, np.nan]), wording.ratio)

    assert row == ("x", "1.00", "2.00", "3.00", "not defined")
    assert list(tables._rolling_row("x", np.array([np.nan]), wording.ratio)) == []
