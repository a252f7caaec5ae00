"""The result of an invocation of a function. It has its own module because aws.py imports boto3."""

from collections.abc import Mapping
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
class LoggedInvocation:
    """The result of one invocation, with its log.

    Attributes:
        error: the error as `Type: message`; empty for success.
        answer: the JSON that the function returned; None when it failed.
        log: the last 4 kB of the log of this invocation.
    """

    error: str = ""
    answer: Any = None
    log: str = ""


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a function runs with."""

    variables: Mapping[str, str]
    memory_mb: int
    timeout_s: int


@dataclass(frozen=True, slots=True)
class RunningCode:
    """The code that a function runs now.

    Attributes:
        digest: the SHA-256 of its zip, in base64.
        layers: the ARNs of the layer versions that it mounts, in the order of mounting.
    """

    digest: str
    layers: tuple[str, ...] = ()
    handler: str = ""
    runtime: str = ""
