"""Plan a new function, or the removal of one, as contents of files. Pure but for reading the project's files."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from automation.authoring import additions, builtin_scaffold, insertions, scaffolds, selections, template_copies
from automation.authoring.file_changes import FileChanges
from automation.authoring.names import Names
from automation.authoring.scaffolds import Scaffold
from automation.authoring.selections import Parsed, Selection
from automation.authoring.template_copies import TemplateCopy, Wishes
from automation.authoring.triggers import Trigger
from automation.project import model, selection, templates, yamls
from automation.project.model import Function, Project, Stack
from automation.project.selection import Chosen
from automation.system import files
from automation.system.errors import ConfigurationError, UsageError

_MESSAGE = re.compile(r"[A-Z][A-Za-z0-9]*")
# A description goes into YAML, Python and a table, which spell other characters in different ways.
_DESCRIPTION = re.compile(r"[^\n\r\"\\|]{0,80}")


@dataclass(frozen=True, slots=True)
class Order:
    """What a person asks for; empty values leave the choice to the plan.

    Attributes:
        known: the source of each message that exists, by its name.
    """

    names: Names
    trigger: str = ""
    stack: str = ""
    example: str = ""
    layer: str = ""
    message: str = ""
    schedule: str = ""
    description: str = ""
    known: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FunctionPlan:
    """A new function before anything is written.

    Attributes:
        example: the function that is copied.
        resources: the logical ids of the new resources.
        values: what the placeholders of the scaffold stand for.
    """

    function: str
    stack: Stack
    example: str
    trigger: Trigger
    resources: tuple[str, ...]
    changes: FileChanges
    scaffold: Scaffold
    values: Mapping[str, str]


def plan(project: Project, order: Order) -> FunctionPlan:
    """Plan a new function.

    Raises:
        UsageError: the name, the trigger, the stack, the layer or the message cannot be used.
        ConfigurationError: the template or the scaffold cannot be used.
    """
    stack, parsed, selected = select(project, order)
    scaffold = project_scaffold(project)
    wishes = _wishes(order, stack, selected, scaffold or Scaffold())
    copied = template_copies.copy(parsed, selected, wishes)
    _require_only_additions(parsed, copied)

    function = _function(stack, copied)
    if scaffold is None:
        package = project.settings.package
        scaffold = builtin_scaffold.scaffold(
            function, package=package, has_tests=builtin_scaffold.has_tests(project.root)
        )
    values = _values(order, wishes, stack, selected, copied)
    facts = facts_of({selected.trigger}, wishes.message, is_known=wishes.message in order.known)
    contents = _contents(project.root, scaffold, values, facts)
    return FunctionPlan(
        function=copied.function,
        stack=stack,
        example=selected.example,
        trigger=selected.trigger,
        resources=tuple(copied.ids[name] for name in selected.copies),
        changes=FileChanges({stack.template.path: copied.text, **contents}),
        scaffold=scaffold,
        values=values,
    )


def select(project: Project, order: Order) -> tuple[Stack, Parsed, Selection]:
    """Return the stack of a new function, its template, and what is copied there.

    Without a stack it is the last one that has an example: it may use what the others export.

    Raises:
        UsageError: there is no such stack, function or trigger.
    """
    chosen = selection.stacks(project, Chosen(stack=order.stack))
    example = find_function(project, order.example).logical_id if order.example else ""
    refusal: UsageError | None = None
    for stack in reversed(chosen):
        if example and example not in {function.logical_id for function in stack.functions}:
            continue
        parsed = selections.parse(read_text(project.root / stack.template.path), path=stack.template.path)
        try:
            return stack, parsed, selections.select(parsed, example=example, trigger=order.trigger)
        except UsageError as cause:
            refusal = refusal or cause
    raise refusal or UsageError(f"{example} is not a function of the stack {order.stack}")


def find_function(project: Project, name: str) -> Function:
    """Return the function with this logical id, code folder or module.

    Raises:
        UsageError: there is none, or more than one.
    """
    namesakes = [function for function in project.functions if name in names_of(function)]
    if len(namesakes) == 1:
        return namesakes[0]
    known = ", ".join(function.logical_id for function in project.functions)
    problem = f"{len(namesakes)} functions have the name" if namesakes else "there is no function"
    raise UsageError(f"{problem} {name!r}; the functions are: {known}")


def names_of(function: Function) -> frozenset[str]:
    """Return the names by which people and registries may call a function."""
    folder = PurePosixPath(str(function.code_uri or "")).name
    return frozenset({function.logical_id, folder, *str(function.handler).split(".")[:-1]} - {""})


def project_scaffold(project: Project) -> Scaffold | None:
    """Return the scaffold that pyproject.toml names; None without one.

    Raises:
        ConfigurationError: it cannot be read.
    """
    name = project.settings.scaffold
    return scaffolds.read(project.root / name, name=name) if name else None


def read_text(path: Path) -> str:
    """Return the text of a file with the line breaks that it has.

    Raises:
        ConfigurationError: it is missing or is not UTF-8.
    """
    try:
        return path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as cause:
        raise ConfigurationError(f"cannot be read: {cause}", where=files.display_path(path)) from cause


def _wishes(order: Order, stack: Stack, selected: Selection, scaffold: Scaffold) -> Wishes:
    has_message = selected.trigger in {Trigger.BUS, Trigger.QUEUE}
    if order.message and not has_message:
        raise UsageError("--message needs --trigger bus or queue")
    if order.message and not _MESSAGE.fullmatch(order.message):
        raise UsageError(f"--message must be a name such as OrderPlaced, got {order.message!r}")
    if order.message in order.known and selected.trigger is Trigger.QUEUE:
        raise UsageError(f"{order.message} has its consumers already; a queue has messages of its own")
    if not _DESCRIPTION.fullmatch(order.description):
        message = "--description must be one line of at most 80 characters, without double quotes, backslashes and |"
        raise UsageError(message)
    if order.schedule and selected.trigger is not Trigger.SCHEDULE:
        raise UsageError("--schedule needs --trigger schedule")

    names = order.names
    spellings = {"module": names.module, "kebab": names.kebab, "words": names.words, "camel": names.camel}
    message = order.message or (
        scaffolds.render(scaffold.message, spellings, where=scaffolds.FILE) if has_message else ""
    )
    if message in order.known and not order.message:
        raise UsageError(f"there is a message {message} already; choose another name, or type --message {message}")
    does = f"Handles {message}" if message else f"Does the work of {names.module}"
    return Wishes(
        names=names,
        description=order.description or does,
        message=message,
        source=order.known.get(message, scaffold.source if message else ""),
        schedule=order.schedule,
        schedule_input=scaffolds.render(scaffold.schedule_input, spellings, where=scaffolds.FILE),
        layer=_layer(stack, order.layer),
        keep=scaffold.keep.get(selected.trigger, frozenset()),
    )


def _layer(stack: Stack, name: str) -> str:
    """Return the logical id of a layer of the stack, by that id or by its folder."""
    if not name:
        return ""
    layers = {layer.logical_id: PurePosixPath(str(layer.content_uri or "")).name for layer in stack.layers}
    for logical_id, folder in layers.items():
        if name in {logical_id, folder}:
            return logical_id
    known = ", ".join(layers) or "none"
    raise UsageError(f"the stack {stack.name} has no layer {name!r}; its layers are: {known}; inv new-layer adds one")


def _require_only_additions(parsed: Parsed, copied: TemplateCopy) -> None:
    before, after = (yamls.load(text, name=parsed.path) for text in (parsed.text, copied.text))
    changed = [*additions.differences(before, after)]
    if changed:
        message = f"the new function would change {changed[0]}; copy another function with --example"
        raise ConfigurationError(message, where=parsed.path)


def _function(stack: Stack, copied: TemplateCopy) -> Function:
    template = templates.parse(copied.text, name=stack.template.path)
    changed = model.with_parameters(replace(stack, template=template), stack.parameters)
    return next(function for function in changed.functions if function.logical_id == copied.function)


def _values(order: Order, wishes: Wishes, stack: Stack, selected: Selection, copied: TemplateCopy) -> Mapping[str, str]:
    return values_of(
        order.names,
        function=copied.function,
        stack=stack.name,
        trigger=selected.trigger,
        message=wishes.message,
        description=wishes.description,
    )


def values_of(
    names: Names, *, function: str, stack: str, trigger: str, message: str, description: str
) -> Mapping[str, str]:
    """Return what the placeholders of a scaffold stand for."""
    return {
        "module": names.module,
        "kebab": names.kebab,
        "words": names.words,
        "camel": names.camel,
        "function": function,
        "stack": stack,
        "trigger": trigger,
        "message": message,
        "description": description,
    }


def facts_of(triggers: Iterable[Trigger], message: str, *, is_known: bool) -> frozenset[str]:
    """Return the facts by which a scaffold chooses its files and insertions."""
    about_message = {"message", "known-message" if is_known else "new-message"} if message else set()
    return frozenset({*map(str, triggers), *about_message})


def _contents(root: Path, scaffold: Scaffold, values: Mapping[str, str], facts: frozenset[str]) -> dict[str, str]:
    contents = {}
    for file in scaffold.files:
        if file.when <= facts:
            path = scaffolds.render(file.path, values, where=scaffolds.FILE)
            _require_new(root, path, values["module"])
            contents[path] = scaffolds.render(file.text, values, where=path)
    if not contents:
        raise UsageError(f"the scaffold has no files for the trigger {values['trigger']}; choose another --trigger")
    for insertion in scaffold.insertions:
        if insertion.when <= facts:
            text = contents.get(insertion.file) or read_text(root / insertion.file)
            contents[insertion.file] = insertions.insert(text, insertion, values)
    return contents


def _require_new(root: Path, path: str, module: str) -> None:
    """Require that neither a file nor the folder that has the function's name exists.

    Raises:
        UsageError: it exists.
    """
    folder = own_folder(path, module)
    if (root / path).exists() or (folder and any(files.walk(root / folder, keep=is_source))):
        raise UsageError(f"{folder or path} exists already; choose another name, or remove it first")


def own_folder(path: str, module: str) -> str:
    """Return the folder on a path that has the function's name; empty without one."""
    parents = PurePosixPath(path).parents
    return next((parent.as_posix() for parent in parents if parent.name == module), "")


def is_source(path: Path) -> bool:
    """Return whether a file or folder is not a cache of Python."""
    return path.name != "__pycache__"
