"""Drained queues: each way to take the messages of a queue is found, except by the function that works on them."""

from collections.abc import Mapping
from typing import Any

import pytest

from automation.scanning import grant_rules, queue_rules
from automation.scanning.scanned_stacks import ScannedStack
from tests.automation.scanning.small_stacks import allow, arn, document, function, logs, resource, role, source, stack

TAKE = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
QUEUE = resource("SQS::Queue")
FIX = "remove the grant: messages would be lost"
SHARED = "share the messages of {}, so each gets only some of them"


def of_worker(*statements: Any, **more: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return rules and sentences about the role of a function with these statements."""
    return [(rule, sentence) for rule, name, sentence in of_all(*statements, **more) if name == "WorkerRole"]


def of_all(*statements: Any, **more: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    variables = {"QUEUE": {"Ref": "Other"}}
    own = {"WorkerLogs": logs(), "Worker": function(variables=variables), "WorkerRole": role(*statements)}
    weaknesses = grant_rules.weaknesses(stack(**own, **more))
    return [(weakness.rule, weakness.resource, weakness.sentence) for weakness in weaknesses]


def shared(*stacks: ScannedStack) -> list[tuple[str, str, str]]:
    pairs = queue_rules.shared(stacks)
    return [(stack.name, weakness.resource, weakness.sentence) for stack, weakness in pairs]


@pytest.mark.parametrize(
    "action",
    [
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:ChangeMessageVisibility",
        "sqs:StartMessageMoveTask",
        "SQS:receivemessage",
    ],
)
def test_drained_queue_is_found(action: str) -> None:
    weaknesses = of_worker(allow(action, arn("Other")), Inbox=QUEUE, Other=QUEUE, WorkerInbox=source("Inbox"))

    sentence = f"Worker may {action} on ${{Other.Arn}}, which is not its event source"
    assert weaknesses == [("drained-queue", sentence)]


def test_drained_queue_that_another_function_reads_is_found() -> None:
    weaknesses = of_worker(allow(TAKE, arn("Other")), Other=QUEUE, OtherInbox=source("Other", {"Ref": "Reader"}))

    actions = "sqs:ReceiveMessage, sqs:DeleteMessage"
    assert weaknesses == [("drained-queue", f"Worker may {actions} on ${{Other.Arn}}, which is not its event source")]


def test_sender_of_a_queue_does_not_drain_it() -> None:
    weaknesses = of_worker(allow("sqs:SendMessage", arn("Other")), Other=QUEUE)

    assert weaknesses == []


def test_queue_of_an_alias_is_the_source_of_its_function() -> None:
    alias = resource("Lambda::Alias", FunctionName={"Ref": "Worker"}, Name="live")

    weaknesses = of_worker(
        allow(TAKE, arn("Inbox")), Inbox=QUEUE, Live=alias, WorkerInbox=source("Inbox", {"Ref": "Live"})
    )

    assert weaknesses == []


def test_own_queue_granted_by_a_policy_template_of_sam_is_the_source() -> None:
    place = {"Fn::Sub": "arn:aws:sqs:us-east-1:123456789012:${Inbox.QueueName}"}

    assert of_worker(allow(TAKE, place), Inbox=QUEUE, WorkerInbox=source("Inbox")) == []


def test_other_queue_granted_by_a_policy_template_of_sam_is_drained() -> None:
    place = {"Fn::Sub": "arn:aws:sqs:us-east-1:123456789012:${Other.QueueName}"}

    weaknesses = of_worker(allow(TAKE, place), Inbox=QUEUE, Other=QUEUE, WorkerInbox=source("Inbox"))

    assert [rule for rule, _ in weaknesses] == ["drained-queue"]


@pytest.mark.parametrize("action", ["PurgeQueue", "DeleteQueue", "SetQueueAttributes", "AddPermission"])
def test_function_that_may_purge_its_own_queue_is_found(action: str) -> None:
    actions = [f"sqs:{action}", "sqs:PurgeQueue"]
    weaknesses = of_worker(allow(actions, arn("Inbox")), Inbox=QUEUE, WorkerInbox=source("Inbox"))

    sentence = f"Worker may {', '.join(actions)} on ${{Inbox.Arn}}, which no function needs"
    assert ("drained-queue", sentence) in weaknesses


@pytest.mark.parametrize(
    ("principal", "subject"),
    [
        ("*", "anyone"),
        ({"AWS": arn("WorkerRole")}, "${WorkerRole.Arn}"),
        ({"AWS": "123456789012"}, "123456789012"),
        ({"Service": "pipes.amazonaws.com"}, "pipes.amazonaws.com"),
    ],
)
def test_queue_policy_that_lets_somebody_take_messages_is_found(principal: Any, subject: str) -> None:
    statement = allow(["sqs:ReceiveMessage", "sqs:DeleteMessage"], arn("Inbox"), Principal=principal)
    policy = resource("SQS::QueuePolicy", Queues=[{"Ref": "Inbox"}], PolicyDocument=document(statement))

    sentence = f"{subject} may sqs:ReceiveMessage, sqs:DeleteMessage on ${{Inbox.Arn}}, without being its event source"
    assert of_all(Inbox=QUEUE, Policy=policy) == [("drained-queue", "Policy", sentence)]


@pytest.mark.parametrize(
    "statement",
    [
        allow("sqs:SendMessage", arn("Inbox"), Principal={"Service": "events.amazonaws.com"}),
        {**allow("sqs:*", arn("Inbox"), Principal="*"), "Effect": "Deny"},
    ],
)
def test_queue_policy_for_senders_and_denials_is_accepted(statement: dict[str, Any]) -> None:
    policy = resource("SQS::QueuePolicy", Queues=[{"Ref": "Inbox"}], PolicyDocument=document(statement))

    assert of_all(Inbox=QUEUE, Policy=policy) == []


@pytest.mark.parametrize("kind", ["Role", "User", "Group"])
def test_identity_without_a_function_that_may_take_messages_is_found(kind: str) -> None:
    policies = [{"PolicyName": "a", "PolicyDocument": document(allow("sqs:ReceiveMessage", arn("Other")))}]

    weaknesses = of_all(Other=QUEUE, Side=resource(f"IAM::{kind}", Policies=policies))

    sentence = "may sqs:ReceiveMessage on ${Other.Arn}, without being its event source"
    assert weaknesses == [("drained-queue", "Side", sentence)]


def test_identity_with_a_wildcard_is_found_by_that_rule_only() -> None:
    policies = [{"PolicyName": "a", "PolicyDocument": document(allow("*", "*"))}]

    weaknesses = of_all(Side=resource("IAM::User", Policies=policies))

    assert [rule for rule, _, _ in weaknesses] == ["wildcard-grant"]


def test_queue_of_two_functions_is_found_at_both_sources() -> None:
    sentence = f"Worker and Helper {SHARED.format('main/Inbox')}"

    consumers = {"First": source("Inbox"), "Second": source("Inbox", {"Ref": "Helper"})}

    assert shared(stack(Inbox=QUEUE, **consumers)) == [("main", "First", sentence), ("main", "Second", sentence)]


def test_queue_of_another_stack_is_recognized_by_its_name() -> None:
    inbox = resource("SQS::Queue", QueueName="shop-inbox")
    copied = resource("Lambda::EventSourceMapping", EventSourceArn="arn:aws:sqs:x:y:shop-inbox", FunctionName="spy")

    weaknesses = shared(stack("data", Inbox=inbox, First=source("Inbox")), stack("main", Copy=copied))

    sentence = f"Worker and spy {SHARED.format('shop-inbox')}"
    assert weaknesses == [("data", "First", sentence), ("main", "Copy", sentence)]


def test_queue_that_another_stack_imports_is_recognized() -> None:
    weaknesses = shared(
        stack("data", Inbox=QUEUE, First=source("Inbox")), stack("main", Copy=source("data/Inbox", "spy"))
    )

    assert [name for _, name, _ in weaknesses] == ["First", "Copy"]


def test_queues_of_the_same_id_in_two_stacks_are_not_shared() -> None:
    inbox = resource("SQS::Queue", QueueName={"Fn::Sub": "${AWS::StackName}-inbox"})

    assert shared(stack("a", Inbox=inbox, A=source("Inbox")), stack("b", Inbox=inbox, B=source("Inbox", "b"))) == []


def test_pipe_shares_the_messages_of_a_function() -> None:
    pipe = resource("Pipes::Pipe", Source=arn("Inbox"), Target=arn("Archive"))

    weaknesses = shared(stack(Inbox=QUEUE, First=source("Inbox"), Pipe=pipe))

    assert [sentence for _, _, sentence in weaknesses] == [f"Worker and Archive {SHARED.format('main/Inbox')}"] * 2


def test_function_with_two_sources_of_one_queue_shares_with_nobody() -> None:
    assert shared(stack(Inbox=QUEUE, First=source("Inbox"), Second=source("Inbox"))) == []


@pytest.mark.parametrize("kind", ["SQS::Queue", "SNS::Subscription"])
def test_consumer_of_a_dead_letter_queue_is_found(kind: str) -> None:
    inbox = resource(kind, RedrivePolicy={"deadLetterTargetArn": arn("Dlq"), "maxReceiveCount": 3})

    weaknesses = shared(stack(Inbox=inbox, Dlq=QUEUE, First=source("Inbox"), Drain=source("Dlq", {"Ref": "Helper"})))

    sentence = "Helper takes the messages of the dead-letter queue main/Dlq, so that nobody sees them"
    assert weaknesses == [("main", "Drain", sentence)]


def test_shared_queues_say_what_to_do() -> None:
    inbox = resource("SQS::Queue", RedrivePolicy={"deadLetterTargetArn": arn("Dlq"), "maxReceiveCount": 3})
    scanned = stack(Inbox=inbox, Dlq=QUEUE, A=source("Inbox"), B=source("Inbox", "b"), C=source("Dlq"))

    pairs = list(queue_rules.shared([scanned]))

    assert {stack.name for stack, _ in pairs} == {"main"}
    assert [weakness.fix for _, weakness in pairs] == [
        "give each of them a queue of its own",
        "give each of them a queue of its own",
        "send them back to their queue by hand",
    ]
    assert {weakness.rule for _, weakness in pairs} == {"drained-queue"}


def test_drained_queues_say_what_to_do() -> None:
    scanned = stack(Worker=function(), WorkerRole=role(allow("sqs:PurgeQueue", arn("Other"))), Other=QUEUE)

    [weakness] = [entry for entry in grant_rules.weaknesses(scanned) if entry.rule == "drained-queue"]

    assert weakness.fix == FIX
