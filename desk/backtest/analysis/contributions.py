"""Divide the profit of a backtest between symbols and between strategies, to the cent. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import chain
from typing import NamedTuple

from desk.backtest.simulate import CENT, BacktestDay, Trade

_ZERO = Decimal(0)


class Contribution(NamedTuple):
    """The part of a symbol or strategy in the profit.

    Attributes:
        profit: USD, in whole cents: received for sells, minus paid for buys, plus the value held at the end.
        trades: filled trades of the symbol, or those that the strategy had a part in.
    """

    name: str
    profit: Decimal
    trades: int


class Contributions(NamedTuple):
    """The profit of a backtest, divided in two ways; either sums to the total exactly. The largest profit is first."""

    symbols: tuple[Contribution, ...]
    strategies: tuple[Contribution, ...]
    total: Decimal


def divide_profit(days: Sequence[BacktestDay], *, capital: Decimal) -> Contributions:
    """Divide the profit of the days, which is the last equity minus the capital.

    A strategy gets its attributed part of the cash of each trade and of the value held at the end. If strategies trade
    with each other inside one trade, they do so at its price.
    """
    trades = tuple(chain.from_iterable(day.trades for day in days))
    symbols: dict[str, Decimal] = defaultdict(Decimal)
    strategies: dict[str, Decimal] = defaultdict(Decimal)
    shares: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))

    for trade in trades:
        symbols[trade.symbol] += trade.cash
        _add(strategies, split_amount(trade.cash, trade.attribution))
        _add(shares[trade.symbol], trade.attribution)

    for symbol, value in days[-1].values.items():
        symbols[symbol] += value
        _add(strategies, split_amount(value, shares[symbol]))

    return Contributions(
        symbols=_ranked(symbols, Counter(trade.symbol for trade in trades)),
        strategies=_ranked(strategies, Counter(_participations(trades))),
        total=days[-1].equity - capital,
    )


def split_amount(amount: Decimal, parts: Mapping[str, Decimal]) -> Mapping[str, Decimal]:
    """Split USD in whole cents in proportion to signed shares; the largest share takes the rounding difference.

    Args:
        parts: at least one; they do not sum to 0.
    """
    if len(parts) == 1:
        return dict.fromkeys(parts, amount)
    per_share = amount / sum(parts.values(), _ZERO)
    split = {name: (per_share * part).quantize(CENT, ROUND_HALF_EVEN) for name, part in parts.items()}
    largest = max(sorted(parts), key=lambda name: abs(parts[name]))
    split[largest] += amount - sum(split.values(), _ZERO)
    return split


def largest(rows: Sequence[Contribution], count: int) -> Sequence[Contribution]:
    """Keep the contributions with the largest profits or losses, in their order, and add up the others."""
    if len(rows) <= count:
        return rows
    kept = sorted(rows, key=lambda row: (-abs(row.profit), row.name))[:count]
    others = [row for row in rows if row not in kept]
    profit = sum((row.profit for row in others), _ZERO)
    rest = Contribution(f"{len(others)} others", profit, sum(row.trades for row in others))
    return [*(row for row in rows if row in kept), rest]


def _participations(trades: Iterable[Trade]) -> Iterable[str]:
    for trade in trades:
        yield from trade.attribution


def _add(sums: dict[str, Decimal], amounts: Mapping[str, Decimal]) -> None:
    for name, amount in amounts.items():
        sums[name] += amount


def _ranked(profits: Mapping[str, Decimal], trades: Mapping[str, int]) -> tuple[Contribution, ...]:
    rows = (Contribution(name, profit, trades[name]) for name, profit in profits.items())
    return tuple(sorted(rows, key=lambda row: (-row.profit, row.name)))
