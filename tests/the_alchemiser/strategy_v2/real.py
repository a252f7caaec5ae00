"""The bundled market history as a PriceHistory."""

from functools import cache
from pathlib import Path

import numpy as np
from arro3.core import DataType
from arro3.io import read_parquet

from the_alchemiser.strategy_v2.history import DAY, PriceHistory

_FOLDER = Path(__file__).parents[3] / "sandbox" / "history"
_FIRST, _LAST = np.datetime64("2020-01-02"), np.datetime64("2022-12-28")


@cache
def real_history() -> PriceHistory:
    """Return all bundled symbols over the sessions that they share."""
    series = {}
    for name in ("ohlcv.parquet", "closes.parquet"):
        table = read_parquet(_FOLDER / name).read_all()
        symbols = np.array(table["symbol"].to_pylist())
        dates = np.array(table["date"].to_pylist(), dtype=DAY)
        closes = table["close"].cast(DataType.float64()).to_numpy()
        shared = (dates >= _FIRST) & (dates <= _LAST)
        for symbol in np.unique(symbols).tolist():
            rows = shared & (symbols == symbol)
            series[symbol] = (dates[rows], closes[rows])
    return PriceHistory.from_series(series)
