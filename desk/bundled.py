"""The prices that are bundled with the sandbox, in the form the strategy engine reads."""

from functools import cache
from itertools import groupby
from pathlib import Path

from arro3.core import DataType
from arro3.io import read_parquet

from the_alchemiser.strategy_v2.history import DAY, PriceHistory

FOLDER = Path(__file__).resolve().parent.parent / "sandbox" / "history"


@cache
def bundled_history() -> PriceHistory:
    """Return the adjusted closes of every bundled symbol. They never change, so they are read once."""
    series = {}
    for path in sorted(FOLDER.glob("*.parquet")):
        table = read_parquet(path).read_all()
        dates = table["date"].cast(DataType.int32()).to_numpy().astype(DAY)
        closes = table["close"].cast(DataType.float64()).to_numpy()

        end = 0
        # The files keep the rows of a symbol together.
        for symbol, rows in groupby(table["symbol"].to_pylist()):
            start, end = end, end + sum(1 for _ in rows)
            series[symbol] = (dates[start:end], closes[start:end])
    return PriceHistory.from_series(series)
