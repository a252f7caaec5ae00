"""`inv new-function`: write a function that can be deployed at once, after the example of one that exists."""

import re
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from automation import validate
from automation.authoring import file_changes, function_plans, function_removals, names, scaffolds
from automation.authoring.file_changes import FileChanges
from automation.authoring.function_plans import FunctionPlan, Options
from automation.project import model
from automation.project.model import Project, Stack
from automation.proof import registry
from automation.proof.registry import Route
from automation.system import console, files, processes
from automation.system.errors import CheckFailedError, Finding, ToolError

_COMMAND = "new-function"

type Lint = Callable[[Sequence[Stack], Path], list[Finding]]


def create(root: Path, name: str, options: Options, *, lint: Lint = validate.lint) -> FunctionPlan:
    """Write a new function and everything that belongs to it, or nothing.

    Args:
        lint: returns the faults of templates.

    Raises:
        UsageError: a name or an option cannot be used.
        ConfigurationError: a template or the scaffold cannot be used.
        CheckFailedError: cfn-lint finds a fault in the new template.
        ToolError: a command of the scaffold failed.
    """
    spellings = names.parse(name, command=_COMMAND)
    project = model.load(root)
    known = {route.message: route.source for route in routes_of(project)}
    plan = function_plans.plan(project, spellings, options, known=known)
    require_no_new_faults(project, plan.stack, plan.changes, lint=lint)
    write(root, plan)
    return plan


def routes_of(project: Project) -> tuple[Route, ...]:
    """Return the routes of the project's message registry; none without a registry.

    Raises:
        ConfigurationError: the registry cannot be imported.
    """
    return registry.load(project.root, project.settings.messages) if project.settings.messages else ()


def require_no_new_faults(project: Project, stack: Stack, changes: FileChanges, *, lint: Lint) -> None:
    """Lint the new text of a stack's template; without cfn-lint do nothing.

    Raises:
        CheckFailedError: there are faults that the present template does not have.
    """
    path = stack.template.path
    try:
        faults = _faults(stack, changes.contents[path] or "", lint)
        if faults:
            before = _faults(stack, (project.root / path).read_bytes(), lint)
            known = {_without_lines(fault.what) for fault in before}
            faults = [fault for fault in faults if _without_lines(fault.what) not in known]
    except ToolError as cause:
        console.note(f"{path} was not linted: {cause}")
        return
    if faults:
        raise CheckFailedError("the new template would have faults; nothing was written", findings=faults)


def _without_lines(text: str) -> str:
    """Return a fault without the numbers of lines that it names: those change when something is added above."""
    return re.sub(r"\bline \d+", "line", text)


def _faults(stack: Stack, text: str | bytes, lint: Lint) -> list[Finding]:
    with tempfile.TemporaryDirectory() as folder:
        files.write_atomically(Path(folder) / stack.template.path, text)
        return lint([stack], Path(folder))


def write(root: Path, plan: FunctionPlan) -> None:
    """Write the files of a plan and run the scaffold's commands; when one fails, put everything back.

    Raises:
        ToolError: a command failed.
    """
    before = {*_generated(root, plan)}
    try:
        with console.progress("writing"), file_changes.written(root, plan.changes):
            _run_commands(root, plan)
    except BaseException:
        for path in {*_generated(root, plan)} - before:
            files.remove(root / path)
        raise


def _run_commands(root: Path, plan: FunctionPlan) -> None:
    # A cache would keep the folder of a function that is taken back.
    env = processes.environment({"PYTHONDONTWRITEBYTECODE": "1"})
    for words in plan.scaffold.runs:
        argv = [scaffolds.render(word, plan.values) for word in words]
        try:
            processes.run([sys.executable if argv[0] == "python" else argv[0], *argv[1:]], cwd=root, env=env)
        except ToolError as cause:
            raise ToolError(f"nothing was written, because a command of the scaffold failed: {cause}") from cause


def _generated(root: Path, plan: FunctionPlan) -> list[str]:
    return function_removals.matching(root, plan.scaffold, plan.values)


def show(root: Path, plan: FunctionPlan) -> None:
    """Print what was written, and what to type next."""
    trigger = f"{plan.trigger}: {plan.values['message']}" if plan.values["message"] else str(plan.trigger)
    console.result(f"{plan.function} in the stack {plan.stack.name}, like {plan.example}; trigger {trigger}")
    console.results(f"  {path}" for path in sorted({*plan.changes.contents, *_generated(root, plan)}))
    console.result("next: inv sync build prove size, then inv deploy")
