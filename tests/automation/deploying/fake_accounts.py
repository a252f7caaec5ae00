"""An account without AWS: what it holds is given, and any of its calls can fail."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain

from automation.deploying import scope
from automation.deploying.scope import Scope
from automation.project import environments
from automation.project.model import Project
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
from automation.system.stacks import StackState

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
IDENTITY = Identity("123456789012", "arn:aws:iam::123456789012:user/ann", NOW)
# For commands that look at the real clock themselves.
TIMELESS = Identity(IDENTITY.account, IDENTITY.arn)
PUSHED = WorkTree("c" * 40, "v1", is_dirty=False, has_remote=True, is_pushed=True)


@dataclass
class FakeAccount:
    """An account; `failing` maps the name of a method to the error that it raises.

    Attributes:
        names: of existing resources, with their types.
        unusable: the errors of buckets that cannot be used.
        is_restricted: whether SES is in its sandbox.
        alarms: the topics that alarms notify, by the alarms' names.
        asked: every call, as `method argument`.
    """

    who: Identity = IDENTITY
    stacks: Mapping[str, DeployedStack] = field(default_factory=dict)
    limits: LambdaLimits = field(default_factory=lambda: LambdaLimits(1 << 40, 0, 1000, 1000))
    reserved: Mapping[str, int] = field(default_factory=dict)
    names: Collection[tuple[str, str]] = ()
    secrets: Mapping[str, SecretState] = field(default_factory=dict)
    topics: Mapping[str, Subscribers] = field(default_factory=dict)
    verified: Collection[str] = ()
    is_restricted: bool = False
    alarms: Mapping[str, Sequence[str]] = field(default_factory=dict)
    unusable: Mapping[str, Exception] = field(default_factory=dict)
    failing: Mapping[str, CallError] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def regions(self) -> frozenset[str]:
        return frozenset({"us-east-1", "eu-west-1"})

    def identity(self) -> Identity:
        self._ask("identity", "")
        return self.who

    def stack(self, name: str) -> DeployedStack:
        self._ask("stack", name)
        return self.stacks.get(name, DeployedStack(StackState(name)))

    def lambda_limits(self) -> LambdaLimits:
        self._ask("lambda_limits", "")
        return self.limits

    def reserved_concurrency(self, function: str) -> int:
        self._ask("reserved_concurrency", function)
        return self.reserved.get(function, 0)

    def exists(self, resource_type: str, name: str) -> bool:
        self._ask("exists", f"{resource_type} {name}")
        return (resource_type, name) in self.names

    def secret(self, name: str) -> SecretState:
        self._ask("secret", name)
        return self.secrets.get(name, SecretState.MISSING)

    def subscribers(self, topic_arn: str) -> Subscribers:
        self._ask("subscribers", topic_arn)
        return self.topics.get(topic_arn, Subscribers(0, 0))

    def is_verified(self, sender: str) -> bool:
        self._ask("is_verified", sender)
        return sender in self.verified

    def is_mail_restricted(self) -> bool:
        self._ask("is_mail_restricted", "")
        return self.is_restricted

    def alarm_topics(self, alarms: Sequence[str]) -> tuple[str, ...]:
        self._ask("alarm_topics", " ".join(alarms))
        return tuple(sorted(set(chain.from_iterable(self.alarms.get(alarm, ()) for alarm in alarms))))

    def require_bucket(self, name: str) -> None:
        self._ask("require_bucket", name)
        if name in self.unusable:
            raise self.unusable[name]

    def _ask(self, method: str, argument: str) -> None:
        self.asked.append(f"{method} {argument}".strip())
        if method in self.failing:
            raise self.failing[method]


def denied() -> CallError:
    return CallError(Problem.DENIED, "AccessDenied: no")


def unsupported() -> CallError:
    return CallError(Problem.UNSUPPORTED, "InvalidAction")


def scope_of(shop: Project, name: str, **variables: str) -> Scope:
    samconfig = environments.read_samconfig(shop.root)
    return scope.resolve(shop, name, samconfig=samconfig, variables=variables, machine="x86_64")
