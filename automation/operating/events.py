"""The event of an invocation: a file's, or a sample of a message in the form in which it reaches the function."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automation.lambda_runtime import runtime
from automation.project import function_names
from automation.project.model import Function, Project, Stack
from automation.proof import registry, wiring
from automation.proof.registry import Route
from automation.proof.wiring import Endpoint
from automation.system.errors import ConfigurationError, UsageError

_WHERE = "invoke"
_STDIN = "-"
_REGISTRY = "pyproject.toml: [tool.alchemiser] messages"
_SAMPLES = "pyproject.toml: [tool.alchemiser] samples"
# What a queue adds to a body. Source: AWS Lambda Developer Guide, "Using Lambda with Amazon SQS".
_ATTRIBUTES = {"ApproximateReceiveCount": "1", "SentTimestamp": "0", "ApproximateFirstReceiveTimestamp": "0"}


@dataclass(frozen=True, slots=True)
class Samples:
    """The samples of a project's messages.

    Attributes:
        events: each message as its consumers receive it, an event of a bus or the body of a queue, by its name.
    """

    routes: Sequence[Route]
    events: Mapping[str, Any]


def of_file(name: str) -> str:
    """Return the JSON of a file; `-` is the standard input.

    Raises:
        UsageError: the file cannot be read, or is not JSON.
    """
    try:
        text = sys.stdin.read() if name == _STDIN else Path(name).read_text(encoding="utf-8")
        json.loads(text)
    except (OSError, UnicodeDecodeError) as cause:
        raise UsageError(f"--event {name} cannot be read: {cause}", where=_WHERE) from cause
    except ValueError as cause:
        raise UsageError(f"--event {name} is not JSON: {cause}", where=_WHERE) from cause
    return text


def read_routes(project: Project) -> tuple[Route, ...]:
    """Return the routes of the project's messages.

    Raises:
        ConfigurationError: the project names no registry, or it cannot be loaded.
    """
    if not project.settings.messages:
        message = "--message needs the registry of messages; add it, or use --event FILE"
        raise ConfigurationError(message, where=_REGISTRY)
    return registry.load(project.root, project.settings.messages)


def of_message(name: str, function: Function, stack: Stack, project: Project, samples: Samples) -> str:
    """Return the sample of a message as JSON, in the form in which it reaches a function.

    Raises:
        UsageError: the function does not consume the message.
        ConfigurationError: the sample of the message is missing.
    """
    names = function_names.names_of(function)
    consumed = {route.message: route for route in samples.routes if names.intersection(route.consumers)}
    if name not in consumed:
        known = ", ".join(consumed) or "none; use --event FILE"
        raise UsageError(f"{function.logical_id} does not consume {name}; its messages are: {known}", where=_WHERE)
    if name not in samples.events:
        raise ConfigurationError(f"no function of samples returns a {name}; use --event FILE", where=_SAMPLES)

    event, queues = samples.events[name], wiring.queues_of(function, stack)
    if queues and not _is_direct(consumed[name], function, project):
        return json.dumps({"Records": [_record(event, min(queues))]})
    return json.dumps(event)


def _is_direct(route: Route, function: Function, project: Project) -> bool:
    """Return whether a rule sends the message to the function itself, and not to a queue that it reads."""
    own = Endpoint(function.stack, function.logical_id)
    rules = (rule for rule in wiring.rules_of(project) if rule.matches(route.source, route.message))
    return not route.queued and any(own in rule.targets for rule in rules)


def _record(body: Any, queue: Endpoint) -> dict[str, Any]:
    return {
        "messageId": "00000000-0000-0000-0000-000000000000",
        "receiptHandle": "sample",
        "body": json.dumps(body),
        "attributes": _ATTRIBUTES,
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{runtime.REGION}:{runtime.ACCOUNT}:{queue.name}",
        "awsRegion": runtime.REGION,
    }
