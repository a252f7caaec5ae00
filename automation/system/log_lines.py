"""A line of a function's log. No SDK is imported here."""

import re
from dataclasses import dataclass
from datetime import datetime

# Source: AWS Lambda Developer Guide, "Log groups": YYYY/MM/DD/<function>[<version>][<environment>].
_SHARED_STREAM = re.compile(r"\d{4}/\d\d/\d\d/([^\[]+)\[")


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a log.

    Attributes:
        at: when it was written, aware UTC.
        stream: the log stream, which is one execution environment of a function.
        id: of CloudWatch Logs, the same at each reading; empty on an emulator.
    """

    at: datetime
    stream: str
    text: str
    id: str = ""

    @property
    def function(self) -> str:
        """The function that wrote it, which a stream names unless the group is Lambda's default; then empty."""
        match = _SHARED_STREAM.match(self.stream)
        return match[1] if match else ""
