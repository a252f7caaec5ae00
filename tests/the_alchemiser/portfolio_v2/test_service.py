"""A run is planned once, whatever is delivered twice or lost."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from tests.the_alchemiser.broker_fake import NOW, CrashError, CrashPlan, InMemoryBroker
from tests.the_alchemiser.fakes import InMemoryLedger, InMemoryRunStore
from the_alchemiser.portfolio_v2.rebalance import MissingPriceError, Rules
from the_alchemiser.portfolio_v2.service import MODULE, Planner
from the_alchemiser.shared.broker.credentials import CredentialsMalformedError
from the_alchemiser.shared.broker.errors import BrokerTimeoutError, NotAuthorizedError
from the_alchemiser.shared.broker.models import Account, Trade
from the_alchemiser.shared.errors import StateUnavailableError
from the_alchemiser.shared.ledger.ledger import LedgerEntry
from the_alchemiser.shared.messaging.messages import RebalancePlanned, RunFailed, SignalGenerated
from the_alchemiser.shared.run.plan import RebalancePlan
from the_alchemiser.shared.run.progress import plan_of
from the_alchemiser.shared.run.runs import Move, NewRun, RunState
from the_alchemiser.shared.values import Side

RUN = "local-2024-03-15"
SIGNAL = SignalGenerated(
    message_id=f"{RUN}/SignalGenerated/run",
    run_id=RUN,
    occurred_at=NOW,
    weights={"SPY": Decimal("0.6"), "TLT": Decimal("0.4")},
    contributions={"trend": {"SPY": Decimal("0.6")}, "rotation": {"TLT": Decimal("0.4")}},
    closes={"SPY": Decimal("514.95"), "TLT": Decimal("93.10")},
    as_of=date(2024, 3, 14),
)


def _runs(state: RunState = RunState.AGGREGATED) -> InMemoryRunStore:
    runs = InMemoryRunStore()
    run = NewRun(RUN, "local", date(2024, 3, 15), date(2024, 3, 14), {"trend": Decimal(1)}, NOW + timedelta(minutes=9))
    runs.create(run, by="coordinator_v2", at=NOW, outbox=())
    if state is not RunState.EVALUATING:
        runs.move(RUN, Move(RunState.EVALUATING, state, "aggregator_v2", NOW, NOW, outbox=(SIGNAL,)))
        runs.mark_sent(RUN)
    return runs


def _broker() -> InMemoryBroker:
    prices = {"SPY": Decimal("509.83"), "TLT": Decimal("92.50"), "GLD": Decimal("200")}
    return InMemoryBroker(prices, cash=Decimal(50_000), held={"SPY": Decimal(10), "GLD": Decimal("7.123456789")})


def _planner(
    runs: InMemoryRunStore, broker: InMemoryBroker | None = None, ledger: InMemoryLedger | None = None
) -> Planner:
    return Planner(runs, ledger or InMemoryLedger(), broker or _broker(), Rules(), now=lambda: NOW)


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
    assert runs.runs[RUN].timeline[-1].by == MODULE
    assert [decision.symbol for decision in _plan(runs).decisions] == ["GLD", "SPY", "TLT"]


def test_handle_signal_plans_at_latest_trade_and_keeps_close() -> None:
    runs = _runs()

    _planner(runs).handle(SIGNAL)

    gold, spy, _ = _plan(runs).decisions
    assert (spy.price, spy.last_close) == (Decimal("509.83"), Decimal("514.95"))
    assert (gold.price, gold.last_close) == (Decimal("200"), Decimal("200"))
    assert gold.quantity == Decimal("7.123456789")


def test_handle_signal_takes_attribution_from_the_ledger() -> None:
    runs, ledger = _runs(), InMemoryLedger()
    ledger.record(
        LedgerEntry(
            "SPY",
            NOW,
            "o",
            "1",
            "c",
            "t",
            "r",
            Side.BUY,
            Decimal(10),
            Decimal(500),
            Decimal(-5000),
            {"rotation": Decimal(10)},
        )
    )

    _planner(runs, ledger=ledger).handle(SIGNAL)

    spy = _plan(runs).decisions[1]
    assert spy.deltas["rotation"] == Decimal(-10)
    assert set(spy.deltas) == {"trend", "rotation"}


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


def test_handle_before_the_run_is_aggregated_raises_retryable() -> None:
    with pytest.raises(StateUnavailableError):
        _planner(_runs(RunState.EVALUATING)).handle(SIGNAL)
    with pytest.raises(StateUnavailableError):
        _planner(InMemoryRunStore()).handle(SIGNAL)


def test_handle_of_failed_run_plans_nothing() -> None:
    runs = _runs(RunState.FAILED)

    assert _planner(runs).handle(SIGNAL).messages == ()
    assert plan_of(runs.runs[RUN]) is None


class _UnpricedBroker(InMemoryBroker):
    def latest_trades(self, symbols: Iterable[str]) -> Mapping[str, Trade]:
        return {}


def test_handle_without_a_price_raises_retryable_and_plans_nothing() -> None:
    runs = _runs()

    with pytest.raises(MissingPriceError, match="SPY"):
        _planner(runs, _UnpricedBroker({"SPY": Decimal(500)})).handle(SIGNAL)

    assert runs.runs[RUN].state is RunState.AGGREGATED


class _RefusingBroker(InMemoryBroker):
    def account(self) -> Account:
        raise NotAuthorizedError("GET /v2/account: 401 request is not authorized")


class _SlowBroker(InMemoryBroker):
    def account(self) -> Account:
        raise BrokerTimeoutError("GET /v2/account: no answer in time")


class _KeylessBroker(InMemoryBroker):
    def account(self) -> Account:
        raise CredentialsMalformedError("secret /alchemiser/local/broker: not the JSON expected")


class _BlockedBroker(InMemoryBroker):
    def account(self) -> Account:
        return super().account()._replace(trading_blocked=True)


@pytest.mark.parametrize(
    ("broker", "reason"),
    [
        (_RefusingBroker({}), "not_authorized"),
        (_BlockedBroker({}), "account_blocked"),
        (_KeylessBroker({}), "credentials_malformed"),
    ],
)
def test_handle_after_a_final_error_fails_the_run(broker: InMemoryBroker, reason: str) -> None:
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


def test_handle_of_unknown_target_plans_no_trade_in_it() -> None:
    runs, broker = _runs(), _UnlistedBroker({"SPY": Decimal(500)}, cash=Decimal(1000))

    _planner(runs, broker).handle(SIGNAL)

    decision = _plan(runs).decisions[1]
    assert decision.symbol == "TLT"
    assert "does not trade" in decision.reason


class _UnlistedBroker(InMemoryBroker):
    """Still reports a last sale of a symbol that it no longer lists."""

    def latest_trades(self, symbols: Iterable[str]) -> Mapping[str, Trade]:
        return {symbol: Trade(symbol, Decimal(90), NOW) for symbol in symbols}
