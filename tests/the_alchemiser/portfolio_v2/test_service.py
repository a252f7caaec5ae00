"""A run is planned once, whatever is delivered twice or lost."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec import structs

from tests.the_alchemiser.broker_fake import CrashError, CrashPlan
from tests.the_alchemiser.fakes import InMemoryLedger, InMemoryRunStore
from tests.the_alchemiser.portfolio_v2.brokerage import AS_OF, DAY, NOW, InMemoryBrokerage, position
from the_alchemiser.portfolio_v2.planning import Sources
from the_alchemiser.portfolio_v2.rebalance import MissingPriceError, Rules
from the_alchemiser.portfolio_v2.service import MODULE, Planner, PlanTooLargeError, check_size
from the_alchemiser.shared.broker.credentials import CredentialsMalformedError
from the_alchemiser.shared.broker.errors import BrokerTimeoutError, NotAuthorizedError
from the_alchemiser.shared.broker.models import Account
from the_alchemiser.shared.corporate_actions import CorporateActions
from the_alchemiser.shared.errors import StateUnavailableError
from the_alchemiser.shared.messaging.messages import RebalancePlanned, RunFailed, SignalGenerated
from the_alchemiser.shared.messaging.wiring import Reaction
from the_alchemiser.shared.run.plan import RebalancePlan
from the_alchemiser.shared.run.progress import plan_of
from the_alchemiser.shared.run.runs import Move, NewRun, Run, RunState

RUN = "local-2024-03-15"
SIGNAL = SignalGenerated(
    message_id=f"{RUN}/SignalGenerated/run",
    run_id=RUN,
    occurred_at=NOW,
    weights={"SPY": Decimal("0.6"), "TLT": Decimal("0.4")},
    contributions={"trend": {"SPY": Decimal("0.6")}, "rotation": {"TLT": Decimal("0.4")}},
    closes={"SPY": Decimal("514.95"), "TLT": Decimal("93.10")},
    as_of=AS_OF,
)


def _runs(state: RunState = RunState.AGGREGATED) -> InMemoryRunStore:
    runs = InMemoryRunStore()
    run = NewRun(RUN, "local", DAY, AS_OF, {"trend": Decimal(1)}, NOW + timedelta(minutes=9))
    runs.create(run, by="coordinator_v2", at=NOW, outbox=())
    if state is not RunState.EVALUATING:
        runs.move(RUN, Move(RunState.EVALUATING, state, "aggregator_v2", NOW, NOW, outbox=(SIGNAL,)))
        runs.mark_sent(RUN)
    return runs


def _broker() -> InMemoryBrokerage:
    prices = {"SPY": Decimal("509.83"), "TLT": Decimal("92.50"), "GLD": Decimal("200")}
    return InMemoryBrokerage(prices, (position("SPY", "10", "509.83"), position("GLD", "7.123456789", "200")))


def _planner(runs: InMemoryRunStore, broker: InMemoryBrokerage | None = None) -> Planner:
    sources = Sources(broker or _broker(), InMemoryLedger(), CorporateActions)
    return Planner(runs, sources, Rules(), now=lambda: NOW)


def _plan(runs: InMemoryRunStore) -> RebalancePlan:
    stored = plan_of(runs.runs[RUN])
    assert stored is not None
    return stored


def test_handle_signal_stores_and_publishes_the_plan() -> None:
    runs = _runs()

    reaction = _planner(runs).handle(SIGNAL)

    (planned,) = reaction.messages
    assert isinstance(planned, RebalancePlanned)
    assert planned.sells == (f"{RUN}-SELL-GLD",)
    assert planned.buys == (f"{RUN}-BUY-SPY", f"{RUN}-BUY-TLT")
    assert planned.caused_by == SIGNAL.message_id
    assert runs.runs[RUN].state is RunState.PLANNED
    assert runs.runs[RUN].timeline[-1].by == MODULE == "portfolio_v2"
    assert [decision.symbol for decision in _plan(runs).decisions] == ["GLD", "SPY", "TLT"]


def test_handle_again_while_unsent_publishes_the_same() -> None:
    runs = _runs()
    first = _planner(runs).handle(SIGNAL)

    second = _planner(runs, replace(_broker(), cash=Decimal(1))).handle(SIGNAL)

    assert second.messages == first.messages


def test_handle_again_after_it_was_sent_does_nothing() -> None:
    runs = _runs()
    _planner(runs).handle(SIGNAL).on_published()

    assert _planner(runs).handle(SIGNAL).messages == ()
    assert runs.runs[RUN].sent


def test_handle_when_killed_before_the_move_keeps_the_first_plan() -> None:
    runs = _runs()
    dying = CrashPlan(at_call=1, is_after=False).around(runs, ["move"])
    with pytest.raises(CrashError):
        _planner(dying).handle(SIGNAL)
    first = _plan(runs)

    (planned,) = _planner(runs, replace(_broker(), cash=Decimal(1))).handle(SIGNAL).messages

    assert isinstance(planned, RebalancePlanned)
    assert planned.equity == first.equity
    assert _plan(runs) == first


def test_handle_after_another_worker_stored_a_plan_publishes_that_one() -> None:
    runs = _runs()
    _planner(_Losing(runs), replace(_broker(), cash=Decimal(1))).handle(SIGNAL)
    first = _plan(runs)

    class OtherWorkerFirst(_Racing):
        def load(self, run_id: str) -> Run | None:
            self.loads += 1
            run = super().load(run_id)
            return structs.replace(run, items={}) if run is not None and self.loads == 1 else run

    (planned,) = _planner(OtherWorkerFirst(runs)).handle(SIGNAL).messages

    assert isinstance(planned, RebalancePlanned)
    assert planned.equity == first.equity
    assert _plan(runs) == first


def test_handle_while_the_first_plan_is_not_visible_raises_retryable() -> None:
    runs = _runs()
    _planner(_Losing(runs)).handle(SIGNAL)

    class ItemsUnseen(_Racing):
        def load(self, run_id: str) -> Run | None:
            run = super().load(run_id)
            return None if run is None else structs.replace(run, items={})

    with pytest.raises(StateUnavailableError, match=f"^{RUN}: the plan that was stored first is not visible yet$"):
        _planner(ItemsUnseen(runs)).handle(SIGNAL)

    assert runs.runs[RUN].state is RunState.AGGREGATED


def test_handle_after_another_worker_moved_publishes_nothing() -> None:
    assert _planner(_Losing(_runs())).handle(SIGNAL) == Reaction()


def test_handle_of_a_run_that_sells_already_publishes_nothing() -> None:
    assert _planner(_runs(RunState.SELLING)).handle(SIGNAL) == Reaction()


def test_handle_before_the_run_is_aggregated_raises_retryable() -> None:
    with pytest.raises(StateUnavailableError, match=f"^{RUN} is still EVALUATING$"):
        _planner(_runs(RunState.EVALUATING)).handle(SIGNAL)
    with pytest.raises(StateUnavailableError):
        _planner(InMemoryRunStore()).handle(SIGNAL)


def test_handle_of_failed_run_plans_nothing() -> None:
    runs = _runs(RunState.FAILED)

    assert _planner(runs).handle(SIGNAL).messages == ()
    assert plan_of(runs.runs[RUN]) is None


def test_handle_without_a_price_raises_retryable_and_plans_nothing() -> None:
    runs = _runs()

    with pytest.raises(MissingPriceError):
        _planner(runs, InMemoryBrokerage(known=frozenset({"SPY", "TLT"}))).handle(SIGNAL)

    assert runs.runs[RUN].state is RunState.AGGREGATED


class _RefusingBroker(InMemoryBrokerage):
    def account(self) -> Account:
        raise NotAuthorizedError("GET /v2/account: 401 request is not authorized")


class _SlowBroker(InMemoryBrokerage):
    def account(self) -> Account:
        raise BrokerTimeoutError("GET /v2/account: no answer in time")


class _KeylessBroker(InMemoryBrokerage):
    def account(self) -> Account:
        raise CredentialsMalformedError("secret /alchemiser/local/broker: not the JSON expected")


@pytest.mark.parametrize(
    ("broker", "reason"),
    [
        (_RefusingBroker({}), "not_authorized"),
        (InMemoryBrokerage(is_blocked=True), "account_blocked"),
        (InMemoryBrokerage(equity=Decimal(0)), "account_empty"),
        (InMemoryBrokerage(equity=Decimal(-20)), "account_empty"),
        (InMemoryBrokerage(), "no_tradable_target"),
        (_KeylessBroker({}), "credentials_malformed"),
    ],
)
def test_handle_after_a_final_error_fails_the_run(broker: InMemoryBrokerage, reason: str) -> None:
    runs = _runs()

    (run_failed,) = _planner(runs, broker).handle(SIGNAL).messages

    assert isinstance(run_failed, RunFailed)
    assert (run_failed.reason, run_failed.state) == (reason, "AGGREGATED")
    assert runs.runs[RUN].state is RunState.FAILED


def test_handle_with_broker_down_raises_and_leaves_the_run() -> None:
    runs = _runs()

    with pytest.raises(BrokerTimeoutError):
        _planner(runs, _SlowBroker({})).handle(SIGNAL)

    assert runs.runs[RUN].state is RunState.AGGREGATED


@pytest.mark.parametrize(
    ("weights", "reason"), [({}, "empty_signal"), ({"SPY": "1.2", "TLT": "-0.2"}, "invalid_weights")]
)
def test_handle_of_wrong_weights_fails_the_run_and_plans_nothing(weights: dict[str, str], reason: str) -> None:
    runs, broker = _runs(), _broker()
    wrong = SIGNAL.changed(weights={symbol: Decimal(weight) for symbol, weight in weights.items()})

    (run_failed,) = _planner(runs, broker).handle(wrong).messages

    assert isinstance(run_failed, RunFailed)
    assert run_failed.reason == reason
    assert plan_of(runs.runs[RUN]) is None
    assert broker.calls == []


def test_handle_of_a_book_that_is_too_large_fails_the_run_and_plans_nothing() -> None:
    runs, share = _runs(), Decimal("0.0001")
    strategies = {f"strategy-with-a-long-name-{number}": {"SPY": share} for number in range(6_000)}
    large = SIGNAL.changed(contributions={**strategies, "rotation": {"TLT": Decimal("0.4")}})

    (run_failed,) = _planner(runs).handle(large).messages

    assert isinstance(run_failed, RunFailed)
    assert run_failed.reason == "plan_too_large"
    assert plan_of(runs.runs[RUN]) is None


def test_check_size_accepts_280_000_bytes_and_no_more() -> None:
    empty = len('{"reason": ""}')
    check_size({"reason": "x" * (280_000 - empty)})

    with pytest.raises(PlanTooLargeError, match=r"^the plan has 280,001 bytes; at most 280,000 are allowed$") as caught:
        check_size({"reason": "x" * (280_001 - empty)})

    assert not caught.value.retryable


def test_give_up_fails_the_run_with_the_error() -> None:
    runs = _runs()

    reaction = _planner(runs).give_up(SIGNAL, BrokerTimeoutError("GET /v2/account: no answer in time"))

    (run_failed,) = reaction.messages
    assert isinstance(run_failed, RunFailed)
    assert (run_failed.reason, run_failed.detail) == ("broker_timeout", "GET /v2/account: no answer in time")
    assert (run_failed.state, run_failed.caused_by) == ("AGGREGATED", SIGNAL.message_id)
    assert runs.runs[RUN].timeline[-1].by == MODULE
    reaction.on_published()
    assert runs.runs[RUN].sent


@pytest.mark.parametrize("state", [RunState.EVALUATING, RunState.PLANNED, RunState.FAILED])
def test_give_up_on_a_run_that_awaits_no_plan_raises_the_error(state: RunState) -> None:
    runs, error = _runs(state), StateUnavailableError("not yet")

    with pytest.raises(StateUnavailableError) as raised:
        _planner(runs).give_up(SIGNAL, error)

    assert raised.value is error
    assert runs.runs[RUN].state is state


def test_give_up_on_an_error_without_a_name_raises_it() -> None:
    runs = _runs()

    with pytest.raises(ZeroDivisionError):
        _planner(runs).give_up(SIGNAL, ZeroDivisionError())

    assert runs.runs[RUN].state is RunState.AGGREGATED


def test_give_up_after_another_worker_moved_publishes_nothing() -> None:
    runs = _runs()
    losing = _Losing(runs)

    assert _planner(losing).give_up(SIGNAL, BrokerTimeoutError("late")).messages == ()


class _Racing(InMemoryRunStore):
    """Another worker's view of the same runs."""

    def __init__(self, runs: InMemoryRunStore) -> None:
        super().__init__()
        self.runs = runs.runs
        self.loads = 0


class _Losing(_Racing):
    """A store in which another worker always moves first."""

    def move(self, run_id: str, move: Move) -> bool:
        return False
