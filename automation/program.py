"""The command `alchemiser`: every task of the automation for the project in the working folder, and `init`.

It needs no tasks.py, so it works before `init` and in a hook of git.
"""

import os
import shutil
import sys
from pathlib import Path

from invoke.context import Context
from invoke.program import Program
from invoke.tasks import task

from automation import commands, tasks
from automation.system import console, packages

NAME = "alchemiser"
ROOT = commands.ROOT


@task(positional=[], auto_shortflags=False, help={"yes": "write the files without a question"})
def init(_context: Context, yes: bool = False) -> None:
    """Show and write tasks.py, noxfile.py and the settings, then build and prove."""
    from automation import init as front

    front.start(ROOT, yes=yes, variables=os.environ)


@task(iterable=["names"], help=tasks.PROVE_HELP)
def prove(context: Context, names: list[str], json: bool = False, force: bool = False) -> None:
    """Build what is stale, then import every handler as on Lambda, check packaging."""
    from automation import init as front

    front.build_stale(ROOT, variables=os.environ, is_silent=json)
    tasks.prove(context, names, json, force)


def program() -> Program:
    """Return the program with every task, for any command line."""
    namespace = commands.assemble(tasks.collection(), tasks=(init, prove))
    return Program(namespace=namespace, name=NAME, binary=NAME, version=packages.own_version())


def main() -> None:
    """Run the command line of this process, and say how to type what a message advises when `inv` cannot run it."""
    try:
        program().run()
    except SystemExit as ended:
        if ended.code and sys.argv[1:2] != ["init"] and (hint := why_not_inv(ROOT)):
            console.note(hint)
            console.event(hint)
        raise


def why_not_inv(root: Path) -> str:
    """Return why `inv`, which messages name, does not work in a project, and what to type; empty when it works."""
    if not commands.has_our_tasks(root):
        return f"tasks.py does not use the automation, so type {NAME} where a message says inv, or run {NAME} init"
    return "" if shutil.which("inv") else f"inv is not on PATH, so type {NAME} where a message says inv"
