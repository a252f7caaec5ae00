"""Endpoints for market data."""

from collections.abc import Callable
from datetime import datetime

from sandbox.exchange import data_answers
from sandbox.exchange.action_answers import actions_page
from sandbox.exchange.host import Answer, Call, Endpoint, Host
from sandbox.exchange.market import Market
from sandbox.exchange.parameters import Params
from sandbox.exchange.rendering import Json
from sandbox.exchange.sessions import NEW_YORK


def get_bars(host: Host, call: Call) -> Answer:
    market, now = host.exchange.market, host.exchange.now
    return Answer(data_answers.bars_page(data_answers.read_bars_query(call.query, market, now), market, now))


def get_corporate_actions(host: Host, call: Call) -> Answer:
    exchange = host.exchange
    today = exchange.now.astimezone(NEW_YORK).date()
    return Answer(actions_page(call.query, exchange.market.actions.all(), today))


def _at_current_time(render: Callable[[Params, Market, datetime], Json]) -> Callable[[Host, Call], Answer]:
    def handle(host: Host, call: Call) -> Answer:
        return Answer(render(call.query, host.exchange.market, host.exchange.now))

    return handle


ENDPOINTS = (
    Endpoint("GET", "/v2/stocks/bars", get_bars),
    Endpoint("GET", "/v2/stocks/quotes/latest", _at_current_time(data_answers.latest_quotes)),
    Endpoint("GET", "/v2/stocks/trades/latest", _at_current_time(data_answers.latest_trades)),
    Endpoint("GET", "/v2/stocks/bars/latest", _at_current_time(data_answers.latest_bars)),
    Endpoint("GET", "/v2/stocks/snapshots", _at_current_time(data_answers.snapshots)),
    Endpoint("GET", "/v1/corporate-actions", get_corporate_actions),
)
