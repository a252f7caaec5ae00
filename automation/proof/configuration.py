"""Rules about a function's runtime, its environment variables and its queues."""

from collections.abc import Iterator, Mapping
from typing import Any

from automation.lambda_runtime import python_versions
from automation.project import templates
from automation.project.model import Function, Stack
from automation.project.templates import Unresolved
from automation.proof import built_trees, suppliers, wiring
from automation.proof.model import Fault, Rule, Severity, Subject, merged

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


def check_runtime(subject: Subject) -> Iterator[Fault]:
    for function, stack in subject.functions:
        runtime, where = str(function.runtime), built_trees.where(stack, function)
        if retirement := python_versions.RETIRED.get(runtime):
            creation, update = retirement
            what = f"Runtime {runtime} is retired: Lambda creates no function with it since {creation}"
            what += f", and updates none since {update}" if update else ""
            severity = Severity.ERROR if update else Severity.WARNING
            yield Fault(where, what, f"set Runtime to a later Python, up to {python_versions.NEWEST}", severity)
        elif runtime.lower().startswith("python") and runtime not in python_versions.RUNTIMES:
            what = f"Runtime {runtime} is not among those of Lambda, which has python3.8 to {python_versions.NEWEST}"
            is_later = python_versions.is_later(runtime)
            fix = f"correct Runtime{suppliers.near(runtime.lower(), python_versions.RUNTIMES)}"
            fix = "correct Runtime, unless Lambda has it by now" if is_later else fix
            yield Fault(where, what, fix, Severity.WARNING if is_later else Severity.ERROR)


def check_environment_size(subject: Subject) -> Iterator[Fault]:
    for function, stack in subject.functions:
        sizes = {name: _size_bytes(name, value) for name, value in variables(function, stack).items()}
        total = sum(sizes.values())
        if total > MOST_BYTES:
            biggest = sorted(sizes, key=lambda name: -sizes[name])
            what = f"its environment variables take at least {total:,} bytes; Lambda allows {MOST_BYTES:,}"
            fix = f"move the largest to SSM or S3: {built_trees.abbreviate(biggest)}"
            yield Fault(built_trees.where(stack, function), what, fix)


def check_reserved(subject: Subject) -> Iterator[Fault]:
    for function, stack in subject.functions:
        reserved = sorted(_RESERVED & set(variables(function, stack)))
        if reserved:
            what = f"sets {built_trees.abbreviate(reserved, 9)}, which Lambda reserves"
            yield Fault(built_trees.where(stack, function), what, "remove or rename it")


def check_visibility(subject: Subject) -> Iterator[Fault]:
    for function, stack in subject.functions:
        for queue in sorted(wiring.queues_of(function, stack)):
            resource = stack.template.resources.get(queue.name) if queue.stack == stack.name else None
            if resource and resource["Type"] == "AWS::SQS::Queue":
                yield from _visibility_faults(function, stack, queue.name, resource)


def variables(function: Function, stack: Stack) -> Mapping[str, Any]:
    """Return the function's variables merged over those of Globals, as far as they resolve."""
    merged: dict[str, Any] = {}
    for properties in (stack.template.globals.get("Function") or {}, function.properties):
        environment = templates.resolve(properties.get("Environment"), stack.template, stack.parameters)
        own = environment.get("Variables") if isinstance(environment, Mapping) else None
        merged |= own if isinstance(own, Mapping) else {}
    return merged


def _size_bytes(name: str, value: Any) -> int:
    return len(name.encode()) + (0 if isinstance(value, Unresolved) else len(str(value).encode()))


def _visibility_faults(function: Function, stack: Stack, queue: str, resource: Mapping[str, Any]) -> Iterator[Fault]:
    properties = resource.get("Properties") or {}
    visibility = templates.resolve(properties.get("VisibilityTimeout"), stack.template, stack.parameters)
    visibility_s = _seconds(visibility, _DEFAULT_VISIBILITY_S)
    timeout_s = _seconds(function.timeout_s, _DEFAULT_TIMEOUT_S)
    if visibility_s is not None and timeout_s is not None and visibility_s < timeout_s:
        what = f"may run for {timeout_s} s, but {queue} hides a received message for only {visibility_s} s"
        fix = f"set VisibilityTimeout of {queue} to at least {timeout_s}, or shorten the function's Timeout"
        yield Fault(built_trees.where(stack, function), what, fix)


def _seconds(value: Any, default: int) -> int | None:
    """Return a number of seconds, or None when it is only known at deploy time."""
    if value is None:
        return default
    return int(value) if isinstance(value, int | str) and str(value).isdigit() else None


RULES: tuple[Rule, ...] = (
    Rule(
        "runtime-unavailable",
        "A function names a Python that Lambda takes",
        "Lambda refuses to create the function, and for the oldest runtimes to update it.",
        merged(check_runtime),
    ),
    Rule(
        "environment-too-large",
        "A function's environment variables take at most 4 KB",
        "Lambda refuses to create or update the function.",
        check_environment_size,
    ),
    Rule(
        "variable-reserved",
        "A function sets no environment variable that Lambda reserves",
        "Lambda refuses to create or update the function.",
        check_reserved,
    ),
    Rule(
        "timeout-over-visibility",
        "A queue hides a received message for at least the function's timeout",
        "Lambda refuses the event source: a message could be delivered again while it is still being processed.",
        check_visibility,
    ),
)
