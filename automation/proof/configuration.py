"""Rules about a function's variables and its queues."""

from collections.abc import Iterator, Mapping
from typing import Any

from automation.project import templates
from automation.project.model import Function, Stack
from automation.project.templates import Unresolved
from automation.proof import places, wiring
from automation.proof.model import Fault, Rule, Subject

MOST_BYTES = 4096
_DEFAULT_TIMEOUT_S, _DEFAULT_VISIBILITY_S = 3, 30
# Source: AWS Lambda developer guide, "Defined runtime environment variables", those marked reserved.
_RESERVED = frozenset(
    {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "LAMBDA_TASK_ROOT",
        "LAMBDA_RUNTIME_DIR",
    }
)


def check_environment_size(subject: Subject) -> Iterator[Fault]:
    for stack in subject.project.stacks:
        for function in stack.functions:
            sizes = {name: _bytes(name, value) for name, value in variables(function, stack).items()}
            total = sum(sizes.values())
            if total > MOST_BYTES:
                biggest = sorted(sizes, key=lambda name: -sizes[name])
                what = f"its variables come to {total:,} bytes at least, and Lambda takes {MOST_BYTES:,}"
                mend = f"keep the long ones in SSM or S3: {places.some(biggest)}"
                yield Fault(f"{stack.template.path}: {function.logical_id}", what, mend)


def check_reserved(subject: Subject) -> Iterator[Fault]:
    for stack in subject.project.stacks:
        for function in stack.functions:
            reserved = sorted(_RESERVED & set(variables(function, stack)))
            if reserved:
                what = f"sets {places.some(reserved, 9)}, which is Lambda's own"
                yield Fault(
                    f"{stack.template.path}: {function.logical_id}", what, "take it out, or give it another name"
                )


def check_visibility(subject: Subject) -> Iterator[Fault]:
    for stack in subject.project.stacks:
        for function in stack.functions:
            for queue in sorted(wiring.queues_of(function, stack)):
                resource = stack.template.resources.get(queue.name) if queue.stack == stack.name else None
                if resource and resource["Type"] == "AWS::SQS::Queue":
                    yield from _visibility(function, stack, queue.name, resource)


def variables(function: Function, stack: Stack) -> Mapping[str, Any]:
    """The function's variables over those of Globals, as far as they resolve."""
    merged: dict[str, Any] = {}
    for properties in (stack.template.globals.get("Function") or {}, function.properties):
        environment = templates.resolve(properties.get("Environment"), stack.template, stack.parameters)
        own = environment.get("Variables") if isinstance(environment, Mapping) else None
        merged |= own if isinstance(own, Mapping) else {}
    return merged


def _bytes(name: str, value: Any) -> int:
    return len(name.encode()) + (0 if isinstance(value, Unresolved) else len(str(value).encode()))


def _visibility(function: Function, stack: Stack, queue: str, resource: Mapping[str, Any]) -> Iterator[Fault]:
    properties = resource.get("Properties") or {}
    found = templates.resolve(properties.get("VisibilityTimeout"), stack.template, stack.parameters)
    visibility_s, timeout_s = _seconds(found, _DEFAULT_VISIBILITY_S), _seconds(function.timeout_s, _DEFAULT_TIMEOUT_S)
    if visibility_s is not None and timeout_s is not None and visibility_s < timeout_s:
        what = f"runs up to {timeout_s} s, and {queue} hides its messages for {visibility_s} s only"
        mend = f"write VisibilityTimeout: {timeout_s} or more in {queue}, or a shorter Timeout"
        yield Fault(f"{stack.template.path}: {function.logical_id}", what, mend)


def _seconds(value: Any, default: int) -> int | None:
    """A number of seconds; None when only CloudFormation knows it."""
    if value is None:
        return default
    return int(value) if isinstance(value, int | str) and str(value).isdigit() else None


RULES: tuple[Rule, ...] = (
    Rule(
        "environment-too-large",
        "A function's variables come to at most 4 KB",
        "Lambda refuses the function.",
        check_environment_size,
    ),
    Rule(
        "variable-reserved",
        "A function sets no variable that is Lambda's own",
        "Lambda refuses the function.",
        check_reserved,
    ),
    Rule(
        "timeout-over-visibility",
        "A queue hides a message at least as long as its function may run",
        "Lambda refuses the event source; were it to take it, the message would be worked on twice at once.",
        check_visibility,
    ),
)
