"""Drift, alarms and queues: the requests are validated against the API model, and so are the composed answers."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import Stubber

from automation.system import aws, stack_overview
from automation.system.errors import DeploymentError
from automation.system.overviews import Alarm, Drift, Queue
from automation.system.stack_overview import StackOverview
from automation.system.targets import Target

TARGET = Target("eu-west-1", "http://127.0.0.1:8", "test", "test")
AT = datetime(2026, 1, 2, tzinfo=UTC)
OVERVIEW = StackOverview(TARGET)
FILTERS = {"StackName": "shop", "StackResourceDriftStatusFilters": ["MODIFIED", "DELETED"], "MaxResults": 100}
POLL = {"StackDriftDetectionId": "d1"}


@pytest.fixture
def stub() -> Iterator[Callable[[str], Stubber]]:
    stubbers: list[Stubber] = []

    def activate(service: str) -> Stubber:
        stubber = Stubber(aws.client(service, TARGET))
        stubber.activate()
        stubbers.append(stubber)
        return stubber

    yield activate
    for stubber in stubbers:
        stubber.deactivate()
        stubber.assert_no_pending_responses()


def stack(**drift: Any) -> dict[str, Any]:
    shown = {"DriftInformation": drift} if drift else {}
    return {"Stacks": [{"StackName": "shop", "CreationTime": AT, "StackStatus": "CREATE_COMPLETE", **shown}]}


def resource_drift(logical_id: str) -> dict[str, Any]:
    return {
        "StackId": "arn:shop",
        "LogicalResourceId": logical_id,
        "ResourceType": "AWS::SQS::Queue",
        "StackResourceDriftStatus": "MODIFIED",
        "Timestamp": AT,
    }


def detection(status: str, **more: str) -> dict[str, Any]:
    return {"StackId": "arn:shop", "StackDriftDetectionId": "d1", "DetectionStatus": status, "Timestamp": AT, **more}


@pytest.mark.parametrize(
    ("information", "expected"),
    [
        ({}, Drift("NOT_CHECKED")),
        ({"StackDriftStatus": "NOT_CHECKED"}, Drift("NOT_CHECKED")),
        ({"StackDriftStatus": "IN_SYNC", "LastCheckTimestamp": AT}, Drift("IN_SYNC", "2026-01-02T00:00:00+00:00")),
    ],
)
def test_drift_of_an_unchanged_stack_has_no_resources(
    stub: Callable[[str], Stubber], information: dict[str, Any], expected: Drift
) -> None:
    stub("cloudformation").add_response("describe_stacks", stack(**information), {"StackName": "shop"})

    assert OVERVIEW.drift("shop") == expected


def test_drift_names_the_resources_that_differ(stub: Callable[[str], Stubber]) -> None:
    cloudformation = stub("cloudformation")
    cloudformation.add_response("describe_stacks", stack(StackDriftStatus="DRIFTED"))
    drifts = [resource_drift("Till"), resource_drift("Inbox")]
    cloudformation.add_response("describe_stack_resource_drifts", {"StackResourceDrifts": drifts}, FILTERS)

    assert OVERVIEW.drift("shop") == Drift("DRIFTED", "", ("Inbox", "Till"))


def test_detect_drift_waits_for_the_result(stub: Callable[[str], Stubber]) -> None:
    cloudformation, slept = stub("cloudformation"), list[float]()
    cloudformation.add_response("detect_stack_drift", {"StackDriftDetectionId": "d1"}, {"StackName": "shop"})
    for status in ("DETECTION_IN_PROGRESS", "DETECTION_IN_PROGRESS", "DETECTION_COMPLETE"):
        cloudformation.add_response("describe_stack_drift_detection_status", detection(status), POLL)
    cloudformation.add_response("describe_stacks", stack(StackDriftStatus="IN_SYNC"))

    assert OVERVIEW.detect_drift("shop", sleep=slept.append) == Drift("IN_SYNC")
    assert slept == [0.1, 0.1]


def test_detect_drift_failed_is_an_error(stub: Callable[[str], Stubber]) -> None:
    cloudformation = stub("cloudformation")
    cloudformation.add_response("detect_stack_drift", {"StackDriftDetectionId": "d1"})
    failed = detection("DETECTION_FAILED", DetectionStatusReason="may not read Till")
    cloudformation.add_response("describe_stack_drift_detection_status", failed)

    with pytest.raises(DeploymentError, match="shop: drift detection is DETECTION_FAILED: may not read Till"):
        OVERVIEW.detect_drift("shop")


def test_detect_drift_endless_is_an_error(stub: Callable[[str], Stubber], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack_overview, "MAX_POLLS", 2)
    cloudformation = stub("cloudformation")
    cloudformation.add_response("detect_stack_drift", {"StackDriftDetectionId": "d1"})
    for _ in range(2):
        cloudformation.add_response("describe_stack_drift_detection_status", detection("DETECTION_IN_PROGRESS"))

    with pytest.raises(DeploymentError, match=r"shop: drift detection is DETECTION_IN_PROGRESS: no reason$"):
        OVERVIEW.detect_drift("shop", sleep=lambda _: None)


def test_ringing_asks_for_at_most_100_at_once(stub: Callable[[str], Stubber]) -> None:
    cloudwatch, names = stub("cloudwatch"), [f"a{number:03d}" for number in range(101)]
    request = {"StateValue": "ALARM", "AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}
    metric = {"AlarmName": "a007", "StateReason": "3 > 0", "StateUpdatedTimestamp": AT, "AlarmDescription": "see x"}
    cloudwatch.add_response(
        "describe_alarms", {"MetricAlarms": [metric], "CompositeAlarms": []}, {"AlarmNames": names[:100], **request}
    )
    composite = {"AlarmName": "a000"}
    cloudwatch.add_response(
        "describe_alarms", {"MetricAlarms": [], "CompositeAlarms": [composite]}, {"AlarmNames": names[100:], **request}
    )

    assert OVERVIEW.ringing(names) == (Alarm("a000", ""), Alarm("a007", "3 > 0", "2026-01-02T00:00:00+00:00", "see x"))


def test_ringing_without_alarms_asks_nobody(stub: Callable[[str], Stubber]) -> None:
    stub("cloudwatch")

    assert OVERVIEW.ringing([]) == ()


def test_ringing_refused_is_an_error(stub: Callable[[str], Stubber]) -> None:
    stub("cloudwatch").add_client_error("describe_alarms", "AccessDenied")

    with pytest.raises(DeploymentError, match="a1: AWS refused"):
        OVERVIEW.ringing(["a1"])


def attributes(name: str, *counts: int, **more: str) -> dict[str, Any]:
    kinds = ("", "NotVisible", "Delayed")
    numbers = {f"ApproximateNumberOfMessages{kind}": str(count) for kind, count in zip(kinds, counts, strict=True)}
    return {"Attributes": {"QueueArn": f"arn:{name}", **numbers, **more}}


def test_queues_counts_messages_and_marks_dead_letter_queues(stub: Callable[[str], Stubber]) -> None:
    sqs = stub("sqs")
    policy = '{"deadLetterTargetArn": "arn:dead", "maxReceiveCount": 3}'
    answers = {"dead": attributes("dead", 4, 0, 0), "inbox": attributes("inbox", 1, 2, 3, RedrivePolicy=policy)}
    for name, answer in answers.items():
        sqs.add_response("get_queue_attributes", answer, {"QueueUrl": name, "AttributeNames": ["All"]})

    queues = OVERVIEW.queues(list(answers))

    assert queues == (Queue("dead", 4, is_dead_letter=True), Queue("inbox", 1, 2, 3))
    assert [queue.total for queue in queues] == [4, 6]


def test_queues_without_the_queue_that_does_not_exist(stub: Callable[[str], Stubber]) -> None:
    sqs = stub("sqs")
    sqs.add_client_error("get_queue_attributes", "QueueDoesNotExist")
    sqs.add_response("get_queue_attributes", attributes("inbox", 0, 0, 0))

    assert OVERVIEW.queues(["gone", "inbox"]) == (Queue("inbox"),)


def test_queues_refused_is_an_error(stub: Callable[[str], Stubber]) -> None:
    stub("sqs").add_client_error("get_queue_attributes", "AccessDenied")

    with pytest.raises(DeploymentError, match="inbox: AWS refused"):
        OVERVIEW.queues(["inbox"])
