"""What `inv invoke` prints: the log of the function, its answer, and what it took."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from automation.lambda_runtime.invocation import LocalInvocation
from automation.lambda_runtime.places import Place
from automation.operating import log_entries
from automation.project.model import Project
from automation.sizing.units import format_count
from automation.system.invocations import LoggedInvocation
from automation.system.log_lines import LogLine

_FAILURES = "batchItemFailures"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of an invocation.

    Attributes:
        error: as `Type: message`; empty for success.
        stack: where it was raised, line by line.
        log: what the function wrote.
        took: the times and the memory, in a line; empty when Lambda's own lines say it.
    """

    answer: Any
    error: str
    stack: tuple[str, ...]
    log: tuple[str, ...]
    took: str = ""

    @property
    def failure(self) -> str:
        """Return what went wrong; empty when nothing did. A record that a batch reports as failed counts."""
        if self.error:
            return f"failed: {self.error}"
        failed = self.answer.get(_FAILURES) if isinstance(self.answer, dict) else None
        return f"reports {format_count(len(failed), 'record')} as failed; its log says why" if failed else ""

    def lines(self) -> Iterator[str]:
        """Yield the lines for people."""
        yield from self.log
        yield from self.stack
        if not self.error:
            yield json.dumps(self.answer, indent=2, ensure_ascii=False)
        if self.took:
            yield self.took

    def record(self, function: str) -> dict[str, Any]:
        """Return the outcome for programs."""
        parts = {"stack": list(self.stack), "log": list(self.log), "took": self.took}
        return {"format": 1, "function": function, "answer": self.answer, "error": self.error, **parts}


def of_deployed(invoked: LoggedInvocation) -> Outcome:
    """Return what a deployed function did; of its log Lambda returns the last 4 kB."""
    return Outcome(invoked.answer, invoked.error, (), tuple(_log_lines(invoked.log)))


def of_local(invoked: LocalInvocation) -> Outcome:
    """Return what a built artifact did."""
    parts = (
        "" if invoked.init_ms is None else f"import {invoked.init_ms:.0f} ms",
        "" if invoked.duration_ms is None else f"handler {invoked.duration_ms:.0f} ms",
        "" if invoked.peak_mb is None else f"memory {invoked.peak_mb:.0f} MB",
    )
    took = ", ".join(part for part in parts if part)
    return Outcome(invoked.answer, invoked.error, invoked.stack, tuple(_log_lines(invoked.log)), took)


def debugger_lines(port: int, project: Project, place: Place) -> tuple[str, ...]:
    """Return where a debugger can connect, and which folder here is which one there."""
    function = place.mount.function
    source = project.root if project.settings.package else project.root / str(function.code_uri)
    mappings = [_mapping(source, place.mount.task)]
    if project.settings.package:
        mappings.append(_mapping(source, place.opt / "python"))
    attach = {"name": f"attach to {function.logical_id}", "type": "debugpy", "request": "attach"}
    connect = {"connect": {"host": "127.0.0.1", "port": port}, "pathMappings": mappings}
    return (
        f"waiting for a debugger on 127.0.0.1:{port}; the configuration for VS Code's launch.json:",
        json.dumps({**attach, **connect}),
    )


def _mapping(local: Path, remote: Path) -> dict[str, str]:
    return {"localRoot": str(local), "remoteRoot": str(remote)}


def _log_lines(text: str) -> Iterator[str]:
    """Yield the function's own lines, and the REPORT of Lambda."""
    now = datetime.now(UTC)
    for line in text.splitlines():
        entry = log_entries.parse(LogLine(now, "", line), "")
        if entry.level != log_entries.LEVELS[0] or line.startswith("REPORT"):
            yield f"{entry.level:<8} {entry.summary}" if entry.document else line
