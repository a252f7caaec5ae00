"""Each thing in the way of trading or of a start is named, with a command that works when pasted."""

from dataclasses import replace
from datetime import date

import pytest

from automation.system.errors import Finding
from desk.operations.obstacles import (
    Advice,
    advice_for,
    books_findings,
    finding_of,
    in_the_way_of_a_start,
    in_the_way_of_trading,
)
from desk.operations.situation import Situation, gather
from desk.operations.switch import Setting
from tests.desk.operations.duty import (
    RUN_ID,
    STAGE,
    UNREACHABLE,
    FakeBroker,
    FakeSwitch,
    World,
    check,
    differing_books,
    environment,
    run,
    stored,
)
from the_alchemiser.coordinator_v2.admission import StartRefusal
from the_alchemiser.shared.books.checks import CheckState
from the_alchemiser.shared.messaging.commands import StartRun
from the_alchemiser.shared.run.runs import Run, RunState

ADVICE = Advice("prod", STAGE, is_sandbox=False)
SANDBOX = Advice("local", STAGE, is_sandbox=True)
REFRESH = "inv data.refresh --env prod"
START = StartRun(command="start-run", force=True)


def replacing(run_id: str = RUN_ID) -> StartRun:
    return StartRun(command="start-run", force=True, replaces=run_id)


def look(world: World) -> Situation:
    return gather(world.sources(), STAGE)


def trading(world: World, advice: Advice = ADVICE) -> list[Finding]:
    return list(in_the_way_of_trading(look(world), advice))


def start(world: World, command: StartRun = START, advice: Advice = ADVICE) -> list[Finding]:
    return list(in_the_way_of_a_start(look(world), command, advice))


def reasons(findings: list[Finding]) -> list[str]:
    return [finding.where for finding in findings]


def ended(state: RunState = RunState.FAILED, *, settled: bool = True) -> World:
    return World(store=stored(run(state, settled=settled)))


def test_advice_has_commands_that_work_when_pasted() -> None:
    advice = advice_for(environment(World()))

    assert (advice.environment, advice.stage, advice.is_sandbox) == ("prod", STAGE, False)
    assert advice.inv("run.show X") == "inv run.show X --env prod"
    assert advice_for(environment(World(), "local")).is_sandbox


def test_nothing_is_in_the_way_of_an_environment_in_order() -> None:
    assert trading(World()) == []
    assert start(World()) == []


def test_pause_is_named_with_who_and_when() -> None:
    paused = World(switch=FakeSwitch("paused"))
    what = "trading is paused since 2022-11-28 14:02:11 UTC by arn:aws:iam::123456789012:user/eva"

    assert trading(paused) == [Finding("paused", what, "inv trading.resume --env prod")]
    assert start(paused) == trading(paused)


@pytest.mark.parametrize(
    ("setting", "what"),
    [
        (Setting("paused"), "trading is paused"),
        (Setting("on"), "trading is on"),
        (Setting(""), "trading is paused: there is no kill switch"),
    ],
)
def test_pause_of_unknown_origin_is_named(setting: Setting, what: str) -> None:
    situation = replace(look(World()), switch=setting)

    assert [finding.what for finding in in_the_way_of_trading(situation, ADVICE)] == [what]


def test_broker_that_does_not_answer() -> None:
    silent = World(broker=FakeBroker(error=UNREACHABLE), verdict=None)
    finding = Finding("broker", "GET /v2/clock: connection refused", "look at the broker's status page")

    assert trading(silent) == [finding]
    assert start(silent) == [finding]
    assert trading(silent, SANDBOX)[0].fix == "inv sandbox.status, then inv sandbox.up"


def test_account_that_is_blocked_or_another_one() -> None:
    odd = World(broker=FakeBroker(is_blocked=True), account="PA2")
    expected = [
        Finding("account_blocked", "the broker blocks trading on the account", "ask the broker why"),
        Finding(
            "wrong_account",
            "the broker's keys belong to account PA1, this environment trades PA2",
            "inv secrets.set broker --env prod",
        ),
    ]

    assert trading(odd) == expected
    assert start(odd) == expected


def test_books_that_differ_stop_trading_but_not_the_question() -> None:
    """A start looks again, so the coordinator decides."""
    world = World(books=differing_books())
    what = "2022-11-25: SPY: the broker shows 12 shares, the books say 10"
    finding = Finding("books_differ", what, "inv reconcile --env prod; once it is explained, add --accept")

    assert trading(world) == [finding]
    assert start(world) == []
    assert books_findings(look(world), ADVICE) == (finding,)


@pytest.mark.parametrize("state", [CheckState.OPENED, CheckState.AGREED, CheckState.ACCEPTED])
def test_books_in_any_other_state_are_in_order(state: CheckState) -> None:
    world = World()
    assert world.books.put(check(state))

    assert books_findings(look(world), ADVICE) == ()
    assert books_findings(look(World()), ADVICE) == ()


@pytest.mark.parametrize(("time", "is_named"), [("09:00", True), ("15:59", True), ("16:00", False), ("16:01", False)])
def test_market_data_matter_until_the_close(time: str, is_named: bool) -> None:
    world = World(broker=FakeBroker(time=time), verdict=None)

    assert reasons(trading(world)) == (["verdict_missing"] if is_named else [])


