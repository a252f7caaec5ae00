"""The automation's own tasks.

A project's tasks.py needs no more than `from automation import commands, tasks` and
`namespace = commands.assemble(tasks.collection())`. Each task imports what it runs, so that the others start fast.
"""

import os
from pathlib import Path

from invoke.collection import Collection
from invoke.context import Context
from invoke.tasks import task

ROOT = Path(__file__).resolve().parent.parent
_ENV = {"env": "the name of an environment in pyproject.toml"}
DEPLOY_HELP = {
    **_ENV,
    "yes": "confirm in advance, for use without a terminal",
    "dry_run": "print what would be deployed and change nothing",
}


@task(name="sync-shared-layer")
def sync_shared_layer(_context: Context) -> None:
    """Copy the shared source into its layer."""
    from automation import sync as front
    from automation.building import source_copies
    from automation.project import model

    front.show(source_copies.sync(model.load(ROOT), layers_only=True))


@task(help={"check": "change nothing; exit 3 if a generated file differs from its source"})
def sync(_context: Context, check: bool = False) -> None:
    """Copy the source into the folders of functions and layers."""
    from automation import sync as front
    from automation.building import source_copies
    from automation.project import model

    project = model.load(ROOT)
    front.show(front.check(project) if check else source_copies.sync(project))


@task(
    iterable=["names"],
    help={
        **_ENV,
        "names": "functions and layers, by logical id; none means all",
        "stack": "only this stack",
        "arch": "x86_64 or arm64, instead of the template's default",
        "engine": "the builder: uv (our own) or sam (the reference)",
        "force": "build everything again, also what has not changed",
        "explain": "print for every artifact why it is built or not",
    },
)
def build(
    _context: Context,
    names: list[str],
    stack: str = "",
    arch: str = "",
    env: str = "",
    engine: str = "uv",
    force: bool = False,
    explain: bool = False,
) -> None:
    """Sync, then build the artifacts that are stale: `inv build [NAME...]`."""
    from automation.building import up_to_date

    is_plain = engine == "uv" and not (names or stack or arch or env or force or explain)
    # Check this first: loading the builder takes longer than finding out that there is nothing to build.
    if is_plain and up_to_date.report_if_up_to_date(ROOT):
        return

    from automation import build as front
    from automation.project.selection import Chosen

    chosen = Chosen(tuple(names), stack, arch)
    built = front.build(ROOT, chosen, engine=engine, env=env, variables=os.environ, force=force, note=is_plain)
    front.show(built, explain=explain)


@task
def validate(_context: Context) -> None:
    """Check the templates and the settings of every environment."""
    from automation import validate as validator
    from automation.project import model
    from automation.system import console

    loaded = model.load(ROOT)
    validator.validate(loaded)
    console.result(f"{len(loaded.stacks)} template(s) and {len(loaded.settings.environments)} environment(s) are valid")


@task(iterable=["names"], help={"names": "functions, by logical id; none means all", "json": "print JSON"})
def prove(_context: Context, names: list[str], json: bool = False) -> None:
    """Prove that the built artifacts work on Lambda, by importing every handler: `inv prove [NAME...]`."""
    from automation import prove as front
    from automation.building import built
    from automation.project import model

    proof = front.prove(built.as_built(model.load(ROOT)), names=names)
    if json:
        front.show_json(proof)
    else:
        front.show(proof)
    front.require_no_errors(proof)


@task(
    iterable=["names"],
    optional=["html"],
    auto_shortflags=False,
    help={
        "names": "functions and layers, by logical id; none means all",
        "baseline": "compare with a git revision, which is built, or with a file that inv size --json wrote",
        "json": "print JSON",
        "markdown": "print Markdown for a review comment",
        "html": "write one page with a treemap, to this file or to .alchemiser/size.html",
    },
)
def size(
    _context: Context, names: list[str], baseline: str = "", json: bool = False, markdown: bool = False, html: str = ""
) -> None:
    """Measure the built artifacts against their budgets and a baseline: `inv size [NAME...]`."""
    from automation import sizes
    from automation.project import model

    sizes.report(model.load(ROOT), names=names, reference=baseline, json=json, markdown=markdown, html=html)


@task(
    iterable=["names"],
    auto_shortflags=False,
    help={
        "names": "functions, by logical id; none means all",
        "runs": "how often to import each handler, each time in a fresh process (default: 5)",
        "without_bytecode": "also measure without bytecode",
        "json": "print JSON",
    },
)
def coldstart(
    _context: Context, names: list[str], runs: int = 5, without_bytecode: bool = False, json: bool = False
) -> None:
    """Measure how long each handler takes to import from its artifacts: `inv coldstart [NAME...]`."""
    from automation import coldstart as coldstarts
    from automation.project import model

    measured = coldstarts.measure(model.load(ROOT), names=names, runs=runs, without_bytecode=without_bytecode)
    (coldstarts.show_json if json else coldstarts.show)(measured)
    coldstarts.require_within_budgets(measured)


@task(
    help={
        "since": "a git revision; default: where this branch left the main branch, or HEAD on the main branch",
        "tests": "print the test files that the changes reach, ready for pytest",
        "json": "print JSON",
    }
)
def affected(_context: Context, since: str = "", tests: bool = False, json: bool = False) -> None:
    """List the functions, layers and stacks that a change redeploys, and why."""
    from automation import affected as changes

    if tests:
        changes.show_tests(changes.select_tests(ROOT, since=since))
    else:
        (changes.show_json if json else changes.show)(changes.find(ROOT, since=since))


@task
def parity(_context: Context) -> None:
    """Build with SAM as well, and explain every difference from our last build."""
    from automation import parity as comparison
    from automation.project import model

    result = comparison.compare(model.load(ROOT))
    comparison.show(result)
    comparison.require_explained(result)


@task(help=DEPLOY_HELP)
def deploy(_context: Context, env: str = "", yes: bool = False, dry_run: bool = False) -> None:
    """Build and deploy every stack to an environment."""
    from automation import deploy as deployment

    deployment.deploy(ROOT, env, variables=os.environ, yes=yes, dry_run=dry_run)


@task(help={"upgrade": "use the newest versions that pyproject.toml and requirements.in allow"})
def lock(_context: Context, upgrade: bool = False) -> None:
    """Lock the requirements of the tools and of every layer."""
    from automation import locks
    from automation.project import model
    from automation.system import console

    console.results(locks.lock(model.load(ROOT), upgrade=upgrade) or ["every lock is up to date"])


@task(help={"all": "also remove caches and nox's environments"})
def clean(_context: Context, all: bool = False) -> None:  # noqa: A002 - Invoke names the option after the parameter
    """Remove generated trees and artifacts; keep tools and the sandbox's state."""
    from automation import cleaning
    from automation.project import model
    from automation.system import console

    console.results(cleaning.clean(model.load(ROOT), everything=all) or ["nothing to remove"])


_TASKS = (sync_shared_layer, sync, build, validate, prove, size, coldstart, affected, parity, deploy, lock, clean)


def collection() -> Collection:
    """Return all of these tasks, for `commands.assemble`."""
    return Collection(*_TASKS)
