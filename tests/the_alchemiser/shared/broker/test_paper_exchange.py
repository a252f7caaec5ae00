"""The client against the paper exchange, which serves the broker's API over real sockets."""

from contextlib import closing
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from sandbox.exchange.clock import Phase
from tests.the_alchemiser.paper import Paper, connect
from the_alchemiser.shared.broker.credentials import Credentials
from the_alchemiser.shared.broker.errors import (
    AssetNotFoundError,
    BrokerServerError,
    BrokerTimeoutError,
    InsufficientBuyingPowerError,
    InvalidOrderError,
    NotAuthorizedError,
    OrderNotCancelableError,
    OrderNotFoundError,
    ShortNotAllowedError,
)
from the_alchemiser.shared.broker.models import OrderRequest, OrderStatus, OrderType
from the_alchemiser.shared.values import Side

pytestmark = pytest.mark.enable_socket


def _buy(quantity: str, number: int = 1, *, limit: Decimal | None = None, side: Side = Side.BUY) -> OrderRequest:
    kind = OrderType.MARKET if limit is None else OrderType.LIMIT
    return OrderRequest("SPY", side, Decimal(quantity), kind, f"a-trade-{number}", limit)


def test_account_of_new_exchange_is_the_starting_cash(paper: Paper) -> None:
    account = paper.broker.account()

    assert account.cash == account.equity == account.buying_power == Decimal(100_000)
    assert account.multiplier == 1
    assert paper.broker.positions() == ()


def test_clock_before_the_close_has_fifteen_minutes_left(paper: Paper) -> None:
    clock = paper.broker.clock()

    assert clock.is_open
    assert clock.next_close - clock.timestamp == timedelta(minutes=15)


def test_calendar_includes_half_days_and_excludes_holidays(paper: Paper) -> None:
    sessions = paper.broker.calendar(date(2023, 11, 22), date(2023, 11, 24))

    assert [(session.date.day, session.close.hour) for session in sessions] == [(22, 16), (24, 13)]


def test_asset_known_is_tradable_and_unknown_raises_its_name(paper: Paper) -> None:
    assert paper.broker.asset("SPY").tradable
    assert "SPY" in {asset.symbol for asset in paper.broker.assets()}
    with pytest.raises(AssetNotFoundError, match="NOPE"):
        paper.broker.asset("NOPE")


def test_bars_through_a_long_interval_follow_the_pages(paper: Paper) -> None:
    symbols = ["SPY", "JNJ", "KO"]

    series = dict(paper.broker.bars(symbols, date(1990, 1, 1), date(2023, 11, 21)))

    assert set(series) == set(symbols)
    assert sum(len(bars) for bars in series.values()) > 10_000
    for bars in series.values():
        assert all(earlier.date < later.date for earlier, later in pairwise(bars))
    assert (series["KO"][0].date, series["KO"][-1].date) == (date(1990, 1, 2), date(2022, 12, 28))
    assert series["SPY"][-1].date == date(2023, 11, 21)


def test_bars_of_unknown_symbol_raises_its_name(paper: Paper) -> None:
    with pytest.raises(AssetNotFoundError, match="NOPE"):
        list(paper.broker.bars(["SPY", "NOPE"], date(2023, 11, 1), date(2023, 11, 21)))


def test_submit_market_order_fills_to_an_exact_position(paper: Paper) -> None:
    sent = paper.broker.submit(_buy("12.345678901"))

    order = paper.broker.order(sent.id)
    (position,) = paper.broker.positions()
    assert order.status is OrderStatus.FILLED
    assert order.filled_quantity == position.quantity == position.available == Decimal("12.345678901")
    assert order.filled_avg_price is not None
    assert order.filled_at is not None
    assert position.last_close is not None


def test_submit_with_used_id_returns_the_first_order(paper: Paper) -> None:
    first = paper.broker.submit(_buy("1"))

    again = paper.broker.submit(_buy("2"))

    assert (again.id, again.quantity) == (first.id, Decimal(1))
    assert paper.control.state().orders == 1


def test_submit_lost_answer_finds_the_accepted_order(paper: Paper) -> None:
    paper.control.plant("commit_then_504")

    order = paper.broker.submit(_buy("1"))

    assert order.client_order_id == "a-trade-1"
    assert paper.control.state().orders == 1


def test_submit_refused_with_503_raises_and_leaves_no_order(paper: Paper) -> None:
    paper.control.plant("refuse", method="POST", status=503)

    with pytest.raises(BrokerServerError):
        paper.broker.submit(_buy("1"))

    assert paper.control.state().orders == 0


def test_get_refused_twice_succeeds_at_the_third_attempt(paper: Paper) -> None:
    paper.control.plant("refuse", path="/v2/account", status=429, times=2)

    assert paper.broker.account().cash == Decimal(100_000)


def test_get_that_hangs_times_out(paper: Paper) -> None:
    paper.control.plant("hang", path="/v2/clock", times=3)

    with closing(connect(paper.url, read_s=0.1)) as impatient, pytest.raises(BrokerTimeoutError):
        impatient.clock()


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (_buy("1000"), InsufficientBuyingPowerError),
        (_buy("1", side=Side.SELL), ShortNotAllowedError),
        (_buy("1", limit=Decimal("500.001")), InvalidOrderError),
    ],
)
def test_submit_impossible_order_raises_the_named_rejection(
    paper: Paper, request_: OrderRequest, expected: type[Exception]
) -> None:
    with pytest.raises(expected):
        paper.broker.submit(request_)


def test_cancel_resting_order_is_confirmed_and_fails_twice(paper: Paper) -> None:
    order = paper.broker.submit(_buy("1", limit=Decimal(400)))

    paper.broker.cancel(order.id)

    assert paper.broker.order(order.id).status is OrderStatus.CANCELED
    assert paper.broker.order(order.id).canceled_at is not None
    with pytest.raises(OrderNotCancelableError):
        paper.broker.cancel(order.id)


def test_look_up_of_unknown_order_finds_none(paper: Paper) -> None:
    assert paper.broker.order_by_client_id("nobody") is None
    with pytest.raises(OrderNotFoundError):
        paper.broker.order("61e69015-8549-4bfd-b9c3-01e75843f47d")


def test_account_with_wrong_key_is_not_authorized(paper: Paper) -> None:
    stranger = Credentials(key="sandbox-key", secret="guessed")

    with closing(connect(paper.url, keys=stranger)) as broker, pytest.raises(NotAuthorizedError):
        broker.account()


def test_clock_after_the_close_is_closed(paper: Paper) -> None:
    paper.control.set_clock(date(2023, 11, 22), Phase.AFTER_CLOSE)

    clock = paper.broker.clock()

    assert not clock.is_open
    assert clock.next_open.date() == date(2023, 11, 24)
