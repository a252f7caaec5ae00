"""`inv destroy --expired`: destroy the temporary environments whose time has passed, each with all its data.

Only a table of releases says that an environment exists and when it expires. Its name must be exactly the one that the
settings give to an environment of a pattern, so an environment with a table of its own in pyproject.toml never counts.
"""

import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Protocol

from automation import destroy
from automation.deploying import scope as scopes
from automation.deploying.releases import expiry
from automation.deploying.releases import records as releases
from automation.deploying.scope import Scope
from automation.project import environments, model, temporary
from automation.project.model import Project
from automation.system import console
from automation.system.errors import AutomationError, CheckFailedError, Finding, UsageError

WHERE = "destroy --expired"


class Destroy(Protocol):
    """Destroys one environment; destroy.destroy is the real one."""

    def __call__(self, root: Path, name: str, *, variables: Mapping[str, str], options: destroy.Options) -> None: ...


@dataclass(frozen=True, slots=True)
class TemporaryEnvironment:
    """A temporary environment that exists.

    Attributes:
        expires_at: aware; None when its table does not say it.
    """

    name: str
    expires_at: datetime | None

    def is_expired(self, now: datetime) -> bool:
        """Return whether its time has passed; without a time it never has."""
        return self.expires_at is not None and self.expires_at <= now


def find_tables(scope: Scope) -> Sequence[expiry.Table]:
    """Return the tables of releases whose names fit those of a temporary environment, in its account and region."""
    from automation.system import release_table  # noqa: PLC0415 - boto3 is slow to import

    # The role of temporary environments may not even look at another one.
    return release_table.find_all(scope.target, pattern=releases.table_name(scope.name_patterns))


def destroy_expired(
    root: Path,
    env: str = "",
    *,
    variables: Mapping[str, str],
    options: destroy.Options,
    find_tables: Callable[[Scope], Sequence[expiry.Table]] = find_tables,
    destroy_one: Destroy = destroy.destroy,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> None:
    """Destroy every temporary environment whose time has passed; a failure does not keep the others.

    Args:
        env: must be empty: the environments are found.
        variables: the process's environment variables.
        options: of `inv destroy`; `yes` confirms all of them, otherwise each one is asked for.
        find_tables, destroy_one: open the connections.

    Raises:
        UsageError: an option does not fit, or pyproject.toml has no temporary environments.
        CheckFailedError: some environments could not be destroyed.
        DeploymentError: AWS did not answer.
    """
    _require_consistent(env, options)
    existing = list(find(model.load(root), variables=variables, find_tables=find_tables))
    moment = now()
    _show(existing, moment)

    failed, findings = 0, list[Finding]()
    for environment in [entry for entry in existing if entry.is_expired(moment)]:
        chosen = destroy.Options((), False, options.yes, environment.name if options.yes else "", options.dry_run, True)
        try:
            destroy_one(root, environment.name, variables=variables, options=chosen)
        except AutomationError as cause:
            failed += 1
            look = f"look at it alone: inv destroy --env {environment.name} --dry-run"
            findings += [Finding(environment.name, str(cause), look), *getattr(cause, "findings", ())]
    if failed:
        raise CheckFailedError(f"{failed} of them could not be destroyed", where=WHERE, findings=findings)


def find(
    project: Project, *, variables: Mapping[str, str], find_tables: Callable[[Scope], Sequence[expiry.Table]]
) -> Iterator[TemporaryEnvironment]:
    """Yield the temporary environments that exist.

    Raises:
        UsageError: pyproject.toml has no temporary environments.
        ConfigurationError: the settings are incomplete or wrong.
        DeploymentError: AWS did not answer.
    """
    patterns = [key for key in project.settings.environments if temporary.is_pattern(key)]
    if not patterns:
        fix = f'add [tool.alchemiser.environments."pr-*"] with ttl = "{temporary.EXAMPLE}"'
        raise UsageError(f"no environment is temporary; {fix}", where=WHERE)

    resolve = partial(
        scopes.resolve,
        project,
        samconfig=environments.read_samconfig(project.root),
        variables=variables,
        machine=platform.machine(),
    )
    for pattern in patterns:
        example = resolve(temporary.example(pattern))
        start, _, end = _table_of(example).partition(example.environment.name)
        for release_table in find_tables(example):
            name = release_table.name.removeprefix(start).removesuffix(end)
            # Destructive, so the settings must lead from this name to this table, by this pattern.
            if temporary.matches(pattern, name) and _is_of(resolve(name), pattern, release_table):
                yield TemporaryEnvironment(name, expiry.read(release_table))


def _is_of(scope: Scope, pattern: str, table: expiry.Table) -> bool:
    return scope.environment.pattern == pattern and _table_of(scope) == table.name


def _table_of(scope: Scope) -> str:
    return releases.table_name(scope.stack_names)


def _require_consistent(env: str, options: destroy.Options) -> None:
    if env or options.delete_data or options.data_only or options.confirm:
        message = "takes no --env, --delete-data, --data-only and --confirm: it destroys expired environments wholly"
        raise UsageError(message, where=WHERE)
    if not (options.yes or options.dry_run or console.is_interactive()):
        raise UsageError("must be confirmed, and there is no terminal to confirm it on; add --yes", where=WHERE)


def _show(existing: Sequence[TemporaryEnvironment], now: datetime) -> None:
    rows = [(entry.name, expiry.text(entry.expires_at) if entry.expires_at else "never") for entry in existing]
    if rows:
        console.table(("environment", "expires"), rows)
    count = sum(entry.is_expired(now) for entry in existing)
    console.result(f"{count} of {len(existing)} temporary environment(s) have expired")
