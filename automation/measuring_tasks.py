"""The tasks that measure: sizes of artifacts and starts of functions, in the last build and in an environment."""

import os

from invoke.context import Context
from invoke.tasks import task

from automation import commands

ROOT = commands.ROOT


@task(
    iterable=["names"],
    optional=["html"],
    auto_shortflags=False,
    help={
        "names": "functions and layers, by logical id or code folder; none means all",
        "baseline": "compare with a git revision, which is built, or with a file that inv size --json wrote",
        "json": "print JSON",
        "markdown": "print Markdown for a review comment",
        "comment": "in GitHub Actions: comment on the pull request, else add to the job's summary",
        "html": "write one page, to this file, to .alchemiser/size.html or to .alchemiser/size-history.html",
        "history": "show what each release of the environment weighed, and which one made what grow",
        "env": "the name of an environment in pyproject.toml",
    },
)
def size(
    _context: Context,
    names: list[str],
    baseline: str = "",
    json: bool = False,
    markdown: bool = False,
    html: str = "",
    history: bool = False,
    env: str = "",
    comment: bool = False,
) -> None:
    """Compare sizes with budgets, builds or releases: `inv size [NAME...]`."""
    if history or env:
        from automation import size_history

        size_history.require_consistent(history=history, baseline=baseline, markdown=markdown)
        size_history.report(ROOT, env, variables=os.environ, names=names, json=json, html=html)
        return

    from automation import sizes
    from automation.project import model

    project = model.load(ROOT)
    sizes.report(project, names=names, reference=baseline, json=json, markdown=markdown, html=html, comment=comment)


@task(
    iterable=["names"],
    auto_shortflags=False,
    help={
        "names": "functions, by logical id or code folder; none means all",
        "runs": "how many starts to measure of each function (default: 5)",
        "without_bytecode": "also measure without bytecode",
        "json": "print JSON",
        "env": "read the cold starts of this environment from the logs of its functions",
        "days": "how many days of logs to read (default: 14)",
        "snapstart": "measure a copy of this function with SnapStart and without; needs --env",
        "yes": "confirm in advance that the copy is created",
    },
)
def coldstart(
    _context: Context,
    names: list[str],
    runs: int = 5,
    without_bytecode: bool = False,
    json: bool = False,
    env: str = "",
    days: int = 0,
    snapstart: str = "",
    yes: bool = False,
) -> None:
    """Measure imports here, or starts on AWS: `inv coldstart [NAME...]`."""
    if env or days or snapstart or yes:
        from automation import coldstart_logs

        chosen = coldstart_logs.Options(tuple(names), days, snapstart, yes, without_bytecode)
        coldstart_logs.require_consistent(env, chosen)
        if snapstart:
            _try_snapstart(env, snapstart, runs=runs, yes=yes, json=json)
        else:
            coldstart_logs.report(ROOT, env, variables=os.environ, options=chosen, json=json)
        return

    from automation import coldstart as coldstarts
    from automation.project import model

    measured = coldstarts.measure(model.load(ROOT), names=names, runs=runs, without_bytecode=without_bytecode)
    coldstarts.remember(measured, ROOT)
    (coldstarts.show_json if json else coldstarts.show)(measured)
    coldstarts.require_within_budgets(measured)


def _try_snapstart(env: str, function: str, *, runs: int, yes: bool, json: bool) -> None:
    from automation import snapstart as trials

    trial = trials.compare(ROOT, env, function, variables=os.environ, runs=runs, yes=yes)
    (trials.show_json if json else trials.show)(trial)


TASKS = (size, coldstart)
