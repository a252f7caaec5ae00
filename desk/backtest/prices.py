"""Load the prices of a backtest: the bundled ones, or those of a folder."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from desk.backtest.result import BENCHMARK
from the_alchemiser.strategy_v2.history import DAY, PriceHistory


@dataclass(frozen=True, slots=True)
class Prices:
    """The prices of the strategies and of the benchmark.

    Attributes:
        origin: where the prices come from, in words.
        history: the strategies' symbols, on the sessions for which at least one of them has a bar.
        benchmark: the benchmark on its own sessions; it does not influence any decision.
    """

    origin: str
    history: PriceHistory
    benchmark: PriceHistory


def load_prices(bars: str, symbols: Iterable[str]) -> Prices:
    """Read the prices of some symbols.

    Args:
        bars: a folder; empty for the bundled prices.

    Raises:
        UsageError: the folder does not exist or contains no bars.
    """
    wanted = frozenset(symbols)
    if not bars:
        from desk.bundled import bundled_history  # noqa: PLC0415 - read only when the bundled prices are used

        history, origin = bundled_history(), "bundled prices"
    else:
        from desk.bars_folder import load_bars  # noqa: PLC0415 - read only when a folder is used

        history, origin = load_bars(Path(bars), wanted | {BENCHMARK}).history(), bars
    return Prices(origin, _select_on_own_calendar(history, wanted), _select_on_own_calendar(history, {BENCHMARK}))


def _select_on_own_calendar(history: PriceHistory, symbols: Iterable[str]) -> PriceHistory:
    """Select symbols and only their own sessions: a bar of another symbol does not create a session."""
    selected = history.select(symbols)
    is_session = np.zeros(history.dates.shape, dtype=bool)
    for closes in selected.closes.values():
        is_session |= ~np.isnan(closes)
    for day in selected.flawed_from.values():
        # From this day on a symbol has bars that must not be used, but they still mark sessions.
        is_session |= history.dates >= day

    closes_kept = {symbol: closes[is_session] for symbol, closes in selected.closes.items()}
    return PriceHistory(history.dates[is_session].astype(DAY), closes_kept, selected.flaws, selected.flawed_from)
