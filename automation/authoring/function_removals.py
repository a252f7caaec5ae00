"""Plan the removal of a function as contents of files. Pure but for reading the project's files."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from automation.authoring import (
    additions,
    builtin_scaffold,
    function_plans,
    insertions,
    scaffolds,
    selections,
    template_copies,
    template_removals,
)
from automation.authoring.file_changes import FileChanges
from automation.authoring.names import Names
from automation.authoring.ownership import Resource
from automation.authoring.scaffolds import Insertion, Scaffold
from automation.authoring.selections import Parsed
from automation.authoring.triggers import triggers_of
from automation.project import function_names
from automation.project.model import Function, Project, Stack
from automation.system import files
from automation.system.errors import ConfigurationError

# A word, or a sign that a formatter neither adds nor removes.
_WORD = re.compile(r"\w+|[^\w\s(),]")

type Values = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Consumed:
    """A message that the function consumes.

    Attributes:
        is_its_own: no other function sends or consumes it, so it goes with the function.
    """

    name: str
    is_its_own: bool


@dataclass(frozen=True, slots=True)
class RemovalPlan:
    """The removal of a function before anything is written.

    Attributes:
        module: the name of its code.
        resources: the resources that leave the template.
        edited: files to remove whose text is not the scaffold's: somebody has worked on them.
        folders: the folders of its files, which go when only caches stay in them.
        generated: its code folder, when inv sync fills it; empty otherwise.
    """

    function: Function
    stack: Stack
    module: str
    resources: tuple[Resource, ...]
    changes: FileChanges
    edited: tuple[str, ...]
    folders: tuple[str, ...]
    generated: str


def plan(project: Project, name: str, *, consumed: Iterable[Consumed]) -> RemovalPlan:
    """Plan to remove a function.

    Args:
        name: its logical id, code folder or module.
        consumed: the messages that it consumes, as the project's registry says.

    Raises:
        UsageError: the function does not exist.
        CheckFailedError: other resources use what belongs to it.
        ConfigurationError: the template or the scaffold cannot be read.
    """
    function = function_names.find(name, project.functions)
    stack = next(stack for stack in project.stacks if stack.name == function.stack)
    parsed = selections.parse(function_plans.read_text(project.root / stack.template.path), path=stack.template.path)
    removal = template_removals.remove(parsed, function.logical_id)
    _require_only_removals(parsed, removal.text)

    scaffold = function_plans.project_scaffold(project) or _builtin(project, function)
    module = template_copies.module_of(parsed, function.logical_id)
    variants = _variants(function, module, parsed, tuple(consumed))
    sources = _sources(project.root, scaffold, module, variants)
    # The template comes last, and before it the registry of messages, whose insertions are a scaffold's first: as long
    # as both name the function, the same command finishes a removal that was killed.
    contents: dict[str, str | None] = dict.fromkeys([*sources, *_generated(project.root, scaffold, variants)])
    contents |= _without_insertions(project.root, scaffold, variants)
    contents[stack.template.path] = removal.text
    return RemovalPlan(
        function=function,
        stack=stack,
        module=module,
        resources=removal.removed,
        changes=FileChanges(contents),
        edited=tuple(path for path, is_edited in sources.items() if is_edited),
        folders=tuple(sorted({Path(path).parent.as_posix() for path in sources} - {"."})),
        generated=_generated_folder(project, function),
    )


def _require_only_removals(parsed: Parsed, text: str) -> None:
    if changed := additions.first_change(text, parsed.text, name=parsed.path):
        message = f"the removal would change {changed}; take the function out by hand"
        raise ConfigurationError(message, where=parsed.path)


@dataclass(frozen=True, slots=True)
class _Variant:
    """One way in which a scaffold may have been applied."""

    values: Values
    facts: frozenset[str]


def _builtin(project: Project, function: Function) -> Scaffold:
    """Return what would be written for the function without a scaffold; for other languages its code folder."""
    try:
        return builtin_scaffold.of_project(project, function)
    except ConfigurationError:
        return Scaffold(files=(scaffolds.NewFile(f"{function.code_uri}/handler", ""),))


def _variants(function: Function, module: str, parsed: Parsed, consumed: tuple[Consumed, ...]) -> tuple[_Variant, ...]:
    own = triggers_of(function.logical_id, parsed.resources, parsed.owners)
    variants = []
    for message in consumed or (Consumed("", is_its_own=False),):
        values = function_plans.values_of(
            Names(module),
            function=function.logical_id,
            stack=function.stack,
            trigger=own.main,
            message=message.name,
            description=str(function.properties.get("Description", "")),
        )
        is_known = not message.is_its_own
        facts = function_plans.facts_of(own.kinds, message.name, is_known=is_known)
        variants.append(_Variant(values, facts))
    return tuple(variants)


def _sources(root: Path, scaffold: Scaffold, module: str, variants: Iterable[_Variant]) -> dict[str, bool]:
    """Return the files of a function, and whether each differs from what the scaffold says."""
    expected: dict[str, list[list[str]]] = {}
    for file in scaffold.files:
        for variant in variants:
            path = scaffolds.render(file.path, variant.values)
            text = scaffolds.render(file.text, variant.values, where=path)
            expected.setdefault(path, []).append(_words(text))

    paths = {path for path in expected if (root / path).is_file()}
    for folder in {function_plans.own_folder(path, module) for path in expected} - {""}:
        paths |= {f"{folder}/{path.as_posix()}" for path in files.walk(root / folder, keep=function_plans.is_source)}
    texts = {path: (root / path).read_text(encoding="utf-8", errors="replace") for path in sorted(paths)}
    return {path: _words(text) not in expected.get(path, []) for path, text in texts.items()}


def _words(text: str) -> list[str]:
    """Return what a formatter leaves of a text: it may wrap lines and move imports."""
    return sorted(_WORD.findall(text))


def _without_insertions(root: Path, scaffold: Scaffold, variants: Iterable[_Variant]) -> dict[str, str]:
    """Return the texts of the files without what the scaffold inserted into them."""
    before: dict[str, str] = {}
    contents: dict[str, str] = {}
    for variant in variants:
        for insertion in reversed(_applied(scaffold, variant)):
            if insertion.file not in contents:
                before[insertion.file] = contents[insertion.file] = function_plans.read_text(root / insertion.file)
            contents[insertion.file] = insertions.remove(contents[insertion.file], insertion, variant.values)
    return {path: text for path, text in contents.items() if text != before[path]}


def _applied(scaffold: Scaffold, variant: _Variant) -> list[Insertion]:
    return [insertion for insertion in scaffold.insertions if insertion.when <= variant.facts]


def _generated(root: Path, scaffold: Scaffold, variants: Iterable[_Variant]) -> list[str]:
    """Return the files that the scaffold's commands wrote for messages that go with the function."""
    paths: list[str] = []
    for variant in variants:
        if "new-message" in variant.facts:
            paths += matching(root, scaffold, variant.values)
    return paths


def matching(root: Path, scaffold: Scaffold, values: Values) -> list[str]:
    """Return the files that the scaffold's commands write."""
    patterns = [scaffolds.render(pattern, values) for pattern in scaffold.generated]
    paths: list[str] = []
    for pattern in patterns:
        paths += sorted(path.relative_to(root).as_posix() for path in root.glob(pattern))
    return paths


def _generated_folder(project: Project, function: Function) -> str:
    package = project.settings.package
    is_copied = bool(package) and str(function.handler).startswith(f"{package}.")
    return function.code_uri.rstrip("/") if is_copied and isinstance(function.code_uri, str) else ""
