"""The error tree of the automation, and the exit codes of inv."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable

INTERRUPTED = 130
BROKEN_PIPE = 141


class AutomationError(Exception):
    """A failure that a person can mend; anything else is a bug and keeps its traceback.

    Args:
        message: what is wrong, and what to do next.
        where: the file, resource or command it happened in; empty when the message says it.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, where: str = "") -> None:
        super().__init__(f"{where}: {message}" if where else message)
        self.message = message
        self.where = where


class UsageError(AutomationError):
    """The command was given something it does not take."""

    exit_code = 2


class ConfigurationError(AutomationError):
    """A file of the project, or the machine's set-up, does not say what is needed."""

    exit_code = 4


class ToolError(AutomationError):
    """A program that the automation starts failed or is absent."""

    exit_code = 5


class DeploymentError(AutomationError):
    """AWS refused something; what it kept is in the message."""

    exit_code = 6


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One fault that a check found: where, what, and the line or command that mends it."""

    where: str
    what: str
    mend: str = ""


class CheckFailedError(AutomationError):
    """A check ran and found faults; `findings` has them all."""

    exit_code = 3

    def __init__(self, message: str, *, where: str = "", findings: "Iterable[Finding]" = ()) -> None:
        super().__init__(message, where=where)
        self.findings = tuple(findings)
