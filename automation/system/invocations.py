"""The result of an invocation of a function. It has its own module because aws.py imports boto3."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Invocation:
    """The result of one invocation.

    Attributes:
        error: the error as `Type: message`; empty for success.
        answer: the JSON that the function returned; None when it failed.
    """

    error: str = ""
    answer: Any = None


@dataclass(frozen=True, slots=True)
class TrialInvocation:
    """The result of an invocation whose log was asked for.

    Attributes:
        error: the error as `Type: message`; empty for success.
        log: the last 4 kB of the log of this invocation.
    """

    error: str
    log: str
