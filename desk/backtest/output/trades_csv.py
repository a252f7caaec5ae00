"""Write all trades of a backtest as CSV, with exact numbers."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from automation.system import files
from desk.backtest.result import Result
from desk.backtest.simulate import RefusedTrade, Trade

COLUMNS = ("date", "symbol", "side", "quantity", "price", "cash", "outcome", "reason", "shares_by_strategy")
FILLED, REFUSED = "filled", "refused"


def write_trades(result: Result, path: Path) -> Path:
    """Write the file atomically.

    Returns:
        The absolute path of the file.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(trade_rows(result))
    files.write_atomically(path, text.getvalue())
    return path.resolve()


def trade_rows(result: Result) -> Iterator[Sequence[str]]:
    """Yield one row per filled or refused trade, by day: exact numbers, empty where a refused trade has none."""
    for day in result.days:
        yield from map(_filled_row, day.trades)
        yield from map(_refused_row, day.refused)


def _filled_row(trade: Trade) -> Sequence[str]:
    amounts = (f"{trade.quantity:f}", f"{trade.price:f}", f"{trade.cash:f}")
    parts = shares_by_strategy(trade.attribution)
    return (trade.day.isoformat(), trade.symbol, trade.side.value, *amounts, FILLED, trade.reason, parts)


def _refused_row(trade: RefusedTrade) -> Sequence[str]:
    amounts = (f"{trade.quantity:f}", "", "")
    reason = f"{trade.reason}: {trade.detail}"
    return (trade.day.isoformat(), trade.symbol, trade.side.value, *amounts, REFUSED, reason, "")


def shares_by_strategy(attribution: Mapping[str, Decimal]) -> str:
    """Format the signed shares of each strategy: `12.5 trend; -3 dip`.

    The number comes first, so that a spreadsheet never takes the name of a strategy for a formula.
    """
    return "; ".join(f"{shares.normalize():f} {name}" for name, shares in sorted(attribution.items()))
