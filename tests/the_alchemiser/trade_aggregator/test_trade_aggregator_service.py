"""The phases of a run: each trade is requested once, sells before buys, and every run ends."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from operator import attrgetter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.the_alchemiser import run_builders as make
from tests.the_alchemiser.broker_fake import CrashError, CrashPlan
from tests.the_alchemiser.fakes import InMemoryRunStore
from tests.the_alchemiser.trade_aggregator.trading_day import (
    BUYS,
    PRICES,
    SELLS,
    Day,
    DayBroker,
    Outcome,
    outcomes_of,
    two_phases,
)
from the_alchemiser.shared.broker.credentials import CredentialsMalformedError
from the_alchemiser.shared.broker.errors import BrokerServerError, NotAuthorizedError
from the_alchemiser.shared.broker.models import Account
from the_alchemiser.shared.errors import StateUnavailableError
from the_alchemiser.shared.messaging.messages import (
    Fill,
    RunCompleted,
    RunFailed,
    TradeRequested,
)
from the_alchemiser.shared.messaging.wiring import Reaction
from the_alchemiser.shared.run.runs import Move, RunState
from the_alchemiser.shared.values import Side
from the_alchemiser.trade_aggregator.release import DayLimits
from the_alchemiser.trade_aggregator.service import TradeAggregator


def test_plan_with_sells_releases_only_the_sells() -> None:
    day = two_phases()

    day.start()

    assert day.state is RunState.SELLING
    assert day.requested(Side.SELL) == ["GLD", "TLT"]
    assert day.requested(Side.BUY) == []


def test_plan_without_sells_releases_the_buys() -> None:
    day = Day(make.plan(*BUYS))

    day.start()

    assert day.state is RunState.BUYING
    assert day.requested(Side.BUY) == ["BIL", "SPY"]


def test_plan_without_trades_completes_the_run() -> None:
    day = Day(make.plan(make.decision("SPY", None)))

    day.start()

    assert day.state is RunState.COMPLETED
    assert day.result().outcomes == ()
    assert not day.result().degraded


def test_plan_without_buys_completes_after_the_sells() -> None:
    day = Day(make.plan(*SELLS))

    day.start()
    day.receive(*outcomes_of(SELLS))

    assert [line.state for line in make.loaded(day.store).timeline][-2:] == [RunState.SELLING, RunState.COMPLETED]


def test_first_of_two_sells_releases_nothing() -> None:
    day = two_phases()
    day.start()

    day.receive(outcomes_of(SELLS)[0])

    assert day.state is RunState.SELLING
    assert day.requested(Side.BUY) == []


def test_last_sell_releases_the_buys_and_stores_the_numbers() -> None:
    day = two_phases()
    day.start()

    day.receive(*outcomes_of(SELLS))

    payload = make.loaded(day.store).payloads[RunState.BUYING]
    assert day.requested(Side.BUY) == ["BIL", "SPY"]
    assert payload["quantities"] == {"local-2022-03-16-BUY-BIL": "5", "local-2022-03-16-BUY-SPY": "25"}
    assert (payload["factor"], payload["spendable"]) == ("1", "4000")


def test_failed_sell_degrades_the_run_but_buys_continue() -> None:
    day = two_phases()
    day.broker.cash = Decimal(1500)
    day.start()

    day.receive(make.trade_failed("GLD", Side.SELL, "10"), outcomes_of(SELLS)[1])
    sent = {trade.symbol: trade.quantity for trade in day.requests()}
    day.receive(make.executed("BIL", Side.BUY, "2"), make.executed("SPY", Side.BUY, "12"))

    assert (sent["BIL"], sent["SPY"]) == (Decimal(2), Decimal(12))
    assert day.state is RunState.COMPLETED
    assert day.result().degraded
    assert [outcome.reason for outcome in day.result().outcomes] == ["market_closed", None, None, None]


def test_last_buy_completes_with_the_brokers_figures() -> None:
    day = Day(make.plan(*BUYS))
    day.broker.held = {"SPY": Decimal(25), "BIL": Decimal(5)}
    day.broker.cash = Decimal("1000.07")
    day.start()

    day.receive(*outcomes_of(BUYS))

    result = day.result()
    assert (result.equity_before, result.equity_after, result.cash_after) == (
        Decimal(100_000),
        Decimal("4000.07"),
        Decimal("1000.07"),
    )
    assert [(mark.symbol, mark.quantity, mark.price) for mark in result.positions] == [
        ("BIL", Decimal(5), Decimal(100)),
        ("SPY", Decimal(25), Decimal(100)),
    ]
    assert result.weights == {"SPY": Decimal(1)}
    run = make.loaded(day.store)
    assert run.sent
    assert run.timeline[-1].by == "trade_aggregator"
    assert run.payloads[RunState.COMPLETED] == {}


def test_trade_filled_in_part_has_the_average_price_of_its_fills() -> None:
    day = Day(make.plan(make.decision("SPY", Side.BUY, "10")))
    fills = tuple(
        Fill(order_id=str(n), client_order_id=str(n), quantity=Decimal(n), price=Decimal(100 + n), filled_at=make.AT)
        for n in (1, 2)
    )
    day.start()

    day.receive(make.trade_failed("SPY", Side.BUY, "10", fills=fills))

    [outcome] = day.result().outcomes
    assert (outcome.filled_quantity, outcome.avg_price) == (Decimal(3), Decimal("101.666667"))
    assert day.result().degraded


@given(st.permutations(outcomes_of(SELLS)), st.permutations(outcomes_of(BUYS)), st.data())
def test_outcomes_in_any_order_with_duplicates_end_the_same(
    sells: list[Outcome], buys: list[Outcome], data: st.DataObject
) -> None:
    deliveries = [*sells, *buys]
    for duplicate in data.draw(st.lists(st.sampled_from(sells), max_size=3)):
        deliveries.insert(data.draw(st.integers(deliveries.index(duplicate), len(deliveries))), duplicate)
    day, straight = two_phases(), two_phases()
    straight.start()
    straight.receive(*outcomes_of(SELLS), *outcomes_of(BUYS))

    day.start()
    day.receive(*deliveries)
    day.start()

    facts = attrgetter("message_id", "outcomes", "positions", "equity_after", "cash_after", "degraded")
    assert [message.message_id for message in day.published] == [message.message_id for message in straight.published]
    assert facts(day.result()) == facts(straight.result())


@given(st.integers(1, 24), st.booleans(), st.integers(1, 24), st.booleans())
def test_day_killed_anywhere_twice_requests_the_same_trades(
    first: int, first_after: bool, second: int, second_after: bool
) -> None:
    day = two_phases()
    deliveries: list[Callable[[TradeAggregator], Reaction]] = [
        lambda aggregator: aggregator.handle_plan(day.planned),
        *(
            lambda aggregator, outcome=outcome: aggregator.handle_outcome(outcome)
            for outcome in (*outcomes_of(SELLS), *outcomes_of(BUYS))
        ),
    ]
    crashes = [CrashPlan(first, is_after=first_after), CrashPlan(second, is_after=second_after)]

    for deliver in deliveries:
        _deliver_until_handled(day, deliver, crashes)

    quantities: dict[str, set[Decimal]] = {}
    for trade in day.requests():
        quantities.setdefault(trade.trade_id, set()).add(trade.quantity)
    assert day.state is RunState.COMPLETED
    assert quantities.keys() == day.plan.by_trade_id().keys()
    assert {len(sizes) for sizes in quantities.values()} == {1}
    assert {message.message_id for message in day.published if isinstance(message, RunCompleted)} == {
        "local-2022-03-16/RunCompleted/run"
    }


def _deliver_until_handled(day: Day, deliver: Callable[[TradeAggregator], Reaction], crashes: list[CrashPlan]) -> None:
    """Deliver as SQS does: again whenever the worker died, with another buying power each time."""
    calls = ("load", "put_once", "move", "mark_sent")
    while True:
        store = day.store
        for crash in crashes:
            store = crash.around(store, calls)
        try:
            reaction = deliver(day.aggregator_with(store))
            day.published.extend(reaction.messages)
            reaction.on_published()
        except CrashError:
            day.broker.cash -= 500
        else:
            return


def test_redelivery_after_publish_failure_sends_stored_numbers() -> None:
    day = Day(make.plan(*BUYS))
    lost = day.aggregator.handle_plan(day.planned)
    day.broker.cash = Decimal(10)

    again = day.aggregator.handle_plan(day.planned)

    assert again.messages == lost.messages
    assert [trade.quantity for trade in again.messages if isinstance(trade, TradeRequested)] == [
        Decimal(5),
        Decimal(25),
    ]


def test_release_by_two_workers_at_once_is_published_by_one() -> None:
    day = Day(make.plan(*BUYS))

    class OtherWorkerFirst(InMemoryRunStore):
        def move(self, run_id: str, move: Move) -> bool:
            day.start()
            return super().move(run_id, move)

    racing = OtherWorkerFirst()
    racing.runs = day.store.runs

    later = replace(day.aggregator_with(racing), now=lambda: make.WALL + timedelta(seconds=1))
    late = later.handle_plan(day.planned)

    assert late == Reaction()
    assert day.requested(Side.BUY) == ["BIL", "SPY"]


def test_outcome_after_failure_is_only_recorded() -> None:
    day = two_phases()
    day.start()
    make.move_to(day.store, RunState.FAILED)
    before = len(day.published)

    day.receive(*outcomes_of(SELLS))

    assert len(make.loaded(day.store).items_of("TRADE")) == 2
    assert (day.state, len(day.published)) == (RunState.FAILED, before)


def test_outcome_after_completion_publishes_no_second_result() -> None:
    day = Day(make.plan(make.decision("SPY", Side.BUY, "10")))
    day.start()
    day.receive(make.trade_failed("SPY", Side.BUY, "10"))
    before = len(day.published)

    day.receive(make.executed("SPY", Side.BUY, "10"), make.executed("TLT", Side.BUY, "1"))

    assert (day.state, len(day.published)) == (RunState.COMPLETED, before)
    assert len(make.loaded(day.store).items_of("TRADE")) == 2
    assert [outcome.reason for outcome in day.result().outcomes] == ["market_closed"]


def test_second_outcome_of_a_trade_keeps_the_first() -> None:
    day = Day(make.plan(make.decision("SPY", Side.BUY, "10"), make.decision("BIL", Side.BUY, "1")))
    day.start()

    day.receive(make.executed("SPY", Side.BUY, "10"), make.trade_failed("SPY", Side.BUY, "10"))
    day.receive(make.executed("BIL", Side.BUY, "1"))

    assert not day.result().degraded


def test_day_limit_broken_fails_that_trade_and_sends_the_rest() -> None:
    day = Day(make.plan(*BUYS), limits=DayLimits(trades=1))
    day.start()

    day.receive(make.executed("BIL", Side.BUY, "5"))

    assert day.requested(Side.BUY) == ["BIL"]
    assert [outcome.reason for outcome in day.result().outcomes] == [None, "day_trade_limit"]
    assert day.result().degraded


def test_day_limit_that_refuses_all_ends_the_run_at_once() -> None:
    day = Day(make.plan(*SELLS, *BUYS), limits=DayLimits(trades=0))

    day.start()

    assert day.state is RunState.COMPLETED
    assert [(outcome.side, outcome.reason) for outcome in day.result().outcomes] == [
        (side, "day_trade_limit") for side in (Side.SELL, Side.SELL, Side.BUY, Side.BUY)
    ]


@pytest.mark.parametrize(
    ("limits", "reason"),
    [(DayLimits(trades=2), "day_trade_limit"), (DayLimits(notional=Decimal(3000)), "day_notional_limit")],
)
def test_day_limit_counts_the_runs_before_it(limits: DayLimits, reason: str) -> None:
    day = Day(make.plan(*SELLS), limits=limits)
    day.start()
    day.receive(*outcomes_of(SELLS))
    make.replace_run(day.store, "local-2022-03-16-r1")
    forced = make.plan(*BUYS, run_id="local-2022-03-16-r1")
    planned = make.planned(day.store, forced)

    reaction = day.aggregator.handle_plan(planned)

    [result] = reaction.messages
    assert isinstance(result, RunCompleted)
    assert {outcome.reason for outcome in result.outcomes} == {reason}


@dataclass
class FailingBroker(DayBroker):
    """A broker whose account cannot be read."""

    failure: Exception = field(default_factory=lambda: BrokerServerError("GET /v2/account: 500"))

    def account(self) -> Account:
        raise self.failure


def test_broker_unavailable_returns_the_message_and_changes_nothing() -> None:
    day = Day(make.plan(*BUYS), broker=FailingBroker(PRICES))
    before = make.loaded(day.store)

    with pytest.raises(BrokerServerError):
        day.start()

    assert make.loaded(day.store) == before


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (NotAuthorizedError("GET /v2/account: 401"), "not_authorized"),
        (CredentialsMalformedError("secret /alchemiser/local/broker"), "credentials_malformed"),
    ],
)
def test_broker_error_that_is_final_fails_the_run_by_name(failure: Exception, reason: str) -> None:
    day = Day(make.plan(*BUYS), broker=FailingBroker(PRICES, failure=failure))

    day.start()

    [run_failed] = day.published
    assert isinstance(run_failed, RunFailed)
    assert (run_failed.state, run_failed.reason) == ("PLANNED", reason)
    assert day.state is RunState.FAILED


def test_plan_of_a_run_not_planned_yet_returns_to_its_queue() -> None:
    day = two_phases()
    day.store.runs[make.RUN_ID] = replace(make.loaded(day.store), state=RunState.AGGREGATED)

    with pytest.raises(StateUnavailableError, match="still AGGREGATED"):
        day.start()


def test_plan_that_is_not_visible_yet_returns_to_its_queue() -> None:
    day = two_phases()
    day.store.runs[make.RUN_ID] = replace(make.loaded(day.store), items={})

    with pytest.raises(StateUnavailableError, match=r"is PLANNED, but its plan is not visible yet$"):
        day.start()

    assert day.state is RunState.PLANNED


def test_outcome_of_an_unknown_run_returns_to_its_queue() -> None:
    day = two_phases()

    with pytest.raises(StateUnavailableError, match="no run another"):
        day.receive(make.executed("SPY", Side.BUY, "1", run_id="another"))
