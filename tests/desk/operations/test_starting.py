"""A start is checked before it is sent, confirmed, sent once, and followed until the run exists or is refused."""

import json
from datetime import UTC, datetime

import pytest

from automation.system.errors import CheckFailedError, ToolError, UsageError
from desk.operations import starting
from desk.operations.orders import Stopwatch
from desk.operations.situation import gather
from desk.operations.starting import CoordinatorLog, await_run, describe, plan_start, read_refusal, require_started
from tests.desk.operations.duty import (
    ROOT,
    RUN_ID,
    STAGE,
    UNREACHABLE,
    FakeBroker,
    FakeLogs,
    FakeSwitch,
    FakeWatch,
    World,
    connected,
    differing_books,
    run,
    stored,
)
from tests.desk.operations.test_obstacles import ADVICE, START, replacing
from the_alchemiser.coordinator_v2.admission import NextRun, StartRefusal
from the_alchemiser.shared.run.runs import RunState

Out = pytest.CaptureFixture[str]
FIRST = f"{RUN_ID}-r1"
REFUSED = StartRefusal(reason="paused", detail="the kill switch is not enabled")


def line(reason: str = "paused", message: str = "run refused") -> str:
    return json.dumps({"level": "WARNING", "message": message, "reason": reason, "detail": "why"})


def start(
    world: World, answer: str = "prod", *, replaces: str = "", yes: bool = False, is_interactive: bool = True
) -> list[str]:
    """Start a run in prod; return the questions that were asked."""
    questions: list[str] = []

    def ask(question: str) -> str:
        assert world.sent == []
        questions.append(question)
        return answer

    starting.start(
        ROOT,
        "prod",
        replaces=replaces,
        yes=yes,
        connect=connected(world),
        is_interactive=lambda: is_interactive,
        ask=ask,
    )
    return questions


def ready(**changes: object) -> World:
    """Return a world in which the coordinator starts the day's first forced run."""
    return World(starts=run(RunState.EVALUATING, FIRST), **changes)  # type: ignore[arg-type]


def test_start_sends_the_command_and_names_the_run(capsys: Out) -> None:
    world = ready()

    questions = start(world)

    assert questions == [f"Type prod to start {FIRST}:"]
    assert world.sent == [("coordinator_v2", START)]
    assert world.broker.is_closed
    assert capsys.readouterr().out.splitlines() == [
        f"prod: start {FIRST}; it is 2022-11-28 15:45 in New York, the market closes at 16:00",
        f"{FIRST}: EVALUATING",
        f"to follow it: inv run.show {FIRST} --env prod",
    ]


def test_start_in_the_place_of_another_run() -> None:
    world = World(store=stored(run(RunState.FAILED, settled=True)), starts=run(RunState.EVALUATING, FIRST))

    start(world, replaces=RUN_ID)

    assert world.sent == [("coordinator_v2", replacing())]


@pytest.mark.parametrize("answer", ["", "y", "PROD"])
def test_start_without_the_exact_word_sends_nothing(answer: str) -> None:
    world = ready()

    with pytest.raises(UsageError, match="cancelled: nothing was changed"):
        start(world, answer)
    assert world.sent == []


def test_start_without_a_terminal_needs_yes() -> None:
    world = ready()

    with pytest.raises(UsageError, match=r"^run\.start --env prod: must be confirmed"):
        start(world, is_interactive=False)
    assert world.sent == []


def test_start_with_yes_asks_nothing() -> None:
    world = ready()

    assert start(world, yes=True, is_interactive=False) == []
    assert len(world.sent) == 1


@pytest.mark.parametrize(
    ("world", "reason"),
    [
        (ready(switch=FakeSwitch("paused")), "paused"),
        (ready(broker=FakeBroker(time="16:01")), "market_closed"),
        (ready(broker=FakeBroker(error=UNREACHABLE)), "broker"),
        (ready(verdict=None), "verdict_missing"),
        (ready(account="PA2"), "wrong_account"),
    ],
)
def test_start_that_would_be_refused_is_not_sent(world: World, reason: str) -> None:
    with pytest.raises(
        CheckFailedError, match=r"^run\.start: this start would be refused; nothing was sent$"
    ) as caught:
        start(world)

    assert [finding.where for finding in caught.value.findings] == [reason]
    assert world.sent == []


def test_start_with_books_that_differ_leaves_it_to_the_coordinator(capsys: Out) -> None:
    world = ready(books=differing_books())

    start(world)

    assert len(world.sent) == 1
    assert "books_differ: 2022-11-25: SPY" in capsys.readouterr().out


