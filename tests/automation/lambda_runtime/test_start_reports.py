"""Starts in the logs of functions. Every line is composed, in the forms that AWS documents; none is from an account."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from automation.lambda_runtime import start_reports
from automation.lambda_runtime.start_reports import Reports, Start, StartKind
from automation.system.log_lines import LogLine

AT = datetime(2026, 1, 2, tzinfo=UTC)
WARM = "REPORT RequestId: 8b57\tDuration: 2.24 ms\tBilled Duration: 3 ms\tMemory Size: 128 MB\tMax Memory Used: 40 MB\t"
COLD = WARM + "Init Duration: 812.50 ms\t\n"
RESTORED = WARM + "Restore Duration: 240.12 ms\tBilled Restore Duration: 281 ms\t\n"


def line(text: str, *, minute: int = 0, stream: str = "s") -> LogLine:
    return LogLine(AT + timedelta(minutes=minute), stream, text)


def report(**metrics: float) -> str:
    """Return a platform.report in JSON."""
    record = {"requestId": "8b57", "status": "success", "metrics": {"durationMs": 2.2, **metrics}}
    return json.dumps({"time": "2026-01-02T00:00:00Z", "type": "platform.report", "record": record})


def start(kind: str, *, duration_ms: float = 700.0, **record: Any) -> str:
    """Return a platform.initReport or platform.restoreReport in JSON."""
    content = {"status": "success", "metrics": {"durationMs": duration_ms}, **record}
    return json.dumps({"type": f"platform.{kind}", "record": content})


def parse(*texts: str) -> tuple[int, list[tuple[str, float]]]:
    """Return the invocations, and the kind and duration of each start, of lines in one stream."""
    reports = start_reports.parse([line(text) for text in texts])
    return reports.invocations, [(str(entry.kind), entry.duration_ms) for entry in reports.starts]


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        (WARM, []),
        (COLD, [("init", 812.5)]),
        (RESTORED, [("restore", 240.12)]),
        (WARM + "Billed Restore Duration: 281 ms\t", []),
        (WARM + "XRAY TraceId: 1-5\tSegmentId: 2\tSampled: true\t", []),
        (report(), []),
        (report(initDurationMs=116.7), [("init", 116.7)]),
        (report(restoreDurationMs=240, billedRestoreDurationMs=281), [("restore", 240.0)]),
    ],
)
def test_parse_report_is_an_invocation_with_its_start(text: str, starts: list[tuple[str, float]]) -> None:
    assert parse(text) == (1, starts)


@pytest.mark.parametrize(
    "text",
    [
        "START RequestId: 8b579e77 Version: $LATEST",
        "a REPORT RequestId: 8b579e77\tInit Duration: 1 ms",
        "REPORT",
        "INIT_REPORT Init Duration: 9999.99 ms\tPhase: init\tStatus: timeout",
        "RESTORE_REPORT Restore Duration: 689.23 ms",
        "{broken",
        '{"type": "platform.report"}',
        '{"type": "platform.report", "record": 3}',
        '{"type": "platform.report", "record": {"metrics": 3}}',
        '["platform.report"]',
        '{"message": "REPORT RequestId: x", "record": {"metrics": {}}}',
    ],
)
def test_parse_other_lines_do_not_count(text: str) -> None:
    assert parse(text) == (0, [])


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        (start("initReport", initializationType="on-demand"), [("init", 700.0)]),
        (start("initReport", initializationType="provisioned-concurrency"), []),
        (start("initReport", initializationType="snap-start"), []),
        (start("initReport"), []),
        (start("initReport", initializationType="on-demand", status="timeout"), []),
        (start("restoreReport"), [("restore", 700.0)]),
        (start("restoreReport", status="failure"), []),
        (start("runtimeDone", initializationType="on-demand"), []),
    ],
)
def test_parse_start_alone_counts_when_an_invocation_waited(text: str, starts: list[tuple[str, float]]) -> None:
    assert parse(text) == (0, starts)


def test_parse_start_in_both_forms_counts_once() -> None:
    alone = start("initReport", initializationType="on-demand")

    assert parse(alone, report(initDurationMs=699.5)) == (1, [("init", 699.5)])


def test_parse_start_alone_beside_a_start_of_the_other_kind_counts() -> None:
    assert parse(start("restoreReport"), report(initDurationMs=1)) == (1, [("init", 1.0), ("restore", 700.0)])


def test_parse_starts_of_several_environments_are_oldest_first() -> None:
    lines = [
        line(COLD, minute=3, stream="b"),
        line(WARM, minute=4, stream="b"),
        line(start("initReport", initializationType="on-demand"), minute=1, stream="a"),
    ]

    assert start_reports.parse(lines) == Reports(
        2,
        (
            Start(AT + timedelta(minutes=1), StartKind.INIT, 700.0),
            Start(AT + timedelta(minutes=3), StartKind.INIT, 812.5),
        ),
    )


def test_parse_nothing_is_empty() -> None:
    assert start_reports.parse([]) == Reports()
