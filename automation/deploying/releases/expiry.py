"""When a temporary environment expires: a tag of its table of releases, which is created first and deleted last.

A tag of a stack would say it too, but CloudFormation writes every resource of a stack again when its tags change.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Protocol

from automation.project import temporary
from automation.project.environments import Environment
from automation.system import console
from automation.system.errors import CheckFailedError, ConfigurationError, Finding, UsageError

TAG = "expires-at"
_OPTION = "--ttl"


class Table(Protocol):
    """The table of releases; release_table.ReleaseTable is the real one."""

    @property
    def name(self) -> str: ...

    def tags(self) -> Mapping[str, str]:
        """Return the tags of the table; none when it is missing."""
        ...

    def tag(self, tags: Mapping[str, str]) -> None:
        """Add tags to the table, or replace their values."""
        ...


def chosen(environment: Environment, ttl: str) -> timedelta | None:
    """Return how long an environment lives from its deployment on; None for ever.

    Args:
        ttl: of the command line; empty for the one of pyproject.toml.

    Raises:
        UsageError: the ttl cannot be parsed, or the environment is not temporary.
    """
    if not ttl:
        return environment.ttl
    if not environment.is_temporary:
        message = f"{environment.name} never expires: only an environment of a pattern, such as pr-*, is temporary"
        raise UsageError(message, where=_OPTION)
    try:
        return temporary.parse_ttl(ttl, where=_OPTION)
    except ConfigurationError as cause:
        raise UsageError(cause.message, where=_OPTION) from cause


def tags(ttl: timedelta | None, now: datetime) -> dict[str, str]:
    """Return the tags of a table of releases; none for an environment that never expires.

    Args:
        now: aware.
    """
    return {} if ttl is None else {TAG: (now + ttl).astimezone(UTC).isoformat(timespec="seconds")}


def extend(environment: Environment, table: Table, ttl: timedelta | None, *, now: datetime) -> None:
    """Let a temporary environment live for `ttl` from now on; do nothing for any other.

    Raises:
        DeploymentError: DynamoDB refused it or did not answer.
    """
    if ttl is not None:
        table.tag(tags(ttl, now))
        console.result(f"{environment.name} expires at {text(now + ttl)}; inv destroy --expired deletes it then")


def read(table: Table) -> datetime | None:
    """Return when an environment expires; None when its table does not say it.

    Raises:
        DeploymentError: DynamoDB did not answer.
    """
    with suppress(KeyError, ValueError):
        moment = datetime.fromisoformat(table.tags()[TAG])
        return moment if moment.tzinfo else None
    return None


def require_passed(table: Table, environment: str, *, now: datetime) -> None:
    """Refuse to go on with an environment that has not expired.

    Raises:
        CheckFailedError: it has not expired, or nothing says when it does.
        DeploymentError: DynamoDB did not answer.
    """
    expires_at = read(table)
    if expires_at is None or now < expires_at:
        when = f"it expires at {text(expires_at)}" if expires_at else f"{table.name} has no tag {TAG}"
        finding = Finding(environment, when, f"inv destroy --env {environment} deletes it now")
        raise CheckFailedError("it has not expired; nothing was changed", where=environment, findings=[finding])


def text(moment: datetime) -> str:
    """Return a moment as a person reads it."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
