"""What a strategy owns and has gained after a run: computed from the ledger's fills and the run's marks. Pure."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import NamedTuple

from the_alchemiser.shared.ledger.ledger import UNATTRIBUTED, LedgerEntry
from the_alchemiser.shared.ledger.lots import LotBook, attributed_fills, match_lots
from the_alchemiser.shared.messaging.messages import RunCompleted

ACCOUNT = "ACCOUNT"
"""Stands for a strategy where the whole account is meant."""

_ZERO = Decimal(0)


class Performance(NamedTuple):
    """One owner after one run; everything in USD but holdings, in shares.

    Attributes:
        equity: of the account, whoever the owner is: what exposure is a fraction of.
        cost: paid for what is still held; None where it is not known, of shares that belong to no strategy.
        realised: gained by closing lots, since the beginning; None with cost.
        unrealised: gained if all were closed at the marks; None with cost.
        unmarked: symbols the broker no longer holds though the ledger says so: marked at their last fill.
    """

    strategy: str
    trading_date: date
    completed_at: datetime
    run_id: str
    equity: Decimal
    cash: Decimal | None
    market_value: Decimal
    cost: Decimal | None
    realised: Decimal | None
    unrealised: Decimal | None
    holdings: Mapping[str, Decimal]
    unmarked: tuple[str, ...] = ()

    @property
    def exposure(self) -> Decimal | None:
        """Market value as a fraction of the account's equity; None when there is no equity."""
        return self.market_value / self.equity if self.equity > 0 else None


def performances(run: RunCompleted, entries: Iterable[LedgerEntry]) -> tuple[Performance, ...]:
    """One performance a strategy that ever traded, by name; what belongs to none, if any; the account.

    Args:
        run: the day's result; its positions are the truth about what is held and its marks the prices.
        entries: every fill of every symbol ever traded; those of later days are left out, so that a day told late
            is what it would have been in time.
    """
    known = tuple(entry for entry in entries if _day(entry) <= run.trading_date)
    marks = {mark.symbol: mark.price for mark in run.positions}
    prices = {**_last_fills(known), **marks}
    fills = dict(sorted(attributed_fills(known).items()))
    had_others = fills.pop(UNATTRIBUTED, None) is not None
    strategies = tuple(_strategy(run, name, match_lots(parts), prices, marks) for name, parts in fills.items())
    others = _unattributed(run, strategies, prices)
    return (*strategies, *((others,) if others.holdings or had_others else ()), _account(run, strategies))


def _day(entry: LedgerEntry) -> date:
    # The session lies within one UTC day: 13:30 to 21:00 at the latest.
    return entry.filled_at.astimezone(UTC).date()


def _last_fills(entries: Iterable[LedgerEntry]) -> Mapping[str, Decimal]:
    return {entry.symbol: entry.price for entry in sorted(entries, key=lambda entry: entry.filled_at)}


def _strategy(
    run: RunCompleted, name: str, book: LotBook, prices: Mapping[str, Decimal], marks: Mapping[str, Decimal]
) -> Performance:
    held = {symbol: quantity for symbol, quantity in book.holdings().items() if quantity}
    return Performance(
        strategy=name,
        trading_date=run.trading_date,
        completed_at=run.occurred_at,
        run_id=run.run_id,
        equity=run.equity_after,
        cash=None,
        market_value=_value(held, prices),
        cost=book.cost,
        realised=book.gain,
        unrealised=book.unrealised(prices),
        holdings=held,
        unmarked=tuple(sorted(symbol for symbol in held if symbol not in marks)),
    )


def _unattributed(run: RunCompleted, strategies: Iterable[Performance], prices: Mapping[str, Decimal]) -> Performance:
    """What the broker holds beyond the strategies: there before them, or moved by hand; its cost nobody told us."""
    left = {mark.symbol: mark.quantity for mark in run.positions}
    for strategy in strategies:
        for symbol, quantity in strategy.holdings.items():
            left[symbol] = left.get(symbol, _ZERO) - quantity
    held = {symbol: quantity for symbol, quantity in sorted(left.items()) if quantity}
    return Performance(
        strategy=UNATTRIBUTED,
        trading_date=run.trading_date,
        completed_at=run.occurred_at,
        run_id=run.run_id,
        equity=run.equity_after,
        cash=None,
        market_value=_value(held, prices),
        cost=None,
        realised=None,
        unrealised=None,
        holdings=held,
    )


def _account(run: RunCompleted, strategies: tuple[Performance, ...]) -> Performance:
    return Performance(
        strategy=ACCOUNT,
        trading_date=run.trading_date,
        completed_at=run.occurred_at,
        run_id=run.run_id,
        equity=run.equity_after,
        cash=run.cash_after,
        market_value=sum((mark.quantity * mark.price for mark in run.positions), _ZERO),
        cost=sum((strategy.cost or _ZERO for strategy in strategies), _ZERO),
        realised=sum((strategy.realised or _ZERO for strategy in strategies), _ZERO),
        unrealised=sum((strategy.unrealised or _ZERO for strategy in strategies), _ZERO),
        holdings={mark.symbol: mark.quantity for mark in run.positions},
        unmarked=tuple(sorted({symbol for strategy in strategies for symbol in strategy.unmarked})),
    )


def _value(held: Mapping[str, Decimal], prices: Mapping[str, Decimal]) -> Decimal:
    return sum((quantity * prices[symbol] for symbol, quantity in held.items()), _ZERO)
