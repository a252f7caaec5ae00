"""Read the starts of execution environments from what Lambda reports in a function's log, as text or as JSON.

A REPORT line has the Init Duration of a start that its invocation waited for. With SnapStart it has the Restore
Duration instead: the initialisation was done when the version was published. JSON logs have the same as
platform.report, and the start alone as platform.initReport or platform.restoreReport, which count when no
platform.report has it.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from automation.system.log_lines import LogLine

_REPORT = re.compile(r"REPORT RequestId: \S+\s")
_REPORT_TYPE = "platform.report"


class StartKind(StrEnum):
    """How an execution environment started: it imported the code, or SnapStart restored it."""

    INIT = "init"
    RESTORE = "restore"


_FIELDS = {StartKind.INIT: "Init Duration", StartKind.RESTORE: "Restore Duration"}
_TEXTS = {kind: re.compile(rf"(?<!Billed ){name}: ([\d.]+) ms") for kind, name in _FIELDS.items()}
_METRICS = {StartKind.INIT: "initDurationMs", StartKind.RESTORE: "restoreDurationMs"}
_START_TYPES = {"platform.initReport": StartKind.INIT, "platform.restoreReport": StartKind.RESTORE}


@dataclass(frozen=True, slots=True)
class Start:
    """The start of one execution environment that an invocation waited for."""

    at: datetime
    kind: StartKind
    duration_ms: float


@dataclass(frozen=True, slots=True)
class Reports:
    """What Lambda reported: how many invocations, and the starts, oldest first."""

    invocations: int = 0
    starts: tuple[Start, ...] = ()


def parse(lines: Iterable[LogLine]) -> Reports:
    """Return the invocations and the starts in the lines of one function; other lines do not count."""
    invocations = 0
    reported: list[tuple[str, Start]] = []
    alone: list[tuple[str, Start]] = []
    for line in lines:
        event = _event(line.text)
        if _REPORT.match(line.text) or event.get("type") == _REPORT_TYPE:
            invocations += 1
            reported += [(line.stream, start) for start in _starts(line, event)]
        elif start := _start_alone(line, event):
            alone.append((line.stream, start))

    # A log stream is one execution environment: its start must not count twice.
    known = {(stream, start.kind) for stream, start in reported}
    starts = [start for _, start in reported]
    starts += [start for stream, start in alone if (stream, start.kind) not in known]
    return Reports(invocations, tuple(sorted(starts, key=lambda start: start.at)))


def _starts(line: LogLine, event: Mapping[str, Any]) -> list[Start]:
    """Return the starts that a report of an invocation has: none for a warm one."""
    if event:
        metrics = event["record"]["metrics"]
        return [Start(line.at, kind, float(metrics[name])) for kind, name in _METRICS.items() if name in metrics]
    matches = [(kind, pattern.search(line.text)) for kind, pattern in _TEXTS.items()]
    return [Start(line.at, kind, float(match[1])) for kind, match in matches if match]


def _start_alone(line: LogLine, event: Mapping[str, Any]) -> Start | None:
    """Return the start of an event of its own, unless it failed or no invocation waited for it."""
    kind = _START_TYPES.get(event.get("type", ""))
    record = event.get("record", {})
    # Provisioned concurrency and SnapStart initialise before any invocation.
    is_waited_for = kind is StartKind.RESTORE or record.get("initializationType") == "on-demand"
    if kind is None or not is_waited_for or record.get("status") != "success":
        return None
    return Start(line.at, kind, float(record["metrics"]["durationMs"]))


def _event(text: str) -> Mapping[str, Any]:
    """Return the platform event of a JSON line; empty for any other line."""
    if not text.startswith("{"):
        return {}
    try:
        event = json.loads(text)
    except ValueError:
        return {}
    is_event = isinstance(event, Mapping) and isinstance(event.get("record"), Mapping)
    return event if is_event and isinstance(event["record"].get("metrics"), Mapping) else {}
