"""Holdings and gains of each strategy after a run, from the ledger's fills, splits and the run's prices. Pure."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from the_alchemiser.shared.corporate_actions import CorporateActions
from the_alchemiser.shared.ledger.ledger import UNATTRIBUTED, LedgerEntry, session_date
from the_alchemiser.shared.ledger.lots import NO_ACTIONS, LotBook, attributed_fills, match_lots
from the_alchemiser.shared.messaging.messages import RunCompleted
from the_alchemiser.shared.performance.rows import ACCOUNT, Performance

_ZERO = Decimal(0)


def compute_performances(
    run: RunCompleted, entries: Iterable[LedgerEntry], actions: CorporateActions = NO_ACTIONS
) -> tuple[Performance, ...]:
    """Compute the figures of every owner after a run.

    Args:
        run: the completed run; its positions are what the account holds, and at which prices.
        entries: every fill of every symbol ever traded. Fills of later days are ignored, so a message that arrives late
            gives the same figures.
        actions: all known ones; a split with a later ex-date than the run's day is ignored too.

    Returns:
        The strategies that ever traded, by name; then UNATTRIBUTED, if there are or were such shares; then ACCOUNT.
    """
    past_entries = tuple(entry for entry in entries if session_date(entry.filled_at) <= run.trading_date)
    past_actions = actions.until(run.trading_date)
    marks = {mark.symbol: mark.price for mark in run.positions}
    prices = {**_last_fill_prices(past_entries, past_actions), **marks}

    fills = dict(sorted(attributed_fills(past_entries, past_actions).items()))
    had_unattributed = fills.pop(UNATTRIBUTED, None) is not None
    books = {name: match_lots(parts, past_actions) for name, parts in fills.items()}
    strategies = tuple(_strategy(run, name, book, prices, marks) for name, book in books.items())

    unattributed = _unattributed(run, strategies, prices)
    account = _account(run, strategies)
    if unattributed.holdings or had_unattributed:
        return (*strategies, unattributed, account)
    return (*strategies, account)


def _last_fill_prices(entries: Iterable[LedgerEntry], actions: CorporateActions) -> Mapping[str, Decimal]:
    """Return the price of each symbol's last fill, per share of today."""
    last = {entry.symbol: entry for entry in sorted(entries, key=lambda entry: entry.filled_at)}
    return {
        symbol: entry.price / actions.ratio(symbol, after=session_date(entry.filled_at), through=date.max)
        for symbol, entry in last.items()
    }


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
    """Compute the shares that the account holds beyond those of its strategies. Their cost is unknown."""
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
    unmarked: set[str] = set()
    for strategy in strategies:
        unmarked.update(strategy.unmarked)

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
        unmarked=tuple(sorted(unmarked)),
    )


def _value(held: Mapping[str, Decimal], prices: Mapping[str, Decimal]) -> Decimal:
    return sum((quantity * prices[symbol] for symbol, quantity in held.items()), _ZERO)
