"""The automation's own tasks.

A project's tasks.py needs no more than `from automation import commands, tasks` and
`namespace = commands.assemble(tasks.collection())`. Each task imports what it runs, so that the others start fast.
"""

import os

from invoke.collection import Collection
from invoke.context import Context
from invoke.tasks import task

from automation import (
    authoring_tasks,
    bootstrap_tasks,
    checking_tasks,
    commands,
    measuring_tasks,
    operating_tasks,
)

ROOT = commands.ROOT
_ENV = {"env": "the name of an environment in pyproject.toml"}
_ALLOW = {"allow": "allow one danger by name, such as replace:Ledger; repeat it for more"}
_ADOPT = {"adopt": "take over a resource of an earlier stack, or not: Ledger=<physical id> or Ledger=new; repeat it"}
_YES = {"yes": "confirm ordinary changes in advance, for use without a terminal"}
_SET = {"set": "a value that no file has, such as AlertsTo=you@example.org; later deployments keep it; repeat it"}
DEPLOY_HELP = {
    **_ENV,
    **_YES,
    **_SET,
    **_ADOPT,
    "allow": "allow one danger by name, such as replace:Ledger; also dirty and unpushed; repeat it for more",
    "plan": "deploy exactly the plan that inv diff --out saved",
    "dry_run": "print stacks and parameters; make no call",
    "ttl": "how long a temporary environment lives, such as 12h or 3d (default: ttl of pyproject.toml)",
}
PROVE_HELP = {
    "names": "functions, by logical id or code folder; none means all",
    "json": "print JSON",
    "force": "prove again what has passed before",
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
        "names": "functions and layers, by logical id or code folder; none means all",
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


@task(help={"force": "check again what has passed before"})
def validate(_context: Context, force: bool = False) -> None:
    """Check the templates and the settings of every environment."""
    from automation import validate as validator
    from automation.project import model
    from automation.system import console

    loaded = model.load(ROOT)
    has_run = validator.validate_once(loaded, with_sam=True, force=force)
    counts = f"{len(loaded.stacks)} template(s) and {len(loaded.settings.environments)} environment(s)"
    console.result(f"{counts} are valid{'' if has_run else ', unchanged since the last check'}")


@task(iterable=["names"], help=PROVE_HELP)
def prove(_context: Context, names: list[str], json: bool = False, force: bool = False) -> None:
    """Import every handler as on Lambda, check packaging: `inv prove [NAME...]`."""
    from automation import proven
    from automation.building import built
    from automation.project import model
    from automation.proof import records

    loaded = built.as_built(model.load(ROOT, keeps_going=True))
    state = records.state(loaded)
    # Check this first: loading what proves takes longer.
    if not (names or force) and proven.show_recorded(loaded, state, is_json=json):
        return

    from automation import prove as front

    proof = front.prove(loaded, names=names)
    (front.show_json if json else front.show)(proof)
    front.require_no_errors(proof)
    if not names:
        front.record(loaded, state, proof)


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
    """Build with SAM too, and explain each difference from our last build."""
    from automation import parity as comparison
    from automation.project import model

    result = comparison.compare(model.load(ROOT))
    comparison.show(result)
    comparison.require_explained(result)


@task(
    iterable=["allow", "adopt", "set"],
    positional=[],
    auto_shortflags=False,
    help={
        **_ENV,
        **_ALLOW,
        **_SET,
        **_ADOPT,
        "against": "compare with a git revision or a template file, without credentials",
        "json": "print JSON",
        "markdown": "print Markdown for a review comment",
        "out": "save the plan to this file, for inv deploy --plan",
        "comment": "in GitHub Actions: comment on the pull request, else add to the job's summary; changes end with 0",
    },
)
def diff(  # noqa: PLR0913, PLR0917 - a parameter is an option of the command line
    _context: Context,
    allow: list[str],
    adopt: list[str],
    set: list[str],  # noqa: A002 - Invoke names the option after the parameter
    env: str = "",
    against: str = "",
    json: bool = False,
    markdown: bool = False,
    out: str = "",
    comment: bool = False,
) -> None:
    """Show what a deployment would change; exit 0 none, 7 changes, 3 forbidden."""
    from automation import diff as plan

    options = plan.Options(json, markdown, out, against, tuple(allow), tuple(adopt), tuple(set), comment)
    commands.end_with(plan.diff(ROOT, env, variables=os.environ, options=options))


@task(iterable=["allow", "adopt", "set"], positional=[], auto_shortflags=False, help=DEPLOY_HELP)
def deploy(
    _context: Context,
    allow: list[str],
    adopt: list[str],
    set: list[str],  # noqa: A002 - Invoke names the option after the parameter
    env: str = "",
    yes: bool = False,
    plan: str = "",
    dry_run: bool = False,
    ttl: str = "",
) -> None:
    """Check, plan, confirm, deploy and test every stack; go back when the test fails."""
    from automation import deploy as deployment

    options = deployment.Options(yes, tuple(allow), plan, dry_run, tuple(adopt), tuple(set), ttl)
    deployment.deploy(ROOT, env, variables=os.environ, options=options)


@task(
    iterable=["allow"],
    positional=[],
    auto_shortflags=False,
    help={
        **_ENV,
        **_YES,
        **_ALLOW,
        "to": "the release, such as r7; default: the last good one before the one that runs",
    },
)
def rollback(_context: Context, allow: list[str], env: str = "", to: str = "", yes: bool = False) -> None:
    """Restore an earlier release with its exact artifacts."""
    from automation import rollback as restoration

    options = restoration.Options(to, yes, tuple(allow))
    restoration.rollback(ROOT, env, variables=os.environ, options=options)


@task(
    iterable=["delete_data"],
    positional=[],
    auto_shortflags=False,
    help={
        **_ENV,
        "delete_data": "delete these retained data too, by name; also all, releases and artifacts; repeat it for more",
        "data_only": "leave the stacks alone; delete only what earlier stacks have left",
        "yes": "confirm in advance, together with --confirm",
        "confirm": "the word that a person would type: the name of the environment",
        "dry_run": "show what would be deleted and what would stay; change nothing",
        "expired": "instead of --env: destroy every temporary environment whose time has passed, with its data",
    },
)
def destroy(
    _context: Context,
    delete_data: list[str],
    env: str = "",
    data_only: bool = False,
    yes: bool = False,
    confirm: str = "",
    dry_run: bool = False,
    expired: bool = False,
) -> None:
    """Delete every stack of an environment; its data stay, but for what is named."""
    from automation import destroy as destruction

    options = destruction.Options(tuple(delete_data), data_only, yes, confirm, dry_run)
    if expired:
        from automation import expiring

        expiring.destroy_expired(ROOT, env, variables=os.environ, options=options)
        return
    destruction.destroy(ROOT, env, variables=os.environ, options=options)


@task(auto_shortflags=False, help={**_ENV, "limit": "how many (default: 20)", "json": "print JSON"})
def releases(_context: Context, env: str = "", limit: int = 20, json: bool = False) -> None:
    """List the releases of an environment, and which one runs."""
    from automation import releases as front

    front.report(ROOT, env, variables=os.environ, json=json, limit=limit)


@task(
    auto_shortflags=False,
    help={
        **_ENV,
        **_YES,
        "keep": "how many of the newest releases stay restorable (default: keep_releases of pyproject.toml, or 20)",
        "dry_run": "print what would be deleted, and delete nothing",
    },
)
def prune(_context: Context, env: str = "", keep: int = 0, yes: bool = False, dry_run: bool = False) -> None:
    """Delete old versions and artifacts that no kept release uses."""
    from automation import prune as front

    front.prune(ROOT, env, variables=os.environ, options=front.Options(keep, yes, dry_run))


@task(
    auto_shortflags=False,
    help={**_ENV, "drift": "detect drift first, which takes minutes on AWS", "json": "print JSON"},
)
def status(_context: Context, env: str = "", drift: bool = False, json: bool = False) -> None:
    """Show release, stacks, alarms, queues and readiness; exit 3 on problems."""
    from automation import status as front

    front.report(ROOT, env, variables=os.environ, json=json, drift=drift)


@task(auto_shortflags=False, help={**_ENV, "json": "print JSON"})
def doctor(_context: Context, env: str = "", json: bool = False) -> None:
    """Run every check that a deployment needs, and change nothing."""
    from automation import doctor as front

    front.report(ROOT, env, variables=os.environ, json=json)


@task(
    iterable=["names"],
    help={
        "names": "with --upgrade: only these distributions",
        "upgrade": "use the newest versions that pyproject.toml and requirements.in allow, and show what changes",
        "check": "change nothing; fail when a lock lacks what is required",
        "tests": "with --upgrade: run the project's tests at the end (default)",
    },
)
def lock(_context: Context, names: list[str], upgrade: bool = False, check: bool = False, tests: bool = True) -> None:
    """Lock the requirements of the tools and of every layer; `inv lock --upgrade [NAME...]`."""
    from automation import locks
    from automation.project import model
    from automation.system import console

    project = model.load(ROOT)
    if upgrade:
        from automation import upgrades

        upgrades.upgrade(project, names, is_tested=tests)
        return
    locks.require_no_names(names)
    if check:
        from automation import lock_check

        lock_check.check(project)
        return
    console.results(locks.lock(project) or ["every lock is up to date"])


@task(help={"all": "also remove caches and nox's environments"})
def clean(_context: Context, all: bool = False) -> None:  # noqa: A002 - Invoke names the option after the parameter
    """Remove generated trees and artifacts; keep tools and the sandbox's state."""
    from automation import cleaning
    from automation.project import model
    from automation.system import console

    console.results(cleaning.clean(model.load(ROOT), everything=all) or ["nothing to remove"])


@task(
    name="set",
    auto_shortflags=False,
    iterable=["names"],
    help={
        **_ENV,
        "names": "the secret, or the last part of its name; not needed when there is only one",
        "yes": "confirm in advance",
    },
)
def set_secret(_context: Context, names: list[str], env: str = "", yes: bool = False) -> None:
    """Store a secret from a prompt or stdin: `inv secrets.set --env E [NAME]`."""
    from automation import secrets

    secrets.set_value(ROOT, env, " ".join(names), variables=os.environ, yes=yes)


@task(name="check", auto_shortflags=False, help=_ENV)
def check_secrets(_context: Context, env: str = "") -> None:
    """Check that every declared secret exists and is complete; prints no value."""
    from automation import secrets

    secrets.check(ROOT, env, variables=os.environ)


_TASKS = (
    *(sync_shared_layer, sync, build, validate, *checking_tasks.TASKS, prove, *measuring_tasks.TASKS, affected, parity),
    *(bootstrap_tasks.bootstrap, diff, deploy, rollback, destroy, releases, prune, status, doctor, lock, clean),
    *operating_tasks.TASKS,
    *authoring_tasks.TASKS,
)


def collection() -> Collection:
    """Return all of these tasks, for `commands.assemble`."""
    secrets = Collection("secrets", set_secret, check_secrets)
    return Collection(*_TASKS, secrets, operating_tasks.COLLECTION)
