"""Render trading responses: money and quantities as decimal strings, times as RFC 3339."""

from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from sandbox.exchange.account import Account, Prices
from sandbox.exchange.activities import Activity
from sandbox.exchange.admission import price_of
from sandbox.exchange.assets import Asset, asset_of
from sandbox.exchange.market import Market
from sandbox.exchange.money import decimal_text, decimal_text_or_none, to_cents
from sandbox.exchange.orders import Fill, Order, OrderStatus
from sandbox.exchange.positions import Position
from sandbox.exchange.sessions import NEW_YORK, Session, latest_opened, next_session, session_after, session_open_at

Json = dict[str, object]

_RATIO_PLACES = Decimal("0.000001")
_MAINTENANCE = Decimal("0.3")
_PRICED = (
    "market_value",
    "unrealized_pl",
    "unrealized_plpc",
    "unrealized_intraday_pl",
    "unrealized_intraday_plpc",
    "current_price",
    "lastday_price",
    "change_today",
)


def utc(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def utc_or_none(moment: datetime | None) -> str | None:
    return None if moment is None else utc(moment)


def eastern(moment: datetime) -> str:
    return moment.astimezone(NEW_YORK).isoformat()


def render_order(order: Order, now: datetime) -> Json:
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
        "notional": decimal_text_or_none(order.notional),
        "qty": decimal_text_or_none(order.qty),
        "filled_qty": decimal_text(order.filled_qty),
        "filled_avg_price": decimal_text_or_none(order.filled_avg_price),
        "order_class": "",
        "order_type": order.type,
        "type": order.type,
        "side": order.side,
        "time_in_force": order.time_in_force,
        "limit_price": decimal_text_or_none(order.limit_price),
        "stop_price": decimal_text_or_none(order.stop_price),
        "status": order.reported_status(now),
        "extended_hours": order.extended_hours,
        "legs": None,
        "trail_percent": None,
        "trail_price": None,
        "hwm": None,
        "position_intent": order.position_intent,
        "subtag": None,
        "source": None,
    }


def render_position(position: Position, account: Account, market: Market, now: datetime) -> Json:
    """Render a position; its intraday figures compare the price with the previous close for all its shares.

    Without a price, everything that depends on it is null.
    """
    asset = asset_of(position.symbol)
    cost = to_cents(position.qty * position.avg_entry_price)
    price = price_of(position, market, latest_opened(now).date)
    return {
        "asset_id": str(asset.id),
        "symbol": position.symbol,
        "exchange": "CRYPTO" if position.asset_class == "crypto" else asset.exchange,
        "asset_class": position.asset_class,
        "asset_marginable": position.asset_class == "us_equity",
        "qty": decimal_text(position.qty),
        "qty_available": decimal_text(account.available_qty(position.symbol)),
        "avg_entry_price": decimal_text(position.avg_entry_price),
        "side": "long" if position.qty > 0 else "short",
        "cost_basis": decimal_text(cost),
    } | (
        dict.fromkeys(_PRICED)
        if price is None
        else _priced(position, cost, price, _price_before(position, market, now))
    )


def _price_before(position: Position, market: Market, now: datetime) -> Decimal | None:
    return market.previous_close(position.symbol, now) if position.is_quoted else position.fixed_price


def _priced(position: Position, cost: Decimal, price: Decimal, before: Decimal | None) -> Json:
    before = before or price
    value, earlier_value = position.market_value(price), position.market_value(before)
    figures = (
        decimal_text(value),
        decimal_text(value - cost),
        _ratio(value - cost, cost),
        decimal_text(value - earlier_value),
        _ratio(value - earlier_value, earlier_value),
        decimal_text(price),
        decimal_text(before),
        _ratio(price - before, before),
    )
    return dict(zip(_PRICED, figures, strict=True))


def render_account(account: Account, prices: Prices, now: datetime) -> Json:
    value, short = account.market_value(prices), account.short_value(prices)
    gross = value - 2 * short
    last_equity = account.last_equity(now.astimezone(NEW_YORK).date())
    overnight = decimal_text(account.overnight_buying_power(prices))
    buying_power, equity = decimal_text(account.buying_power(prices)), decimal_text(account.cash + value)
    is_margin = account.multiplier > 1

    return {
        "id": str(account.id),
        "account_number": account.number,
        "status": "ACTIVE",
        "currency": "USD",
        "cash": decimal_text(account.cash),
        "buying_power": buying_power,
        "regt_buying_power": overnight,
        "effective_buying_power": buying_power,
        "non_marginable_buying_power": decimal_text(account.settled_buying_power()),
        "options_buying_power": decimal_text(account.settled_buying_power()),
        "equity": equity,
        "last_equity": decimal_text(last_equity),
        "long_market_value": decimal_text(value - short),
        "short_market_value": decimal_text(short),
        "position_market_value": decimal_text(value),
        "portfolio_value": equity,
        "initial_margin": decimal_text(to_cents(gross / 2) if is_margin else gross),
        "maintenance_margin": decimal_text(to_cents(gross * _MAINTENANCE) if is_margin else gross),
        "last_maintenance_margin": "0",
        "sma": "0",
        "multiplier": str(account.multiplier),
        "shorting_enabled": account.may_short,
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
    session, following = session_open_at(now), next_session(now)
    return {
        "timestamp": eastern(now),
        "is_open": session is not None,
        "next_open": eastern(following.opens),
        "next_close": eastern((session or following).closes),
    }


@lru_cache(maxsize=4096)
def render_session(session: Session) -> Json:
    """Render a row of the calendar. Trades settle on the next session (T+1)."""
    opens, closes = (moment.astimezone(NEW_YORK) for moment in (session.opens, session.closes))
    return {
        "date": session.date.isoformat(),
        "open": f"{opens:%H:%M}",
        "close": f"{closes:%H:%M}",
        "session_open": "0400",
        "session_close": "1700" if session.is_early_close else "2000",
        "settlement_date": session_after(session.date).date.isoformat(),
    }


def render_asset(asset: Asset, *, is_tradable: bool, is_fractionable: bool, is_shortable: bool) -> Json:
    return {
        "id": str(asset.id),
        "class": "us_equity",
        "exchange": asset.exchange,
        "symbol": asset.symbol,
        "name": asset.name,
        "status": "active" if is_tradable else "inactive",
        "tradable": is_tradable,
        "marginable": True,
        "shortable": is_shortable,
        "easy_to_borrow": is_shortable,
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
        "price": decimal_text(fill.price),
        "qty": decimal_text(fill.qty),
        "side": fill.side,
        "symbol": fill.symbol,
        "leaves_qty": decimal_text(fill.leaves_qty),
        "order_id": str(fill.order_id),
        "cum_qty": decimal_text(fill.cum_qty),
        "order_status": fill.order_status,
    }


def render_activity(activity: Activity) -> Json:
    """Render an activity other than a trade; fields that do not apply to its type are left out, as at the broker."""
    entry = activity.entry
    row: Json = {
        "id": activity.id,
        "activity_type": entry.type,
        "date": activity.date.isoformat(),
        "created_at": utc(activity.at),
        "net_amount": decimal_text(entry.net_amount),
        "currency": "USD",
        "status": "executed",
        "description": entry.description,
        "symbol": entry.symbol,
        "qty": decimal_text_or_none(entry.qty),
        "per_share_amount": decimal_text_or_none(entry.per_share_amount),
    }
    return {name: value for name, value in row.items() if value is not None}


def _ratio(part: Decimal, whole: Decimal) -> str:
    return decimal_text((part / abs(whole)).quantize(_RATIO_PLACES)) if whole else "0"
