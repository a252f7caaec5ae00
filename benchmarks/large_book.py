"""Write a book of many strategies into a copy of the project, with a market for it.

Each strategy has two sets of symbols and holds one of them. All strategies change sides every day, so that each day
after the first one sells and buys as many symbols as there are strategies. Neighbouring strategies share symbols, so
each trade belongs to several of them. Prices are those of the bundled symbols, scaled. A coin, which rises on every
second day, decides which set to hold.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import numpy as np
from arro3.core import Array, DataType, Table
from arro3.io import write_parquet

from sandbox.exchange.history import load_history
from the_alchemiser.shared.book import BOOK

HISTORY, STRATEGIES = Path("sandbox/history"), Path("the_alchemiser/shared/strategies")
COIN = "COIN"
SYMBOLS_PER_STRATEGY = 5
_FIRST_DAY = date(2015, 1, 2)
_TAILS, _HEADS = 100.0, 101.0
_PRICE_PLACES = 4
_STRATEGY = """(defsymphony "Side {number}" {{:asset-class "EQUITIES", :rebalance-frequency :daily}}
  (if (> (cumulative-return "{coin}" {{:window 1}}) 0)
    [{heads}]
    [{tails}]))
"""
_ENTRY = """[[strategy]]
name = "side-{number}"
file = "side-{number}.clj"
allocation = "{allocation}"
inception = 2021-01-04

"""


@dataclass(frozen=True, slots=True)
class Series:
    """The closes of one symbol, in USD, dates ascending."""

    symbol: str
    dates: Sequence[date]
    closes: Sequence[float]


def symbols_of(strategies: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the symbols that a book holds after the coin has risen, and those that it holds otherwise."""
    return tuple(_symbols("H", strategies)), tuple(_symbols("T", strategies))


def replace_book_and_market(root: Path, strategies: int) -> None:
    """Replace the book and the market of a copy of the project."""
    market = tuple(_market(root / HISTORY, strategies))
    for path in (*(root / HISTORY).glob("*.parquet"), *(root / STRATEGIES).glob("*.clj")):
        path.unlink()
    write_parquet(_table(market), root / HISTORY / "closes.parquet")
    write_book(root / STRATEGIES, strategies)


def write_book(folder: Path, strategies: int) -> None:
    """Write so many strategy files and their book.toml; `1 / strategies` must be an exact decimal."""
    heads, tails = symbols_of(strategies)
    entries: list[str] = []
    for number in range(strategies):
        texts = {"heads": _assets(heads, number), "tails": _assets(tails, number)}
        (folder / f"side-{number}.clj").write_text(_STRATEGY.format(number=number, coin=COIN, **texts))
        entries.append(_ENTRY.format(number=number, allocation=Decimal(1) / strategies))
    (folder / BOOK).write_text("".join(entries))


def _symbols(first_letter: str, count: int) -> Iterator[str]:
    for number in range(count):
        second, third = divmod(number, len(ascii_uppercase))
        yield f"{first_letter}{ascii_uppercase[second]}{ascii_uppercase[third]}"


def _assets(symbols: Sequence[str], first: int) -> str:
    """Return the assets of a strategy: so many symbols from its own on, each with the same weight."""
    places = range(first, first + SYMBOLS_PER_STRATEGY)
    return " ".join(f'(asset "{symbols[place % len(symbols)]}" nil)' for place in places)


def _market(folder: Path, strategies: int) -> Iterator[Series]:
    """Yield the coin, and the book's symbols with the prices of the bundled symbols that reach back far enough."""
    bundled = [series for series in load_history(folder).values() if series.dates[0] <= _FIRST_DAY]
    common = set.intersection(*(set(series.dates) for series in bundled))
    days = sorted(day for day in common if day >= _FIRST_DAY)

    yield Series(COIN, days, [_HEADS if number % 2 else _TAILS for number in range(len(days))])
    heads, tails = symbols_of(strategies)
    for number, symbol in enumerate((*heads, *tails)):
        series, scale = bundled[number % len(bundled)], 1 + number / strategies
        closes = dict(zip(series.dates, series.closes, strict=True))
        yield Series(symbol, days, [round(closes[day] * scale, _PRICE_PLACES) for day in days])


def _table(market: Sequence[Series]) -> Table:
    symbols: list[str] = []
    dates: list[date] = []
    closes: list[float] = []
    for series in market:
        symbols += [series.symbol] * len(series.dates)
        dates += series.dates
        closes += series.closes
    columns: dict[str, Any] = {
        "symbol": Array(symbols, type=DataType.string()),
        "date": Array.from_numpy(np.array(dates, dtype="datetime64[D]")),
        "close": Array.from_numpy(np.array(closes)),
    }
    return Table.from_pydict(columns)
