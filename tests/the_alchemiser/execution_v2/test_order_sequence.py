"""The orders of one trade: the walk through the spread, and the calls and the time that it takes."""

from decimal import Decimal

import pytest

from tests.the_alchemiser.broker_fake import FakeTime, Fills
from tests.the_alchemiser.execution_v2.stage import (
    BUY,
    NEVER,
    QUARTER,
    SELL,
    SELL_CALLS,
    SPREAD,
    WIDE,
    Stage,
    StageBroker,
    quote,
    sale,
    stage,
)
from the_alchemiser.execution_v2.calls import AttemptEndedError
from the_alchemiser.execution_v2.limits import Limits
from the_alchemiser.execution_v2.order_sequence import OrderUnknownError
from the_alchemiser.execution_v2.orders import OrderUnsettledError
from the_alchemiser.shared.broker.errors import (
    BrokerTimeoutError,
    DuplicateClientOrderIdError,
    RateLimitedError,
)
from the_alchemiser.shared.broker.models import OrderType, Snapshot
from the_alchemiser.shared.messaging.messages import TradeExecuted, TradeRequested


def test_buy_in_liquid_market_is_one_limit_in_five_calls() -> None:
    traded = stage()

    outcome = traded.handle()

    (post,) = traded.broker.posts
    assert isinstance(outcome, TradeExecuted)
    assert (post.client_order_id, post.type) == ("local-2024-03-15-BUY-SPY-1", OrderType.LIMIT)
    assert (post.symbol, post.side, post.quantity) == ("SPY", BUY.side, BUY.quantity)
    assert post.limit_price == Decimal("509.84")
    assert traded.broker.log == ["orders", "clock", "snapshots", "submit", "order"]
    assert traded.time.seconds == 0.5


def test_sell_in_liquid_market_is_one_limit_in_six_calls() -> None:
    traded = stage(trade=SELL)

    outcome = traded.handle()

    assert isinstance(outcome, TradeExecuted)
    assert traded.prices == [Decimal("509.82")]
    assert traded.broker.log == ["orders", "clock", "position", "snapshots", "submit", "order"]


def test_first_limit_is_at_three_quarters_of_the_spread() -> None:
    bought, sold = stage(), stage(trade=SELL)
    bought.broker.market = sold.broker.market = [SPREAD]

    bought.handle()
    sold.handle()

    assert (bought.prices, sold.prices) == ([Decimal("510.50")], [Decimal("509.50")])


def test_buy_that_rests_walks_to_a_market_order_within_sixteen_calls() -> None:
    traded = stage(limit=NEVER, market=NEVER)
    traded.broker.market = [SPREAD]

    outcome = traded.fail()

    assert traded.prices == [Decimal("510.50"), Decimal("510.90"), None]
    assert [post.client_order_id[-2:] for post in traded.broker.posts] == ["-1", "-2", "-3"]
    assert (outcome.reason, outcome.detail) == ("not_filled", "12.345678 shares did not fill in time")
    assert len(traded.broker.log) == 16
    assert traded.time.seconds == 3 * 7.5


def test_sell_that_rests_goes_from_one_limit_to_a_market_order() -> None:
    traded = stage(limit=NEVER, trade=SELL)

    outcome = traded.handle()

    assert isinstance(outcome, TradeExecuted)
    assert traded.prices == [Decimal("509.82"), None]
    assert traded.broker.log == [*SELL_CALLS, "position", "snapshots", "submit", "order"]


def test_partly_filled_limits_leave_the_rest_to_the_next_order() -> None:
    traded = stage(limit=QUARTER)

    outcome = traded.handle()

    first, second, third = traded.broker.posts
    assert isinstance(outcome, TradeExecuted)
    assert first.quantity == BUY.quantity
    assert second.quantity == BUY.quantity - Decimal("3.086419500")
    assert third.quantity == second.quantity  # its fill was cancelled before the broker made it
    assert traded.broker.held["SPY"] == 50 + BUY.quantity


