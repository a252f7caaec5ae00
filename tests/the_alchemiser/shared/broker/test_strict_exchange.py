"""The client against the paper exchange where it is as odd as the broker: cancels, edited orders, statuses, shorts."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from sandbox.exchange.clock import Phase
from tests.the_alchemiser.paper import KEYS, Paper
from the_alchemiser.shared.broker.errors import (
    BrokerError,
    InsufficientQuantityError,
    OrderNotCancelableError,
    PatternDayTraderError,
    WashTradeError,
)
from the_alchemiser.shared.broker.models import Order, OrderRequest, OrderStatus, OrderType
from the_alchemiser.shared.corporate_actions import CorporateAction, CorporateActionKind
from the_alchemiser.shared.values import Side

pytestmark = pytest.mark.enable_socket

HEADERS = {"APCA-API-KEY-ID": KEYS.key, "APCA-API-SECRET-KEY": KEYS.secret}


def _submit(
    paper: Paper, number: int, *, side: Side = Side.BUY, quantity: str = "2", limit: str | None = None
) -> Order:
    kind = OrderType.MARKET if limit is None else OrderType.LIMIT
    price = None if limit is None else Decimal(limit)
    return paper.broker.submit(OrderRequest("SPY", side, Decimal(quantity), kind, f"a-trade-{number}", price))


def _all_orders(paper: Paper, **selection: object) -> list[str]:
    before = paper.broker.clock().timestamp - timedelta(hours=1)
    return [order.client_order_id for order in paper.broker.orders(after=before, **selection)]  # type: ignore[arg-type] # as tests give it


def _plant(paper: Paper, name: str, **body: object) -> None:
    httpx.post(f"{paper.url}/_control/{name}", json=body).raise_for_status()


@pytest.fixture
def margin(paper: Paper) -> Iterator[Paper]:
    """Return the exchange with a margin account that may open fractional shorts."""
    _plant(paper, "reset", mode="margin", fractional_shorts=True)
    paper.control.set_clock(date(2023, 11, 22), Phase.BEFORE_CLOSE)
    yield paper
    _plant(paper, "reset", mode="cash")


def test_cancel_of_a_filled_order_means_look_again(paper: Paper) -> None:
    order = _submit(paper, 1)
    paper.broker.order(order.id)

    with pytest.raises(OrderNotCancelableError, match='order is already in "filled" state'):
        paper.broker.cancel(order.id)

    assert paper.broker.order(order.id).status is OrderStatus.FILLED


def test_cancel_that_is_accepted_without_effect_leaves_the_order_open(paper: Paper) -> None:
    paper.control.plant("cancel_ignored")
    order = _submit(paper, 1, limit="400")

    paper.broker.cancel(order.id)

    assert not paper.broker.order(order.id).is_done


def test_cancel_that_takes_long_leaves_the_order_pending(paper: Paper) -> None:
    paper.control.plant("cancel_slowly", seconds=120)
    order = _submit(paper, 1, limit="400")

    paper.broker.cancel(order.id)

    pending = paper.broker.order(order.id)
    assert (pending.status, pending.is_done) == (OrderStatus.PENDING_CANCEL, False)
    with pytest.raises(OrderNotCancelableError):
        paper.broker.cancel(order.id)


def test_order_with_a_new_status_counts_as_open(paper: Paper) -> None:
    paper.control.plant("odd_status", status_name="under_observation", seconds=60)

    order = paper.broker.order(_submit(paper, 1).id)

    assert (order.status, order.raw_status, order.is_done) == (OrderStatus.UNKNOWN, "under_observation", False)


def test_order_edited_by_hand_names_its_successor(paper: Paper) -> None:
    order = _submit(paper, 1, limit="400")
    paper.broker.order(order.id)
    edited = httpx.patch(f"{paper.url}/v2/orders/{order.id}", json={"qty": "5"}, headers=HEADERS).json()

    replaced = paper.broker.order(order.id)

    assert (replaced.status, replaced.is_done, replaced.replaced_by) == (OrderStatus.REPLACED, True, edited["id"])
    assert paper.broker.order(edited["id"]).quantity == Decimal(5)


def test_orders_are_listed_oldest_first_and_selected(paper: Paper) -> None:
    first, second = _submit(paper, 1), _submit(paper, 2, limit="400")
    paper.broker.order(first.id)

    assert _all_orders(paper) == ["a-trade-1", "a-trade-2"]
    assert _all_orders(paper, status="open") == ["a-trade-2"]
    assert _all_orders(paper, status="closed") == ["a-trade-1"]
    assert _all_orders(paper, symbols=["SPY"]) == ["a-trade-1", "a-trade-2"]
    assert _all_orders(paper, symbols=["KO"]) == []
    assert paper.broker.orders(after=second.submitted_at + timedelta(seconds=1)) == ()


def test_position_of_a_symbol_is_that_of_the_list(paper: Paper) -> None:
    nothing = paper.broker.position("SPY")
    paper.broker.order(_submit(paper, 1).id)

    position = paper.broker.position("SPY")

    assert nothing is None
    assert (position,) == paper.broker.positions()
    assert position is not None
    assert position.asset_class == "us_equity"


def test_snapshot_is_the_latest_trade_within_a_quote(paper: Paper) -> None:
    snapshots = paper.broker.snapshots(["SPY", "KO"])

    assert set(snapshots) == {"SPY", "KO"}
    quote, trade = snapshots["SPY"].quote, snapshots["SPY"].trade
    assert quote is not None
    assert trade == paper.broker.latest_trades(["SPY"])["SPY"]
    assert quote.bid < trade.price < quote.ask
    assert trade.price == trade.price.quantize(Decimal("0.01"))


def test_assets_of_unknown_symbols_are_left_out(paper: Paper) -> None:
    assert set(paper.broker.assets_of(["SPY", "NOPE"])) == {"SPY"}


def test_sell_beyond_the_position_opens_no_short_in_a_margin_account(margin: Paper) -> None:
    margin.broker.order(_submit(margin, 1, quantity="2").id)

    with pytest.raises(InsufficientQuantityError):
        _submit(margin, 2, side=Side.SELL, quantity="3")

    position = margin.broker.position("SPY")
    assert position is not None
    assert position.quantity == Decimal(2)


def test_sell_without_a_position_opens_no_short_in_a_margin_account(margin: Paper) -> None:
    with pytest.raises(InsufficientQuantityError):
        _submit(margin, 1, side=Side.SELL)

    assert margin.broker.positions() == ()


@pytest.mark.parametrize(
    ("status", "code", "message", "expected"),
    [
        (422, 42210000, "potential wash trade detected. use complex orders", WashTradeError),
        (403, 40310000, "potential wash trade detected. use complex orders", WashTradeError),
        (403, 40310100, "trade denied due to pattern day trading protection", PatternDayTraderError),
    ],
)
def test_submit_refused_by_a_rule_names_the_rule(
    paper: Paper, status: int, code: int, message: str, expected: type[BrokerError]
) -> None:
    paper.control.plant("refuse", method="POST", status=status, code=code, message=message)

    with pytest.raises(expected, match=message) as raised:
        _submit(paper, 1)

    assert (raised.value.status, raised.value.code) == (status, code)


def test_allowance_falls_with_every_request(paper: Paper) -> None:
    paper.broker.clock()
    first = paper.broker.allowance
    paper.broker.latest_trades(["SPY"])

    assert first is not None
    assert paper.broker.allowance == first - 1


def test_positions_with_odd_symbols_and_without_prices_are_listed(paper: Paper) -> None:
    _plant(paper, "positions", symbol="628ESC012", qty="7", current_price=None)
    _plant(paper, "positions", symbol="BTCUSD", qty="0.5", asset_class="crypto", current_price="40000")

    odd, coin = paper.broker.positions()

    assert (odd.symbol, odd.quantity, odd.current_price, odd.market_value) == ("628ESC012", Decimal(7), None, None)
    assert (coin.symbol, coin.asset_class, coin.market_value) == ("BTCUSD", "crypto", Decimal(20_000))
    assert paper.broker.position("628ESC012") == odd


@pytest.fixture
def split(paper: Paper) -> Iterator[Paper]:
    """Return the exchange with a split of KO, four for one, and a dividend."""
    _plant(paper, "corporate-actions", type="forward_split", symbol="KO", ex_date="2022-12-20", new_rate="4")
    _plant(paper, "corporate-actions", type="cash_dividend", symbol="KO", ex_date="2022-12-22", rate="0.44")
    yield paper
    httpx.delete(f"{paper.url}/_control/corporate-actions").raise_for_status()


def test_corporate_actions_have_splits_and_dividends(split: Paper) -> None:
    actions = split.broker.corporate_actions(["KO", "SPY"], date(2022, 12, 1), date(2022, 12, 31))

    assert actions == (
        CorporateAction("KO", date(2022, 12, 20), CorporateActionKind.SPLIT, new_rate=Decimal(4)),
        CorporateAction("KO", date(2022, 12, 22), CorporateActionKind.DIVIDEND, cash=Decimal("0.44")),
    )
    assert split.broker.corporate_actions(["SPY"], date(2022, 12, 1), date(2022, 12, 31)) == ()


def test_bars_before_a_split_differ_by_their_adjustment(split: Paper) -> None:
    day = date(2022, 12, 19)

    def close(adjustment: Any) -> Decimal:
        ((_, (bar,)),) = split.broker.bars(["KO"], day, day, adjustment=adjustment)
        return bar.close

    assert close("raw") == pytest.approx(4 * close("split"), abs=Decimal("0.05"))
    assert close("all") < close("split")
