"""The checks before each order of a trade, and what ends a trade early."""

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.the_alchemiser.broker_fake import CLOSE, NOW, Fills
from tests.the_alchemiser.execution_v2.stage import (
    BUY,
    NEVER,
    QUARTER,
    SELL,
    SPREAD,
    Runs,
    Switch,
    second_order,
    stage,
)
from the_alchemiser.execution_v2.limits import Limits
from the_alchemiser.execution_v2.orders import OrderUnsettledError
from the_alchemiser.shared.broker.errors import (
    AssetNotFoundError,
    InsufficientBuyingPowerError,
)
from the_alchemiser.shared.broker.models import OrderStatus, OrderType
from the_alchemiser.shared.messaging.messages import TradeExecuted
from the_alchemiser.shared.run.runs import RunState


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"switch": Switch(False)}, "trading_paused"),
        ({"limits": Limits(notional=Decimal(100))}, "limit_notional"),
        ({"limits": Limits(universe=frozenset({"QQQ"}))}, "limit_universe"),
        ({"runs": Runs(RunState.FAILED)}, "run_ended"),
        ({"runs": Runs(RunState.SELLING)}, "run_ended"),
        ({"runs": Runs(None)}, "run_ended"),
    ],
)
def test_refused_trade_gives_the_reason_and_sends_nothing(change: dict[str, object], reason: str) -> None:
    traded = stage()
    for name, value in change.items():
        setattr(traded, name, value)

    assert traded.fail().reason == reason
    assert traded.broker.posts == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"timestamp": CLOSE - timedelta(seconds=59)}, "market_closed"),
        ({"timestamp": NOW + timedelta(days=1)}, "stale_trade"),
        ({"prices": {}}, "no_price"),
        ({"rejection": InsufficientBuyingPowerError("no money")}, "insufficient_buying_power"),
        ({"failures": {"snapshots": [AssetNotFoundError("invalid symbol")]}}, "asset_not_found"),
    ],
)
def test_trade_that_the_broker_refuses_gives_the_reason(change: dict[str, object], reason: str) -> None:
    traded = stage()
    for name, value in change.items():
        setattr(traded.broker, name, value)

    assert traded.fail().reason == reason
    assert traded.broker.posts == []


def test_trade_without_quote_and_sale_says_so() -> None:
    traded = stage()
    traded.broker.prices = {}

    assert traded.fail().detail == "the broker has neither a quote nor a sale of SPY"


@pytest.mark.parametrize(("quantity", "shown"), [("0", "0"), ("-1", "\N{MINUS SIGN}1")])
def test_trade_of_no_shares_is_refused_without_a_call(quantity: str, shown: str) -> None:
    traded = stage(trade=BUY.changed(quantity=Decimal(quantity)))

    outcome = traded.fail()

    assert (outcome.reason, outcome.detail) == ("invalid_order", f"the trade is for {shown} shares")
    assert traded.broker.log == []


def test_price_limit_applies_to_the_price_of_the_order() -> None:
    """The market order of the third step is judged by the far side of the quote."""
    traded = stage(limit=NEVER)
    traded.trade = BUY.changed(last_close=Decimal(510))
    traded.limits = Limits(price_distance=Decimal("0.0018"))
    traded.broker.market = [SPREAD]

    outcome = traded.fail()

    assert traded.prices == [Decimal("510.50"), Decimal("510.90")]
    assert outcome.reason == "limit_price_distance"


def test_closing_market_is_noticed_by_the_stopwatch_without_another_call() -> None:
    traded = stage(limit=NEVER)
    traded.time.sleep(1000)  # the stopwatch of a warm function does not start at zero
    traded.broker.timestamp = CLOSE - timedelta(seconds=67)

    outcome = traded.fail()

    assert outcome.reason == "market_closed"
    assert len(traded.broker.posts) == 1
    assert traded.broker.log.count("clock") == 1


def test_time_spent_on_the_last_checks_counts() -> None:
    traded = stage()
    traded.broker.timestamp = CLOSE - timedelta(seconds=62)

    class SlowSwitch(Switch):
        def is_enabled(self) -> bool:
            traded.time.sleep(3)
            return True

    traded.switch = SlowSwitch(True)

    assert traded.fail().reason == "market_closed"
    assert traded.broker.posts == []


def test_time_of_the_clock_request_counts_as_passed() -> None:
    """The broker wrote its time at any moment of the request; the earliest one is assumed."""
    traded = stage()
    traded.broker.timestamp = CLOSE - timedelta(seconds=62)
    traded.broker.before[2] = lambda: traded.time.sleep(3)

    assert traded.fail().reason == "market_closed"


def test_switch_paused_between_orders_sends_no_more() -> None:
    traded = stage(limit=QUARTER)
    traded.switch = Switch(True, False)

    outcome = traded.fail()

    assert (outcome.reason, len(traded.broker.posts)) == ("trading_paused", 1)
    assert outcome.detail == "the kill switch is paused or cannot be read"
    assert outcome.filled_quantity == Decimal("3.086419500")
    assert traded.switch.reads == 2


def test_run_that_ends_just_before_the_order_is_noticed() -> None:
    traded = stage()
    traded.runs = Runs(RunState.BUYING, RunState.FAILED)

    outcome = traded.fail()

    assert (outcome.reason, outcome.detail) == ("run_ended", "local-2024-03-15 is FAILED; its buys are over")
    assert traded.broker.posts == []


def test_run_that_ends_between_orders_sends_no_more() -> None:
    traded = stage(limit=QUARTER)
    traded.runs = Runs(RunState.BUYING, RunState.BUYING, RunState.FAILED)

    outcome = traded.fail()

    assert (outcome.reason, len(traded.broker.posts)) == ("run_ended", 1)
    assert outcome.filled_quantity == Decimal("3.086419500")