def test_market_data_are_loaded_by_a_command() -> None:
    [finding] = trading(World(verdict=None))

    assert (finding.what, finding.fix) == ("the lake has no quality verdict", REFRESH)
    assert start(World(verdict=None)) == [finding]


def test_failed_run_is_shown_by_a_command() -> None:
    assert trading(ended()) == [Finding(RUN_ID, "the run has failed", f"inv run.show {RUN_ID} --env prod")]


@pytest.mark.parametrize("state", [state for state in RunState if state is not RunState.FAILED])
def test_run_in_any_other_state_is_not_in_the_way(state: RunState) -> None:
    assert trading(ended(state)) == []


def test_failed_run_that_was_replaced_is_not_in_the_way() -> None:
    runs = run(RunState.FAILED, settled=True), run(RunState.COMPLETED, f"{RUN_ID}-r1")

    assert trading(World(store=stored(*runs))) == []


def test_start_outside_the_session() -> None:
    closed = World(broker=FakeBroker(time="16:00"))
    what = "it is 16:00 in New York, the session is 09:30 to 16:00"

    assert start(closed) == [
        Finding("market_closed", what, "wait for the next session: it opens Tuesday 2022-11-29 09:30 ET")
    ]
    assert start(closed, advice=SANDBOX)[0].fix == (
        "inv run-day moves the exchange's clock to the next session, and trades it"
    )


def test_start_after_the_close_names_nothing_that_only_matters_before() -> None:
    """Market data that are refreshed now would not make today's start possible."""
    late = World(broker=FakeBroker(time="16:00"), store=stored(run(RunState.FAILED)), verdict=None)
    early = World(broker=FakeBroker(time="15:59"), store=stored(run(RunState.FAILED)), verdict=None)

    assert reasons(start(late)) == ["market_closed"]
    assert reasons(start(early)) == ["replaces_missing", "verdict_missing"]


def test_start_before_the_open_names_what_must_be_done_until_then() -> None:
    assert reasons(start(World(broker=FakeBroker(time="09:29"), verdict=None))) == ["market_closed", "verdict_missing"]


def test_start_on_a_holiday() -> None:
    holiday = World(broker=FakeBroker(day=date(2022, 11, 27)), switch=FakeSwitch("paused"))

    assert reasons(start(holiday)) == ["paused", "not_a_session"]
    assert start(holiday)[1].fix == "wait for the next session: it opens Tuesday 2022-11-29 09:30 ET"


def test_start_beside_a_run_that_moves() -> None:
    assert start(ended(RunState.BUYING), replacing()) == [
        Finding("run_exists", f"{RUN_ID} is BUYING", "inv run.show latest --env prod")
    ]


@pytest.mark.parametrize(
    ("command", "reason"), [(START, "replaces_missing"), (replacing("prod-x"), "replaces_another")]
)
def test_start_that_does_not_name_the_days_run(command: StartRun, reason: str) -> None:
    what = f"today's latest run is {RUN_ID}, FAILED"

    assert start(ended(), command) == [Finding(reason, what, f"inv run.start --replaces {RUN_ID} --env prod")]


def test_start_that_replaces_a_run_which_does_not_exist() -> None:
    assert start(World(), replacing()) == [
        Finding("replaces_another", "today has no run yet", "inv run.start --env prod")
    ]


def test_start_before_the_run_is_settled() -> None:
    [finding] = start(ended(settled=False), replacing())

    assert finding.where == "run_not_settled"
    assert finding.what == (
        f"today's latest run is {RUN_ID}, FAILED; its orders may not all be final before a sweep, 110 s after its end "
        "or later"
    )
    assert finding.fix == f"inv trading.sweep --env prod, then inv run.start --replaces {RUN_ID} --env prod"


def test_start_in_the_place_of_a_settled_run() -> None:
    assert start(ended(), replacing()) == []


def test_start_names_every_reason_at_once() -> None:
    world = World(
        switch=FakeSwitch("paused"),
        broker=FakeBroker(time="09:29", is_blocked=True),
        store=stored(run(RunState.FAILED)),
        verdict=None,
        account="PA2",
    )

    assert reasons(start(world, replacing())) == [
        "paused",
        "account_blocked",
        "wrong_account",
        "market_closed",
        "run_not_settled",
        "verdict_missing",
    ]


@pytest.mark.parametrize(
    ("reason", "fix"),
    [
        ("verdict_malformed", REFRESH),
        ("verdict_stale", REFRESH),
        ("books_differ", "inv reconcile --env prod; once it is explained, add --accept"),
        ("wrong_account", "inv secrets.set broker --env prod"),
        ("paused", "inv trading.resume --env prod"),
        ("calendar_too_short", "look at the broker's status page"),
        ("a_new_one", "look at the broker's status page"),
    ],
)
def test_refusal_has_its_own_text_and_a_command(reason: str, fix: str) -> None:
    refusal = StartRefusal(reason=reason, detail="why")

    assert finding_of(refusal, look(World()), ADVICE) == Finding(reason, "why", fix)


def test_latest_run_is_the_one_to_replace() -> None:
    runs: tuple[Run, ...] = run(settled=True), run(RunState.FAILED, f"{RUN_ID}-r1", settled=True)

    [finding] = start(World(store=stored(*runs)), replacing(RUN_ID))

    assert finding.fix == f"inv run.start --replaces {RUN_ID}-r1 --env prod"
