"""Read the lines of functions' logs: Lambda's text and JSON formats, plain text, and Lambda's own lines. Pure."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from automation.system.errors import UsageError
from automation.system.log_lines import LogLine

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_ALIASES = {"TRACE": "DEBUG", "WARN": "WARNING", "FATAL": "CRITICAL"}
# Source: AWS Lambda Developer Guide, "Log groups" and "JSON format": the lines that Lambda itself writes.
_PLATFORM = re.compile(
    r"(START|END|REPORT|XRAY) (RequestId|TraceId): |(INIT|RESTORE)_(START|REPORT|RUNTIME)\b|EXTENSION\t"
)
_PLATFORM_TYPE = "platform."
_FAILED = frozenset({"error", "failure", "timeout"})
# As Python's logging writes them: [ERROR]<tab>2026-01-02T03:04:05.678Z<tab><request id><tab><message>.
_TEXT = re.compile(r"\[(\w+)\]\s(?:\d{4}-\d\d-\d\dT\S+\s\S+\s)?(.*)", re.DOTALL)
_TRACEBACK = "Traceback (most recent call last)"
_UNCAUGHT = re.compile(rf"{re.escape(_TRACEBACK)}|\S+ \S+ Task timed out after |RequestId: \S+ Error: ")
_LEVEL_KEYS = ("level", "log_level", "severity")
_MESSAGE_KEYS = ("message", "msg", "errorMessage")
# What the column of the time and the function say already, and what is the same in every line of a function.
_REPEATED = frozenset(
    {
        *(*_LEVEL_KEYS, *_MESSAGE_KEYS, "timestamp", "time", "location", "logger", "service", "sampling_rate"),
        *("cold_start", "function_name", "function_arn", "function_memory_size", "function_request_id"),
        *("requestId", "AWSRequestId", "aws_request_id", "xray_trace_id", "exception", "exception_name", "stack_trace"),
        *("stackTrace", "errorType"),
    }
)
_WIDEST_FIELD = 120


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line of a log, parsed.

    Attributes:
        function: the logical id of the function that wrote it.
        level: one of LEVELS.
        fields: what it says besides its message, as JSON has it.
        exception: the last line of the exception; empty for none.
        document: the line as JSON; None when it is text.
    """

    at: datetime
    function: str
    level: str
    message: str
    text: str
    document: Mapping[str, Any] | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    exception: str = ""

    @property
    def summary(self) -> str:
        """The message, the fields and the exception in one line."""
        parts = [self.message, *(f"{name}={_shown(value)}" for name, value in self.fields.items()), self.exception]
        return " ".join(part for part in parts if part)

    @property
    def reason(self) -> str:
        """The message and the exception."""
        return ": ".join(part for part in (self.message, self.exception) if part)

    def line(self, *, width: int = 0) -> str:
        """Return the time, the function, padded to a width, the level and the summary."""
        milliseconds = self.at.microsecond // 1000
        written_at = f"{self.at:%Y-%m-%d %H:%M:%S}.{milliseconds:03d}"
        return f"{written_at} {self.function:<{width}} {self.level:<8} {self.summary}"

    def is_at_least(self, level: str) -> bool:
        """Return whether its level is this one or a more serious one."""
        return LEVELS.index(self.level) >= LEVELS.index(level)


def level_of(name: str) -> str:
    """Return the level that a person names, such as `warn`.

    Raises:
        UsageError: there is no such level.
    """
    level = _known_level(name)
    if not level:
        raise UsageError(f"there is no level {name!r}; the levels are: {', '.join(LEVELS).lower()}", where="--level")
    return level


