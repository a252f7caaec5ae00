"""Endpoints for market data."""

from collections.abc import Callable
from datetime import datetime

from sandbox.exchange import data_answers
from sandbox.exchange.market import Market
from sandbox.exchange.parameters import Params
from sandbox.exchange.rendering import Json
from sandbox.exchange.service import Answer, Call, Endpoint, Venue


def get_bars(venue: Venue, call: Call) -> Answer:
    market, now = venue.exchange.market, venue.exchange.now
    return Answer(data_answers.bars_page(data_answers.read_bars_query(call.query, market, now), market, now))


def _at_current_time(render: Callable[[Params, Market, datetime], Json]) -> Callable[[Venue, Call], Answer]:
    def handle(venue: Venue, call: Call) -> Answer:
        return Answer(render(call.query, venue.exchange.market, venue.exchange.now))

    return handle


ENDPOINTS = (
    Endpoint("GET", "/v2/stocks/bars", get_bars),
    Endpoint("GET", "/v2/stocks/quotes/latest", _at_current_time(data_answers.latest_quotes)),
    Endpoint("GET", "/v2/stocks/trades/latest", _at_current_time(data_answers.latest_trades)),
    Endpoint("GET", "/v2/stocks/bars/latest", _at_current_time(data_answers.latest_bars)),
    Endpoint("GET", "/v2/stocks/snapshots", _at_current_time(data_answers.snapshots)),
)
