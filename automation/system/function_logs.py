"""Read what Lambda itself writes into the logs of functions. Nothing is changed.

Permissions: lambda:GetFunctionConfiguration and logs:FilterLogEvents.
"""

from collections.abc import Iterator
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
        own = (line for line in lines if line.function in {"", function})
        return tuple(sorted(own, key=lambda line: line.at))

    def _lines(self, group: str, pattern: str, *, since: datetime, until: datetime) -> Iterator[LogLine]:
        client: CloudWatchLogsClient = aws.client("logs", self.target)
        pages = client.get_paginator("filter_log_events").paginate(
            logGroupName=group, filterPattern=pattern, startTime=_milliseconds(since), endTime=_milliseconds(until)
        )
        with aws.translate_errors(group, self.target), suppress(client.exceptions.ResourceNotFoundException):
            # Pages may be empty and still have a successor: CloudWatch Logs answers before it has read everything.
            for page in pages:
                for event in page["events"]:
                    at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
                    yield LogLine(at, event["logStreamName"], event["message"])


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
