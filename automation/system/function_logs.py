"""Read the logs of functions, and what Lambda itself writes into them. Nothing is changed.

Permissions: lambda:GetFunctionConfiguration and logs:FilterLogEvents.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from automation.system import aws
from automation.system.log_lines import LogLine
from automation.system.targets import Target

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient

# Source: CloudWatch Logs API Reference, FilterLogEvents: the most lines of an answer.
MOST_LINES = 10_000
# A function writes text or JSON, and may have written the other one before. An emulator ignores the second pattern.
TEXT_REPORTS = '"REPORT RequestId"'
JSON_REPORTS = '{ $.type = "platform.report" || $.type = "platform.initReport" || $.type = "platform.restoreReport" }'


@dataclass(frozen=True, slots=True)
class FunctionLogs:
    """The calls to Lambda and CloudWatch Logs."""

    target: Target

    def log_group(self, function: str) -> str:
        """Return the log group that a function writes to: the one that it names, otherwise Lambda's default.

        Raises:
            DeploymentError: Lambda refused the request, or did not answer.
        """
        client: LambdaClient = aws.client("lambda", self.target)
        with aws.translate_errors(function, self.target):
            configuration = client.get_function_configuration(FunctionName=function)
        return configuration.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{function}"

    def reports(self, group: str, function: str, *, since: datetime, until: datetime) -> tuple[LogLine, ...]:
        """Return Lambda's reports of invocations and starts of a function, oldest first; none without the group.

        Args:
            group: its log group, which other functions may write to as well.
            function: its physical name.

        Raises:
            DeploymentError: CloudWatch Logs refused the request, or did not answer.
        """
        lines: dict[LogLine, None] = {}
        for pattern in (TEXT_REPORTS, JSON_REPORTS):
            lines |= dict.fromkeys(self._lines(group, pattern, since=since, until=until))
        return _own(lines, function)

    def lines(
        self, group: str, function: str, *, since: datetime, until: datetime, text: str = ""
    ) -> tuple[LogLine, ...]:
        """Return the lines of a function, oldest first; none without the group.

        Args:
            group: its log group, which other functions may write to as well.
            function: its physical name.
            text: only lines that contain it; empty for all.

        Raises:
            DeploymentError: CloudWatch Logs refused the request, or did not answer.
        """
        # In a pattern a quote ends the text, so text with a quote is only compared here.
        pattern = f'"{text}"' if text and '"' not in text else ""
        lines = self._lines(group, pattern, since=since, until=until)
        return _own((line for line in lines if text in line.text), function)

    def _lines(self, group: str, pattern: str, *, since: datetime, until: datetime) -> Iterator[LogLine]:
        """Yield the lines of all pages; an emulator ends after 10,000 lines without saying that it has more."""
        known: frozenset[LogLine] = frozenset()
        while True:
            lines = tuple(self._answered(group, pattern, since=since, until=until))
            yield from (line for line in lines if line not in known)
            latest = max((line.at for line in lines), default=since)
            if len(lines) < MOST_LINES or latest <= since:
                return
            known, since = frozenset(line for line in lines if line.at == latest), latest

    def _answered(self, group: str, pattern: str, *, since: datetime, until: datetime) -> Iterator[LogLine]:
        client: CloudWatchLogsClient = aws.client("logs", self.target)
        pages = client.get_paginator("filter_log_events").paginate(
            logGroupName=group, filterPattern=pattern, startTime=_milliseconds(since), endTime=_milliseconds(until)
        )
        with aws.translate_errors(group, self.target), suppress(client.exceptions.ResourceNotFoundException):
            # Pages may be empty and still have a successor: CloudWatch Logs answers before it has read everything.
            for page in pages:
                for event in page["events"]:
                    at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
                    yield LogLine(at, event["logStreamName"], event["message"], event.get("eventId", ""))


def _own(lines: Iterable[LogLine], function: str) -> tuple[LogLine, ...]:
    """Return the lines that no other function of the group wrote, oldest first."""
    own = (line for line in lines if line.function in {"", function})
    return tuple(sorted(own, key=lambda line: line.at))


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
