"""A visit to an account: what is known about it, how to ask it, and what to say when it does not answer."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from automation.deploying.remarks import Level, Remark
from automation.deploying.scope import Scope
from automation.system.accounts import (
    CallError,
    DeployedStack,
    Identity,
    LambdaLimits,
    Problem,
    SecretState,
    Subscribers,
)
from automation.system.git import WorkTree


class Account(Protocol):
    """The questions to AWS; account_checks.Account is the real one. Each raises CallError when its call fails."""

    def regions(self) -> frozenset[str]:
        """Return the names of all regions; makes no call."""
        ...

    def identity(self) -> Identity:
        """Return who the credentials belong to."""
        ...

    def stack(self, name: str) -> DeployedStack:
        """Return a stack with its resources."""
        ...

    def lambda_limits(self) -> LambdaLimits:
        """Return the quotas of Lambda."""
        ...

    def reserved_concurrency(self, function: str) -> int:
        """Return the concurrency that is reserved for a function."""
        ...

    def exists(self, resource_type: str, name: str) -> bool:
        """Return whether the account has a resource of this name."""
        ...

    def secret(self, name: str) -> SecretState:
        """Return whether a secret exists."""
        ...

    def subscribers(self, topic_arn: str) -> Subscribers:
        """Return how many subscribers a topic has."""
        ...

    def is_verified(self, sender: str) -> bool:
        """Return whether SES may send from an address."""
        ...

    def is_mail_restricted(self) -> bool:
        """Return whether SES only sends to addresses that are verified too."""
        ...

    def alarm_topics(self, alarms: Sequence[str]) -> tuple[str, ...]:
        """Return the ARNs of the topics that alarms notify, by the alarms' names."""
        ...

    def require_bucket(self, name: str) -> None:
        """Raise ConfigurationError for a bucket that cannot be used, DeploymentError when S3 does not answer."""
        ...


@dataclass(frozen=True, slots=True)
class Intent:
    """What is known about the deployment that the checks are for.

    Attributes:
        now: aware UTC.
        tree: the state of the working copy; None without git or a commit.
        allow: the names given with --allow.
        resource_counts: the number of resources after SAM's transform, by stack name, as far as it is known.
        new_code_bytes: the size of the zips that Lambda will store; None for all zips of the last build.
        breaking_contracts: the names of messages and items that the deployed or the new release cannot read.
        chosen: the values of parameters that were given with --set.
        released: the values of parameters in the last release, which count when no stack has any.
        unknown_parameters: what it means that a parameter to ask for has no value.
        command: what the user typed, to which --set can be added; empty for a deployment.
    """

    now: datetime
    tree: WorkTree | None = None
    allow: frozenset[str] = frozenset()
    resource_counts: Mapping[str, int] = field(default_factory=dict)
    new_code_bytes: int | None = None
    breaking_contracts: tuple[str, ...] = ()
    chosen: Mapping[str, str] = field(default_factory=dict)
    released: Mapping[str, str] = field(default_factory=dict)
    unknown_parameters: Level = Level.WARN
    command: str = ""


@dataclass(frozen=True, slots=True)
class Visit:
    """An account whose identity and stacks are known.

    Attributes:
        deployed: the stacks of the scope as they are now, in its order.
    """

    scope: Scope
    account: Account
    intent: Intent
    identity: Identity
    deployed: tuple[DeployedStack, ...]


def ask_each[T](items: Iterable[T], ask: Callable[[T], Remark | None], *, about: Callable[[T], str]) -> list[Remark]:
    """Return the remark on each item; an item whose question fails gets one that says so.

    Args:
        about: returns the `where` of an item's remark.
    """
    remarks: list[Remark] = []
    for item in items:
        try:
            remark = ask(item)
        except CallError as cause:
            remark = unanswered(about(item), cause)
        remarks += [] if remark is None else [remark]
    return remarks


def unanswered(about: str, error: CallError) -> Remark:
    """Return the remark on a question that has no answer: it is not a reason to stop."""
    match error.problem:
        case Problem.UNSUPPORTED:
            return Remark(Level.INFO, about, "not rehearsed here: the endpoint does not support this check")
        case Problem.DENIED:
            fix = "allow the call that the message names, or check by hand"
            return Remark(Level.WARN, about, f"could not be checked: {error.detail}", fix)
    return Remark(Level.WARN, about, f"could not be checked: {error.detail}", "run inv doctor again")
