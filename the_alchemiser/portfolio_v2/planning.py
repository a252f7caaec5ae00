"""Reads what a plan depends on, each thing once, and computes the plan: a run's signal becomes decisions."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import chain

from the_alchemiser.portfolio_v2.left_out import check_targets, leave_out, quarantine, value_left_alone
from the_alchemiser.portfolio_v2.market import Brokerage, Listing, last_closes, read_listing, shares_to_come
from the_alchemiser.portfolio_v2.rebalance import Holding, Instrument, Portfolio, Rules, Target, plan, symbols_of
from the_alchemiser.portfolio_v2.signal_check import check_signal
from the_alchemiser.portfolio_v2.split_check import check_splits_are_booked
from the_alchemiser.shared.broker.account_check import require_account
from the_alchemiser.shared.broker.models import Position
from the_alchemiser.shared.corporate_actions import CorporateActions
from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.shared.ledger.ledger import Ledger, LedgerEntry
from the_alchemiser.shared.ledger.lots import holdings
from the_alchemiser.shared.messaging.messages import SignalGenerated
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.run.plan import RebalancePlan
from the_alchemiser.shared.run.runs import Run
from the_alchemiser.shared.threads import map_in_threads

_ZERO = Decimal(0)


class AccountBlockedError(AlchemiserError):
    """The broker has blocked trading on the account: a person must act."""


class Sources(Frozen):
    """Where a plan's facts come from.

    Attributes:
        actions: returns the known corporate actions.
        account: the number of the account that the environment trades; empty for any.
    """

    broker: Brokerage
    ledger: Ledger
    actions: Callable[[], CorporateActions]
    account: str = ""


def compute_plan(run: Run, signal: SignalGenerated, sources: Sources, rules: Rules) -> RebalancePlan:
    """Read the account, the prices and the ledger, and decide on every symbol.

    Raises:
        EmptySignalError, InvalidWeightsError: the signal is wrong.
        WrongAccountError: the account is not the environment's.
        AccountBlockedError, AccountEmptyError: the account cannot trade.
        NoTradableTargetError: no target can be traded.
        MissingPriceError, SplitNotBookedError: prices or positions are not to be had now.
        BrokerError, StateUnavailableError, CorporateActionsMalformedError: something could not be read.
    """
    check_signal(signal)
    broker = sources.broker
    account = broker.account()
    require_account(account, sources.account)
    if account.trading_blocked:
        raise AccountBlockedError(f"the broker blocks trading on account {account.id} ({account.status})")

    target = Target(signal.weights, signal.contributions)
    positions = {position.symbol: position for position in broker.positions()}
    never_handled = quarantine(positions.values())
    held = _holdings(positions, shares_to_come(broker, run.trading_date))
    symbols = tuple(symbol for symbol in symbols_of(target, held) if symbol not in never_handled)

    listing = _with_own_prices(read_listing(broker, symbols), symbols, positions)
    left_out = leave_out(
        symbols, target.weights, assets=listing.assets, prices=listing.prices, quarantined=never_handled
    )
    left_alone = value_left_alone(account, positions.values(), left_out.quarantined)
    check_targets(target.weights, left_out)

    actions = sources.actions()
    entries = _ledger_entries(sources.ledger, symbols)
    check_splits_are_booked(
        run, {symbol: held[symbol].quantity for symbol in symbols if symbol in held}, entries, actions
    )
    attributed = holdings(entries, actions.until(run.trading_date))
    closes = last_closes(broker, run, _known_closes(symbols, signal, listing, positions), actions)

    portfolio = Portfolio(account.equity, account.cash, held, attributed, left_alone)
    instruments = _instruments(listing, closes)
    return plan(run.run_id, target, portfolio, instruments, rules, left_out=left_out)


def _holdings(positions: Mapping[str, Position], incoming: Mapping[str, Decimal]) -> Mapping[str, Holding]:
    held: dict[str, Holding] = {}
    for symbol in positions.keys() | incoming.keys():
        position = positions.get(symbol)
        quantity = _ZERO if position is None else position.quantity
        available = _ZERO if position is None else position.available
        held[symbol] = Holding(quantity, available, incoming.get(symbol, _ZERO))
    return held


def _with_own_prices(listing: Listing, symbols: Iterable[str], positions: Mapping[str, Position]) -> Listing:
    """Price a held symbol without a latest trade as the broker prices the position."""
    prices = dict(listing.prices)
    for symbol in symbols:
        position = positions.get(symbol)
        if symbol not in prices and position is not None and position.current_price:
            prices[symbol] = position.current_price
    return listing.changed(prices=prices)


def _ledger_entries(ledger: Ledger, symbols: Iterable[str]) -> tuple[LedgerEntry, ...]:
    return tuple(chain.from_iterable(map_in_threads(ledger.entries_of, symbols).values()))


def _known_closes(
    symbols: Sequence[str], signal: SignalGenerated, listing: Listing, positions: Mapping[str, Position]
) -> Mapping[str, Decimal]:
    """Return the close of each symbol: the signal's, otherwise the position's, otherwise the price."""
    closes: dict[str, Decimal] = {}
    for symbol in listing.prices.keys() & set(symbols):
        position = positions.get(symbol)
        own_close = None if position is None else position.last_close
        candidates = (signal.closes.get(symbol), own_close)
        closes[symbol] = next((close for close in candidates if close and close > 0), listing.prices[symbol])
    return closes


def _instruments(listing: Listing, closes: Mapping[str, Decimal]) -> Mapping[str, Instrument]:
    return {
        symbol: Instrument(listing.prices[symbol], close, is_fractionable=listing.assets[symbol].fractionable)
        for symbol, close in closes.items()
        if symbol in listing.assets
    }
