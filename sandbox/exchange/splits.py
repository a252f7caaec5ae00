"""Apply splits to an account, at the first open of their ex-date."""

from collections.abc import Callable
from dataclasses import replace
from decimal import ROUND_DOWN

from sandbox.exchange.account import Account
from sandbox.exchange.corporate_actions import CorporateAction
from sandbox.exchange.market import Market
from sandbox.exchange.money import SHARE, ZERO, shares_down, to_cents
from sandbox.exchange.orders import Order
from sandbox.exchange.positions import Adjustment
from sandbox.exchange.sessions import Session, session_before


def apply(account: Account, market: Market, session: Session, *, cancel: Callable[[Order], None]) -> None:
    """Apply every split whose ex-date is this session, or a day since the one before.

    Args:
        cancel: cancels an open order of the symbol: its quantity and limit mean nothing after the split.
    """
    for action in market.actions.splits_between(session_before(session.date).date, session.date):
        for order in account.open_orders():
            if order.symbol == action.symbol:
                cancel(order)
        if action.symbol in account.positions:
            _adjust(account, market, session, action)


def _adjust(account: Account, market: Market, session: Session, action: CorporateAction) -> None:
    """Multiply the shares and divide their price; pay a fraction in cash where the symbol has whole shares only."""
    position = account.positions[action.symbol]
    exact = position.qty * action.new_rate / action.old_rate
    is_whole = action.symbol in account.whole_shares
    qty = exact.to_integral_value(ROUND_DOWN) if is_whole else shares_down(exact)
    price = market.price(action.symbol, session.opens) or ZERO
    cash = to_cents((exact - qty) * price) if is_whole else ZERO

    average = (position.avg_entry_price * action.old_rate / action.new_rate).quantize(SHARE)
    adjustment = Adjustment(action.symbol, session.date, position.qty, qty, cash)
    account.adjust(adjustment, replace(position, qty=qty, avg_entry_price=average), session.opens)
