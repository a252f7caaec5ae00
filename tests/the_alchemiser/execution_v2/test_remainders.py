"""What remains of a trade: less than the broker takes an order for, a part of a share, or reserved by others."""

from decimal import Decimal

from tests.the_alchemiser.broker_fake import Fills
from tests.the_alchemiser.execution_v2.stage import (
    BUY,
    QUARTER,
    SELL,
    Stage,
    Switch,
    second_order,
    stage,
)
from the_alchemiser.shared.broker.errors import OrderTooSmallError
from the_alchemiser.shared.messaging.messages import TradeExecuted

ONE_SHARE = BUY.changed(quantity=Decimal(1), deltas={"a": Decimal(1)})


def test_remainder_under_a_dollar_is_a_finished_trade() -> None:
    traded = stage(limit=Fills(fraction=Decimal("0.9999")))

    outcome = traded.handle()

    assert isinstance(outcome, TradeExecuted)
    assert outcome.filled_quantity == Decimal("12.344443432")
    assert len(traded.broker.posts) == 1


def test_remainder_of_less_than_a_share_is_no_finished_trade() -> None:
    traded = stage(limit=Fills(fraction=Decimal("0.5")), trade=ONE_SHARE)
    traded.switch = Switch(True, False)

    outcome = traded.fail()

    assert (outcome.reason, outcome.filled_quantity) == ("trading_paused", Decimal("0.5"))


def test_remainder_under_a_dollar_of_a_trade_of_one_share_is_a_finished_trade() -> None:
    traded = stage(limit=Fills(fraction=Decimal("0.9999")), trade=ONE_SHARE)

    assert isinstance(traded.handle(), TradeExecuted)
    assert len(traded.broker.posts) == 1


def test_remainder_of_half_a_share_that_the_broker_finds_too_small_is_a_finished_trade() -> None:
    traded = stage(limit=Fills(fraction=Decimal("0.5")), trade=ONE_SHARE)
    traded.broker.before[8] = lambda: setattr(traded.broker, "rejection", OrderTooSmallError("minimal amount"))

    assert isinstance(traded.handle(), TradeExecuted)
    assert len(traded.broker.posts) == 1


def test_remainder_of_a_whole_position_under_a_dollar_is_sold() -> None:
    traded = stage(limit=Fills(fraction=Decimal("0.9999")), trade=SELL, held=str(SELL.quantity))

    outcome = traded.handle()

    assert isinstance(outcome, TradeExecuted)
    assert outcome.filled_quantity == SELL.quantity
    assert traded.broker.held["SPY"] == 0


def test_remainder_of_a_part_of_the_position_under_a_dollar_is_a_finished_trade() -> None:
    traded = stage(limit=Fills(fraction=Decimal("0.9999")), trade=SELL)
    traded.broker.reserved = 50 - SELL.quantity

    assert isinstance(traded.handle(), TradeExecuted)
    assert len(traded.broker.posts) == 1


def test_whole_trade_under_a_dollar_is_left_to_the_broker() -> None:
    traded = stage(trade=BUY.changed(quantity=Decimal("0.001"), deltas={"a": Decimal("0.001")}))

    assert isinstance(traded.handle(), TradeExecuted)
    assert len(traded.broker.posts) == 1


def test_remainder_that_the_broker_finds_too_small_is_a_finished_trade() -> None:
    traded = stage(limit=QUARTER)
    traded.broker.before[4] = lambda: None
    traded.broker.before[8] = lambda: setattr(traded.broker, "rejection", OrderTooSmallError("minimal amount"))

    outcome = traded.handle()

    assert isinstance(outcome, TradeExecuted)
    assert outcome.filled_quantity == Decimal("3.086419500")


def test_part_of_the_remainder_that_is_too_small_is_no_finished_trade() -> None:
    def reserve(traded: Stage) -> None:
        traded.broker.reserved = traded.broker.held["SPY"] - Decimal("0.001")
        traded.broker.rejection = OrderTooSmallError("minimal amount")

    outcome = second_order(reserve).fail()

    assert outcome.reason == "insufficient_quantity"
    assert outcome.detail == "other orders reserve all but 0.001 of the 9.2592585 shares of SPY"


def test_whole_trade_that_is_too_small_fails() -> None:
    traded = stage()
    traded.broker.rejection = OrderTooSmallError("minimal amount")

    outcome = traded.fail()

    assert outcome.reason == "order_too_small"
    assert outcome.detail == "the broker takes no order for 12.345678 shares of SPY: under $1"
