"""The errors of the automation, and the exit codes of inv."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable

# Exit codes that are a result; those of the failures are on their classes.
CHANGES = 7
INTERRUPTED = 130
BROKEN_PIPE = 141


class AutomationError(Exception):
    """A failure that a person can fix; any other exception is a bug and keeps its traceback.

    Args:
        message: what is wrong, and what to do next.
        where: the file, resource or command in which it happened; empty when the message says so.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, where: str = "") -> None:
        super().__init__(f"{where}: {message}" if where else message)
        self.message = message
        self.where = where


class UsageError(AutomationError):
    """The command line is wrong, or the user did not confirm."""

    exit_code = 2


class ConfigurationError(AutomationError):
    """A file of the project, or the machine's set-up, is wrong or incomplete."""

    exit_code = 4


class ToolError(AutomationError):
    """A program that the automation starts failed or is missing."""

    exit_code = 5


class DeploymentError(AutomationError):
    """AWS refused a change; the message says what state it left."""

    exit_code = 6


class RolledBackError(AutomationError):
    """A deployment did not work, and the stacks run what they ran before."""

    exit_code = 8


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One fault that a check found: where it is, what is wrong, and the line or command that fixes it."""

    where: str
    what: str
    fix: str = ""


class CheckFailedError(AutomationError):
    """A check found faults; all of them are listed."""

    exit_code = 3

    def __init__(self, message: str, *, where: str = "", findings: "Iterable[Finding]" = ()) -> None:
        super().__init__(message, where=where)
        self.findings = tuple(findings)
