"""A pause takes effect before anything else, and says what is left open; only a person resumes."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from automation.system.errors import (
    CheckFailedError,
    ConfigurationError,
    DeploymentError,
    Finding,
    ToolError,
    UsageError,
)
from desk.operations import pausing
from desk.operations.environment import Environment
from desk.operations.orders import CancelledOrder, Stopwatch
from desk.operations.situation import gather
from tests.desk.operations.duty import (
    BUY_SPY,
    ROOT,
    RUN_ID,
    STAGE,
    SWITCH_NAME,
    UNREACHABLE,
    FakeBroker,
    FakeSwitch,
    FakeWatch,
    World,
    connected,
    differing_books,
    environment,
    order,
    run,
    stored,
)
from tests.desk.operations.test_obstacles import ADVICE
from the_alchemiser.shared.broker.models import OrderStatus
from the_alchemiser.shared.run.runs import RunState

Out = pytest.CaptureFixture[str]
BY_HAND = "aws ssm put-parameter --name /alchemiser/prod/trading --value paused --overwrite --region us-east-1"
DENIED = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "PutParameter")


def paused() -> World:
    return World(switch=FakeSwitch("paused"))


def pause(world: World) -> None:
    pausing.pause(ROOT, "prod", variables={}, connect=connected(world))


def resume(world: World, answer: str = "prod", *, yes: bool = False, is_interactive: bool = True) -> list[str]:
    """Resume trading in prod; return the questions that were asked."""
    questions: list[str] = []

    def ask(question: str) -> str:
        assert world.switch.values == []
        questions.append(question)
        return answer

    pausing.resume(ROOT, "prod", yes=yes, connect=connected(world), is_interactive=lambda: is_interactive, ask=ask)
    return questions


def deal(broker: FakeBroker, *, cancel_open: bool = True, watch: FakeWatch | None = None) -> None:
    watch = watch or FakeWatch()
    wall = Stopwatch(watch.now, watch.sleep)
    pausing.deal_with_orders(
        broker, environment="prod", stage=STAGE, cancel_open=cancel_open, wall=wall, on_its_way_s=1.0
    )


def test_pause_sets_the_switch_and_says_since_when(capsys: Out) -> None:
    world = World()

    pause(world)

    assert world.switch.values == ["paused"]
    assert capsys.readouterr().out.splitlines() == [
        "prod: trading is paused since 2022-11-28 14:02:11 UTC by arn:aws:iam::123456789012:user/eva",
        "no run starts, and no order is sent; a trade that has begun ends once its open order is final",
        "open orders  none",
        "to trade again: inv trading.resume --env prod",
    ]


def test_pause_twice_is_no_error() -> None:
    world = paused()

    pause(world)

    assert (world.switch.value, world.switch.values) == ("paused", ["paused"])


def test_pause_alone_cancels_nothing(capsys: Out) -> None:
    world = World(broker=FakeBroker(listed=[order(filled="2"), order("mine")]))

    pause(world)

    assert world.broker.cancelled == []
    assert world.broker.is_closed
    out = capsys.readouterr().out
    assert "open orders  2" in out
    assert f"1 order of {RUN_ID} may still fill" in out
    assert "to cancel now: inv trading.pause --env prod --cancel-open" in out
    assert f"to see the run: inv run.show {RUN_ID} --env prod" in out


def test_pause_comes_before_any_question_to_the_broker() -> None:
    world = World(broker=FakeBroker(error=UNREACHABLE))

    with pytest.raises(ToolError, match=r"^prod: trading is paused, but the broker: .*connection refused"):
        pause(world)
    assert world.switch.value == "paused"
    assert world.broker.is_closed


def test_pause_with_keys_of_another_account_pauses_and_touches_no_order() -> None:
    world = World(broker=FakeBroker(number="PA7", listed=[order()]), account="PA1")

    with pytest.raises(ConfigurationError, match=r"^prod: trading is paused, but .* belong to account PA7") as caught:
        pausing.pause(ROOT, "prod", variables={}, cancel_open=True, connect=connected(world))

    assert str(caught.value).endswith(
        "run inv secrets.set broker --env prod, or set BrokerAccount in samconfig.toml and deploy"
    )
    assert (world.switch.value, world.broker.cancelled) == ("paused", [])


def test_pause_that_aws_refuses_has_the_command_by_hand() -> None:
    world = World(switch=FakeSwitch(error=DENIED))

    with pytest.raises(DeploymentError) as caught:
        pause(world)

    text = str(caught.value)
    assert "AWS refused the request" in text
    assert text.endswith(f"trading is not known to be paused: to pause it without this program: {BY_HAND}")


def test_pause_without_a_connection_has_the_command_by_hand() -> None:
    def connect(root: Path, name: str) -> Environment:
        raise DeploymentError("AWS in us-east-1 cannot be reached", where=name)

    with pytest.raises(DeploymentError, match=re.escape(BY_HAND)) as caught:
        pausing.pause(ROOT, "prod", variables={}, connect=connect)
    assert caught.value.exit_code == 6


@pytest.mark.parametrize(
    "error",
    [UsageError("there is no environment"), CheckFailedError("another account", findings=[Finding("account", "x")])],
)
def test_pause_of_the_wrong_environment_has_no_command(error: Exception) -> None:
    def connect(root: Path, name: str) -> Environment:
        raise error

    with pytest.raises(type(error)) as caught:
        pausing.pause(ROOT, "prod", variables={}, connect=connect)
    assert caught.value is error


def test_pause_that_somebody_undoes_at_once_is_an_error() -> None:
    world = World(switch=FakeSwitch(interferes="enabled"))

    with pytest.raises(DeploymentError, match=f"^{SWITCH_NAME}: is enabled again: somebody else has set it") as caught:
        pause(world)
    assert caught.value.exit_code == 6


def test_command_that_pauses_is_known_without_aws() -> None:
    assert pausing.command_that_pauses(ROOT, "prod", {}) == BY_HAND


def test_command_that_pauses_the_sandbox_has_its_endpoint_and_credentials() -> None:
    variables = {"ALCHEMISER_EMULATOR_PORT": "4999"}

    line = pausing.command_that_pauses(ROOT, "local", variables)

    credentials = "AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test"
    assert line.startswith(f"{credentials} aws ssm put-parameter --name /alchemiser/local/trading --value paused")
    assert line.endswith("--endpoint-url http://127.0.0.1:4999")


def test_cancel_open_shows_what_filled_meanwhile(capsys: Out) -> None:
    broker = FakeBroker(listed=[order("mine"), order(filled="2")], fills_at_cancel="3")

    deal(broker)

    out = capsys.readouterr().out.splitlines()
    assert broker.cancelled == [BUY_SPY]
    [row] = [line.split() for line in out if line.startswith(BUY_SPY)]
    assert row == [BUY_SPY, "buy", "SPY", "10", "2", "3", "canceled"]
    assert "open orders  1" in out
    assert not any("may still fill" in line for line in out)


def test_cancel_open_waits_for_orders_on_their_way() -> None:
    watch = FakeWatch()

    deal(FakeBroker(), watch=watch)

    assert sum(watch.pauses) == 1.0


def test_cancel_open_that_the_broker_does_not_carry_out_is_an_error() -> None:
    broker = FakeBroker(listed=[order()], stubborn={BUY_SPY: 1000})

    with pytest.raises(ToolError, match=f"the broker has not cancelled {BUY_SPY}; cancel there by hand, or run inv"):
        deal(broker)


@pytest.mark.parametrize(
    "status", [OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.DONE_FOR_DAY]
)
def test_require_final_accepts_every_final_state(status: OrderStatus) -> None:
    pausing.require_final([CancelledOrder(order(status=status), order().filled_quantity)], "prod")


def test_advice_names_each_run_once() -> None:
    left = [order(), order(f"{RUN_ID}-BUY-KO-1"), order(f"{RUN_ID}-r1-SELL-KO-2"), order("mine")]

    lines = pausing.advice_about(left, "dev", STAGE)

    assert lines[0] == f"3 orders of {RUN_ID}, {RUN_ID}-r1 may still fill"
    assert lines[2:] == [
        "to cancel now: inv trading.pause --env dev --cancel-open",
        f"to see the run: inv run.show {RUN_ID} --env dev",
        f"to see the run: inv run.show {RUN_ID}-r1 --env dev",
    ]


def test_advice_about_the_owners_orders_is_none() -> None:
    assert pausing.advice_about([order("mine")], "dev", STAGE) == []


@pytest.mark.parametrize(("name", "wait_s"), [("prod", 6.0), ("local", 1.0)])
def test_order_takes_longer_to_a_broker_that_is_far_away(name: str, wait_s: float) -> None:
    assert pausing.longest_way_s(environment(World(), name)) == wait_s


def test_pause_can_cancel_in_one_go() -> None:
    world = World(broker=FakeBroker(listed=[order(), order("mine")]))

    watch = FakeWatch()
    wall = Stopwatch(watch.now, watch.sleep)
    pausing.pause(ROOT, "local", variables={}, cancel_open=True, connect=connected(world, "local"), wall=wall)

    assert (world.switch.value, world.broker.cancelled) == ("paused", [BUY_SPY])
    assert sum(watch.pauses) == 1.0


def test_resume_asks_for_the_name_and_sets_the_switch(capsys: Out) -> None:
    world = paused()

    questions = resume(world)

    assert questions == ["Type prod to resume trading in prod:"]
    assert world.switch.values == ["enabled"]
    assert world.broker.is_closed
    out = capsys.readouterr().out
    assert "trading      paused since 2022-11-28 14:02:11 UTC by arn:aws:iam::123456789012:user/eva" in out
    assert out.splitlines()[-1].startswith("prod: trading is enabled since")


@pytest.mark.parametrize("answer", ["", "y", "yes", "PROD", "local"])
def test_resume_without_the_exact_word_changes_nothing(answer: str) -> None:
    world = paused()

    with pytest.raises(UsageError, match="cancelled: nothing was changed"):
        resume(world, answer)
    assert world.switch.values == []


def test_resume_without_a_terminal_needs_yes() -> None:
    world = paused()

    with pytest.raises(UsageError, match=r"^trading\.resume --env prod: must be confirmed"):
        resume(world, is_interactive=False)
    assert world.switch.values == []


def test_resume_with_yes_asks_nothing() -> None:
    world = paused()

    assert resume(world, yes=True, is_interactive=False) == []
    assert world.switch.value == "enabled"


def test_resume_when_trading_is_enabled_changes_nothing(capsys: Out) -> None:
    world = World()

    assert resume(world) == []
    assert world.switch.values == []
    assert capsys.readouterr().out.endswith("trading is enabled already: nothing was changed\n")


def test_resume_says_what_still_stands_in_the_way(capsys: Out) -> None:
    world = World(switch=FakeSwitch("paused"), books=differing_books(), broker=FakeBroker(listed=[order("mine")]))

    resume(world)

    out = capsys.readouterr().out
    assert "what still stands in the way:\nbooks_differ: 2022-11-25: SPY" in out
    assert "paused:" not in out
    assert "open orders  1" in out


def test_resume_works_without_the_broker(capsys: Out) -> None:
    world = World(switch=FakeSwitch("paused"), broker=FakeBroker(error=UNREACHABLE))

    resume(world)

    assert world.switch.value == "enabled"
    assert "market       the broker does not answer" in capsys.readouterr().out


def test_still_in_the_way_leaves_out_only_the_switch() -> None:
    world = replace(paused(), store=stored(run(RunState.FAILED)))
    situation = gather(world.sources(), STAGE)

    assert [finding.where for finding in pausing.still_in_the_way(situation, ADVICE)] == [RUN_ID]
