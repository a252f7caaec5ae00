"""Every dead-letter queue of a foreign project is found, with what sends to it and where its messages belong."""

import pytest

from automation.operating import dead_letters, stack_contents
from automation.operating.dead_letters import DeadLetters, QueueMap
from automation.system.errors import UsageError
from tests.automation.fake_queues import FakeQueues, arn_of, message
from tests.automation.operating.fake_contents import FakeContents

APP = """
Parameters:
  Dead: {Type: String, Default: ""}
Resources:
  Orders: {Type: AWS::SQS::Queue}
  OrdersDead: {Type: AWS::SQS::Queue}
  Refunds: {Type: AWS::SQS::Queue}
  Events: {Type: AWS::SQS::Queue}
  EventsDead: {Type: AWS::SQS::Queue}
  Plain: {Type: AWS::SQS::Queue}
  Till:
    Type: AWS::Lambda::Function
    Properties: {DeadLetterConfig: {TargetArn: !GetAtt OrdersDead.Arn}}
  TillOrders:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {EventSourceArn: !GetAtt Orders.Arn, FunctionName: !Ref Till}
  Rule:
    Type: AWS::Events::Rule
    Properties:
      Targets:
        - Arn: !GetAtt Events.Arn
          DeadLetterConfig: {Arn: !GetAtt EventsDead.Arn}
        - Arn: !GetAtt Till.Arn
"""
PLAIN, DEAD = "!GetAtt Plain.Arn", "!GetAtt EventsDead.Arn"


@pytest.fixture
def queues() -> FakeQueues:
    queues = FakeQueues()
    queues.add("orders", gives_up_to="ordersdead")
    queues.add("refunds", gives_up_to="ordersdead")
    for name in ("ordersdead", "events", "eventsdead", "plain"):
        queues.add(name)
    return queues


def find(queues: FakeQueues, *templates: str, **parameters: str) -> QueueMap:
    cloud = FakeContents()
    for number, template in enumerate(templates or (APP,)):
        cloud.add(f"shop-{number}", template, parameters=parameters)
    stacks = {f"stack{number}": name for number, name in enumerate(cloud.stacks)}
    return dead_letters.find(stack_contents.read(stacks, cloud), queues, environment="live")


def origins(known: QueueMap) -> dict[str, tuple[list[str], list[str]]]:
    """Return the sources of each dead-letter queue, and what else sends to it."""
    return {
        letters.name: ([source.name for source in letters.sources], list(letters.others))
        for letters in known.dead_letters
    }


def with_resource(properties: str, resource_type: str = "AWS::Events::Rule") -> str:
    return f"{APP}  Extra:\n    Type: {resource_type}\n    Properties: {properties}\n"


def test_find_lists_each_queue_with_its_sources(queues: FakeQueues) -> None:
    assert origins(find(queues)) == {
        "EventsDead": (["Events"], []),
        "OrdersDead": (["Orders", "Refunds"], ["Till"]),
    }


def test_find_knows_all_queues(queues: FakeQueues) -> None:
    known = find(queues)

    assert list(known.queues) == ["Events", "EventsDead", "Orders", "OrdersDead", "Plain", "Refunds"]
    assert known.queues["Orders"].arn == arn_of("orders")
    assert (known.queues["Orders"].consumer, known.queues["Refunds"].consumer) == ("shop-Till", "")


def test_find_source_and_rule_of_one_queue_count_once(queues: FakeQueues) -> None:
    queues.add("events", gives_up_to="eventsdead")

    assert origins(find(queues))["EventsDead"] == (["Events"], [])


@pytest.mark.parametrize(
    ("resource_type", "properties"),
    [
        ("AWS::Scheduler::Schedule", f"{{Target: {{Arn: {PLAIN}, DeadLetterConfig: {{Arn: {DEAD}}}}}}}"),
        ("AWS::SNS::Subscription", f"{{Endpoint: {PLAIN}, RedrivePolicy: {{deadLetterTargetArn: {DEAD}}}}}"),
        ("AWS::Events::Rule", "{Arn: !Sub '${Plain.Arn}', DeadLetterConfig: {Arn: !Sub '${EventsDead.Arn}'}}"),
        (
            "AWS::Events::Rule",
            f"{{Targets: [{{Arn: '{arn_of('plain')}', DeadLetterConfig: {{Arn: '{arn_of('eventsdead')}'}}}}]}}",
        ),
    ],
)
def test_find_delivery_to_a_queue_is_a_source(queues: FakeQueues, resource_type: str, properties: str) -> None:
    assert origins(find(queues, with_resource(properties, resource_type)))["EventsDead"] == (["Events", "Plain"], [])


@pytest.mark.parametrize(
    ("resource_type", "properties"),
    [
        ("AWS::Lambda::EventInvokeConfig", "{DestinationConfig: {OnFailure: {Destination: !GetAtt EventsDead.Arn}}}"),
        ("AWS::Lambda::EventSourceMapping", "{DestinationConfig: {OnFailure: {Destination: !GetAtt EventsDead.Arn}}}"),
        ("AWS::Events::Rule", "{Targets: [{Arn: !GetAtt Till.Arn, DeadLetterConfig: {Arn: !GetAtt EventsDead.Arn}}]}"),
    ],
)
def test_find_delivery_to_a_function_is_named(queues: FakeQueues, resource_type: str, properties: str) -> None:
    assert origins(find(queues, with_resource(properties, resource_type)))["EventsDead"] == (["Events"], ["Extra"])


@pytest.mark.parametrize("destination", ["!Ref Topic", "arn:aws:sns:eu-west-1:123456789012:topic", "!GetAtt Till.Arn"])
def test_find_destination_that_is_not_a_queue_is_ignored(queues: FakeQueues, destination: str) -> None:
    template = with_resource(f"{{OnFailure: {{Destination: {destination}}}}}", "AWS::Lambda::EventInvokeConfig")

    assert set(origins(find(queues, template))) == {"EventsDead", "OrdersDead"}
    assert queues.made("url") == []


