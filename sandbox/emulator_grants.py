"""Authorize calls as AWS does, where the emulator does not; runs inside the emulator's process, before it serves.

- A call about an event bus is authorized on that bus. The emulator takes the name of a bus for the name of a rule.
- A call about a change set, or about the tags of a table, which only its ARN names, is authorized on that ARN. The
  emulator names no resource.
- A version of a layer, named by its ARN, is read with lambda:GetLayerVersion on that ARN. The emulator takes the call
  for one that lists all layers.
- A mail is authorized on the identity of its sender. The emulator names no resource.
- The sender of a mail and the namespace of metrics are condition keys that a policy can require.
- A batch of messages is authorized as its single messages are. The emulator names an action that AWS does not have.
- A call counts as one over TLS. The emulator serves plain HTTP, on this machine only, and the templates deny that.

It runs there, so this module imports only the standard library and what the emulator itself has.
"""

import json
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from email.utils import parseaddr
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs

_ABOUT_A_BUS = "AWSEvents.DescribeEventBus"
_SENDING_A_MAIL = ("ses", "POST", "/v2/email/outbound-emails")
_GRANTED_AS = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
}
_NO_KEYS: Mapping[str, str] = MappingProxyType({})
_keys_of_request: ContextVar[Mapping[str, str]] = ContextVar("keys_of_request", default=_NO_KEYS)


def apply() -> None:
    """Replace the emulator's functions that describe a request and decide on it."""
    from ministack import app  # type: ignore[import-not-found]  # noqa: PLC0415 - lives in the emulator's environment
    from ministack.core import iam_actions, iam_evaluator  # type: ignore[import-not-found]  # noqa: PLC0415 - as above

    iam_actions.extract_resource_arn = with_arns(with_senders(with_buses(iam_actions.extract_resource_arn)))
    iam_actions.extract_iam_action = remember_keys(with_layer_lookups(with_batches(iam_actions.extract_iam_action)))
    iam_evaluator.enforce = with_keys(iam_evaluator.enforce)
    trust_loopback(app, iam_evaluator)


def with_buses(extract: Callable[..., str]) -> Callable[..., str]:
    """Return the function that names the resource of a request, with the right ARN for requests about a bus."""

    def extract_arn(service: str, method: str, path: str, headers: Mapping[str, str], body: bytes, *rest: Any) -> str:
        if service != "events" or headers.get("x-amz-target") != _ABOUT_A_BUS:
            return extract(service, method, path, headers, body, *rest)

        _, region, account = rest
        name = json.loads(body).get("Name", "default")
        return name if name.startswith("arn:") else f"arn:aws:events:{region}:{account}:event-bus/{name}"

    return extract_arn


def with_senders(extract: Callable[..., str]) -> Callable[..., str]:
    """Return the function that names the resource of a request, with the identity of the sender for a mail."""

    def extract_arn(service: str, method: str, path: str, headers: Mapping[str, str], body: bytes, *rest: Any) -> str:
        if (service, method, path) != _SENDING_A_MAIL:
            return extract(service, method, path, headers, body, *rest)

        _, region, account = rest
        return f"arn:aws:ses:{region}:{account}:identity/{_sender(headers, body)}"

    return extract_arn


def with_arns(extract: Callable[..., str]) -> Callable[..., str]:
    """Return the function that names the resource of a request, with the ARN that the request has.

    A change set is named so without its stack, a version of a layer without its layer, and a table for its tags.
    """

    def extract_arn(
        service: str,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        query: Mapping[str, Any],
        *rest: Any,
    ) -> str:
        arn = extract(service, method, path, headers, body, query, *rest)
        if service == "lambda" and _is_layer_lookup(path, query):
            return _text(query, "Arn")
        if service == "cloudformation" and arn == "*":
            change_set = _text({**parse_qs(body.decode()), **query}, "ChangeSetName")
            return change_set if change_set.startswith("arn:") else arn
        if service == "dynamodb" and arn == "*":
            return str(json.loads(body or b"{}").get("ResourceArn", arn))
        return arn

    return extract_arn


def with_layer_lookups(extract: Callable[..., str | None]) -> Callable[..., str | None]:
    """Return the function that names the action of a request, with that of AWS for a layer version by its ARN."""

    def extract_action(
        service: str,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        query: Mapping[str, Any],
        *rest: Any,
    ) -> str | None:
        if service == "lambda" and _is_layer_lookup(path, query):
            return "lambda:GetLayerVersion"
        return extract(service, method, path, headers, body, query, *rest)

    return extract_action


def _is_layer_lookup(path: str, query: Mapping[str, Any]) -> bool:
    return path.rstrip("/").endswith("/layers") and _text(query, "find") == "LayerVersion"


def _text(query: Mapping[str, Any], name: str) -> str:
    value = query.get(name, "")
    return str(value[0] if isinstance(value, list) else value)


def with_batches(extract: Callable[..., str | None]) -> Callable[..., str | None]:
    """Return the function that names the action of a request, with that of a single message for a batch."""

    def extract_action(*request: Any) -> str | None:
        action = extract(*request)
        return action if action is None else _GRANTED_AS.get(action, action)

    return extract_action


def remember_keys(extract: Callable[..., str | None]) -> Callable[..., str | None]:
    """Return the function that names the action of a request; it also remembers the request's condition keys."""

    def extract_action(
        service: str, method: str, path: str, headers: Mapping[str, str], body: bytes, *rest: Any
    ) -> str | None:
        action = extract(service, method, path, headers, body, *rest)
        _keys_of_request.set(condition_keys(action, headers, body))
        return action

    return extract_action


def with_keys(enforce: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function that decides on a request, with the condition keys of that request."""

    def enforce_with_keys(*request: Any, service_context: Mapping[str, Any] | None = None, **named: Any) -> Any:
        return enforce(*request, service_context={**_keys_of_request.get(), **(service_context or {})}, **named)

    return enforce_with_keys


def condition_keys(action: str | None, headers: Mapping[str, str], body: bytes) -> Mapping[str, str]:
    """Return the condition keys that AWS knows of a request and the emulator does not."""
    if action == "ses:SendEmail":
        sender = _sender(headers, body)
        return {"ses:FromAddress": sender} if sender else _NO_KEYS
    if action == "cloudwatch:PutMetricData":
        namespace = _fields(headers, body).get("Namespace")
        return {"cloudwatch:namespace": namespace} if namespace else _NO_KEYS
    return _NO_KEYS


def _sender(headers: Mapping[str, str], body: bytes) -> str:
    """Return the address of a mail's sender without a name; empty when there is none."""
    return parseaddr(_fields(headers, body).get("FromEmailAddress", ""))[1]


def _fields(headers: Mapping[str, str], body: bytes) -> Mapping[str, Any]:
    """Decode a body as the SDK encodes it: CBOR, JSON, or a form."""
    content_type = headers.get("content-type", "")
    if "cbor" in content_type:
        import cbor2  # type: ignore[import-not-found]  # noqa: PLC0415 - lives in the emulator's environment

        return dict(cbor2.loads(body))
    if "json" in content_type or body.startswith(b"{"):
        return dict(json.loads(body))
    return {name: values[0] for name, values in parse_qs(body.decode()).items()}


def trust_loopback(app: Any, evaluator: Any) -> None:
    """Let every request count as one over TLS; what the emulator calls itself, without a request, does so too."""
    evaluator._request_origin = ContextVar("request_origin", default=("127.0.0.1", True))
    app.pin_request_origin = lambda source_ip, _: evaluator.pin_request_origin(source_ip, secure_transport=True)
