"""The prices that come with the sandbox, as the engine reads them."""

from functools import cache
from itertools import groupby
from pathlib import Path

from arro3.core import DataType
from arro3.io import read_parquet

from the_alchemiser.strategy_v2.history import DAY, PriceHistory

FOLDER = Path(__file__).resolve().parent.parent / "sandbox" / "history"


@cache
def bundled_history() -> PriceHistory:
    """Adjusted closes of every bundled symbol; the same value every time, so read once."""
    series = {}
    for path in sorted(FOLDER.glob("*.parquet")):
        table = read_parquet(path).read_all()
        dates = table["date"].cast(DataType.int32()).to_numpy().astype(DAY)
        closes = table["close"].cast(DataType.float64()).to_numpy()
        end = 0
        # The rows of a symbol stand together.
        for symbol, rows in groupby(table["symbol"].to_pylist()):
            start, end = end, end + sum(1 for _ in rows)
            series[symbol] = (dates[start:end], closes[start:end])
    return PriceHistory.from_series(series)
