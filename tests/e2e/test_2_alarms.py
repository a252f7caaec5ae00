"""Every alarm of both stacks fires and reaches its subscriber, and so does a message that cannot be handled."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import pytest

from tests.e2e.conftest import Sandbox
from tests.templates.reading import DATA, names_of, read_both

pytestmark = pytest.mark.usefixtures("first_day")

STACKS = {"alchemiser-local": "", "alchemiser-local-data": DATA}
WAIT_S = 40
ALARM = "AWS::CloudWatch::Alarm"


@dataclass(frozen=True)
class Subscriber:
    """A queue that gets what both topics publish."""

    sqs: Any
    url: str

    def fired(self) -> Iterator[str]:
        """Yield the name of each alarm that reported ALARM since the last call, as often as it did so."""
        while messages := self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
                alert = json.loads(json.loads(message["Body"])["Message"])
                if alert["NewStateValue"] == "ALARM":
                    yield alert["AlarmName"]


@pytest.fixture(scope="module")
def subscriber(deployed: Sandbox) -> Subscriber:
    sqs, sns = deployed.client("sqs"), deployed.client("sns")
    url = sqs.create_queue(QueueName="a-person")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    may_send = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Statement": [may_send]})})
    for stack in STACKS:
        sns.subscribe(TopicArn=deployed.resources(stack)["Alerts"], Protocol="sqs", Endpoint=arn)
    return Subscriber(sqs, url)


@pytest.fixture(scope="module")
def alarms(deployed: Sandbox) -> Mapping[str, dict[str, Any]]:
    """Return the deployed alarms by logical id; those of the data stack have its prefix."""
    ids: dict[str, str] = {}
    for stack, prefix in STACKS.items():
        ids |= {physical: f"{prefix}{logical}" for logical, physical in deployed.resources(stack).items()}
    pages = deployed.client("cloudwatch").get_paginator("describe_alarms").paginate()
    described = chain.from_iterable(page["MetricAlarms"] for page in pages)
    return {ids[alarm["AlarmName"]]: alarm for alarm in described if alarm["AlarmName"] in ids}


def test_unhandled_message_rings_for_its_queue_and_its_function(
    deployed: Sandbox, subscriber: Subscriber, alarms: Mapping[str, dict[str, Any]]
) -> None:
    sqs, queues = deployed.client("sqs"), deployed.resources("alchemiser-local")
    inbox, dead_letters = queues["MetricsInbox"], queues["MetricsDlq"]
    visibility = sqs.get_queue_attributes(QueueUrl=inbox, AttributeNames=["VisibilityTimeout"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=inbox, Attributes={"VisibilityTimeout": "1"})

    sqs.send_message(QueueUrl=inbox, MessageBody="not a message of the product")
    assert eventually(lambda: depth(sqs, dead_letters) == 1)
    deployed.client("cloudwatch").describe_alarms()
    fired = set(subscriber.fired())
    sqs.purge_queue(QueueUrl=dead_letters)
    sqs.set_queue_attributes(QueueUrl=inbox, Attributes=visibility)

    expected = {"MetricsDlqAlarm", "MetricsFunctionErrorsAlarm"}
    assert fired == {alarms[name]["AlarmName"] for name in expected}


def test_every_alarm_fires_once_and_reaches_the_subscriber(
    deployed: Sandbox, subscriber: Subscriber, alarms: Mapping[str, dict[str, Any]]
) -> None:
    cloudwatch = deployed.client("cloudwatch")
    for alarm in alarms.values():
        cloudwatch.set_alarm_state(AlarmName=alarm["AlarmName"], StateValue="OK", StateReason="a new test")
    list(subscriber.fired())

    for namespace in sorted({alarm["Namespace"] for alarm in alarms.values()}):
        figures = [above_threshold(alarm) for alarm in alarms.values() if alarm["Namespace"] == namespace]
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=figures)

    assert Counter(subscriber.fired()) == Counter(alarm["AlarmName"] for alarm in alarms.values())
    assert alarms.keys() == names_of(read_both(), ALARM)


def above_threshold(alarm: Mapping[str, Any]) -> dict[str, Any]:
    """Return a figure of exactly the alarm's metric and dimensions, above its threshold."""
    assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
    return {
        "MetricName": alarm["MetricName"],
        "Dimensions": alarm["Dimensions"],
        "Value": alarm["Threshold"] + 1,
    }


def depth(sqs: Any, url: str) -> int:
    name = "ApproximateNumberOfMessages"
    return int(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name])


def eventually(condition: Callable[[], bool]) -> bool:
    """Return True as soon as the condition is true, False when it is not before the time is up."""
    deadline = time.monotonic() + WAIT_S
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True
