"""`inv new-layer`: write a layer with locked requirements, after the example of one that exists."""

import tempfile
from pathlib import Path
from typing import Protocol

from automation import locks, new_function, validate
from automation.authoring import file_changes, layer_plans, names
from automation.authoring.file_changes import FileChanges
from automation.authoring.layer_plans import LOCK, REQUIREMENTS, LayerPlan
from automation.locks import Lock
from automation.new_function import Lint
from automation.project import model
from automation.system import console, files

_COMMAND = "new-layer"


class CompileLock(Protocol):
    """Writes a lock; locks.compile_lock is the real one."""

    def __call__(self, lock: Lock, *, root: Path) -> None:
        """Write the lock below a folder."""
        ...


def create(
    root: Path,
    name: str,
    *,
    requirements: tuple[str, ...],
    stack: str = "",
    example: str = "",
    lint: Lint = validate.lint,
    compile_lock: CompileLock = locks.compile_lock,
) -> LayerPlan:
    """Write a new layer and its lock, or nothing.

    Args:
        requirements: such as `httpx==0.28.1`.
        stack, example: the stack that gets it, and the layer to copy; empty for the first that fits.
        lint: returns the faults of templates.
        compile_lock: writes a lock.

    Raises:
        UsageError: a name or a requirement cannot be used.
        ConfigurationError: the template cannot be edited.
        CheckFailedError: cfn-lint finds a fault in the new template.
        ToolError: uv found no solution, or the index did not answer.
    """
    spellings = names.parse(name, command=_COMMAND)
    project = model.load(root)
    plan = layer_plans.plan(project, spellings, requirements=requirements, stack_name=stack, example=example)
    new_function.require_no_new_faults(project, plan.stack, plan.changes, lint=lint)
    lock = _lock(plan, compile_lock)
    with file_changes.written(root, FileChanges({**plan.changes.contents, f"{plan.folder}/{LOCK}": lock})):
        return plan


def show(plan: LayerPlan) -> None:
    """Print what was written, and what to type next."""
    console.result(f"{plan.layer} in the stack {plan.stack.name}, like {plan.example.logical_id}")
    console.results(f"  {path}" for path in sorted({*plan.changes.contents, f"{plan.folder}/{LOCK}"}))
    console.result(
        f"next: add !Ref {plan.layer} to the Layers of a function, or name it as --layer of inv new-function"
    )


def _lock(plan: LayerPlan, compile_lock: CompileLock) -> str:
    """Return the locked requirements of a layer that is not written yet."""
    source, target = f"{plan.folder}/{REQUIREMENTS}", f"{plan.folder}/{LOCK}"
    with tempfile.TemporaryDirectory() as folder, console.progress("locking"):
        files.write_atomically(Path(folder) / source, plan.changes.contents[source] or "")
        python = locks.python_of(plan.example.runtimes)
        compile_lock(Lock(target, (source,), python), root=Path(folder))
        return (Path(folder) / target).read_text(encoding="utf-8")
