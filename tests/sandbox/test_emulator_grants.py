"""A call about an event bus is authorized on that bus; every other call as the emulator does it."""

import json
from typing import Any

import pytest

from sandbox.emulator_grants import with_buses

DESCRIBE = {"x-amz-target": "AWSEvents.DescribeEventBus"}


def extract(*request: Any) -> str:
    return f"the emulator's, of {request[0]} in {request[-2]}"


def resource_of(service: str, headers: dict[str, str], body: dict[str, str]) -> str:
    return with_buses(extract)(service, "POST", "/", headers, json.dumps(body).encode(), {}, "eu-west-1", "123")


@pytest.mark.parametrize(
    ("body", "arn"),
    [
        ({"Name": "a-bus"}, "arn:aws:events:eu-west-1:123:event-bus/a-bus"),
        ({}, "arn:aws:events:eu-west-1:123:event-bus/default"),
        ({"Name": "arn:aws:events:us-east-1:456:event-bus/b"}, "arn:aws:events:us-east-1:456:event-bus/b"),
    ],
)
def test_with_buses_names_the_bus_of_a_description(body: dict[str, str], arn: str) -> None:
    assert resource_of("events", DESCRIBE, body) == arn


@pytest.mark.parametrize(
    ("service", "headers"),
    [("events", {"x-amz-target": "AWSEvents.DescribeRule"}), ("events", {}), ("sqs", DESCRIBE)],
)
def test_with_buses_leaves_other_calls_to_the_emulator(service: str, headers: dict[str, str]) -> None:
    assert resource_of(service, headers, {"Name": "a"}) == f"the emulator's, of {service} in eu-west-1"
