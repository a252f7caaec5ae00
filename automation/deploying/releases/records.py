"""The releases of an environment: what was deployed, by whom, how it left the stacks, and how its test ended.

A release is recorded before its first change and updated while it goes on. Records are read by older and newer
versions of this program: a field that is missing has its default, and an unknown field is kept.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from automation.system.errors import Finding, UsageError

if TYPE_CHECKING:
    from automation.system.stacks import StackState

READ_LIMIT = 100
TABLE_SUFFIX = "-releases"
_NOT_CREATED = frozenset({"", "REVIEW_IN_PROGRESS"})
_SETTLED = "_COMPLETE"
_ROLLED_BACK = "ROLLBACK_COMPLETE"
# After a failed deployment: the stack has what was adopted, or what could not be deleted, and nothing of the release.
_WITHOUT_CONTENT = frozenset({"IMPORT_COMPLETE", "ROLLBACK_FAILED"})


class Status(StrEnum):
    """How far a deployment came."""

    DEPLOYING = "deploying"
    DEPLOYED = "deployed"
    FAILED = "failed"
    ROLLED_BACK = "rolled back"


class Smoke(StrEnum):
    """The result of the smoke test. INCOMPLETE: what failed had been reported missing before, such as a secret."""

    PENDING = "pending"
    PASSED = "passed"
    FAILED = "failed"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True)
class ReleasedStack:
    """One stack of a release.

    Attributes:
        stack: its name in pyproject.toml.
        digest: of the template, its zips and the parameters; see stack_inputs.py.
        template: the S3 location of the template, whose code locations are S3 locations too.
        parameters: without those that are NoEcho.
        code: the digest of each zip, by logical id.
        sizes: the bytes of each zip, by logical id.
        contents: the unzipped bytes of each artifact, by logical id and distribution, such as `numpy==2.4.1`; empty in
            a release of an earlier version of this program.
        mounts: the layers that each function mounts, by logical id.
        stack_id, changed_at: the stack as this deployment left it; empty until then.
        content_of: the number of the release whose content the stack then had; 0 until then. It is an earlier release
            when the change failed and CloudFormation rolled it back.
        unknown: fields of a newer version of this program.
    """

    stack: str = ""
    stack_name: str = ""
    digest: str = ""
    template: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    code: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    contents: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    mounts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    stack_id: str = ""
    changed_at: str = ""
    content_of: int = 0
    unknown: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Release:
    """One deployment to an environment.

    Attributes:
        number: 1, 2, 3, …; 0 until the table has given it one.
        arn, person: who deployed: the credentials, and `user@host`.
        created_at: RFC 3339, UTC.
        plan: the S3 location of the plan.
        verdict: of the plan.
        allowed: the dangers that were allowed, as `replace:Ledger`.
        contracts: the digest of the schemas of messages and stored items.
        rollback_to: the release that this one restores; 0 for a deployment.
        status, smoke: a Status and a Smoke; plain text, because a newer version may have more of them.
        pruned: whether its artifacts may be deleted by now, so that it cannot be restored any more; see pruning.
        unknown: fields of a newer version of this program.
    """

    number: int = 0
    commit: str = ""
    is_dirty: bool = False
    arn: str = ""
    person: str = ""
    created_at: str = ""
    plan: str = ""
    verdict: str = ""
    allowed: tuple[str, ...] = ()
    contracts: str = ""
    rollback_to: int = 0
    status: str = Status.DEPLOYING
    smoke: str = Smoke.PENDING
    smoke_findings: tuple[Finding, ...] = ()
    stacks: tuple[ReleasedStack, ...] = ()
    pruned: bool = False
    unknown: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The release in text, such as `r7`."""
        return f"r{self.number}"

    @property
    def kind(self) -> str:
        """What it is: `deploy`, or `rollback to r5`."""
        return f"rollback to r{self.rollback_to}" if self.rollback_to else "deploy"

    @property
    def is_proven(self) -> bool:
        """Whether its smoke test passed; a release that is not proven is tested again."""
        return self.smoke == Smoke.PASSED


class Table(Protocol):
    """The table that stores the releases; release_table.ReleaseTable is the real one."""

    def documents(self, limit: int) -> tuple[tuple[int, Mapping[str, Any]], ...]:
        """Return the numbers and documents of the newest releases, newest first."""
        ...

    def add(self, document: Mapping[str, Any]) -> int:
        """Store a new release and return its number."""
        ...

    def replace(self, number: int, document: Mapping[str, Any]) -> None:
        """Store the new state of a release."""
        ...


def table_name(stack_names: Sequence[str]) -> str:
    """Return the name of the table of an environment.

    Args:
        stack_names: the names of its stacks in the account, in the order of deployment; not empty.
    """
    return f"{stack_names[-1]}{TABLE_SUFFIX}"


def read(table: Table, *, limit: int = READ_LIMIT) -> tuple[Release, ...]:
    """Return the newest releases, newest first.

    Raises:
        DeploymentError: DynamoDB did not answer.
    """
    return tuple(from_document(number, document) for number, document in table.documents(limit))


def add(table: Table, release: Release) -> Release:
    """Store a new release, and return it with its number.

    Raises:
        DeploymentError: DynamoDB did not answer.
    """
    return replace(release, number=table.add(as_document(release)))


def save(table: Table, release: Release) -> None:
    """Store the new state of a release.

    Raises:
        DeploymentError: DynamoDB did not answer.
    """
    table.replace(release.number, as_document(release))


