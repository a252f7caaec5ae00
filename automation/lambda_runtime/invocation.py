"""Invoke a built function on this machine, under Lambda's rules: its memory, its time-out, its read-only files."""

import json
import os
import signal
import tempfile
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from automation.lambda_runtime import invocation_probe, runtime
from automation.lambda_runtime.mounts import Mount
from automation.lambda_runtime.paths import temporary_folder
from automation.lambda_runtime.places import Place
from automation.lambda_runtime.runtime import Allowance
from automation.system.errors import ConfigurationError
from automation.system.processes import Finished

# What Lambda takes when the template says nothing. Source: AWS SAM's AWS::Serverless::Function.
DEFAULT_TIMEOUT_S, DEFAULT_MEMORY_MB = 3, 128
_PROBE = Path(invocation_probe.__file__)
_GRACE_S = 30.0  # for the start of the process, and for what a stopped one still has to write
_DEBUGGED_S = 24 * 3600.0  # a person who reads a variable needs more time than the function has


@dataclass(frozen=True, slots=True)
class LocalInvocation:
    """The result of one invocation on this machine.

    Attributes:
        answer: the JSON that the function returned; None when it failed.
        error: the error as `Type: message`; empty for success.
        stack: where the error was raised, or what the function did when it was stopped, line by line.
        log: what the function printed.
        init_ms, duration_ms: how long its import and its handler took; None when one of them failed.
        peak_mb: the most memory that it used; None when its process ended before it could say.
    """

    answer: Any = None
    error: str = ""
    stack: tuple[str, ...] = ()
    log: str = ""
    init_ms: float | None = None
    duration_ms: float | None = None
    peak_mb: float | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a function."""

    memory_mb: int
    timeout_s: int


class _MemoryWatch:
    """Kills a process that uses more memory than its function has, as Lambda does."""

    def __init__(self, limit_mb: int) -> None:
        self.limit_mb, self.peak_mb = limit_mb, 0.0

    @property
    def is_over(self) -> bool:
        return self.peak_mb > self.limit_mb

    def __call__(self, process: int) -> None:
        self.peak_mb = invocation_probe.peak_mb(f"/proc/{process}/status")
        if self.is_over:
            os.kill(process, signal.SIGKILL)


def limits_of(mount: Mount) -> Limits:
    """Return the limits of a function as its template has them.

    Raises:
        ConfigurationError: the template has a value that is only known at deploy time.
    """
    memory_mb = _number(mount.function.memory_mb, DEFAULT_MEMORY_MB, "MemorySize", mount.where)
    return Limits(memory_mb, _number(mount.function.timeout_s, DEFAULT_TIMEOUT_S, "Timeout", mount.where))


def invoke(place: Place, event: str, *, root: Path, limits: Limits, allowance: Allowance) -> LocalInvocation:
    """Send one event to a function in a fresh process, and wait for its answer.

    Args:
        event: JSON.
        allowance: with a debugger, the function has a day instead of its time-out.

    Raises:
        ToolError: this machine has no interpreter for the runtime.
    """
    is_debugged = bool(allowance.debugger)
    wait_s = _DEBUGGED_S if is_debugged else 2 * limits.timeout_s + _GRACE_S
    memory = _MemoryWatch(limits.memory_mb)
    with tempfile.TemporaryDirectory(prefix="invoke-", dir=temporary_folder(root)) as folder:
        result, stack = Path(folder) / "result.json", Path(folder) / "stack.txt"
        request = _request(place, limits) | {"event": event, "result": str(result), "stack": str(stack)}
        finished = runtime.run(
            place,
            _PROBE,
            [json.dumps(request | {"is_debugged": is_debugged})],
            root=root,
            timeout_s=wait_s,
            flags=("-X", "frozen_modules=off") if is_debugged else (),
            allowance=replace(allowance, cpu_s=round(wait_s)),
            on_wait=memory,
        )
        text = stack.read_text(encoding="utf-8", errors="replace") if stack.exists() else ""
        answered = json.loads(result.read_text(encoding="utf-8")) if result.exists() else {}
    memory.peak_mb = max(memory.peak_mb, answered.get("peak_mb", 0.0))
    if memory.is_over:
        return LocalInvocation(
            None, _out_of_memory(memory), (), finished.stdout + finished.stderr, None, None, memory.peak_mb
        )
    return _invocation(place, limits, finished, answered, stack=text)


def _request(place: Place, limits: Limits) -> dict[str, Any]:
    function, variables = place.mount.function, runtime.environment(place.mount, place.opt)
    name = variables["AWS_LAMBDA_FUNCTION_NAME"]
    return {
        "handler": str(function.handler),
        "memory_mb": limits.memory_mb,
        "timeout_s": limits.timeout_s,
        "request_id": str(uuid.uuid4()),
        "function": name,
        "arn": f"arn:aws:lambda:{runtime.REGION}:{runtime.ACCOUNT}:function:{name}",
        "log_group": variables["AWS_LAMBDA_LOG_GROUP_NAME"],
        "log_stream": variables["AWS_LAMBDA_LOG_STREAM_NAME"],
    }


def _invocation(
    place: Place, limits: Limits, finished: Finished, answered: Mapping[str, Any], *, stack: str
) -> LocalInvocation:
    log = finished.stdout + finished.stderr
    times = answered.get("init_ms"), answered.get("duration_ms"), answered.get("peak_mb")
    if not answered:
        reason = f"Task timed out after {limits.timeout_s}.00 seconds"
        error = reason if stack else f"Runtime.ExitError: its process ended with exit code {finished.exit_code}"
        return LocalInvocation(None, error, tuple(place.as_on_lambda(stack).splitlines()), log)

    if "error" in answered:
        described = answered["error"]
        lines = place.as_on_lambda("".join(described["stackTrace"])).splitlines()
        return LocalInvocation(
            None, f"{described['errorType']}: {described['errorMessage']}", tuple(lines), log, *times
        )
    return LocalInvocation(answered["answer"], "", (), log, *times)


def _out_of_memory(memory: _MemoryWatch) -> str:
    return f"Runtime.OutOfMemory: it used {memory.peak_mb:.0f} MB, MemorySize is {memory.limit_mb} MB"


def _number(value: Any, default: int, name: str, where: str) -> int:
    if value is None:
        return default
    if isinstance(value, bool) or not str(value).isdecimal():
        raise ConfigurationError(f"{name} is only known at deploy time; add --env ENV, or write a number", where=where)
    return int(str(value))
