"""Endpoints for account, clock, calendar and assets."""

from datetime import date

from sandbox.exchange.admission import prices_of
from sandbox.exchange.assets import Asset
from sandbox.exchange.host import Answer, Call, Endpoint, Host
from sandbox.exchange.parameters import day_of
from sandbox.exchange.refusals import not_found
from sandbox.exchange.rendering import (
    Json,
    render_account,
    render_asset,
    render_clock,
    render_session,
)
from sandbox.exchange.sessions import sessions_between

# Like the broker's calendar, this one ends; later sessions are not announced.
_FIRST_DAY, _LAST_DAY = date(1990, 1, 1), date(2035, 12, 31)


def get_account(host: Host, _: Call) -> Answer:
    exchange = host.exchange
    prices = prices_of(exchange.account, exchange.market, exchange.now)
    return Answer(render_account(exchange.account, prices, exchange.now))


def get_clock(host: Host, _: Call) -> Answer:
    return Answer(render_clock(host.exchange.now))


def get_calendar(_: Host, call: Call) -> Answer:
    start = max(day_of("start", call.query.get("start")) or _FIRST_DAY, _FIRST_DAY)
    end = min(day_of("end", call.query.get("end")) or _LAST_DAY, _LAST_DAY)
    return Answer([render_session(session) for session in sessions_between(start, end)])


def list_assets(host: Host, call: Call) -> Answer:
    rows = [_asset_row(host, asset) for asset in host.exchange.market.assets.values()]
    for field, name in (("status", "status"), ("class", "asset_class"), ("exchange", "exchange")):
        value = call.query.get(name)
        rows = [row for row in rows if not value or row[field] == value]
    return Answer([] if call.query.get("attributes") else rows)


def get_asset(host: Host, call: Call) -> Answer:
    asset = host.exchange.market.asset(call.path["symbol_or_id"])
    if asset is None:
        raise not_found(f"asset not found for {call.path['symbol_or_id']}")
    return Answer(_asset_row(host, asset))


def _asset_row(host: Host, asset: Asset) -> Json:
    exchange = host.exchange
    return render_asset(
        asset,
        is_tradable=exchange.market.is_tradable(asset.symbol, exchange.now),
        is_fractionable=asset.symbol not in exchange.account.whole_shares,
        is_shortable=exchange.account.may_short,
    )


ENDPOINTS = (
    Endpoint("GET", "/v2/account", get_account),
    Endpoint("GET", "/v2/clock", get_clock),
    Endpoint("GET", "/v2/calendar", get_calendar),
    Endpoint("GET", "/v2/assets", list_assets),
    Endpoint("GET", "/v2/assets/{symbol_or_id}", get_asset),
)
