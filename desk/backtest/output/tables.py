"""The rows of the tables that both the terminal and the page show, as text. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import NamedTuple

import numpy as np

from desk.backtest.analysis import distribution, relative
from desk.backtest.analysis.comparison import Comparison
from desk.backtest.analysis.contributions import Contribution
from desk.backtest.analysis.robustness import Variant
from desk.backtest.analysis.rolling import WINDOW, rolling_beta, rolling_sharpe, rolling_volatility
from desk.backtest.analysis.split import Split
from desk.backtest.output import wording
from desk.backtest.report import Report
from desk.backtest.result import BENCHMARK, TURNOVER_DEFINITION, Result
from desk.backtest.statistics import DEFINITIONS
from the_alchemiser.shared import formats
from the_alchemiser.strategy_v2.arrays import Floats

_VARIED = ("total_return", "cagr", "volatility", "sharpe", "max_drawdown")


class Table(NamedTuple):
    """A table of text; the first column names the row, the others are numbers."""

    columns: tuple[str, ...]
    rows: tuple[Sequence[str], ...]


class Figure(NamedTuple):
    """A named figure of each curve, and its definition; a curve that does not have it has an empty text."""

    title: str
    values: tuple[str, ...]
    definition: str


def statistics(report: Report) -> tuple[Figure, ...]:
    """Return the statistics, the relation to the benchmark, and the turnover."""
    of_curves = [asdict(curve.statistics) for curve in report.curves]
    figures = list(_figures(of_curves, wording.TITLES, DEFINITIONS))

    missing = ("",) * (len(of_curves) - 1)
    if report.relative is not None:
        values = asdict(report.relative)
        for name, title in wording.RELATIVE_TITLES.items():
            own = wording.statistic(name, values[name])
            figures.append(Figure(title, (own, *missing), relative.DEFINITIONS[name]))
    figures.append(Figure("Turnover per year", (wording.turnover(report.result), *missing), TURNOVER_DEFINITION))
    return tuple(figures)


def distributions(report: Report) -> tuple[Figure, ...]:
    """Return the figures of the distribution of daily returns."""
    of_curves = [asdict(described) for described in report.distributions]
    return tuple(_figures(of_curves, wording.DISTRIBUTION_TITLES, distribution.DEFINITIONS))


def _figures(
    of_curves: Sequence[Mapping[str, float | None]], titles: Mapping[str, str], definitions: Mapping[str, str]
) -> Iterator[Figure]:
    for name, title in titles.items():
        values = tuple(wording.statistic(name, of_curve[name]) for of_curve in of_curves)
        yield Figure(title, values, definitions[name])


def rolling(report: Report) -> Table:
    """Return where each rolling figure was lowest, in the middle, highest and last; no row without a full window."""
    columns = (f"Over {WINDOW} sessions", "Lowest", "Median", "Highest", "Latest")
    rows: list[Sequence[str]] = []
    for curve in report.curves:
        rows += _rolling_row(f"{curve.name} Sharpe ratio", rolling_sharpe(curve.returns), wording.ratio)
        rows += _rolling_row(f"{curve.name} volatility", rolling_volatility(curve.returns), wording.percent)
    if report.result.benchmark is not None:
        betas = rolling_beta(report.result.curve.returns, report.result.benchmark.returns)
        rows += _rolling_row(f"Beta to {BENCHMARK}", betas, wording.ratio)
    return Table(columns, tuple(rows))


def _rolling_row(title: str, values: Floats, text: Callable[[float | None], str]) -> Iterator[Sequence[str]]:
    known = values[~np.isnan(values)]
    if known.size:
        latest = None if np.isnan(values[-1]) else float(values[-1])
        yield (title, *(text(float(value)) for value in (known.min(), np.median(known), known.max())), text(latest))


def years(report: Report) -> Table:
    """Return one row per year: its return, beside the benchmark's, and its risk."""
    result = report.result
    columns = ("Year", "Return", *([] if result.benchmark is None else [BENCHMARK, "Difference"]))
    return Table((*columns, "Volatility", "Sharpe ratio", "Maximum drawdown"), tuple(_year_rows(result)))


def _year_rows(result: Result) -> Iterator[Sequence[str]]:
    benchmarks = {} if result.benchmark is None else result.benchmark.year_statistics()
    for year, own in result.curve.year_statistics().items():
        row = [str(year), wording.percent(own.total_return)]
        if benchmarks:
            other = benchmarks[year].total_return
            change = wording.difference("total_return", other, own.total_return)
            row += [wording.percent(other), change]
        risk = (wording.percent(own.volatility), wording.ratio(own.sharpe), wording.percent(own.max_drawdown))
        yield (*row, *risk)


def contributions(rows: Sequence[Contribution], report: Report, *, kind: str) -> Table:
    """Return one row per symbol or strategy, and the total.

    Args:
        kind: what the first column names.
    """
    capital = report.result.capital
    lines = [
        (row.name, formats.money(row.profit), formats.signed_percent(row.profit / capital), f"{row.trades:,}")
        for row in rows
    ]
    total = report.contributions.total
    trades = f"{len(report.result.trades):,}"
    lines.append(("Total", formats.money(total), formats.signed_percent(total / capital), trades))
    return Table((kind, "Profit", "Of the capital", "Trades"), tuple(lines))


def split(split: Split) -> Table:
    """Return the statistics of each curve in sample and out of sample, and their change."""
    columns = ["Statistic"]
    for curve in split.curves:
        columns += [f"{curve.name}, in sample", "out of sample", "change"]

    rows = []
    for name, title in wording.TITLES.items():
        row = [title]
        for curve in split.curves:
            inside, outside = getattr(curve.in_sample, name), getattr(curve.out_of_sample, name)
            row += [wording.statistic(name, inside), wording.statistic(name, outside)]
            row.append(wording.difference(name, inside, outside))
        rows.append(row)
    return Table(tuple(columns), tuple(rows))


def comparison(comparison: Comparison) -> Table:
    """Return the statistics of two backtests and their difference; trades and costs if both have the same sessions."""
    rows: list[Sequence[str]] = []
    for name, title in wording.TITLES.items():
        ours, theirs = getattr(comparison.ours.statistics, name), getattr(comparison.theirs.statistics, name)
        difference = wording.difference(name, theirs, ours)
        rows.append((title, wording.statistic(name, ours), wording.statistic(name, theirs), difference))

    if comparison.is_whole:
        (our_trades, their_trades), (our_costs, their_costs) = comparison.trades, comparison.costs
        change = f"{our_trades - their_trades:+,}".replace("-", formats.MINUS)
        rows.append(("Trades", f"{our_trades:,}", f"{their_trades:,}", "0" if our_trades == their_trades else change))
        costs = (formats.money(our_costs), formats.money(their_costs), formats.signed_money(our_costs - their_costs))
        rows.append(("Costs", *costs))
    return Table(("Statistic", "this backtest", comparison.name, "difference"), tuple(rows))


def variants(variants: Sequence[Variant], *, kind: str) -> Table:
    """Return one row per variant of a backtest.

    Args:
        kind: what was varied.
    """
    columns = (kind, *(wording.TITLES[name] for name in _VARIED))
    return Table(columns, tuple(_variant_row(variant) for variant in variants))


def _variant_row(variant: Variant) -> Sequence[str]:
    values = (wording.statistic(name, getattr(variant.statistics, name)) for name in _VARIED)
    return (variant.label, *values)