def test_find_queue_of_another_stack_has_its_own_name(queues: FakeQueues) -> None:
    queues.add("elsewhere", message("a"))
    queues.add("plain", gives_up_to="elsewhere")

    known = find(queues)

    assert origins(known)["elsewhere"] == (["Plain"], [])
    assert [letters.waiting for letters in known.dead_letters] == [0, 0, 1]
    assert queues.made("url") == [arn_of("elsewhere")]


def test_find_queue_of_another_stack_that_is_gone_is_left_out(queues: FakeQueues) -> None:
    queues.add("plain", gives_up_to="gone")

    assert "gone" not in origins(find(queues))


def test_find_target_in_another_stack_is_a_source(queues: FakeQueues) -> None:
    queues.add("elsewhere")
    target = f"{{Arn: '{arn_of('elsewhere')}', DeadLetterConfig: {{Arn: !GetAtt EventsDead.Arn}}}}"

    assert origins(find(queues, with_resource(f"{{Target: {target}}}")))["EventsDead"] == (["Events", "elsewhere"], [])


def test_find_queue_given_by_url_is_known(queues: FakeQueues) -> None:
    template = with_resource("{Target: {Arn: !GetAtt Plain.Arn, DeadLetterConfig: {Arn: !Ref Dead}}}")

    known = find(queues, template, Dead="https://sqs/123456789012/eventsdead")

    assert origins(known)["EventsDead"] == (["Events", "Plain"], [])


def test_find_same_logical_id_in_two_stacks_has_the_stack(queues: FakeQueues) -> None:
    second = "Resources: {Plain: {Type: AWS::SQS::Queue}, Last: {Type: AWS::SQS::Queue}}"
    queues.add("last")

    names = find(queues, APP, second).queues

    assert [name for name in names if "Plain" in name or "Last" in name] == ["Last", "stack1/Plain"]


def test_find_queue_that_was_deleted_by_hand_is_left_out(queues: FakeQueues) -> None:
    del queues.queues["https://sqs/123456789012/plain"]

    assert "Plain" not in find(queues).queues


def test_find_functions_without_queues_is_empty() -> None:
    known = find(FakeQueues(), "Resources: {Till: {Type: AWS::Lambda::Function}}")

    assert (known.queues, known.dead_letters) == ({}, ())


@pytest.mark.parametrize(
    ("function", "name"),
    [
        ("arn:aws:lambda:eu-west-1:123456789012:function:shop-stock:live", "shop-stock"),
        ("arn:aws:lambda:eu-west-1:123456789012:function:shop-stock", "shop-stock"),
        ("shop-stock", "shop-stock"),
        ("!Ref Missing", ""),
    ],
)
def test_find_consumer_is_the_name_of_the_function(queues: FakeQueues, function: str, name: str) -> None:
    source = f"{{EventSourceArn: !GetAtt Refunds.Arn, FunctionName: {function}}}"

    known = find(queues, with_resource(source, "AWS::Lambda::EventSourceMapping"))

    assert known.queues["Refunds"].consumer == name


def test_find_event_source_that_is_not_a_queue_of_the_stacks_is_ignored(queues: FakeQueues) -> None:
    source = f"{{EventSourceArn: '{arn_of('elsewhere')}', FunctionName: !Ref Till}}"

    assert (
        find(queues, with_resource(source, "AWS::Lambda::EventSourceMapping")).queues["Orders"].consumer == "shop-Till"
    )


def test_queue_is_fifo_by_its_name() -> None:
    assert dead_letters.Queue("A", arn_of("a.fifo"), "", {}).is_fifo
    assert not dead_letters.Queue("A", arn_of("a"), "", {}).is_fifo


def test_dead_letters_count_waiting_and_in_flight() -> None:
    counts = {"ApproximateNumberOfMessages": "2", "ApproximateNumberOfMessagesNotVisible": "3"}
    letters = DeadLetters(dead_letters.Queue("A", arn_of("a"), "", counts), ())

    assert (letters.waiting, letters.in_flight, letters.total) == (2, 3, 5)
    assert DeadLetters(dead_letters.Queue("A", arn_of("a"), "", {}), ()).total == 0


def test_select_returns_the_queue(queues: FakeQueues) -> None:
    assert find(queues).select("EventsDead", command="dlq.show").name == "EventsDead"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("", "dlq.show: name a dead-letter queue; there are: EventsDead, OrdersDead"),
        ("x", "dlq.show: live has no dead-letter queue 'x'; there are: EventsDead, OrdersDead"),
        ("EventDead", "dlq.show: live has no dead-letter queue 'EventDead'; did you mean EventsDead? there are: "),
        ("Refunds", "dlq.show: live has no dead-letter queue 'Refunds'; did you mean OrdersDead? there are: "),
    ],
)
def test_select_unknown_name_lists_the_queues(queues: FakeQueues, name: str, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        find(queues).select(name, command="dlq.show")

    assert str(caught.value).startswith(text)


def test_select_without_queues_says_so() -> None:
    with pytest.raises(UsageError, match=r"^dlq.show: live has no dead-letter queue$"):
        QueueMap({}, (), "live").select("A", command="dlq.show")


def test_queue_unknown_name_lists_the_queues(queues: FakeQueues) -> None:
    known = find(queues)

    assert known.queue("Plain", command="x").name == "Plain"
    with pytest.raises(
        UsageError, match=r"^x: live has no queue 'Plan'; did you mean Plain\? there are: Events, EventsD"
    ):
        known.queue("Plan", command="x")
