"""`alchemiser init`: show and write the few files that a project needs, then build and prove it for the first time."""

import textwrap
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from automation import build, prove
from automation.authoring import project_files
from automation.authoring.project_files import ProjectFile
from automation.building import built, up_to_date
from automation.commands import TASKS_FILES
from automation.project import model, sam_configuration, selection, template_search
from automation.project.settings import PYPROJECT
from automation.system import console, files
from automation.system.errors import ConfigurationError, UsageError

_WHERE = "init"
_PACKAGE = "automation"
_MOST_STACKS = 12
_SHOWN_TEMPLATES = 3


def build_stale(root: Path, *, variables: Mapping[str, str], is_silent: bool = False) -> None:
    """Build what is stale, and print what was built unless another result follows as JSON.

    Raises:
        AutomationError: as `build.build`.
    """
    if up_to_date.count(root):
        return
    result = build.build(root, selection.EVERYTHING, engine="uv", variables=variables, note=True)
    if not is_silent:
        build.show(result)


def build_and_prove(root: Path, *, variables: Mapping[str, str]) -> None:
    """Build and prove for the first time, and say what to type from now on.

    Raises:
        CheckFailedError: the proof found errors; they are printed first.
        AutomationError: the project cannot be built.
    """
    build_stale(root, variables=variables)
    proof = prove.prove(built.as_built(model.load(root)))
    prove.show(proof)
    console.result("\nfrom now on: inv build, inv prove, inv size; inv lists all tasks")
    prove.require_no_errors(proof)


def start(
    root: Path, *, yes: bool, variables: Mapping[str, str], run_first: Callable[..., None] = build_and_prove
) -> None:
    """Show the files, ask, write those that are missing, then build and prove.

    Args:
        yes: write without a question.
        variables: the process's environment variables.
        run_first: builds and proves.

    Raises:
        UsageError: the user did not confirm, or there are too many templates.
        ConfigurationError: a folder of the project has the name of our package, or a person must add the stacks first.
        CheckFailedError: the proof found errors; they are printed first.
        AutomationError: the project cannot be read or built.
    """
    _require_free_name(root)
    tasks_file = next((name for name in TASKS_FILES if (root / name).is_file()), TASKS_FILES[0])
    present, samconfig = _present(root, tasks_file), sam_configuration.read(root)
    templates = find_stacks(root)
    planned = project_files.plan(present, templates, samconfig, tasks_file=tasks_file)
    show(planned)
    if not templates:
        _warn_of_others(root)

    missing = [file for file in planned if not file.exists]
    if missing:
        names = ", ".join(file.path for file in missing)
        _confirm(names, yes=yes)
        for file in missing:
            files.write_atomically(root / file.path, file.text)
        console.result(f"written: {names}\n")
    if templates and any(file.path == PYPROJECT and file.exists and file.text for file in planned):
        message = "has no stacks yet: add the lines that are shown above, then run alchemiser init again"
        raise ConfigurationError(message, where=PYPROJECT)
    run_first(root, variables=variables)


def find_stacks(root: Path) -> tuple[str, ...]:
    """Return the templates that the settings must name: those that SAM does not take by itself, unless it takes one.

    Raises:
        ConfigurationError: there is no template, or it cannot be read.
        UsageError: there are more templates than one project has.
    """
    problem = None
    try:
        if any(stack.owners or stack.skipped or stack.nested for stack in model.load(root).stacks):
            return ()
    except ConfigurationError as cause:
        problem = cause

    templates = template_search.find(root)
    if problem and not templates and not any(root.glob("template.*")):
        message = "there is no SAM template here, nor in the folders below; run alchemiser init beside one"
        raise ConfigurationError(message, where=_WHERE) from problem
    if problem and _has_usual_template(root) and not any("/" in template for template in templates):
        raise problem
    if len(templates) > _MOST_STACKS:
        shown = ", ".join(templates[:_SHOWN_TEMPLATES])
        message = f"there are {len(templates)} templates, such as {shown}; run alchemiser init in the folder of one"
        raise UsageError(message, where=_WHERE)
    return templates


def _has_usual_template(root: Path) -> bool:
    """Return whether SAM takes a template here without an option."""
    is_named = bool(sam_configuration.template_file(sam_configuration.read(root)))
    return is_named or any((root / name).is_file() for name in model.TEMPLATES)


def _warn_of_others(root: Path) -> None:
    """Name the templates below the root that the project as it is does not have."""
    loaded = model.load(root)
    known = {stack.template.path for stack in loaded.stacks}
    others = [template for template in template_search.find(root) if template not in known]
    if others and not loaded.settings.stacks:
        shown = ", ".join(others[:_SHOWN_TEMPLATES])
        more = f" and {len(others) - _SHOWN_TEMPLATES} more" if len(others) > _SHOWN_TEMPLATES else ""
        advice = (
            "to include them, name every template in [[tool.alchemiser.stacks]], or run alchemiser init beside each"
        )
        console.warning(f"not part of this project: {shown}{more}; {advice}")


def show(planned: Iterable[ProjectFile]) -> None:
    """Print each file with the text that it gets, or that a person should add."""
    for file in planned:
        if not file.exists:
            console.result(f"{file.path}: new")
        elif file.text:
            console.result(f"{file.path}: exists and is not changed; add by hand")
        else:
            console.result(f"{file.path}: exists and has what is needed")
        console.result(textwrap.indent(file.text, "    "))


def _require_free_name(root: Path) -> None:
    """Check that tasks.py would import this automation: Invoke puts the project's folder first on sys.path."""
    own = root / _PACKAGE
    is_hidden = own.with_suffix(".py").is_file() or (own.is_dir() and not (own / "commands.py").is_file())
    if is_hidden:
        message = "has the name of our package, so tasks.py cannot import it; use alchemiser build and alchemiser prove"
        raise ConfigurationError(message, where=f"{_PACKAGE}/" if own.is_dir() else f"{_PACKAGE}.py")


def _present(root: Path, tasks_file: str) -> dict[str, str]:
    """Return the texts of the files that exist; outside git nobody needs a .gitignore."""
    names = [name for name in (tasks_file, *project_files.NAMES) if (root / name).is_file()]
    present = {name: (root / name).read_text(encoding="utf-8", errors="replace") for name in names}
    if (root / ".git").exists():
        present.setdefault(project_files.GIT_FILE, "")
    return present


def _confirm(names: str, *, yes: bool) -> None:
    if yes:
        return
    if not console.is_interactive():
        raise UsageError("nothing was written, because nobody can be asked here; add --yes", where=_WHERE)
    if console.ask(f"write {names}? type y:") != "y":
        raise UsageError("cancelled: nothing was written (type y to confirm)", where=_WHERE)
