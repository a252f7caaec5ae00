"""Trading answers: money and quantities as decimal strings, times as RFC 3339."""

from datetime import datetime
from decimal import Decimal

from sandbox.exchange.account import Account, Position, Prices
from sandbox.exchange.assets import Asset, asset_of
from sandbox.exchange.market import Market
from sandbox.exchange.money import ZERO, cents, plain, plain_or_none
from sandbox.exchange.order_forms import intent_of
from sandbox.exchange.orders import Fill, Order, OrderStatus
from sandbox.exchange.sessions import NEW_YORK, Session, next_session, session_after, session_open_at

Json = dict[str, object]

_RATIO_PLACES = Decimal("0.000001")
_MAINTENANCE = Decimal("0.3")


def utc(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def utc_or_none(moment: datetime | None) -> str | None:
    return None if moment is None else utc(moment)


def eastern(moment: datetime) -> str:
    return moment.astimezone(NEW_YORK).isoformat()


def render_order(order: Order) -> Json:
    asset = asset_of(order.symbol)
    return {
        "id": str(order.id),
        "client_order_id": order.client_order_id,
        "created_at": utc(order.submitted_at),
        "updated_at": utc(order.updated_at),
        "submitted_at": utc(order.submitted_at),
        "filled_at": utc_or_none(order.filled_at),
        "expired_at": utc_or_none(order.expired_at),
        "expires_at": utc(order.expires_at),
        "canceled_at": utc_or_none(order.canceled_at),
        "failed_at": utc_or_none(order.failed_at),
        "replaced_at": utc_or_none(order.replaced_at),
        "replaced_by": None if order.replaced_by is None else str(order.replaced_by),
        "replaces": None if order.replaces is None else str(order.replaces),
        "asset_id": str(asset.id),
        "symbol": order.symbol,
        "asset_class": "us_equity",
        "notional": plain_or_none(order.notional),
        "qty": plain_or_none(order.qty),
        "filled_qty": plain(order.filled_qty),
        "filled_avg_price": plain_or_none(order.filled_avg_price),
        "order_class": "",
        "order_type": order.type.value,
        "type": order.type.value,
        "side": order.side.value,
        "time_in_force": order.time_in_force.value,
        "limit_price": plain_or_none(order.limit_price),
        "stop_price": None,
        "status": order.status.value,
        "extended_hours": order.extended_hours,
        "legs": None,
        "trail_percent": None,
        "trail_price": None,
        "hwm": None,
        "position_intent": intent_of(order.side),
        "subtag": None,
        "source": None,
    }


def render_position(position: Position, account: Account, market: Market, now: datetime) -> Json:
    """A holding; the intraday figures compare the price with the previous close for all of it."""
    asset = asset_of(position.symbol)
    price = market.price(position.symbol, now) or ZERO
    before = market.previous_close(position.symbol, now) or price
    value, cost = position.market_value(price), cents(position.qty * position.avg_entry_price)
    earlier_value = position.market_value(before)
    return {
        "asset_id": str(asset.id),
        "symbol": position.symbol,
        "exchange": asset.exchange,
        "asset_class": "us_equity",
        "asset_marginable": True,
        "qty": plain(position.qty),
        "qty_available": plain(account.available_qty(position.symbol)),
        "avg_entry_price": plain(position.avg_entry_price),
        "side": "long",
        "market_value": plain(value),
        "cost_basis": plain(cost),
        "unrealized_pl": plain(value - cost),
        "unrealized_plpc": _ratio(value - cost, cost),
        "unrealized_intraday_pl": plain(value - earlier_value),
        "unrealized_intraday_plpc": _ratio(value - earlier_value, earlier_value),
        "current_price": plain(price),
        "lastday_price": plain(before),
        "change_today": _ratio(price - before, before),
    }


def render_account(account: Account, prices: Prices, now: datetime) -> Json:
    value = account.market_value(prices)
    last_equity = account.last_equity(now.astimezone(NEW_YORK).date())
    overnight = plain(account.overnight_buying_power(prices))
    buying_power, equity = plain(account.buying_power(prices)), plain(account.cash + value)
    margin = account.multiplier > 1
    return {
        "id": str(account.id),
        "account_number": account.number,
        "status": "ACTIVE",
        "currency": "USD",
        "cash": plain(account.cash),
        "buying_power": buying_power,
        "regt_buying_power": overnight,
        "effective_buying_power": buying_power,
        "non_marginable_buying_power": plain(account.settled_buying_power()),
        "options_buying_power": plain(account.settled_buying_power()),
        "equity": equity,
        "last_equity": plain(last_equity),
        "long_market_value": plain(value),
        "short_market_value": "0",
        "position_market_value": plain(value),
        "portfolio_value": equity,
        "initial_margin": plain(cents(value / 2) if margin else value),
        "maintenance_margin": plain(cents(value * _MAINTENANCE) if margin else value),
        "last_maintenance_margin": "0",
        "sma": "0",
        "multiplier": str(account.multiplier),
        "shorting_enabled": False,
        "trading_blocked": False,
        "transfers_blocked": False,
        "account_blocked": False,
        "trade_suspended_by_user": False,
        "accrued_fees": "0",
        "pending_reg_taf_fees": "0",
        "created_at": utc(account.opened_at),
        "balance_asof": account.marks[-1].session.isoformat() if account.marks else None,
    }


def render_clock(now: datetime) -> Json:
    session, coming = session_open_at(now), next_session(now)
    return {
        "timestamp": eastern(now),
        "is_open": session is not None,
        "next_open": eastern(coming.opens),
        "next_close": eastern((session or coming).closes),
    }


def render_session(session: Session) -> Json:
    """A calendar row. Trades settle the next session (T+1)."""
    opens, closes = (moment.astimezone(NEW_YORK) for moment in (session.opens, session.closes))
    return {
        "date": session.date.isoformat(),
        "open": f"{opens:%H:%M}",
        "close": f"{closes:%H:%M}",
        "session_open": "0400",
        "session_close": "1700" if session.is_early_close else "2000",
        "settlement_date": session_after(session.date).date.isoformat(),
    }


def render_asset(asset: Asset, *, is_tradable: bool, is_fractionable: bool) -> Json:
    return {
        "id": str(asset.id),
        "class": "us_equity",
        "exchange": asset.exchange,
        "symbol": asset.symbol,
        "name": asset.name,
        "status": "active" if is_tradable else "inactive",
        "tradable": is_tradable,
        "marginable": True,
        "shortable": False,
        "easy_to_borrow": False,
        "fractionable": is_fractionable,
        "maintenance_margin_requirement": 30,
        "attributes": [],
    }


def render_fill(fill: Fill) -> Json:
    return {
        "id": fill.id,
        "activity_type": "FILL",
        "transaction_time": utc(fill.at),
        "type": "fill" if fill.order_status is OrderStatus.FILLED else "partial_fill",
        "price": plain(fill.price),
        "qty": plain(fill.qty),
        "side": fill.side.value,
        "symbol": fill.symbol,
        "leaves_qty": plain(fill.leaves_qty),
        "order_id": str(fill.order_id),
        "cum_qty": plain(fill.cum_qty),
        "order_status": fill.order_status.value,
    }


def _ratio(part: Decimal, whole: Decimal) -> str:
    return plain((part / whole).quantize(_RATIO_PLACES)) if whole else "0"