def as_document(release: Release) -> dict[str, Any]:
    """Return a release as plain values, without its number."""
    document = _plain(release)
    del document["number"]
    return document | {"stacks": [_plain(stack) for stack in release.stacks]}


def from_document(number: int, document: Mapping[str, Any]) -> Release:
    """Return a release from plain values; the reverse of `as_document`."""
    known, unknown = _divided(Release, document)
    known["number"] = number
    known["allowed"] = tuple(known.get("allowed", ()))
    known["stacks"] = tuple(_stack(stack) for stack in known.get("stacks", ()))
    known["smoke_findings"] = tuple(Finding(**_divided(Finding, row)[0]) for row in known.get("smoke_findings", ()))
    return Release(**known, unknown=unknown)


def as_left(release: Release, states: Iterable["StackState"], *, before: Release | None) -> Release:
    """Return the release with its stacks as the deployment left them.

    Args:
        release: its status must be final.
        before: the release that ran before it; None when that is not known.
    """
    states_by_name = {state.name: state for state in states}
    stacks = [_stack_as_left(release, stack, states_by_name.get(stack.stack_name), before) for stack in release.stacks]
    return replace(release, stacks=tuple(stacks))


def is_created(state: "StackState") -> bool:
    """Return whether a stack exists with resources: one that has only a change set does not."""
    return state.status not in _NOT_CREATED


def running(releases: Sequence[Release], states: Iterable["StackState"]) -> Release | None:
    """Return the release that all stacks run now; None when they are not as a release left them, or run several.

    Args:
        releases: newest first.
        states: of every stack of the environment.
    """
    created = {state.name: state for state in states if is_created(state)}
    contents = {_content(releases, state) for state in created.values()}
    candidates = [release for release in releases if contents == {release.number}]
    if not candidates or any(stack.stack_name not in created for stack in candidates[0].stacks):
        return None
    return candidates[0]


def is_up_to_date(release: Release, digests: Mapping[str, str], states: Iterable["StackState"]) -> bool:
    """Return whether a deployment would change nothing.

    Args:
        release: the one that runs.
        digests: what would be deployed, by the stack's name in the account; empty text when it has no digest.
        states: of every stack of the environment.
    """
    is_settled = all(state.status.endswith(_SETTLED) for state in states)
    return (
        is_settled and all(digests.values()) and digests == {stack.stack_name: stack.digest for stack in release.stacks}
    )


def last_good(releases: Iterable[Release], *, before: int) -> Release | None:
    """Return the release to go back to: the newest before a number that passed its smoke test.

    Without one it is the newest whose test was incomplete. A release that was never tested, failed, was rolled back or
    did not reach every stack is never good, nor is one whose artifacts are deleted.

    Args:
        releases: newest first.
    """
    deployed = [
        release
        for release in releases
        if release.number < before and release.status == Status.DEPLOYED and not release.pruned
    ]
    for smoke in (Smoke.PASSED, Smoke.INCOMPLETE):
        for release in deployed:
            if release.smoke == smoke:
                return release
    return None


def parse_number(text: str) -> int:
    """Return the number of a release that a person typed, as `7` or `r7`.

    Raises:
        UsageError: it is not a release.
    """
    digits = text.removeprefix("r")
    if not digits.isdecimal() or int(digits) == 0:
        raise UsageError(f"{text!r} is not a release; write it as r7 or 7", where="--to")
    return int(digits)


def is_same_moment(moment: str, another: str) -> bool:
    """Return whether two RFC 3339 times are the same moment; boto3 returns the local time zone of each computer."""
    if not moment or not another:
        return moment == another
    return datetime.fromisoformat(moment) == datetime.fromisoformat(another)


def _content(releases: Iterable[Release], state: "StackState") -> int:
    """Return the number of the release whose content a stack has; 0 when no release left it in this state."""
    for release in releases:
        for stack in release.stacks:
            if _is_as_left(stack, state):
                return stack.content_of
    return 0


def _is_as_left(stack: ReleasedStack, state: "StackState") -> bool:
    is_same_stack = (stack.stack_name, stack.stack_id) == (state.name, state.stack_id)
    return is_same_stack and is_same_moment(stack.changed_at, state.changed_at)


def _stack_as_left(
    release: Release, stack: ReleasedStack, state: "StackState | None", before: Release | None
) -> ReleasedStack:
    if state is None or not is_created(state):
        return stack

    is_untouched = any(_is_as_left(earlier, state) for earlier in before.stacks) if before else False
    keeps_old = release.status != Status.DEPLOYED and (is_untouched or state.status.endswith(_ROLLED_BACK))
    is_without = release.status != Status.DEPLOYED and state.status in _WITHOUT_CONTENT
    earlier_number = before.number if before and not is_without else 0
    content_of = earlier_number if keeps_old or is_without else release.number
    return replace(stack, stack_id=state.stack_id, changed_at=state.changed_at, content_of=content_of)


def _plain(record: Release | ReleasedStack) -> dict[str, Any]:
    values = asdict(record)
    unknown: dict[str, Any] = values.pop("unknown")
    return unknown | values


def _divided(kind: type, document: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the entries of a document that are fields of a dataclass, and the others."""
    names = {attribute.name for attribute in fields(kind)} - {"unknown"}
    known = {name: value for name, value in document.items() if name in names}
    return known, {name: value for name, value in document.items() if name not in names}


def _stack(document: Mapping[str, Any]) -> ReleasedStack:
    known, unknown = _divided(ReleasedStack, document)
    known["mounts"] = {name: tuple(layers) for name, layers in known.get("mounts", {}).items()}
    return ReleasedStack(**known, unknown=unknown)