def test_start_that_the_coordinator_refuses_after_all() -> None:
    world = World(log=[line("paused")])

    with pytest.raises(CheckFailedError, match=f"the coordinator has refused to start {FIRST}") as caught:
        start(world)

    [finding] = caught.value.findings
    assert (finding.where, finding.what, finding.fix) == ("paused", "why", "inv trading.resume --env prod")


def test_plan_start_is_the_run_that_the_coordinator_would_create() -> None:
    world = World(store=stored(run(RunState.FAILED, settled=True)))

    following, market = plan_start(gather(world.sources(), STAGE), replacing(), ADVICE)

    assert following == NextRun(FIRST, replaces=RUN_ID)
    assert market.account.number == "PA1"


def test_describe_names_what_is_replaced_and_when() -> None:
    situation = gather(World(store=stored(run(RunState.FAILED, settled=True))).sources(), STAGE)
    assert situation.market is not None

    replacement = describe(NextRun(FIRST, RUN_ID), situation.market, situation, is_sandbox=False)
    simulated = describe(NextRun(FIRST), situation.market, situation, is_sandbox=True)

    when = "it is 2022-11-28 15:45"
    assert replacement == (
        f"{FIRST} in the place of {RUN_ID}, which is FAILED; {when} in New York, the market closes at 16:00"
    )
    assert simulated == (
        f"{FIRST}; {when} at the exchange, whose clock only inv run-day moves on, the market closes at 16:00"
    )


def await_first(
    store_states: list[RunState | None], refusals: list[StartRefusal | None], watch: FakeWatch
) -> RunState | StartRefusal | None:
    """Wait for a run whose state and refusal are asked for; the last answer of each is repeated."""

    class States:
        def state_of(self, run_id: str) -> RunState | None:
            assert run_id == FIRST
            return store_states.pop(0) if len(store_states) > 1 else store_states[0]

    def refusal() -> StartRefusal | None:
        return refusals.pop(0) if len(refusals) > 1 else refusals[0]

    return await_run(States(), FIRST, refusal, wall=Stopwatch(watch.now, watch.sleep))


def test_await_run_until_it_exists() -> None:
    watch = FakeWatch()

    assert await_first([None, None, RunState.EVALUATING], [None], watch) is RunState.EVALUATING
    assert watch.pauses == [0.5, 0.5]


def test_await_run_until_it_is_refused() -> None:
    watch = FakeWatch()

    assert await_first([None], [None, REFUSED], watch) == REFUSED
    assert watch.pauses == [0.5]


def test_await_run_that_exists_wins_over_an_earlier_refusal() -> None:
    assert await_first([RunState.AGGREGATED], [REFUSED], FakeWatch()) is RunState.AGGREGATED


def test_await_run_gives_up_after_a_minute() -> None:
    watch = FakeWatch()

    assert await_first([None], [None], watch) is None
    assert watch.seconds == 160.0


def test_start_without_an_answer_says_where_to_look() -> None:
    situation = gather(World().sources(), STAGE)

    with pytest.raises(ToolError, match=f"{FIRST} does not exist after 60 s") as caught:
        require_started(None, FIRST, situation, ADVICE)
    assert "look with inv status --env prod before you send another one" in str(caught.value)


def test_start_with_a_run_has_succeeded() -> None:
    require_started(RunState.EVALUATING, FIRST, gather(World().sources(), STAGE), ADVICE)


def test_log_is_read_from_the_moment_of_the_command() -> None:
    logs = FakeLogs([line("run_exists"), line("paused"), "START RequestId: x"])
    log = CoordinatorLog(logs, "/prod/coordinator")  # type: ignore[arg-type] # only what it calls

    refusal = log.refusal(datetime(2026, 11, 27, 15, 0, 0, 250_000, tzinfo=UTC))

    assert refusal == StartRefusal(reason="paused", detail="why")
    assert logs.asked == [
        {
            "logGroupName": "/prod/coordinator",
            "startTime": 1795791600250,
            "filterPattern": '{ $.message = "run refused" }',
        }
    ]


def test_log_without_a_refusal_has_none() -> None:
    log = CoordinatorLog(FakeLogs([line(message="run started")]), "g")  # type: ignore[arg-type]

    assert log.refusal(datetime(2026, 11, 27, tzinfo=UTC)) is None


@pytest.mark.parametrize("text", ["", "REPORT", "[]", "1", '{"message": "handled"}', '{"reason": "paused"}'])
def test_other_lines_of_the_log_are_no_refusal(text: str) -> None:
    assert read_refusal(text) is None


def test_log_message_is_what_the_coordinator_writes() -> None:
    service = (ROOT / "the_alchemiser" / "coordinator_v2" / "service.py").read_text(encoding="utf-8")

    assert 'logger.warning("run refused", extra={"reason": refusal.reason, "detail": refusal.detail})' in service
