"""AWS below boto3: it answers the requests of real clients without a network, and writes down their operations."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders

CREDENTIALS = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
MISSING_OBJECT = "<Error><Code>NoSuchKey</Code><Message>no such key</Message></Error>"
ANSWERS: Mapping[str, Any] = {
    "dynamodb:GetItem": {},
    "dynamodb:Query": {"Items": [], "Count": 0, "ScannedCount": 0},
    "dynamodb:DescribeTable": {"Table": {}},
    "events:DescribeEventBus": {},
    "sqs:GetQueueUrl": {"QueueUrl": "https://sqs.us-east-1.amazonaws.com/000000000000/trades.fifo"},
    "ssm:GetParameter": {"Parameter": {"Value": "paused"}},
    "secretsmanager:GetSecretValue": {"SecretString": '{"key": "sandbox-key", "secret": "sandbox-secret"}'},
}


class _Body(BytesIO):
    def stream(self, **_: Any) -> "list[bytes]":
        return [self.read()]


@dataclass
class AwsWire:
    """The answers by operation; an operation without one is refused, with its name in the message.

    Attributes:
        operations: `service:Operation` of every request, in order.
        bodies: the parsed bodies of the same requests; None for requests to S3.
    """

    answers: dict[str, Any] = field(default_factory=lambda: dict(ANSWERS))
    errors: dict[str, str] = field(default_factory=dict)
    operations: list[str] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Answer the clients of boto3's default session."""
        for name, value in CREDENTIALS.items():
            monkeypatch.setenv(name, value)
        session = boto3.Session()
        session.events.register("before-send.*", self._answer)  # type: ignore[arg-type] # an answer replaces the call
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)

    def _answer(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        target: Any = request.headers.get("X-Amz-Target")
        if target is None:
            self.operations.append(f"s3:{request.method} {request.url.partition('amazonaws.com')[2]}")
            self.bodies.append(None)
            return self._response(request, 404, MISSING_OBJECT)

        operation = f"{_service(request.url)}:{_text(target).rpartition('.')[2]}"
        self.operations.append(operation)
        self.bodies.append(json.loads(_text(request.body)))
        if operation in self.errors or operation not in self.answers:
            error = {"__type": self.errors.get(operation, "AccessDeniedException"), "message": f"{operation} refused"}
            return self._response(request, 400, json.dumps(error))
        return self._response(request, 200, json.dumps(self.answers[operation]))

    @staticmethod
    def _response(request: AWSPreparedRequest, status: int, body: str) -> AWSResponse:
        return AWSResponse(request.url, status, HTTPHeaders(), _Body(body.encode()))


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _service(url: str) -> str:
    host = url.removeprefix("https://").partition("/")[0]
    return next(part for part in host.split(".") if part in {"dynamodb", "events", "sqs", "ssm", "secretsmanager"})