def test_quote_is_read_again_before_each_order() -> None:
    traded = stage(limit=NEVER)
    higher = Snapshot("SPY", quote("510.00", "512.00"), sale("511.00"))
    traded.broker.market = [SPREAD, higher]

    traded.handle()

    assert traded.prices == [Decimal("510.50"), Decimal("511.90"), None]


def test_wide_market_gets_bounded_limits_and_no_market_order() -> None:
    traded = stage(limit=NEVER)
    traded.broker.market = [WIDE]

    outcome = traded.fail()

    assert traded.prices == [Decimal("514.92")] * 3
    assert outcome.reason == "spread_too_wide"
    assert outcome.detail == "the spread 306 to 714 is 80.00%; at most 1.00% is allowed"
    assert len(traded.broker.log) == 16


def test_wide_market_that_fills_a_bounded_limit_is_a_finished_trade() -> None:
    traded = stage()
    traded.broker.market = [WIDE]

    assert isinstance(traded.handle(), TradeExecuted)
    assert traded.prices == [Decimal("514.92")]


def test_sell_in_wide_market_ends_within_its_calls() -> None:
    traded = stage(limit=NEVER, trade=SELL)
    traded.broker.market = [WIDE]

    outcome = traded.fail()

    assert traded.prices == [Decimal("504.74")] * 2
    assert outcome.reason == "spread_too_wide"
    assert len(traded.broker.log) <= 16


def test_market_that_narrows_again_gets_the_market_order() -> None:
    traded = stage(limit=NEVER)
    traded.broker.market = [WIDE, WIDE, SPREAD]

    assert isinstance(traded.handle(), TradeExecuted)
    assert traded.prices[-1] is None


def test_limit_without_a_last_sale_is_bounded_by_the_planning_price() -> None:
    traded = stage()
    traded.broker.market = [Snapshot("SPY", quote("306", "714"), None)]

    traded.handle()

    assert traded.prices == [Decimal("514.92")]


def test_stale_quote_counts_as_too_wide() -> None:
    """The quote is two minutes old at the first order; the stopwatch makes it older than that at the second."""
    traded = stage(limit=NEVER)
    traded.broker.market = [Snapshot("SPY", quote("509.00", "511.00", age_s=120), sale("509.83"))]

    outcome = traded.fail()

    assert traded.prices == [Decimal("510.50"), Decimal("509.83"), Decimal("509.83")]
    assert outcome.reason == "spread_too_wide"
    assert outcome.detail.endswith("s old")


def test_spread_limit_is_configured() -> None:
    traded = stage(limit=NEVER)
    traded.limits = Limits(spread=Decimal("0.81"))
    traded.broker.market = [WIDE]

    assert isinstance(traded.handle(), TradeExecuted)
    assert traded.prices[0] == Decimal("612.00")


def test_order_over_the_rate_limit_is_prepared_anew_in_the_next_minute() -> None:
    traded = stage()
    traded.broker.failures["submit"] = [RateLimitedError("429", retry_after_s=20)]

    outcome = traded.handle()

    assert isinstance(outcome, TradeExecuted)
    assert traded.broker.log == ["orders", "clock", "snapshots", "submit", "snapshots", "submit", "order"]
    assert traded.switch.reads == 2
    assert [post.client_order_id[-2:] for post in traded.broker.posts] == ["-1"]


def test_order_over_the_rate_limit_for_too_long_raises() -> None:
    traded = stage()
    traded.broker.failures["submit"] = [RateLimitedError("429", retry_after_s=61)]

    with pytest.raises(RateLimitedError):
        traded.handle()


def test_time_lost_to_the_rate_limit_skips_limits() -> None:
    traded = stage(limit=NEVER)
    traded.broker.failures["clock"] = [RateLimitedError("429", retry_after_s=55)]

    assert isinstance(traded.handle(), TradeExecuted)
    assert traded.prices == [None]


