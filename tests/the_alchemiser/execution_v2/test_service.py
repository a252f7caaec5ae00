"""Executing one trade: the order sequence, refusals, resuming after a crash anywhere, and giving up."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.the_alchemiser.broker_fake import CLOSE, NOW, CrashError, CrashPlan, FakeTime, Fills, InMemoryBroker
from tests.the_alchemiser.fakes import InMemoryLedger
from the_alchemiser.execution_v2.limits import Limits
from the_alchemiser.execution_v2.order_sequence import OrderSequence
from the_alchemiser.execution_v2.orders import OrderUnsettledError, Stopwatch, Timing
from the_alchemiser.execution_v2.service import Executor
from the_alchemiser.shared.broker.errors import BrokerTimeoutError, InsufficientBuyingPowerError
from the_alchemiser.shared.broker.models import Order, OrderRequest, OrderType
from the_alchemiser.shared.messaging.messages import TradeExecuted, TradeFailed, TradeRequested
from the_alchemiser.shared.messaging.wiring import Reaction
from the_alchemiser.shared.values import Side

TRADE = TradeRequested(
    message_id="local-2024-03-15/TradeRequested/local-2024-03-15-BUY-SPY",
    run_id="local-2024-03-15",
    occurred_at=NOW,
    trade_id="local-2024-03-15-BUY-SPY",
    symbol="SPY",
    side=Side.BUY,
    quantity=Decimal("12.345678"),
    planning_price=Decimal("509.83"),
    last_close=Decimal("514.95"),
    deltas={"a": Decimal("10.000000001"), "b": Decimal("4.345677999"), "c": Decimal("-2")},
)
BROKER_CALLS = ("submit", "order_by_client_id", "order", "cancel", "clock", "latest_quotes")
NEVER = Fills(after_polls=10**6)
SLOW_CANCEL = Fills(fraction=Decimal("0.4"), cancels_after_polls=10**6)


class Switch:
    """A kill switch that returns these answers in turn, the last one for ever."""

    def __init__(self, *answers: bool) -> None:
        self._answers = list(answers)

    def is_enabled(self) -> bool:
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


def _broker(limit: Fills | None = None, market: Fills | None = None) -> InMemoryBroker:
    fills = {OrderType.LIMIT: limit or Fills(), OrderType.MARKET: market or Fills()}
    return InMemoryBroker({"SPY": Decimal("509.83")}, fills=fills, held={"SPY": Decimal(50)})


def _executor(
    broker: InMemoryBroker,
    ledger: InMemoryLedger | None = None,
    *,
    switch: Switch | None = None,
    limits: Limits | None = None,
    time: FakeTime | None = None,
) -> Executor:
    time = time or FakeTime()
    watch = Stopwatch(time.monotonic, time.sleep)
    orders = OrderSequence(broker, switch or Switch(True), limits or Limits(), Timing(), watch)
    return Executor(orders, ledger if ledger is not None else InMemoryLedger())


def _outcome(reaction: Reaction) -> TradeExecuted | TradeFailed:
    (message,) = reaction.messages
    assert isinstance(message, TradeExecuted | TradeFailed)
    return message


def _failed(reaction: Reaction) -> TradeFailed:
    outcome = _outcome(reaction)
    assert isinstance(outcome, TradeFailed)
    return outcome


def test_handle_in_liquid_market_fills_one_limit_at_the_far_side() -> None:
    broker, ledger = _broker(), InMemoryLedger()

    outcome = _outcome(_executor(broker, ledger).handle(TRADE))

    assert isinstance(outcome, TradeExecuted)
    assert outcome.message_id == "local-2024-03-15/TradeExecuted/local-2024-03-15-BUY-SPY"
    assert outcome.filled_quantity == TRADE.quantity
    assert outcome.avg_price == Decimal("509.84")
    assert [(post.client_order_id, post.type, post.limit_price) for post in broker.posts] == [
        ("local-2024-03-15-BUY-SPY-1", OrderType.LIMIT, Decimal("509.84"))
    ]


def test_handle_records_cash_to_the_cent_and_attribution() -> None:
    broker, ledger = _broker(), InMemoryLedger()

    _executor(broker, ledger).handle(TRADE)

    (entry,) = ledger.entries_of("SPY")
    assert entry.cash == Decimal("-6294.32")
    assert entry.attribution == TRADE.deltas
    assert entry.trade_id == TRADE.trade_id
    assert broker.cash == Decimal(100_000) + entry.cash


def test_handle_of_sell_has_its_limit_at_the_bid() -> None:
    broker = _broker()
    sell = TRADE.model_copy(update={"side": Side.SELL, "trade_id": "local-2024-03-15-SELL-SPY"})

    _executor(broker).handle(sell)

    assert broker.posts[0].limit_price == Decimal("509.82")


def test_handle_of_partly_filled_limit_sends_the_rest_as_market() -> None:
    broker, ledger = _broker(limit=Fills(fraction=Decimal("0.25"), cancels_after_polls=1)), InMemoryLedger()

    outcome = _outcome(_executor(broker, ledger).handle(TRADE))

    _, market = broker.posts
    assert isinstance(outcome, TradeExecuted)
    assert market.type is OrderType.MARKET
    assert market.client_order_id.endswith("-2")
    assert market.quantity == TRADE.quantity - Decimal("3.0864195")
    assert broker.held["SPY"] == 50 + TRADE.quantity
    assert sum(entry.quantity for entry in ledger.entries_of("SPY")) == TRADE.quantity


def test_handle_without_any_fill_fails_with_no_resting_order() -> None:
    broker, ledger, time = _broker(limit=NEVER, market=NEVER), InMemoryLedger(), FakeTime()

    outcome = _failed(_executor(broker, ledger, time=time).handle(TRADE))

    assert outcome.reason == "not_filled"
    assert all(order.is_done for order in broker.orders.values())
    assert ledger.entries == {}
    assert time.seconds <= 60


def test_handle_with_partial_fills_reports_them() -> None:
    half = Fills(fraction=Decimal("0.5"))

    outcome = _failed(_executor(_broker(limit=half, market=half)).handle(TRADE))

    assert outcome.filled_quantity == Decimal("9.2592585")
    assert [fill.client_order_id[-2:] for fill in outcome.fills] == ["-1", "-2"]


@pytest.mark.parametrize(
    ("executor", "reason"),
    [
        (lambda broker: _executor(broker, switch=Switch(False)), "trading_paused"),
        (lambda broker: _executor(broker, limits=Limits(notional=Decimal(100))), "limit_notional"),
        (lambda broker: _executor(replace(broker, timestamp=CLOSE - timedelta(seconds=59))), "market_closed"),
        (lambda broker: _executor(replace(broker, timestamp=NOW + timedelta(days=1))), "stale_trade"),
        (lambda broker: _executor(replace(broker, prices={})), "no_price"),
        (
            lambda broker: _executor(replace(broker, rejection=InsufficientBuyingPowerError("no money"))),
            "insufficient_buying_power",
        ),
    ],
)
def test_handle_when_refused_gives_the_reason_and_sends_nothing(executor: object, reason: str) -> None:
    broker = _broker()
    assert callable(executor)

    outcome = _failed(executor(broker).handle(TRADE))

    assert outcome.reason == reason
    assert broker.posts == []


def test_handle_when_paused_between_orders_sends_no_more() -> None:
    broker, ledger = _broker(limit=Fills(fraction=Decimal("0.5"))), InMemoryLedger()

    outcome = _failed(_executor(broker, ledger, switch=Switch(True, False)).handle(TRADE))

    assert outcome.reason == "trading_paused"
    assert len(broker.posts) == 1
    assert outcome.filled_quantity == Decimal("6.172839")
    assert len(ledger.entries) == 1


def test_handle_without_far_side_has_its_limit_at_the_last_sale() -> None:
    broker = replace(_broker(), half_spread=Decimal("509.83"))
    sell = TRADE.model_copy(update={"side": Side.SELL})

    _executor(broker).handle(sell)

    assert broker.posts[0].limit_price == Decimal("509.83")


def test_handle_with_unconfirmed_cancellation_raises_retryable() -> None:
    broker = _broker(limit=SLOW_CANCEL)

    with pytest.raises(OrderUnsettledError) as raised:
        _executor(broker).handle(TRADE)

    assert raised.value.retryable
    assert len(broker.posts) == 1


def test_handle_again_after_the_cancellation_sends_the_rest() -> None:
    broker, ledger = _broker(limit=SLOW_CANCEL), InMemoryLedger()
    with pytest.raises(OrderUnsettledError):
        _executor(broker, ledger).handle(TRADE)
    broker.fills[OrderType.LIMIT] = Fills()

    outcome = _outcome(_executor(broker, ledger).handle(TRADE))

    assert isinstance(outcome, TradeExecuted)
    assert broker.held["SPY"] == 50 + TRADE.quantity
    assert len(broker.posts) == 2


def test_handle_again_after_a_lost_answer_sends_nothing() -> None:
    broker, ledger = _AnswerLosingBroker({"SPY": Decimal("509.83")}), InMemoryLedger()
    with pytest.raises(BrokerTimeoutError):
        _executor(broker, ledger).handle(TRADE)

    outcome = _outcome(_executor(broker, ledger).handle(TRADE))

    assert isinstance(outcome, TradeExecuted)
    assert len(broker.posts) == 1
    assert broker.held["SPY"] == TRADE.quantity


class _AnswerLosingBroker(InMemoryBroker):
    """Accepts an order, loses the answer, and does not yet show the order to a look-up."""

    def submit(self, request: OrderRequest) -> Order:
        super().submit(request)
        raise BrokerTimeoutError("POST /v2/orders: no answer in time")


@given(
    at_call=st.integers(min_value=1, max_value=40),
    is_after=st.booleans(),
    fraction=st.sampled_from(["0", "0.3", "0.999999", "1"]),
    after_polls=st.integers(min_value=0, max_value=3),
)
def test_handle_killed_at_any_call_sends_each_order_once(
    at_call: int, is_after: bool, fraction: str, after_polls: int
) -> None:
    limit = Fills(fraction=Decimal(fraction), after_polls=after_polls, cancels_after_polls=after_polls)
    broker, ledger = _broker(limit=limit, market=Fills(after_polls=after_polls)), InMemoryLedger()
    plan = CrashPlan(at_call, is_after)
    executor = _executor(plan.around(broker, BROKER_CALLS), plan.around(ledger, ["record"]))

    try:
        outcome = _outcome(executor.handle(TRADE))
    except CrashError:
        outcome = _outcome(executor.handle(TRADE))

    entries = ledger.entries_of("SPY")
    assert isinstance(outcome, TradeExecuted)
    assert broker.held["SPY"] == 50 + TRADE.quantity
    assert len({post.client_order_id for post in broker.posts}) == len(broker.posts) <= 2
    assert sum(entry.quantity for entry in entries) == TRADE.quantity
    assert broker.cash == 100_000 + sum(entry.cash for entry in entries)
    attributed = dict.fromkeys(TRADE.deltas, Decimal(0))
    for entry in entries:
        for strategy, share in entry.attribution.items():
            attributed[strategy] += share
    assert attributed == TRADE.deltas


def test_give_up_with_resting_order_cancels_and_records_it() -> None:
    broker, ledger = _broker(limit=SLOW_CANCEL), InMemoryLedger()
    executor = _executor(broker, ledger)
    with pytest.raises(OrderUnsettledError) as raised:
        executor.handle(TRADE)
    broker.fills[OrderType.LIMIT] = Fills()

    outcome = _failed(executor.give_up(TRADE, raised.value))

    assert outcome.reason == "retries_exhausted"
    assert "still" in outcome.detail
    assert outcome.filled_quantity == Decimal("4.9382712")
    assert len(ledger.entries) == 1
    assert len(broker.posts) == 1


def test_give_up_with_filled_trade_reports_it_executed() -> None:
    broker, ledger = _broker(), InMemoryLedger()
    executor = _executor(broker, ledger)
    executor.handle(TRADE)

    assert isinstance(_outcome(executor.give_up(TRADE, RuntimeError("the bus was down"))), TradeExecuted)
    assert len(ledger.entries) == 1


def test_give_up_while_broker_is_down_warns_of_resting_orders() -> None:
    broker = _broker(limit=SLOW_CANCEL)
    executor = _executor(broker)
    with pytest.raises(OrderUnsettledError) as raised:
        executor.handle(TRADE)

    outcome = _failed(executor.give_up(TRADE, raised.value))

    assert "may still rest" in outcome.detail
