"""Each form in which functions and Lambda itself log is read: text, JSON, and Lambda's own lines."""

import json
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import pytest

from automation.operating import log_entries
from automation.operating.log_entries import LogEntry
from automation.system.errors import UsageError
from automation.system.log_lines import LogLine

AT = datetime(2026, 1, 2, 3, 4, 5, 67_000, tzinfo=UTC)


def parse(text: str | dict[str, Any]) -> LogEntry:
    return log_entries.parse(LogLine(AT, "s", text if isinstance(text, str) else json.dumps(text)), "Till")


@pytest.mark.parametrize(
    ("text", "level", "message"),
    [
        ("sold 3", "INFO", "sold 3"),
        ("sold\n  3\n", "INFO", "sold 3"),
        ("[WARNING]\t2026-01-02T03:04:05.678Z\tid-1\tlow stock", "WARNING", "low stock"),
        ("[INFO] low stock", "INFO", "low stock"),
        ("[warn] low stock", "WARNING", "low stock"),
        ("[4] rows", "INFO", "[4] rows"),
        ("[ERROR] KeyError: 'a'\nTraceback (most recent call last):\n  File x", "ERROR", "KeyError: 'a'"),
        ("Traceback (most recent call last):\n  File x\nKeyError: 'a'", "ERROR", "KeyError: 'a'"),
        ("2026-01-02T03:04:05.678Z id-1 Task timed out after 3.00 seconds", "ERROR", None),
        ("RequestId: id-1 Error: Runtime exited with error: signal: killed", "ERROR", None),
        ("START RequestId: id-1 Version: $LATEST", "DEBUG", None),
        ("END RequestId: id-1", "DEBUG", None),
        ("REPORT RequestId: id-1\tDuration: 3 ms", "DEBUG", "REPORT RequestId: id-1 Duration: 3 ms"),
        ("XRAY TraceId: id-1", "DEBUG", None),
        ("INIT_START Runtime Version: python:3.12", "DEBUG", None),
        ("RESTORE_REPORT Restore Duration: 3 ms", "DEBUG", None),
        ("EXTENSION\tName: x", "DEBUG", "EXTENSION Name: x"),
        ("STARTED", "INFO", "STARTED"),
        ("{broken", "INFO", "{broken"),
        ("[1, 2]", "INFO", "[1, 2]"),
        ("{}x", "INFO", "{}x"),
        ("a\x1b[2Jb", "INFO", '"a\\u001b[2Jb"'),
        ("", "INFO", ""),
    ],
)
def test_parse_text_finds_level_and_message(text: str, level: str, message: str | None) -> None:
    entry = parse(text)

    assert (entry.level, entry.message) == (level, text if message is None else message)
    assert (entry.at, entry.function, entry.text, entry.document) == (AT, "Till", text.rstrip(), None)


@pytest.mark.parametrize(
    ("document", "level", "message"),
    [
        ({"level": "INFO", "message": "sold"}, "INFO", "sold"),
        ({"level": "error", "msg": "sold"}, "ERROR", "sold"),
        ({"log_level": "FATAL", "message": "x"}, "CRITICAL", "x"),
        ({"severity": "trace", "message": "x"}, "DEBUG", "x"),
        ({"level": 30, "message": "x"}, "INFO", "x"),
        ({"message": {"a": 1}}, "INFO", '{"a": 1}'),
        ({"message": "two\nlines"}, "INFO", "two lines"),
        ({"a": 1}, "INFO", ""),
    ],
)
def test_parse_json_finds_level_and_message(document: dict[str, Any], level: str, message: str) -> None:
    entry = parse(document)

    assert (entry.level, entry.message, entry.document) == (level, message, document)


def test_parse_fields_are_what_is_not_said_elsewhere() -> None:
    repeated: dict[str, Any] = {
        "level": "INFO",
        "message": "sold",
        "timestamp": "t",
        "location": "a:1",
        "service": "till",
    }
    repeated |= {"xray_trace_id": "x", "cold_start": True, "requestId": "r", "function_name": "f"}

    entry = parse({**repeated, "order": 7, "note": "", "left": None, "count": 0, "type": "card"})

    assert dict(entry.fields) == {"order": 7, "count": 0, "type": "card"}


def lines(*texts: str, stream: str = "s", second: int = 0) -> list[LogLine]:
    return [LogLine(AT.replace(second=second), stream, text) for text in texts]


def folded(*logged: list[LogLine]) -> list[str]:
    return [line.text for line in log_entries.fold(chain.from_iterable(logged))]


TRACEBACK = ("Traceback (most recent call last):", "  File x", "KeyError: 'a'")


def test_fold_joins_a_traceback() -> None:
    assert folded(lines("before", *TRACEBACK)) == ["before", "\n".join(TRACEBACK)]
    assert parse("\n".join(TRACEBACK)).message == "KeyError: 'a'"


