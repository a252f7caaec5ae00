"""The prices of a backtest: bundled, or of a folder."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from desk.backtest.result import BENCHMARK
from the_alchemiser.strategy_v2.history import DAY, PriceHistory


@dataclass(frozen=True, slots=True)
class Prices:
    """The history that strategies decide and trade on, and that of the benchmark, which decides nothing.

    Attributes:
        origin: where they come from, for people.
        history: of the symbols asked for, on the sessions that one of them has a bar of.
    """

    origin: str
    history: PriceHistory
    benchmark: PriceHistory


def load_prices(bars: str, symbols: Iterable[str]) -> Prices:
    """Read the prices of some symbols.

    Args:
        bars: a folder; empty for the bundled prices.

    Raises:
        UsageError: there is no such folder, or there are no bars in it.
    """
    wanted = frozenset(symbols)
    if not bars:
        from desk.bundled import bundled_history  # noqa: PLC0415 - read only where they are used

        whole, origin = bundled_history(), "bundled prices"
    else:
        from desk.bars_folder import load_bars  # noqa: PLC0415 - likewise

        whole, origin = load_bars(Path(bars), wanted | {BENCHMARK}).history(), bars
    return Prices(origin, _own(whole, wanted), _own(whole, {BENCHMARK}))


def _own(history: PriceHistory, symbols: Iterable[str]) -> PriceHistory:
    """These symbols on their own calendar: a bar of another symbol makes no session."""
    selected = history.select(symbols)
    own = np.zeros(history.dates.shape, dtype=bool)
    for closes in selected.closes.values():
        own |= ~np.isnan(closes)
    for day in selected.flawed_from.values():
        # From there on a symbol has bars that must not be used: sessions all the same.
        own |= history.dates >= day
    kept = {symbol: closes[own] for symbol, closes in selected.closes.items()}
    return PriceHistory(history.dates[own].astype(DAY), kept, selected.flaws, selected.flawed_from)
