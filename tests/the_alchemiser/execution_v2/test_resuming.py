"""Resuming a trade: after a crash at any call, a lost answer, or beside another attempt."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Literal

import pytest

from tests.the_alchemiser.broker_fake import CrashError, CrashPlan, Fills
from tests.the_alchemiser.execution_v2.stage import (
    BUY,
    NEVER,
    SELL,
    SLOW_CANCEL,
    Stage,
    StageBroker,
    outcome_of,
    stage,
)
from the_alchemiser.execution_v2.calls import AttemptEndedError
from the_alchemiser.execution_v2.order_sequence import OrderUnknownError
from the_alchemiser.execution_v2.orders import OrderUnsettledError
from the_alchemiser.shared.broker.errors import BrokerServerError, BrokerTimeoutError
from the_alchemiser.shared.broker.models import Order, OrderRequest, OrderType
from the_alchemiser.shared.ledger.ledger import LedgerEntry
from the_alchemiser.shared.messaging.messages import TradeExecuted, TradeFailed, TradeRequested
from the_alchemiser.shared.values import Side

BROKEN = BrokerServerError("GET /v2/orders: 503")


def unsettled(traded: Stage) -> OrderUnsettledError:
    """Return the error of an attempt that could not cancel its order; the market allows the next cancellation."""
    with pytest.raises(OrderUnsettledError) as raised:
        traded.handle()
    return raised.value


def test_handle_with_unconfirmed_cancellation_raises_and_sends_no_more() -> None:
    traded = stage(limit=SLOW_CANCEL)

    error = unsettled(traded)

    assert error.retryable
    assert len(traded.broker.posts) == 1
    assert traded.ledger.entries == {}


def test_handle_again_after_the_cancellation_sends_the_rest() -> None:
    traded = stage(limit=SLOW_CANCEL)
    unsettled(traded)
    traded.broker.fills[OrderType.LIMIT] = Fills()

    outcome = traded.handle()

    assert isinstance(outcome, TradeExecuted)
    assert traded.broker.held["SPY"] == 50 + BUY.quantity
    assert [post.client_order_id[-2:] for post in traded.broker.posts] == ["-1", "-2"]
    assert traded.broker.posts[1].quantity == BUY.quantity - Decimal("4.9382712")


def test_handle_again_cancels_a_resting_order_at_once() -> None:
    traded = stage(limit=SLOW_CANCEL)
    unsettled(traded)
    traded.broker.fills[OrderType.LIMIT] = Fills()
    started = traded.time.seconds

    traded.handle()

    assert traded.time.seconds - started == 0.5  # only the wait for the new market order


def test_handle_again_after_a_failed_look_cancels_the_order_before_anything_else() -> None:
    traded = stage(limit=NEVER)
    traded.broker.failures["order"] = [BROKEN]
    with pytest.raises(BrokerServerError):
        traded.handle()
    started, calls = traded.time.seconds, len(traded.broker.log)

    traded.handle()

    assert traded.broker.log[calls : calls + 3] == ["orders", "cancel", "order"]
    assert traded.time.seconds - started == 2 * 7.5 + 0.5  # two more limits and the market order


def test_handle_again_after_an_answer_sends_and_records_nothing() -> None:
    traded = stage()

    first, second = traded.handle(), traded.handle()

    assert first == second
    assert len(traded.broker.posts) == len(traded.ledger.entries) == 1


def test_handle_again_after_a_lost_answer_adopts_the_order() -> None:
    traded = stage()
    traded.broker = _AnswerLosingBroker(traded.broker.prices)
    with pytest.raises(OrderUnknownError):
        traded.handle()

    outcome = traded.handle()

    assert isinstance(outcome, TradeExecuted)
    assert len(traded.broker.posts) == 1
    assert traded.broker.held["SPY"] == BUY.quantity


def test_handle_again_when_the_list_does_not_show_the_order_adopts_it() -> None:
    """The broker accepts each client order id once, so the listing is not what prevents a second order."""
    traded = stage(limit=Fills(fraction=Decimal("0.25")))
    traded.handle()
    traded.broker = _ForgetfulBroker(**vars(traded.broker))

    outcome = traded.handle()

    assert isinstance(outcome, TradeExecuted)
    assert len(traded.broker.posts) == 3
    assert traded.broker.held["SPY"] == 50 + BUY.quantity
    assert sum(entry.quantity for entry in traded.ledger.entries.values()) == BUY.quantity


def test_handle_of_two_attempts_at_once_trades_once() -> None:
    """The first attempt stops before its second order, and goes on after the other one has finished the trade."""
    traded = stage(limit=Fills(fraction=Decimal("0.25")))
    other = Stage(traded.broker, ledger=traded.ledger)
    outcomes: list[TradeExecuted | TradeFailed] = []
    # The calls of an attempt: orders, clock, snapshots, submit, order, order, cancel, order, snapshots, submit.
    traded.broker.before[9] = lambda: outcomes.append(other.handle())

    outcomes.append(traded.handle())

    assert [type(outcome) for outcome in outcomes] == [TradeExecuted, TradeExecuted]
    assert traded.broker.held["SPY"] == 50 + BUY.quantity
    assert sum(entry.quantity for entry in traded.ledger.entries.values()) == BUY.quantity


class _AnswerLosingBroker(StageBroker):
    """Accepts an order, loses the answer, and does not yet show the order to a look-up."""

    def submit(self, request: OrderRequest) -> Order:
        super().submit(request)
        raise BrokerTimeoutError("POST /v2/orders: no answer in time")


FATES = [
    Fills(),
    Fills(after_polls=1),
    Fills(fraction=Decimal(0)),
    Fills(fraction=Decimal("0.3"), cancels_after_polls=1),
    Fills(fraction=Decimal("0.999999"), after_polls=1, cancels_after_polls=2),
    NEVER,
]


@pytest.mark.parametrize("trade", [BUY, SELL])
@pytest.mark.parametrize("limit", FATES)
@pytest.mark.parametrize("is_after", [False, True])
def test_handle_killed_at_any_call_trades_once(trade: TradeRequested, limit: Fills, *, is_after: bool) -> None:
    """Every call, of the broker, the run's state, the switch and the ledger, is the last one of an attempt once."""
    at_call = 1
    while _kill_and_resume(stage(limit, trade=trade), at_call, is_after=is_after):
        at_call += 1

    assert at_call > 8


