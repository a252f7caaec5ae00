"""`inv data.get`: print the bars of one symbol."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from automation.system import console
from automation.system.errors import UsageError
from desk.data.stored_lake import Connect, opened, parse_symbols
from desk.operations.environment import connect
from desk.strategies.arguments import parse_day
from the_alchemiser.shared.formats import plural
from the_alchemiser.shared.market_data.bars import Bars, DailyBar

TASK = "data.get"
_NUMBERS = DailyBar._fields[1:]


@dataclass(frozen=True, slots=True)
class GetRequest:
    """The options of `data.get` as typed; an empty date means the first or the last bar."""

    symbols: Sequence[str]
    start: str = ""
    end: str = ""
    as_csv: bool = False
    as_json: bool = False


def get(root: Path, name: str, request: GetRequest, *, connect: Connect = connect) -> None:
    """Print the bars of one symbol of the environment `name`, as a table, CSV or JSON.

    Raises:
        UsageError: an option is invalid, or the lake does not have such bars.
        CheckFailedError: the stored object is damaged.
        AutomationError: the environment cannot be used, or AWS does not answer.
    """
    symbols = parse_symbols(request.symbols, task=TASK)
    if len(symbols) != 1:
        raise UsageError(f"expected one symbol, got {len(symbols)}; run inv {TASK} SPY --env {name or 'E'}", where=TASK)
    if request.as_csv and request.as_json:
        raise UsageError("--csv and --json exclude each other; leave one out", where=TASK)
    start = parse_day(request.start, option="--start", task=TASK) if request.start else date.min
    end = parse_day(request.end, option="--end", task=TASK) if request.end else date.max
    if start > end:
        raise UsageError(f"--start {start} is after --end {end}", where=TASK)

    with opened(connect(root, name)) as lake:
        bars = lake.read(symbols[0]).bars
    chosen = tuple(bar for bar in bars if start <= bar.date <= end)
    if not chosen:
        has = f"it has {plural(len(bars), 'bar')} from {bars[0].date} through {bars[-1].date}"
        raise UsageError(f"{symbols[0]} has no bars in these dates; {has}", where=TASK)
    _print(symbols[0], chosen, request)


def _print(symbol: str, bars: Bars, request: GetRequest) -> None:
    if request.as_csv:
        console.results(csv_text(bars).splitlines())
    elif request.as_json:
        console.result_json({"symbol": symbol, "bars": [bar._asdict() for bar in bars]})
    else:
        rows = [(bar.date, *(f"{number:.10g}" for number in bar[1:])) for bar in bars]
        console.table(DailyBar._fields, rows, right=_NUMBERS)
        console.result(f"{symbol}: {plural(len(bars), 'bar')}")


def csv_text(bars: Bars) -> str:
    """Return bars as CSV with a header. Every number has all of its digits."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(DailyBar._fields)
    writer.writerows((bar.date, *map(repr, bar[1:])) for bar in bars)
    return text.getvalue()
