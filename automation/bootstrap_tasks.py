"""The task that prepares an account."""

import os

from invoke.context import Context
from invoke.tasks import task

from automation import commands

ROOT = commands.ROOT
BOOTSTRAP_HELP = {
    "env": "the name of an environment in pyproject.toml, or a pattern in quotes, such as 'pr-*'",
    "repository": "the repository at GitHub that may deploy, as owner/name (default: git's origin)",
    "alerts": "the address that gets the alarms",
    "set": "a value that no file has, such as AlertsTo=you@example.org; deployments find it; repeat it",
    "allow": "allow one danger by name, such as delete:ArtifactBucket; repeat it for more",
    "yes": "confirm ordinary changes in advance, for use without a terminal",
    "dry_run": "show the plan and change nothing; exit 7 when there are changes",
}


@task(iterable=["allow", "set"], positional=[], auto_shortflags=False, help=BOOTSTRAP_HELP)
def bootstrap(
    _context: Context,
    allow: list[str],
    set: list[str],  # noqa: A002 - Invoke names the option after the parameter
    env: str = "",
    repository: str = "",
    alerts: str = "",
    yes: bool = False,
    dry_run: bool = False,
) -> None:
    """Prepare an account: bucket, roles for GitHub, the product's steps."""
    from automation import bootstrap as preparation

    options = preparation.Options(repository, alerts, tuple(set), tuple(allow), yes, dry_run)
    commands.end_with(preparation.bootstrap(ROOT, env, variables=os.environ, options=options))