def test_switch_is_read_after_everything_else() -> None:
    traded = stage(trade=SELL)
    read: list[str] = []

    class LoggingRuns(Runs):
        def state_of(self, run_id: str) -> RunState | None:
            read.append(f"state after {len(traded.broker.log)} calls")
            return super().state_of(run_id)

    class LoggingSwitch(Switch):
        def is_enabled(self) -> bool:
            read.append(f"switch after {len(traded.broker.log)} calls")
            return super().is_enabled()

    traded.runs, traded.switch = LoggingRuns(RunState.SELLING), LoggingSwitch(True)

    traded.handle()

    assert read == ["state after 0 calls", "state after 4 calls", "switch after 4 calls"]


def test_trade_of_an_ended_run_cancels_what_an_earlier_attempt_left() -> None:
    traded = stage(limit=Fills(fraction=Decimal("0.4"), cancels_after_polls=10**6))
    with pytest.raises(OrderUnsettledError):
        traded.handle()
    traded.broker.fills[OrderType.LIMIT] = Fills()
    traded.runs = Runs(RunState.FAILED)

    outcome = traded.fail()

    assert outcome.reason == "run_ended"
    assert outcome.filled_quantity == Decimal("4.938271200")
    assert len(traded.ledger.entries) == 1
    assert all(order.is_done for order in traded.broker.placed.values())


def test_trade_of_an_ended_run_that_has_filled_is_executed() -> None:
    traded = stage()
    traded.handle()
    traded.runs = Runs(RunState.FAILED)

    assert isinstance(traded.handle(), TradeExecuted)
    assert len(traded.broker.posts) == 1


def test_sell_of_shares_that_are_gone_is_refused() -> None:
    traded = stage(trade=SELL, held="0")

    outcome = traded.fail()

    assert outcome.reason == "no_position"
    assert traded.broker.posts == []


def test_sell_is_at_most_the_shares_held() -> None:
    traded = stage(trade=SELL, held="5")

    outcome = traded.fail()

    assert [post.quantity for post in traded.broker.posts] == [Decimal(5)]
    assert (outcome.reason, outcome.filled_quantity) == ("no_position", Decimal(5))
    assert traded.broker.held["SPY"] == 0


def test_sell_is_at_most_the_shares_available() -> None:
    traded = stage(trade=SELL)
    traded.broker.reserved = Decimal(48)

    outcome = traded.fail()

    assert traded.broker.posts[0].quantity == Decimal(2)
    assert outcome.reason == "insufficient_quantity"


def test_owner_who_sells_between_orders_is_never_made_short() -> None:
    traded = second_order(lambda traded: traded.broker.held.update(SPY=Decimal(1)))

    outcome = traded.fail()

    assert [post.quantity for post in traded.broker.posts] == [SELL.quantity, Decimal(1)]
    assert outcome.reason == "not_filled"
    assert traded.broker.held["SPY"] == 0


def test_owner_who_sells_everything_between_orders_ends_the_trade() -> None:
    traded = second_order(lambda traded: traded.broker.held.update(SPY=Decimal(0)))

    outcome = traded.fail()

    assert (outcome.reason, len(traded.broker.posts)) == ("no_position", 1)
    assert outcome.filled_quantity == Decimal("3.086419500")


def test_order_replaced_by_hand_ends_the_trade_with_the_fills_of_both() -> None:
    traded = stage(limit=NEVER)

    def replace_order() -> None:
        traded.broker.replace_by_hand("order-1", "4")
        traded.broker.fills[OrderType.LIMIT] = Fills()

    traded.broker.before[5] = replace_order

    outcome = traded.fail()

    assert outcome.reason == "replaced_by_owner"
    assert outcome.detail == "an order was changed by hand; 8.345678 shares of the trade did not fill"
    assert [fill.order_id for fill in outcome.fills] == ["order-1-successor"]
    assert len(traded.broker.posts) == 1
    assert sum(entry.quantity for entry in traded.ledger.entries.values()) == 4


def test_order_enlarged_by_hand_finishes_the_trade_and_buys_no_more() -> None:
    traded = stage(limit=NEVER)

    def replace_order() -> None:
        traded.broker.replace_by_hand("order-1", "100")
        traded.broker.fills[OrderType.LIMIT] = Fills()

    traded.broker.before[5] = replace_order

    outcome = traded.handle()

    assert isinstance(outcome, TradeExecuted)
    assert outcome.filled_quantity == 100
    assert len(traded.broker.posts) == 1


def test_order_replaced_before_a_redelivery_is_followed() -> None:
    traded = stage(limit=Fills(fraction=Decimal("0.4"), cancels_after_polls=10**6))
    with pytest.raises(OrderUnsettledError):
        traded.handle()
    traded.broker.fills[OrderType.LIMIT] = Fills()
    traded.broker.replace_by_hand("order-1", "3")

    outcome = traded.fail()

    assert outcome.reason == "replaced_by_owner"
    assert outcome.filled_quantity == Decimal("4.938271200") + 3
    assert [fill.order_id for fill in outcome.fills] == ["order-1", "order-1-successor"]


def test_order_rejected_after_acceptance_ends_the_trade() -> None:
    traded = stage(limit=NEVER)

    def reject() -> None:
        order = traded.broker.placed["order-1"]
        traded.broker.placed["order-1"] = order.changed(status=OrderStatus.REJECTED)

    traded.broker.before[5] = reject

    outcome = traded.fail()

    assert outcome.reason == "order_rejected"
    assert outcome.detail == "the broker rejected local-2024-03-15-BUY-SPY-1 after accepting it"
    assert len(traded.broker.posts) == 1
