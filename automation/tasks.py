"""The automation's own tasks.

A project's tasks.py needs no more than `from automation import commands, tasks` and
`namespace = commands.assemble(tasks.collection())`.
"""

import os
from pathlib import Path

from invoke.collection import Collection
from invoke.context import Context
from invoke.tasks import task

from automation import build as builder
from automation import cleaning, console, environments, locks, project, sizes
from automation import deploy as deployment
from automation import sync as syncing
from automation import validate as validator
from automation.engines import Engine
from automation.errors import UsageError

ROOT = Path(__file__).resolve().parent.parent
_ENV = {"env": "an environment of pyproject.toml"}
DEPLOY_HELP = {
    **_ENV,
    "yes": "consent beforehand, for where there is no terminal",
    "dry_run": "print what would be deployed and change nothing",
}


@task(name="sync-shared-layer")
def sync_shared_layer(_context: Context) -> None:
    """Copy the shared source into its layer."""
    syncing.show(syncing.sync(project.load(ROOT), layers_only=True))


@task(help={"check": "change nothing; exit 3 when a generated file differs from its source"})
def sync(_context: Context, check: bool = False) -> None:
    """Copy the source into the folders of functions and layers."""
    loaded = project.load(ROOT)
    syncing.show(syncing.check(loaded) if check else syncing.sync(loaded))


@task(
    help={
        **_ENV,
        "engine": "what builds: uv (our own), or sam, the reference",
        "force": "build what has not changed too",
    }
)
def build(_context: Context, engine: str = "uv", env: str = "", force: bool = False) -> None:
    """Sync, then build the artifacts of every stack."""
    if engine not in set(Engine):
        raise UsageError(f"there is no engine {engine!r}; the engines are: {', '.join(Engine)}", where="build")
    loaded = project.load(ROOT)
    parameters = environments.parameters_by_stack(loaded, env, os.environ) if env else {}
    syncing.sync(loaded)
    builder.show(builder.build(loaded, parameters=parameters, force=force, engine=Engine(engine)))


@task
def validate(_context: Context) -> None:
    """Check the templates and the settings of every environment."""
    loaded = project.load(ROOT)
    validator.validate(loaded)
    console.result(f"{len(loaded.stacks)} template(s) and {len(loaded.environments)} environment(s) are valid")


@task(help={"json": "print JSON"})
def size(_context: Context, json: bool = False) -> None:
    """Measure the built artifacts against their budgets."""
    measured = sizes.measure(project.load(ROOT))
    (sizes.show_json if json else sizes.show)(measured)
    sizes.require_within(measured)


@task(help=DEPLOY_HELP)
def deploy(_context: Context, env: str = "", yes: bool = False, dry_run: bool = False) -> None:
    """Build and deploy every stack to an environment."""
    deployment.deploy(ROOT, env, variables=os.environ, yes=yes, dry_run=dry_run)


@task(help={"upgrade": "take the newest versions that pyproject.toml and requirements.in allow"})
def lock(_context: Context, upgrade: bool = False) -> None:
    """Lock the requirements of the tools and of every layer."""
    console.results(locks.lock(project.load(ROOT), upgrade=upgrade) or ["every lock was right"])


@task(help={"all": "caches and nox's environments too"})
def clean(_context: Context, all: bool = False) -> None:  # noqa: A002 - Invoke names the option after the parameter
    """Remove generated trees and artifacts; tools and the sandbox's state stay."""
    console.results(cleaning.clean(project.load(ROOT), everything=all) or ["nothing to remove"])


def collection() -> Collection:
    """All of these tasks, for `commands.assemble`."""
    return Collection(sync_shared_layer, sync, build, validate, size, deploy, lock, clean)
