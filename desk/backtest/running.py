"""Run backtests: one, and for its robustness many that start later or cost more."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal

import numpy as np

from automation.system import console
from automation.system.errors import UsageError
from desk.backtest.analysis.robustness import COSTS_BPS, SHIFTS, Robustness, Variant, judge
from desk.backtest.fills import CloseFills
from desk.backtest.prices import Prices
from desk.backtest.result import BENCHMARK, Result, benchmark_curve
from desk.backtest.signals import Candidate, Signal, TradingSession, generate_signals
from desk.backtest.simulate import BacktestDay, Terms, simulate
from desk.backtest.statistics import Statistics, compute_statistics
from the_alchemiser.shared.symphony.tree import Threshold
from the_alchemiser.strategy_v2.arrays import Floats

LEAST_SESSIONS = 30
"""Fewer sessions than this say nothing about robustness."""


def backtest(
    candidates: Sequence[Candidate],
    prices: Prices,
    sessions: Sequence[TradingSession],
    *,
    capital: Decimal,
    costs_bps: Decimal,
) -> Result:
    """Evaluate and trade every session, and show the progress.

    Raises:
        EvaluationError: a strategy cannot be evaluated on a day.
        NoBarError: a symbol that is held or targeted has no price on a day.
    """
    terms = Terms(capital, CloseFills(prices.history, costs_bps=costs_bps))
    with console.steps("deciding", len(candidates) + len(sessions)) as on_step:
        signals = generate_signals(candidates, prices.history, sessions, on_decided=on_step)
        days = tuple(_count_days(simulate(signals, terms), on_step))

    curve, note = None, ""
    closes = _benchmark_closes(prices, sessions)
    if isinstance(closes, str):
        note = closes
    else:
        dates = (sessions[0].as_of, *(session.day for session in sessions))
        curve = benchmark_curve(dates, closes, capital)
    return Result(tuple(candidates), prices.origin, capital, costs_bps, days, curve, note)


def vary(result: Result, prices: Prices) -> Robustness:
    """Repeat a backtest with later starts, and with other costs.

    Raises:
        UsageError: the backtest has too few sessions.
        EvaluationError, NoBarError: as for `backtest`.
    """
    if len(result.days) < LEAST_SESSIONS:
        few = f"--robustness needs at least {LEAST_SESSIONS} sessions, the backtest has {len(result.days)}"
        raise UsageError(few, where="backtest")

    with console.steps("varying", len(SHIFTS) + len(COSTS_BPS)) as on_step:
        starts = tuple(_start_variants(result, prices, on_step))
        costs = tuple(_cost_variants(result, prices, on_step))

    return Robustness(
        starts=starts,
        starts_verdict=judge(starts[0].statistics, [variant.statistics for variant in starts]),
        costs=costs,
        costs_verdict=judge(result.curve.statistics, [variant.statistics for variant in costs]),
    )


def _start_variants(result: Result, prices: Prices, on_step: Callable[[str], None]) -> Iterator[Variant]:
    sessions = [day.signal.session for day in result.days]
    for shift in SHIFTS:
        signals = _signals(result, prices, sessions[shift:])
        returns = _returns(signals, result, prices, costs_bps=result.costs_bps)
        label = f"{shift} later" if shift else "as requested"
        on_step(f"start {label}")
        yield Variant(label, Decimal(shift), _statistics_of_last(returns, len(sessions) - SHIFTS[-1]))


def _cost_variants(result: Result, prices: Prices, on_step: Callable[[str], None]) -> Iterator[Variant]:
    signals = [day.signal for day in result.days]
    for costs_bps in COSTS_BPS:
        returns = _returns(signals, result, prices, costs_bps=costs_bps)
        on_step(f"costs of {costs_bps} bp")
        yield Variant(f"{costs_bps} bp", costs_bps, compute_statistics(returns))


def _signals(result: Result, prices: Prices, sessions: Sequence[TradingSession]) -> Iterable[Signal]:
    """Return the signals of a backtest that starts on the first of these sessions, its last ones."""
    if not any(_depends_on_start(candidate) for candidate in result.candidates):
        return [day.signal for day in result.days[-len(sessions) :]]
    return generate_signals(result.candidates, prices.history, sessions, on_decided=lambda _: None)


def _depends_on_start(candidate: Candidate) -> bool:
    """Return whether the strategy's weights on a day depend on the first day of the backtest."""
    return candidate.inception is None and isinstance(candidate.program.rebalance, Threshold)


def _returns(signals: Iterable[Signal], result: Result, prices: Prices, *, costs_bps: Decimal) -> Floats:
    terms = Terms(result.capital, CloseFills(prices.history, costs_bps=costs_bps))
    equity = [float(day.equity) for day in simulate(signals, terms)]
    values = np.array([float(result.capital), *equity])
    returns: Floats = values[1:] / values[:-1] - 1
    return returns


def _statistics_of_last(returns: Floats, count: int) -> Statistics:
    return compute_statistics(returns[-count:])


def _count_days(days: Iterator[BacktestDay], on_step: Callable[[str], None]) -> Iterator[BacktestDay]:
    for day in days:
        on_step(f"{day.date:%B %Y}")
        yield day


def _benchmark_closes(prices: Prices, sessions: Sequence[TradingSession]) -> Floats | str:
    """Return the benchmark's closes on the sessions, or why they cannot be compared."""
    history = prices.benchmark
    close_by_day = dict(zip(history.dates.tolist(), history.of(BENCHMARK).tolist(), strict=True))
    closes = np.array([close_by_day.get(session.day, np.nan) for session in sessions])
    missing = np.flatnonzero(np.isnan(closes))
    if not missing.size:
        return closes

    flaw = history.flaws.get(BENCHMARK)
    if flaw:
        return f"its bars are not usable: {flaw}"
    more = f" and {missing.size - 1} more sessions" if missing.size > 1 else ""
    return f"it has no bar for {sessions[missing[0]].day}{more}"