def test_no_time_for_an_order_ends_the_attempt() -> None:
    traded = stage()
    traded.broker.failures["clock"] = [RateLimitedError("429", retry_after_s=57)]

    with pytest.raises(AttemptEndedError, match=r"^12 calls and 3.0 s are not enough for another order$") as raised:
        traded.handle()

    assert raised.value.retryable
    assert traded.broker.posts == []


def test_no_time_for_an_order_in_a_wide_market_is_not_its_failure() -> None:
    traded = stage()
    traded.broker.market = [WIDE]
    traded.broker.failures["clock"] = [RateLimitedError("429", retry_after_s=57)]

    with pytest.raises(AttemptEndedError):
        traded.handle()


def test_no_time_for_a_second_order_in_a_wide_market_is_its_failure() -> None:
    traded = stage(limit=NEVER)
    traded.broker.market = [WIDE]
    traded.broker.before[8] = lambda: traded.time.sleep(50)

    outcome = traded.fail()

    assert (outcome.reason, len(traded.broker.posts)) == ("spread_too_wide", 1)


def test_small_allowance_skips_the_limits_after_the_first() -> None:
    traded = stage(limit=NEVER)
    traded.broker.allowance = 23

    assert isinstance(traded.handle(), TradeExecuted)
    assert traded.prices == [Decimal("509.84"), None]


@pytest.mark.parametrize("error", [BrokerTimeoutError("no answer"), DuplicateClientOrderIdError("must be unique")])
def test_order_that_may_exist_raises_and_is_named(error: BrokerTimeoutError | DuplicateClientOrderIdError) -> None:
    traded = stage()
    traded.broker.failures["submit"] = [error]

    with pytest.raises(OrderUnknownError, match=str(error)) as raised:
        traded.handle()

    assert raised.value.client_order_id == "local-2024-03-15-BUY-SPY-1"
    assert raised.value.retryable


def test_listing_with_a_gap_sends_nothing() -> None:
    traded = stage(limit=QUARTER)
    traded.handle()
    del traded.broker.placed["order-1"]

    with pytest.raises(OrderUnsettledError, match=r"lists the steps \(2, 3\) of local-2024-03-15-BUY-SPY only$"):
        traded.handle()

    assert len(traded.broker.posts) == 3


class _LimitedBroker(StageBroker):
    """A broker that takes 200 calls in every minute of the stopwatch."""

    def __init__(self, time: FakeTime, symbols: list[str]) -> None:
        super().__init__(dict.fromkeys(symbols, Decimal(100)))
        self._time = time
        self._minute, self.allowance = 0, 200

    def _called(self, name: str) -> None:
        minute = int(self._time.seconds // 60)
        if minute > self._minute:
            self._minute, self.allowance = minute, 200
        if self.allowance == 0:
            raise RateLimitedError("429", retry_after_s=60 - self._time.seconds % 60)
        assert self.allowance is not None
        self.allowance -= 1
        super()._called(name)


def test_hundred_and_fifty_trades_at_the_rate_limit_fill_within_five_minutes() -> None:
    """One after the other; four at once take less."""
    time = FakeTime()
    trades = [BUY.changed(trade_id=f"{BUY.run_id}-BUY-S{number}", symbol=f"S{number}") for number in range(150)]
    broker = _LimitedBroker(time, [trade.symbol for trade in trades])

    outcomes = [Stage(broker, trade, time=time).handle() for trade in trades]

    assert {type(outcome) for outcome in outcomes} == {TradeExecuted}
    assert len(broker.posts) == 150
    assert time.seconds < 300


@pytest.mark.parametrize("trade", [BUY, SELL])
@pytest.mark.parametrize("limit", [Fills(), NEVER, QUARTER])
@pytest.mark.parametrize("market", [Fills(), NEVER, QUARTER])
def test_every_attempt_stays_within_its_calls_and_its_time(trade: TradeRequested, limit: Fills, market: Fills) -> None:
    traded = stage(limit, market, trade=trade)

    traded.handle()

    assert len(traded.broker.log) <= 16
    assert traded.time.seconds <= 60
    assert all(order.is_done for order in traded.broker.placed.values())