def test_fold_joins_what_caused_an_exception() -> None:
    second = ("", "During handling of the above exception, another exception occurred:", "", *TRACEBACK)

    assert len(folded(lines(*TRACEBACK, *second))) == 1


@pytest.mark.parametrize("end", ["{}", "END RequestId: id-1", "REPORT RequestId: id-1"])
def test_fold_ends_where_another_line_begins(end: str) -> None:
    assert folded(lines(*TRACEBACK, end, "after")) == ["\n".join(TRACEBACK), end, "after"]


def test_fold_keeps_streams_and_moments_apart() -> None:
    assert folded(lines(*TRACEBACK[:2]), lines("b", stream="t"), lines("c"), lines("d", second=1)) == [
        "\n".join((*TRACEBACK[:2], "c")),
        "b",
        "d",
    ]


def test_fold_two_tracebacks_at_once_are_two() -> None:
    assert folded(lines(TRACEBACK[0]), lines(TRACEBACK[0], stream="t"), lines("a"), lines("b", stream="t")) == [
        f"{TRACEBACK[0]}\na",
        f"{TRACEBACK[0]}\nb",
    ]


def test_parse_field_that_repeats_the_service_is_left_out() -> None:
    assert dict(parse({"service": "till", "module": "till", "kind": "order"}).fields) == {"kind": "order"}


def test_parse_exception_is_its_last_line() -> None:
    entry = parse({"level": "ERROR", "message": "failed", "exception": "Traceback …\n  File x\nKeyError: 'a'\n"})

    assert (entry.exception, entry.reason) == ("KeyError: 'a'", "failed: KeyError: 'a'")


def test_parse_uncaught_error_in_json_is_an_error() -> None:
    entry = parse({"errorType": "KeyError", "errorMessage": "no\nstock", "stackTrace": ["x"], "requestId": "r"})

    assert (entry.level, entry.exception, dict(entry.fields)) == ("ERROR", "KeyError: no stock", {})


def test_parse_line_of_lambda_in_json_is_debug() -> None:
    entry = parse({"time": "t", "type": "platform.start", "record": {"requestId": "r"}})

    assert (entry.level, entry.message, dict(entry.fields)) == ("DEBUG", "platform.start", {"requestId": "r"})


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"status": "timeout"}, "timeout"),
        ({"status": "failure"}, "failure"),
        ({"status": "error", "errorType": "Runtime.ExitError"}, "Runtime.ExitError"),
    ],
)
def test_parse_failed_invocation_in_json_is_an_error(record: dict[str, str], reason: str) -> None:
    entry = parse({"type": "platform.report", "record": record})

    assert (entry.level, entry.message) == ("ERROR", f"the invocation failed: {reason}")


@pytest.mark.parametrize("record", [{"status": "success"}, "x", None])
def test_parse_report_of_success_is_debug(record: object) -> None:
    assert parse({"type": "platform.report", "record": record}).level == "DEBUG"


def test_line_has_time_function_level_and_summary() -> None:
    entry = parse(
        {"level": "ERROR", "message": "failed", "id": "m-1", "why": "no price", "n": 2, "exception": "KeyError: 'a'"}
    )

    expected = "2026-01-02 03:04:05.067 Till ERROR    failed id=m-1 why=\"no price\" n=2 KeyError: 'a'"
    assert entry.line() == expected
    assert entry.line(width=7) == expected.replace("Till ", "Till    ")


def test_summary_cuts_long_fields_and_escapes_control_characters() -> None:
    assert parse({"a": "x" * 121}).summary == f"a={'x' * 120}…"
    assert parse({"a": "x" * 120}).summary == f"a={'x' * 120}"
    assert parse({"a": "b\x1b[2J", "ä": {"é": [1]}}).summary == 'a="b\\u001b[2J" ä={"é": [1]}'


def test_reason_without_an_exception_is_the_message() -> None:
    assert parse("sold 3").reason == "sold 3"


@pytest.mark.parametrize(("level", "is_shown"), [("INFO", True), ("WARNING", True), ("ERROR", False)])
def test_is_at_least_compares_levels(level: str, is_shown: bool) -> None:
    assert parse({"level": "WARNING"}).is_at_least(level) is is_shown


@pytest.mark.parametrize(("name", "level"), [("warn", "WARNING"), ("Error", "ERROR"), ("DEBUG", "DEBUG")])
def test_level_of_a_name(name: str, level: str) -> None:
    assert log_entries.level_of(name) == level


@pytest.mark.parametrize("name", ["loud", ""])
def test_level_of_an_unknown_name_lists_the_levels(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        log_entries.level_of(name)

    levels = "debug, info, warning, error, critical"
    assert str(caught.value) == f"--level: there is no level {name!r}; the levels are: {levels}"