def _kill_and_resume(traded: Stage, at_call: int, *, is_after: bool) -> bool:
    """Return whether the attempt was killed; check that the next one finishes the trade."""
    plan = CrashPlan(at_call, is_after)
    is_killed = False
    try:
        outcome = outcome_of(traded.executor(plan.around).handle(traded.trade))
    except CrashError:
        is_killed = True
        outcome = _receive_again(traded)

    _check_books(traded, outcome)
    return is_killed


def _receive_again(traded: Stage) -> TradeExecuted | TradeFailed:
    """Return the outcome of the second receive, or of the third and last one: slow cancellations cost calls."""
    try:
        return traded.handle()
    except AttemptEndedError:
        return traded.handle()


def _check_books(traded: Stage, outcome: TradeExecuted | TradeFailed) -> None:
    trade, broker = traded.trade, traded.broker
    sign = 1 if trade.side is Side.BUY else -1
    entries = traded.ledger.entries_of("SPY")
    filled = sum((entry.quantity for entry in entries), Decimal(0))

    assert isinstance(outcome, TradeExecuted)
    assert len({post.client_order_id for post in broker.posts}) == len(broker.posts) <= 4
    assert broker.held["SPY"] - 50 == sign * filled
    assert outcome.filled_quantity == filled
    # All of it, but for a remainder under a dollar.
    assert 0 <= (trade.quantity - filled) * trade.planning_price < 1
    assert broker.cash == 100_000 + sum(entry.cash for entry in entries)
    if filled == trade.quantity:
        assert _attributed(entries) == trade.deltas


def _attributed(entries: tuple[LedgerEntry, ...]) -> dict[str, Decimal]:
    attributed = {"a": Decimal(0), "b": Decimal(0), "c": Decimal(0)}
    for entry in entries:
        for strategy, share in entry.attribution.items():
            attributed[strategy] += share
    return attributed


def test_attribution_is_the_same_whichever_attempt_records() -> None:
    """An attempt that dies before it records its first fill, and one that records every fill itself."""
    limit = Fills(fraction=Decimal("0.3"))
    undisturbed, killed = stage(limit), stage(limit)
    undisturbed.handle()
    plan = CrashPlan(1, is_after=False)
    with pytest.raises(CrashError):
        killed.executor(lambda end, names: plan.around(end, names) if end is killed.ledger else end).handle(BUY)

    killed.handle()

    attributions = [
        [(entry.client_order_id, entry.attribution) for entry in each.ledger.entries_of("SPY")]
        for each in (undisturbed, killed)
    ]
    quantities = [sum(entry.quantity for entry in each.ledger.entries_of("SPY")) for each in (undisturbed, killed)]
    assert attributions[0][0] == attributions[1][0]
    assert quantities == [BUY.quantity, BUY.quantity]
    assert _attributed(killed.ledger.entries_of("SPY")) == BUY.deltas


class _ForgetfulBroker(StageBroker):
    """Lists no order."""

    def orders(
        self, *, after: datetime, symbols: Iterable[str] = (), status: Literal["open", "closed", "all"] = "all"
    ) -> tuple[Order, ...]:
        del after, symbols, status
        return ()
