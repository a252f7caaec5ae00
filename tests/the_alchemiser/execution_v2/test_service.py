"""Executing one trade: its outcome, its ledger entries, and giving up."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.the_alchemiser.broker_fake import Fills
from tests.the_alchemiser.execution_v2.stage import (
    BUY,
    NEVER,
    SLOW_CANCEL,
    Runs,
    Stage,
    outcome_of,
    stage,
)
from tests.the_alchemiser.fakes import InMemoryLedger
from the_alchemiser.execution_v2.calls import AttemptEndedError
from the_alchemiser.execution_v2.order_sequence import OrderUnknownError
from the_alchemiser.execution_v2.orders import OrderUnsettledError
from the_alchemiser.shared.broker.errors import BrokerServerError
from the_alchemiser.shared.broker.models import Order, OrderRequest, OrderType
from the_alchemiser.shared.ledger.ledger import LedgerEntry
from the_alchemiser.shared.messaging.messages import TradeExecuted
from the_alchemiser.shared.run.runs import RunState
from the_alchemiser.shared.values import Side

BROKEN = BrokerServerError("GET /v2/orders: 503")


def unsettled(traded: Stage) -> OrderUnsettledError:
    """Return the error of an attempt that could not cancel its order; the market allows the next cancellation."""
    with pytest.raises(OrderUnsettledError) as raised:
        traded.handle()
    return raised.value


def test_handle_publishes_what_was_executed() -> None:
    traded = stage()

    outcome = traded.handle()

    assert isinstance(outcome, TradeExecuted)
    assert outcome.message_id == "local-2024-03-15/TradeExecuted/local-2024-03-15-BUY-SPY"
    assert (outcome.run_id, outcome.trade_id, outcome.caused_by) == (BUY.run_id, BUY.trade_id, BUY.message_id)
    assert (outcome.symbol, outcome.side, outcome.quantity) == ("SPY", Side.BUY, BUY.quantity)
    assert (outcome.filled_quantity, outcome.avg_price) == (BUY.quantity, Decimal("509.84"))
    assert outcome.occurred_at == traded.broker.timestamp
    (fill,) = outcome.fills
    assert (fill.order_id, fill.client_order_id) == ("order-1", "local-2024-03-15-BUY-SPY-1")
    assert (fill.quantity, fill.price, fill.filled_at) == (BUY.quantity, Decimal("509.84"), traded.broker.timestamp)


def test_handle_records_cash_to_the_cent_and_attribution() -> None:
    traded = stage()

    traded.handle()

    (entry,) = traded.ledger.entries_of("SPY")
    assert entry.cash == Decimal("-6294.32")
    assert entry.attribution == BUY.deltas
    assert (entry.trade_id, entry.run_id) == (BUY.trade_id, BUY.run_id)
    assert traded.broker.cash == Decimal(100_000) + entry.cash


def test_handle_averages_the_price_over_fills() -> None:
    traded = stage(limit=Fills(fraction=Decimal("0.5")))
    traded.trade = BUY.changed(quantity=Decimal(8), deltas={"a": Decimal(8)})

    def rise() -> None:
        traded.broker.prices["SPY"] = Decimal("511.83")
        traded.broker.timestamp += timedelta(seconds=9)

    started, traded.broker.before[8] = traded.broker.timestamp, rise

    outcome = traded.handle()

    assert isinstance(outcome, TradeExecuted)
    assert [(fill.quantity, fill.price) for fill in outcome.fills] == [
        (Decimal(4), Decimal("509.84")),
        (Decimal(4), Decimal("511.84")),
    ]
    assert str(outcome.avg_price) == "510.840000000"
    assert [fill.filled_at - started for fill in outcome.fills] == [timedelta(0), timedelta(seconds=9)]
    assert outcome.occurred_at == started + timedelta(seconds=9)


def test_handle_publishes_what_failed_with_its_fills() -> None:
    half = Fills(fraction=Decimal("0.5"))
    traded = stage(limit=half, market=half)

    outcome = traded.fail()

    assert outcome.message_id == "local-2024-03-15/TradeFailed/local-2024-03-15-BUY-SPY"
    assert (outcome.run_id, outcome.trade_id, outcome.caused_by) == (BUY.run_id, BUY.trade_id, BUY.message_id)
    assert (outcome.symbol, outcome.side, outcome.quantity) == ("SPY", Side.BUY, BUY.quantity)
    assert outcome.reason == "not_filled"
    assert outcome.filled_quantity == Decimal("9.2592585")
    assert [fill.client_order_id[-2:] for fill in outcome.fills] == ["-1", "-3"]
    assert not outcome.unsettled
    assert sum(entry.quantity for entry in traded.ledger.entries.values()) == outcome.filled_quantity


def test_handle_without_fills_is_dated_by_the_request() -> None:
    outcome = stage(limit=NEVER, market=NEVER).fail()

    assert outcome.occurred_at == BUY.occurred_at
    assert outcome.filled_quantity == 0
    assert outcome.fills == ()


def test_handle_records_a_fill_before_the_next_order() -> None:
    traded = stage(limit=Fills(fraction=Decimal("0.25")))
    recorded: list[int] = []
    submitted = traded.broker.submit

    def submit(request: OrderRequest) -> Order:
        recorded.append(len(traded.ledger.entries))
        return submitted(request)

    traded.broker.submit = submit  # type: ignore[method-assign]  # counts the entries at each order

    traded.handle()

    assert recorded == [0, 1, 1]


def test_handle_while_the_ledger_is_down_raises_and_resumes() -> None:
    traded = stage()
    traded.ledger = ledger = _Ledger()
    with pytest.raises(ConnectionError):
        traded.handle()
    ledger.is_down = False

    assert isinstance(traded.handle(), TradeExecuted)
    assert len(traded.broker.posts) == len(traded.ledger.entries) == 1


class _Ledger(InMemoryLedger):
    """A ledger whose table may not answer."""

    is_down = True

    def record(self, entry: LedgerEntry) -> bool:
        if self.is_down:
            raise ConnectionError("the table does not answer")
        return super().record(entry)


def test_give_up_with_resting_order_cancels_and_records_it() -> None:
    traded = stage(limit=SLOW_CANCEL)
    error = unsettled(traded)
    traded.broker.fills[OrderType.LIMIT] = Fills()

    outcome = traded.give_up(error)

    assert outcome.reason == "retries_exhausted"
    assert outcome.detail == f"gave up after: {error}"
    assert not outcome.unsettled
    assert outcome.filled_quantity == Decimal("4.9382712")
    assert len(traded.ledger.entries) == len(traded.broker.posts) == 1
    assert all(order.is_done for order in traded.broker.placed.values())


def test_give_up_with_filled_trade_reports_it_executed() -> None:
    traded = stage()
    traded.handle()

    outcome = outcome_of(traded.executor().give_up(BUY, RuntimeError("the bus was down")))

    assert isinstance(outcome, TradeExecuted)
    assert len(traded.ledger.entries) == 1


def test_give_up_with_endless_cancellation_is_unsettled() -> None:
    traded = stage(limit=SLOW_CANCEL)
    error = unsettled(traded)
    started = traded.time.seconds

    outcome = traded.give_up(error)

    assert outcome.unsettled
    assert outcome.reason == "retries_exhausted"
    assert outcome.detail.startswith(
        f"gave up after: {error}; orders of this trade may still rest at the broker: order "
    )
    assert traded.time.seconds - started <= 15


def test_give_up_while_broker_is_down_is_unsettled() -> None:
    traded = stage()
    traded.broker.failures["orders"] = [BROKEN]

    outcome = traded.give_up(BROKEN)

    assert outcome.unsettled
    assert outcome.detail.endswith(f"; orders of this trade may still rest at the broker: {BROKEN}")


def test_give_up_while_the_ledger_is_down_is_unsettled_and_cancels() -> None:
    traded = stage(limit=SLOW_CANCEL)
    error = unsettled(traded)
    traded.broker.fills[OrderType.LIMIT] = Fills()
    traded.ledger = _Ledger()

    outcome = traded.give_up(error)

    assert outcome.unsettled
    assert all(order.is_done for order in traded.broker.placed.values())


def test_give_up_after_an_order_without_answer_is_unsettled() -> None:
    """The broker does not show the order now, but it may still appear."""
    traded = stage()

    outcome = traded.give_up(OrderUnknownError("no answer", client_order_id="local-2024-03-15-BUY-SPY-1"))

    assert outcome.unsettled
    assert outcome.reason == "retries_exhausted"


def test_give_up_after_an_order_that_has_appeared_is_settled() -> None:
    traded = stage(limit=NEVER)
    traded.broker.failures["order"] = [BROKEN]
    with pytest.raises(BrokerServerError):
        traded.handle()

    outcome = traded.give_up(OrderUnknownError("no answer", client_order_id="local-2024-03-15-BUY-SPY-1"))

    assert not outcome.unsettled
    assert outcome.filled_quantity == 0


@pytest.mark.parametrize("error", [BROKEN, AttemptEndedError("no calls left")])
def test_give_up_without_any_order_is_settled(error: Exception) -> None:
    outcome = stage().give_up(error)

    assert not outcome.unsettled
    assert outcome.filled_quantity == 0
    assert outcome.fills == ()


def test_give_up_sends_no_order_whatever_the_run_says() -> None:
    traded = replace(stage(), runs=Runs(RunState.BUYING))

    traded.give_up(BROKEN)

    assert traded.broker.posts == []
    assert traded.broker.log == ["orders"]
