"""The tasks that look for weaknesses: in the templates, and in the versions of the locks."""

import os

from invoke.context import Context
from invoke.tasks import task

from automation import commands

ROOT = commands.ROOT


@task(
    positional=[],
    auto_shortflags=False,
    help={
        "env": "scan what this environment would get, instead of the templates' defaults",
        "json": "print JSON",
    },
)
def security(_context: Context, env: str = "", json: bool = False) -> None:
    """Scan the templates for weaknesses; each finding needs a fix or a reason."""
    from automation import security as front

    scan = front.scan(ROOT, env, variables=os.environ)
    (front.show_json if json else front.show)(scan)
    front.require_clean(scan)


@task(positional=[], auto_shortflags=False, help={"json": "print JSON"})
def audit(_context: Context, json: bool = False) -> None:
    """Ask for known vulnerabilities of locked versions."""
    from automation import audit as front

    answer = front.audit(ROOT)
    (front.show_json if json else front.show)(answer)
    front.require_clean(answer)


TASKS = (security, audit)
