"""What the emulator is taught about requests: the bus they are about, their condition keys, and that they use TLS."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from sandbox.emulator_grants import (
    condition_keys,
    remember_keys,
    trust_loopback,
    with_arns,
    with_batches,
    with_buses,
    with_keys,
    with_layer_lookups,
    with_senders,
)

DESCRIBE = {"x-amz-target": "AWSEvents.DescribeEventBus"}
JSON, FORM = {"content-type": "application/x-amz-json-1.0"}, {"content-type": "application/x-www-form-urlencoded"}


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


def test_with_senders_names_the_identity_of_a_mails_sender() -> None:
    body = b'{"FromEmailAddress": "A B <a@b.org>"}'

    arn = with_senders(extract)("ses", "POST", "/v2/email/outbound-emails", JSON, body, {}, "eu-west-1", "123")

    assert arn == "arn:aws:ses:eu-west-1:123:identity/a@b.org"


@pytest.mark.parametrize(
    ("service", "method", "path"),
    [
        ("sqs", "POST", "/v2/email/outbound-emails"),
        ("ses", "GET", "/v2/email/outbound-emails"),
        ("ses", "POST", "/v2/email/identities"),
    ],
)
def test_with_senders_leaves_other_calls_to_the_emulator(service: str, method: str, path: str) -> None:
    arn = with_senders(extract)(service, method, path, JSON, b"{}", {}, "eu-west-1", "123")

    assert arn == f"the emulator's, of {service} in eu-west-1"


CHANGE_SET = "arn:aws:cloudformation:eu-west-1:123:changeSet/release-1/2"
LAYER = "arn:aws:lambda:eu-west-1:123:layer:Shared:7"
LOOKUP = {"find": ["LayerVersion"], "Arn": [LAYER]}


@pytest.mark.parametrize(
    ("body", "query", "named", "arn"),
    [
        (f"ChangeSetName={CHANGE_SET}".encode(), {}, "*", CHANGE_SET),
        (b"", {"ChangeSetName": [CHANGE_SET]}, "*", CHANGE_SET),
        (b"", {"ChangeSetName": CHANGE_SET}, "*", CHANGE_SET),
        (f"ChangeSetName={CHANGE_SET}".encode(), {}, "the stack's", "the stack's"),
        (b"ChangeSetName=release-1", {}, "*", "*"),
        (b"Action=ListExports", {}, "*", "*"),
    ],
)
def test_with_arns_names_a_change_set_without_its_stack(body: bytes, query: Any, named: str, arn: str) -> None:
    describe = with_arns(lambda *_: named)

    assert describe("cloudformation", "POST", "/", FORM, body, query, "eu-west-1", "123") == arn


@pytest.mark.parametrize(
    ("service", "path", "query", "arn"),
    [
        ("lambda", "/2018-10-31/layers", LOOKUP, LAYER),
        ("lambda", "/2018-10-31/layers/", LOOKUP, LAYER),
        ("lambda", "/2018-10-31/layers", {}, "*"),
        ("lambda", "/2018-10-31/layers/Shared/versions", LOOKUP, "*"),
        ("sqs", "/2018-10-31/layers", {"ChangeSetName": CHANGE_SET, **LOOKUP}, "*"),
    ],
)
def test_with_arns_names_a_layer_version(service: str, path: str, query: Any, arn: str) -> None:
    assert with_arns(lambda *_: "*")(service, "GET", path, {}, b"", query, "eu-west-1", "123") == arn


@pytest.mark.parametrize(
    ("service", "body", "named", "arn"),
    [
        ("dynamodb", b'{"ResourceArn": "arn:table"}', "*", "arn:table"),
        ("dynamodb", b'{"ResourceArn": "arn:table"}', "the table's", "the table's"),
        ("dynamodb", b"{}", "*", "*"),
        ("dynamodb", b"", "*", "*"),
        ("sns", b'{"ResourceArn": "arn:topic"}', "*", "*"),
    ],
)
def test_with_arns_names_a_table_for_its_tags(service: str, body: bytes, named: str, arn: str) -> None:
    assert with_arns(lambda *_: named)(service, "POST", "/", JSON, body, {}, "eu-west-1", "123") == arn


@pytest.mark.parametrize(
    ("service", "query", "action"),
    [
        ("lambda", LOOKUP, "lambda:GetLayerVersion"),
        ("lambda", {"find": ["Else"]}, "the emulator's"),
        ("sqs", LOOKUP, "the emulator's"),
    ],
)
def test_with_layer_lookups_names_the_action_of_aws(service: str, query: Any, action: str) -> None:
    assert (
        with_layer_lookups(lambda *_: "the emulator's")(service, "GET", "/2018-10-31/layers", {}, b"", query) == action
    )


@pytest.mark.parametrize(
    ("action", "granted_as"),
    [
        ("sqs:SendMessageBatch", "sqs:SendMessage"),
        ("sqs:DeleteMessageBatch", "sqs:DeleteMessage"),
        ("sqs:ChangeMessageVisibilityBatch", "sqs:ChangeMessageVisibility"),
        ("sqs:SendMessage", "sqs:SendMessage"),
        ("dynamodb:BatchGetItem", "dynamodb:BatchGetItem"),
        (None, None),
    ],
)
def test_with_batches_names_the_action_of_a_single_message(action: str | None, granted_as: str | None) -> None:
    requests: list[tuple[Any, ...]] = []

    def extract_action(*request: Any) -> str | None:
        requests.append(request)
        return action

    assert with_batches(extract_action)("sqs", "POST", "/") == granted_as
    assert requests == [("sqs", "POST", "/")]


@pytest.mark.parametrize(
    ("action", "headers", "body", "keys"),
    [
        ("ses:SendEmail", {}, b'{"FromEmailAddress": "a@b.org"}', {"ses:FromAddress": "a@b.org"}),
        ("ses:SendEmail", JSON, b'{"FromEmailAddress": "A B <a@b.org>"}', {"ses:FromAddress": "a@b.org"}),
        ("ses:SendEmail", JSON, b"{}", {}),
        ("cloudwatch:PutMetricData", JSON, b'{"Namespace": "Shop"}', {"cloudwatch:namespace": "Shop"}),
        ("cloudwatch:PutMetricData", FORM, b"Action=X&Namespace=My+Shop", {"cloudwatch:namespace": "My Shop"}),
        ("cloudwatch:PutMetricData", FORM, b"Action=X", {}),
        ("cloudwatch:GetMetricData", JSON, b'{"Namespace": "Shop"}', {}),
        ("ses:ListIdentities", JSON, b'{"FromEmailAddress": "a@b.org"}', {}),
        (None, {}, b"not JSON", {}),
    ],
)
def test_condition_keys_are_those_of_the_action(
    action: str | None, headers: dict[str, str], body: bytes, keys: dict[str, str]
) -> None:
    assert condition_keys(action, headers, body) == keys


def test_keys_of_a_request_reach_its_decision_and_no_later_one() -> None:
    action_of = remember_keys(lambda service, *_: f"{service}:SendEmail")
    decide = with_keys(lambda *request, **named: (request, named))
    mail: tuple[Any, ...] = ("ses", "POST", "/", JSON, b'{"FromEmailAddress": "a@b.org"}', {})

    assert action_of(*mail) == "ses:SendEmail"
    first = decide("key", "ses:SendEmail", resource_arn="*", service_context={"x": "1"})
    assert action_of("sqs", *mail[1:]) == "sqs:SendEmail"
    second = decide("key", service_context=None)

    keys = {"ses:FromAddress": "a@b.org", "x": "1"}
    assert first == (("key", "ses:SendEmail"), {"resource_arn": "*", "service_context": keys})
    assert second == (("key",), {"service_context": {}})


def test_trust_loopback_lets_every_request_use_tls() -> None:
    app, evaluator = SimpleNamespace(), SimpleNamespace()
    evaluator.pin_request_origin = lambda ip, secure_transport: evaluator._request_origin.set((ip, secure_transport))
    trust_loopback(app, evaluator)
    inside = evaluator._request_origin.get()

    app.pin_request_origin("127.0.0.2", False)

    assert inside == ("127.0.0.1", True)
    assert evaluator._request_origin.get() == ("127.0.0.2", True)
