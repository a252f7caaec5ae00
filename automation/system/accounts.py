"""What an account answers to the checks before a deployment. No SDK is imported here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from automation.system.stacks import StackResource, StackState


class Problem(StrEnum):
    """Why a call to AWS failed."""

    NO_CREDENTIALS = "no credentials"
    EXPIRED = "expired"
    REFUSED = "refused"
    SKEWED = "skewed"
    UNREACHABLE = "unreachable"
    DENIED = "denied"
    UNSUPPORTED = "unsupported"
    MISSING = "missing"
    OTHER = "other"


class CallError(Exception):
    """A call to AWS failed.

    Attributes:
        detail: the error in AWS's or botocore's words.
        server_time: the time of AWS's clock, when it answered.
    """

    def __init__(self, problem: Problem, detail: str, server_time: datetime | None = None) -> None:
        super().__init__(detail)
        self.problem = problem
        self.detail = detail
        self.server_time = server_time


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the credentials belong to.

    Attributes:
        server_time: the time of AWS's clock; None when the answer has none.
    """

    account: str
    arn: str
    server_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeployedStack:
    """A stack in the account; without a status it does not exist.

    Attributes:
        drift: the result of the last drift detection, such as DRIFTED; empty when there was none.
    """

    state: StackState
    outputs: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    drift: str = ""
    resources: tuple[StackResource, ...] = ()


@dataclass(frozen=True, slots=True)
class LambdaLimits:
    """The quotas of Lambda in one region, and what is used of them."""

    code_bytes: int
    used_code_bytes: int
    concurrency: int
    unreserved_concurrency: int


@dataclass(frozen=True, slots=True)
class Subscribers:
    """How many subscribers a topic has."""

    confirmed: int
    pending: int


class SecretState(StrEnum):
    """Whether a secret can be read."""

    MISSING = "missing"
    DELETED = "deleted"  # still restorable
    PRESENT = "present"
