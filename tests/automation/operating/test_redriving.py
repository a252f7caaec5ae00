"""Each dead letter goes back to the queue that it was meant for, or a person is asked."""

from typing import Any

import pytest

from automation.operating import redriving
from automation.operating.dead_letters import DeadLetters, Queue
from automation.system.errors import UsageError
from tests.automation.fake_queues import arn_of, message, url_of


def queue(name: str) -> Queue:
    return Queue(name, arn_of(name), url_of(name), {})


IN, OTHER, DEAD = queue("In"), queue("Other"), queue("Dead")


def targets(letters: DeadLetters, **fields: Any) -> list[str]:
    moves = redriving.plan(letters, [message("m", **fields)], to=None, environment="live")
    return [move.to.name for move in moves]


def test_plan_one_source_gets_each_message() -> None:
    messages = [message("a"), message("b")]

    moves = redriving.plan(DeadLetters(DEAD, (IN,)), messages, to=None, environment="live")

    assert [(move.message, move.to) for move in moves] == [(messages[0], IN), (messages[1], IN)]


def test_plan_without_messages_is_empty() -> None:
    assert redriving.plan(DeadLetters(DEAD, ()), [], to=None, environment="live") == ()


def test_plan_message_that_names_its_queue_goes_there() -> None:
    letters = DeadLetters(DEAD, (IN, OTHER), ("Refunds",))

    assert targets(letters, source_arn=OTHER.arn) == ["Other"]
    assert targets(letters, source_arn=IN.arn) == ["In"]


def test_plan_message_of_a_rule_goes_to_the_target_of_the_rule() -> None:
    target = {"TARGET_ARN": {"DataType": "String", "StringValue": OTHER.arn}}

    assert targets(DeadLetters(DEAD, (IN, OTHER)), attributes=target) == ["Other"]


def test_plan_message_of_several_sources_asks() -> None:
    with pytest.raises(UsageError) as caught:
        targets(DeadLetters(DEAD, (IN, OTHER)), source_arn=arn_of("Elsewhere"))

    assert str(caught.value) == (
        "message m: In and Other send to Dead; say where it belongs: inv dlq.redrive Dead --id m --env live --to In"
    )


def test_plan_message_that_a_function_may_have_sent_asks() -> None:
    with pytest.raises(UsageError, match=r"In and Refunds send to Dead; say where it belongs: .* --to In"):
        targets(DeadLetters(DEAD, (IN,), ("Refunds",)))


@pytest.mark.parametrize(
    ("others", "what"),
    [((), "no queue sent it"), (("Refunds", "Till"), "Refunds and Till sent it, and no queue did")],
)
def test_plan_message_that_no_queue_sent_asks(others: tuple[str, ...], what: str) -> None:
    with pytest.raises(UsageError) as caught:
        targets(DeadLetters(DEAD, (), others))

    command = "inv dlq.redrive Dead --id m --env live --to QUEUE"
    assert str(caught.value) == f"message m: {what}; name the queue to send it to: {command}"


def test_plan_with_a_queue_sends_all_there() -> None:
    letters = DeadLetters(DEAD, (IN, OTHER))

    moves = redriving.plan(letters, [message("m", source_arn=IN.arn)], to=OTHER, environment="live")

    assert [move.to for move in moves] == [OTHER]


def test_plan_to_the_queue_itself_is_refused() -> None:
    with pytest.raises(UsageError, match="--to names Dead itself"):
        redriving.plan(DeadLetters(DEAD, (IN,)), [message("m")], to=queue("Dead"), environment="live")
