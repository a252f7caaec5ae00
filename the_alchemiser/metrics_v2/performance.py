"""What each owner has after a run: from fills, splits, the broker's activities and the run's prices. Pure."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from the_alchemiser.shared.broker.models import Activity
from the_alchemiser.shared.corporate_actions import CorporateActions
from the_alchemiser.shared.formats import CENT
from the_alchemiser.shared.ledger.ledger import UNATTRIBUTED, LedgerEntry, session_date
from the_alchemiser.shared.ledger.lots import NO_ACTIONS, AttributedFill, attributed_fills, match_lots
from the_alchemiser.shared.messaging.messages import RunCompleted
from the_alchemiser.shared.performance.activities import SPLIT, activity_totals
from the_alchemiser.shared.performance.rows import ACCOUNT, AccountTotals, Performance
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.values import Side

_ZERO = Decimal(0)


class _Evidence(Frozen):
    """A run, and everything that had happened when it completed.

    Attributes:
        fills: of each owner, with the sales of fractions that splits left.
        traded: of each owner, turnover and slippage.
        prices: USD per share of every symbol ever held; `marked` are those that the broker reports a price for.
    """

    run: RunCompleted
    entries: tuple[LedgerEntry, ...]
    actions: CorporateActions
    activities: tuple[Activity, ...]
    fills: Mapping[str, tuple[AttributedFill, ...]]
    traded: Mapping[str, tuple[Decimal, Decimal]]
    prices: Mapping[str, Decimal]
    marked: frozenset[str]


def compute_performances(
    run: RunCompleted,
    entries: Iterable[LedgerEntry],
    actions: CorporateActions = NO_ACTIONS,
    activities: Iterable[Activity] = (),
) -> tuple[Performance, ...]:
    """Compute the rows of every owner after a run.

    What happened after the run had completed is ignored, so a message that arrives late gives the same rows.

    Args:
        run: the completed run; its positions are what the account holds, and at which prices.
        entries: every fill of every symbol ever traded.
        actions: all known ones.
        activities: all that the account ever had.

    Returns:
        The strategies that ever traded, by name; then UNATTRIBUTED, if there are or were such shares; then ACCOUNT.
    """
    evidence = _evidence(run, entries, actions, activities)
    strategies = tuple(_strategy(evidence, name) for name in sorted(evidence.fills) if name != UNATTRIBUTED)
    unattributed = _unattributed(evidence, strategies)
    has_unattributed = bool(unattributed.holdings) or UNATTRIBUTED in evidence.fills
    owners = (*strategies, unattributed) if has_unattributed else strategies
    return (*owners, _account(evidence, strategies, unattributed, owners))


def _evidence(
    run: RunCompleted, entries: Iterable[LedgerEntry], actions: CorporateActions, activities: Iterable[Activity]
) -> _Evidence:
    # The broker's clock and the times of its fills may differ by moments: a trade that has ended counts with all fills.
    ended = {outcome.trade_id for outcome in run.outcomes if not outcome.unsettled}
    past = tuple(entry for entry in entries if entry.filled_at <= run.occurred_at or entry.trade_id in ended)
    past_actions = actions.until(run.trading_date)
    marks = {mark.symbol: mark.price for mark in run.positions}
    return _Evidence(
        run=run,
        entries=past,
        actions=past_actions,
        activities=tuple(activities),
        fills=attributed_fills(past, past_actions),
        traded=_traded(past),
        prices={**_last_fill_prices(past, past_actions), **marks},
        marked=frozenset(marks),
    )


def _traded(entries: Iterable[LedgerEntry]) -> Mapping[str, tuple[Decimal, Decimal]]:
    """Return turnover and slippage by owner, in one pass: years of trades have many fills and many owners."""
    traded: dict[str, tuple[Decimal, Decimal]] = {}
    for entry in entries:
        for owner, shares in entry.attribution.items():
            turnover, slippage = traded.get(owner, (_ZERO, _ZERO))
            traded[owner] = turnover + abs(shares) * entry.price, slippage + _slippage(entry, shares)
    return traded


def _last_fill_prices(entries: Iterable[LedgerEntry], actions: CorporateActions) -> Mapping[str, Decimal]:
    """Return the price of each symbol's last fill, per share of today."""
    last = {entry.symbol: entry for entry in sorted(entries, key=lambda entry: entry.filled_at)}
    return {
        symbol: entry.price / actions.ratio(symbol, after=session_date(entry.filled_at), through=date.max)
        for symbol, entry in last.items()
    }


def _strategy(evidence: _Evidence, name: str) -> Performance:
    book = match_lots(evidence.fills[name], evidence.actions)
    held = {symbol: quantity for symbol, quantity in book.holdings().items() if quantity}

    return _row(evidence, name, held).changed(
        cost=book.cost,
        realised=book.gain,
        unrealised=book.unrealised(evidence.prices),
        unmarked=tuple(sorted(symbol for symbol in held if symbol not in evidence.marked)),
        closed_lots=len(book.realised),
        winning_lots=sum(1 for closed in book.realised if closed.gain > 0),
    )