def parse(line: LogLine, function: str) -> LogEntry:
    """Parse a line of the log of a function. A line without a level counts as INFO, Lambda's own lines as DEBUG."""
    text = line.text.rstrip()
    document = _document(text)
    if document is None:
        level, message = _plain(text)
        return LogEntry(line.at, function, level, message, text)
    if str(document.get("type", "")).startswith(_PLATFORM_TYPE):
        return _platform(document, LogEntry(line.at, function, "DEBUG", "", text, document))
    level = next((known for key in _LEVEL_KEYS if (known := _known_level(document.get(key)))), "")
    exception = _exception(document)
    return LogEntry(
        line.at,
        function,
        level or ("ERROR" if exception else "INFO"),
        next((_in_a_line(document[key]) for key in _MESSAGE_KEYS if document.get(key)), ""),
        text,
        document,
        _fields(document),
        exception,
    )


def fold(lines: Iterable[LogLine]) -> tuple[LogLine, ...]:
    """Join the lines of a traceback, which an emulator has as one line each.

    Args:
        lines: of one function, oldest first.
    """
    folded: list[LogLine] = []
    open_tracebacks: dict[str, int] = {}
    for line in lines:
        number = open_tracebacks.pop(line.stream, -1)
        is_continued = number >= 0 and line.at == folded[number].at and not _begins_anew(line.text)
        if is_continued:
            folded[number] = replace(folded[number], text=f"{folded[number].text.rstrip()}\n{line.text}")
        else:
            number = len(folded)
            folded.append(line)
        if is_continued or line.text.startswith(_TRACEBACK):
            open_tracebacks[line.stream] = number
    return tuple(folded)


def _begins_anew(text: str) -> bool:
    return text.startswith("{") or bool(_PLATFORM.match(text))


def _fields(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a line says besides its level and message, and the name of the service, which each line repeats."""
    ignored = (None, "", document.get("service"))
    return {key: value for key, value in document.items() if key not in _REPEATED and value not in ignored}


def _document(text: str) -> Mapping[str, Any] | None:
    if not text.startswith("{"):
        return None
    try:
        content = json.loads(text)
    except ValueError:
        return None
    return content if isinstance(content, Mapping) else None


def _plain(text: str) -> tuple[str, str]:
    """Return level and message of a line that is not JSON."""
    if _PLATFORM.match(text):
        return "DEBUG", _in_a_line(text)
    if _UNCAUGHT.match(text):
        return "ERROR", _last_line(text)
    match = _TEXT.fullmatch(text)
    level = _known_level(match[1]) if match else ""
    if match is None or not level:
        return "INFO", _in_a_line(text)
    # Lambda writes an exception that nobody caught in one event: its type and text first, then the traceback.
    return level, _in_a_line(match[2].partition(_TRACEBACK)[0])


def _platform(document: Mapping[str, Any], entry: LogEntry) -> LogEntry:
    """Return a line of Lambda itself; an invocation that failed or timed out is an error."""
    kind, record = str(document["type"]), document.get("record")
    fields = record if isinstance(record, Mapping) else {}
    if fields.get("status") in _FAILED:
        reason = fields.get("errorType") or fields["status"]
        return replace(entry, level="ERROR", message=f"the invocation failed: {reason}", fields=fields)
    return replace(entry, message=kind, fields=fields)


def _exception(document: Mapping[str, Any]) -> str:
    if document.get("errorType"):
        return f"{document['errorType']}: {_in_a_line(document.get('errorMessage', ''))}"
    return _last_line(str(document.get("exception") or ""))


def _known_level(name: Any) -> str:
    level = str(name or "").upper()
    level = _ALIASES.get(level, level)
    return level if level in LEVELS else ""


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].strip() if lines else ""


def _in_a_line(value: Any) -> str:
    text = " ".join((value if isinstance(value, str) else _compact(value)).split())
    # Control characters would reach the terminal.
    return text if text.isprintable() else _compact(text)


def _shown(value: Any) -> str:
    """Return a field so that its end can be seen: text with spaces in quotes, and cut when it is long."""
    is_word = isinstance(value, str) and value.isprintable() and " " not in value
    text = str(value) if is_word else _compact(value)
    return text if len(text) <= _WIDEST_FIELD else f"{text[:_WIDEST_FIELD]}…"


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
