"""Bad inputs at every border: a named failure or a clean skip, at most three receives, and never a trade because of it.

Each test lets the ten real handlers trade a simulated day, and changes what passes over the bus or lies in an inbox.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.simulation.deployment import STAGE, read_deployment
from tests.simulation.end_state import EndState
from tests.simulation.kernel import _History
from tests.simulation.scenario import AccountPlan, DayKind, Scenario
from tests.simulation.world import microseconds
from tests.the_alchemiser.examples import example
from the_alchemiser.shared.messaging.messages import REGISTRY, Message
from the_alchemiser.shared.messaging.publisher import bus_event
from the_alchemiser.shared.run.runs import RunState

DAY = date(2022, 6, 15)
RUN = f"{STAGE}-{DAY}"
START = datetime.fromisoformat("2022-06-15T15:45:00-04:00")
HELD = {"AAA": Decimal(50), "CCC": Decimal(30)}
ACCOUNT = AccountPlan(cash=Decimal(50_000), opened_by_strategies=HELD)
MODULES = read_deployment().functions

type Event = dict[str, Any]
type Edit = Callable[[Event], Sequence[Event]]


def keep(event: Event) -> Sequence[Event]:
    return (event,)


@dataclass(frozen=True)
class Day:
    """What happens on the day beside the schedules.

    Attributes:
        on_bus: returns what the bus delivers in place of an event.
        on_queue: returns what the trade queue gets in place of a trade.
        sent: bodies by inbox, and when they are sent after the start of the run.
    """

    account: AccountPlan = ACCOUNT
    on_bus: Edit = keep
    on_queue: Edit = keep
    sent: Sequence[tuple[timedelta, str, str]] = field(default_factory=tuple)

    def trade(self) -> EndState:
        history = _History(Scenario(seed=7, kind=DayKind.NORMAL, dates=(DAY,), account=self.account), keep_logs=False)
        system = history.system
        deliver, send = system.account.deliver, system.account.send

        def deliver_edited(event: Mapping[str, Any]) -> None:
            for edited in self.on_bus(json.loads(json.dumps(event))):
                deliver(edited)

        def send_edited(queue: str, body: str, group: str, deduplication: str) -> None:
            for edited in self.on_queue(json.loads(body)):
                send(queue, json.dumps(edited), group, deduplication)

        system.account.deliver, system.account.send = deliver_edited, send_edited
        for after, queue, body in self.sent:
            system.world.schedule(microseconds(START + after), Sending(system.inboxes[queue].send, body))
        return history.run()


@dataclass(frozen=True)
class Sending:
    """Sends one body when it is called."""

    send: Callable[[str], None]
    body: str

    def __call__(self) -> None:
        self.send(self.body)


def edited(kind: str, **fields: Any) -> Edit:
    """Return an edit that replaces fields of the messages of a kind."""

    def edit(event: Event) -> Sequence[Event]:
        if event["detail-type"] == kind:
            event["detail"] |= fields
        return (event,)

    return edit


def event_of(message: Message, **fields: Any) -> str:
    """Return a message as a rule puts it into an inbox, with some fields replaced."""
    event = bus_event(message)
    event["detail"] |= fields
    return json.dumps(event)


def assert_untouched(state: EndState) -> None:
    """Nothing was ordered, and the account holds what it held before."""
    assert state.posts == ()
    assert state.account == state.opening


def assert_no_storm(state: EndState) -> None:
    """No message was received more than three times."""
    assert max(attempt.receive for attempt in state.attempts) <= 3


def failure_of(state: EndState) -> tuple[RunState, Any, list[str]]:
    """Return the state of the only run, why it failed, and the subjects of the mails."""
    (run,) = state.runs.values()
    return run.state, run.payloads.get(RunState.FAILED, {}).get("reason"), [mail.subject for mail in state.mails]


def undisturbed() -> EndState:
    return Day().trade()


@pytest.fixture(scope="module")
def usual() -> EndState:
    """The day without any bad input."""
    return undisturbed()


def test_the_usual_day_sells_and_buys(usual: EndState) -> None:
    sides = {post.side for post in usual.posts}

    assert sides == {"buy", "sell"}
    assert failure_of(usual)[0] is RunState.COMPLETED


@pytest.mark.parametrize("body", ["not json", "{}", "[]", '{"command": "sell-everything"}', '{"detail-type": "X"}'])
def test_malformed_body_in_every_inbox_is_a_dead_letter_and_changes_nothing(usual: EndState, body: str) -> None:
    inboxes = [function.queue for function in MODULES.values()]

    state = Day(sent=[(timedelta(seconds=-60), inbox, body) for inbox in inboxes]).trade()

    letters = {read_deployment().queues[inbox].dead_letters: (body,) for inbox in inboxes}
    assert dict(state.dead_letters) == letters
    assert state.account == usual.account
    assert len(state.mails) == len(usual.mails)
    assert_no_storm(state)


def routes() -> Iterator[tuple[type[Message], str]]:
    for kind, route in REGISTRY.items():
        for module in route.consumers:
            yield kind, MODULES[module].queue


def test_unknown_schema_version_of_every_message_is_a_dead_letter(usual: EndState) -> None:
    sent = [(timedelta(seconds=-60), queue, event_of(example(kind), schema_version=2)) for kind, queue in routes()]

    state = Day(sent=sent).trade()

    assert sum(len(letters) for letters in state.dead_letters.values()) == len(sent)
    assert state.account == usual.account
    assert_no_storm(state)


def test_messages_of_an_unknown_run_place_no_order(usual: EndState) -> None:
    sent = [(timedelta(seconds=-60), queue, event_of(example(kind))) for kind, queue in routes()]

    state = Day(sent=sent).trade()

    assert state.account == usual.account
    assert [post.client_order_id for post in state.posts] == [post.client_order_id for post in usual.posts]
    assert set(state.runs) == {RUN}
    # A module that needs the run gives up after three receives; the others have nothing to look up.
    assert set(state.dead_letters) == {"AggregatorDlq", "PortfolioDlq", "TradeAggregatorDlq"}
    assert [
        (published.detail["reason"], published.detail["trade_id"])
        for published in state.published
        if published.detail_type == "TradeFailed" and published.run_id != RUN
    ] == [("run_ended", "staging-2022-03-16-r2-BUY-SYM000.A")]
    assert_no_storm(state)


BAD_WEIGHTS = {
    "above one": {"AAA": "1.5", "CCC": "-0.5"},
    "more than the whole": {"AAA": "0.7", "CCC": "0.7"},
    "less than the whole": {"AAA": "0.999"},
    "empty": {},
    "too exact": {"AAA": "0.5", "CCC": "0.49999999999999999999", "DDD": "1E-20"},
    "vanishing": {"AAA": "1", "CCC": "1E-999999"},
}


@pytest.mark.parametrize("weights", BAD_WEIGHTS.values(), ids=BAD_WEIGHTS)
def test_bad_weights_of_a_strategy_fail_the_run_by_name(weights: Mapping[str, str]) -> None:
    state = Day(on_bus=edited("StrategyEvaluated", weights=weights, closes=dict.fromkeys(weights, "10"))).trade()

    reached, reason, subjects = failure_of(state)
    assert (reached, reason) == (RunState.FAILED, "weights_invalid")
    assert subjects == [f"[{STAGE}] {DAY}: run FAILED in state EVALUATING: weights invalid"]
    assert_untouched(state)
    assert dict(state.dead_letters) == {}


def test_strategies_that_want_only_cash_sell_every_holding() -> None:
    state = Day(on_bus=edited("StrategyEvaluated", weights={}, closes={}, cash="1")).trade()

    assert failure_of(state)[0] is RunState.COMPLETED
    assert {post.side for post in state.posts} == {"sell"}
    assert {symbol for symbol, shares in state.account.positions.items() if shares} == set()


@pytest.mark.parametrize("closes", [{}, {"AAA": "0"}, {"AAA": "-1"}], ids=["missing", "zero", "negative"])
def test_bad_closes_of_a_strategy_fail_the_run_by_name(closes: Mapping[str, str]) -> None:
    state = Day(on_bus=edited("StrategyEvaluated", weights={"AAA": "1"}, closes=closes)).trade()

    assert failure_of(state)[:2] == (RunState.FAILED, "closes_invalid")
    assert_untouched(state)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "much"])
def test_weight_that_is_not_a_number_is_a_dead_letter_and_fails_the_run_late(number: str) -> None:
    state = Day(on_bus=edited("StrategyEvaluated", weights={"AAA": number})).trade()

    reached, reason, subjects = failure_of(state)
    assert (reached, reason) == (RunState.FAILED, "overdue_EVALUATING")
    assert len(subjects) == 1
    assert {queue: len(letters) for queue, letters in state.dead_letters.items()} == {"AggregatorDlq": 3}
    assert_untouched(state)
    assert_no_storm(state)


def test_targets_none_of_which_can_be_traded_fail_the_run_and_sell_nothing() -> None:
    state = Day(on_bus=edited("StrategyEvaluated", weights={"ZZZZ": "1"}, closes={"ZZZZ": "10"})).trade()

    reached, reason, subjects = failure_of(state)
    assert (reached, reason) == (RunState.FAILED, "no_tradable_target")
    assert "The broker trades none of the targets now" in state.mails[0].text
    assert len(subjects) == 1
    assert_untouched(state)
    assert_no_storm(state)


def test_target_that_cannot_be_traded_stays_in_cash_and_degrades_the_run() -> None:
    weights = {"AAA": "0.5", "ZZZZ": "0.5"}

    state = Day(on_bus=edited("StrategyEvaluated", weights=weights, closes=dict.fromkeys(weights, "120"))).trade()

    (completed,) = (published for published in state.published if published.detail_type == "RunCompleted")
    assert completed.detail["untradable"] == {"ZZZZ": "not_tradable"}
    assert completed.detail["degraded"] is True
    assert "1 target left out" in state.mails[0].subject
    assert dict(state.dead_letters) == {}


def test_answers_of_another_day_fail_the_run_by_name() -> None:
    state = Day(on_bus=edited("StrategyEvaluated", as_of="2022-06-13")).trade()

    assert failure_of(state)[:2] == (RunState.FAILED, "as_of_differs")
    assert_untouched(state)


def test_answer_of_a_strategy_outside_the_run_fails_it_by_name() -> None:
    def add_stranger(event: Event) -> Sequence[Event]:
        if event["detail-type"] != "StrategyEvaluated":
            return (event,)
        stranger = json.loads(json.dumps(event))
        stranger["detail"] |= {"strategy": "stranger", "message_id": f"{RUN}/StrategyEvaluated/stranger"}
        return (stranger, event)

    state = Day(on_bus=add_stranger).trade()

    reached, reason, subjects = failure_of(state)
    assert (reached, reason) == (RunState.FAILED, "unknown_strategy")
    assert len(subjects) == 1
    assert_untouched(state)


BAD_SIGNALS: Mapping[str, Mapping[str, Any]] = {
    "empty": {"weights": {}, "contributions": {}, "closes": {}},
    "above one": {"weights": {"AAA": "2"}, "contributions": {"calm": {"AAA": "2"}}},
    "negative": {"weights": {"AAA": "1.5", "CCC": "-0.5"}, "contributions": {"calm": {"AAA": "1.5", "CCC": "-0.5"}}},
}


@pytest.mark.parametrize("fields", BAD_SIGNALS.values(), ids=BAD_SIGNALS)
def test_bad_signal_fails_the_run_and_sells_nothing(fields: Mapping[str, Any]) -> None:
    state = Day(on_bus=edited("SignalGenerated", **fields)).trade()

    reached, reason, subjects = failure_of(state)
    assert (reached, reason) == (RunState.FAILED, "empty_signal" if not fields["weights"] else "invalid_weights")
    assert len(subjects) == 1
    assert_untouched(state)


@pytest.mark.parametrize("quantity", ["-5", "0"])
def test_trade_of_a_bad_quantity_orders_nothing_and_is_named(quantity: str) -> None:
    state = Day(on_queue=edited("TradeRequested", quantity=quantity)).trade()

    reasons = {published.detail["reason"] for published in state.published if published.detail_type == "TradeFailed"}
    assert reasons == {"invalid_order"}
    assert "the broker found the order's price, quantity or type invalid" in state.mails[0].text
    assert_untouched(state)
    assert dict(state.dead_letters) == {}
    assert len(state.mails) == 1


def test_messages_repeated_after_the_end_change_nothing(usual: EndState) -> None:
    """Not even under new ids, which no claim knows."""
    sent: list[tuple[timedelta, str, str]] = []
    for published in (*usual.published, *usual.trade_messages):
        if published.detail_type in {"RunCompleted", "StrategyRequested"}:
            continue
        detail = {**published.detail, "message_id": f"{published.message_id}/again"}
        event = json.dumps({"detail-type": published.detail_type, "source": "alchemiser.trading", "detail": detail})
        kind = next(kind for kind in REGISTRY if kind.__name__ == published.detail_type)
        sent += [(timedelta(minutes=3), MODULES[module].queue, event) for module in REGISTRY[kind].consumers]

    state = Day(sent=sent).trade()

    assert state.account == usual.account
    assert [mail.subject for mail in state.mails] == [mail.subject for mail in usual.mails]
    assert [post.status for post in state.posts].count(200) == len(usual.posts)
    assert dict(state.dead_letters) == {}


def test_account_without_equity_fails_the_run_by_name() -> None:
    state = Day(account=AccountPlan(cash=Decimal(0))).trade()

    reached, reason, subjects = failure_of(state)
    assert (reached, reason) == (RunState.FAILED, "account_empty")
    assert "The account has no equity to invest:" in state.mails[0].text
    assert len(subjects) == 1
    assert_untouched(state)


def test_forced_starts_of_a_person_are_each_answered_once(usual: EndState) -> None:
    forced = [
        '{"command": "start-run", "force": true}',
        f'{{"command": "start-run", "force": true, "replaces": "{RUN}-r7"}}',
        f'{{"command": "start-run", "force": true, "replaces": "{RUN}"}}',
    ]

    state = Day(sent=[(timedelta(minutes=1), "CoordinatorInbox", body) for body in forced * 2]).trade()

    refusals = {mail.subject.rpartition(": ")[2] for mail in state.mails if "REFUSED" in mail.subject}
    assert refusals == {"replaces missing", "replaces another", "run not settled"}
    assert len(state.mails) == 4
    assert state.account == usual.account