def _unattributed(evidence: _Evidence, strategies: Iterable[Performance]) -> Performance:
    """Compute the shares that the account holds beyond those of its strategies. Their cost is unknown."""
    left = {mark.symbol: mark.quantity for mark in evidence.run.positions}
    for strategy in strategies:
        for symbol, quantity in strategy.holdings.items():
            left[symbol] = left.get(symbol, _ZERO) - quantity

    held = {symbol: quantity for symbol, quantity in sorted(left.items()) if quantity}
    row = _row(evidence, UNATTRIBUTED, held)
    # A deposit of shares is not a gain: they count as bought with the money that they were worth.
    deposited = activity_totals(evidence.activities, until=evidence.run.occurred_at).shares
    return row.changed(proceeds=(row.proceeds or _ZERO) - deposited)


def _row(evidence: _Evidence, owner: str, held: Mapping[str, Decimal]) -> Performance:
    """Return the row of an owner without what only its lots say."""
    run = evidence.run
    turnover, slippage = evidence.traded.get(owner, (_ZERO, _ZERO))

    return Performance(
        strategy=owner,
        trading_date=run.trading_date,
        completed_at=run.occurred_at,
        run_id=run.run_id,
        equity=run.equity_after,
        cash=None,
        market_value=sum((quantity * evidence.prices[symbol] for symbol, quantity in held.items()), _ZERO),
        cost=None,
        realised=None,
        unrealised=None,
        holdings=held,
        proceeds=_proceeds(evidence.fills.get(owner, ())),
        turnover=turnover,
        slippage=slippage,
    )


def _account(
    evidence: _Evidence, strategies: tuple[Performance, ...], unattributed: Performance, owners: Iterable[Performance]
) -> Performance:
    run = evidence.run
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
        cost=_total(strategies, "cost"),
        realised=_total(strategies, "realised"),
        unrealised=_total(strategies, "unrealised"),
        holdings={mark.symbol: mark.quantity for mark in run.positions},
        unmarked=tuple(sorted(unmarked)),
        proceeds=sum((entry.cash for entry in evidence.entries), _ZERO),
        turnover=sum((entry.quantity * entry.price for entry in evidence.entries), _ZERO),
        slippage=sum((_slippage(entry, _signed(entry)) for entry in evidence.entries), _ZERO),
        closed_lots=sum(strategy.closed_lots or 0 for strategy in strategies),
        winning_lots=sum(strategy.winning_lots or 0 for strategy in strategies),
        account=_totals(evidence, strategies, unattributed, tuple(owner.strategy for owner in owners)),
    )


def _totals(
    evidence: _Evidence, strategies: Iterable[Performance], unattributed: Performance, owners: tuple[str, ...]
) -> AccountTotals:
    run = evidence.run
    activities = activity_totals(evidence.activities, until=run.occurred_at)
    is_first = all(entry.run_id == run.run_id for entry in evidence.entries)

    return AccountTotals(
        owners=owners,
        strategies=sum((strategy.market_value + (strategy.proceeds or _ZERO) for strategy in strategies), _ZERO),
        unattributed=unattributed.market_value + (unattributed.proceeds or _ZERO),
        deposits=activities.deposits,
        fees=activities.fees,
        dividends=activities.dividends,
        interest=activities.interest,
        other=_without_credited_splits(evidence, activities.other),
        rounding=_rounding(evidence),
        opening_equity=run.equity_before if is_first else None,
    )


def _without_credited_splits(evidence: _Evidence, other: Mapping[str, Decimal]) -> Mapping[str, Decimal]:
    """Return the other activities without the cash in lieu that owners were credited with; usually nothing is left."""
    credited = sum((_proceeds(fills) for fills in evidence.fills.values()), _ZERO)
    traded = sum((-_signed(entry) * entry.price for entry in evidence.entries), _ZERO)
    beyond = other.get(SPLIT, _ZERO) - (credited - traded)
    others = {kind: amount for kind, amount in other.items() if kind != SPLIT}
    return others | {SPLIT: beyond} if beyond else others


def _rounding(evidence: _Evidence) -> Decimal:
    """Return what the broker's rounding to cents has added: to the cash of each order, and to each position's value."""
    cash = sum((entry.cash + _signed(entry) * entry.price for entry in evidence.entries), _ZERO)
    values = (mark.quantity * mark.price for mark in evidence.run.positions)
    return cash + sum((value.quantize(CENT, ROUND_HALF_UP) - value for value in values), _ZERO)


def _proceeds(fills: Iterable[AttributedFill]) -> Decimal:
    return sum((-fill.quantity * fill.price for fill in fills), _ZERO)


def _slippage(entry: LedgerEntry, shares: Decimal) -> Decimal:
    """Return what signed shares of a fill cost more than planned; fills of earlier releases have no such price."""
    return _ZERO if entry.planning_price is None else shares * (entry.price - entry.planning_price)


def _signed(entry: LedgerEntry) -> Decimal:
    return entry.quantity if entry.side is Side.BUY else -entry.quantity


def _total(strategies: Iterable[Performance], name: str) -> Decimal:
    return sum((getattr(strategy, name) for strategy in strategies), _ZERO)
