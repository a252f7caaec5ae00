"""Plan a new function as contents of files. Pure but for reading the project's files."""

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from automation.authoring import additions, builtin_scaffold, insertions, scaffolds, selections, template_copies
from automation.authoring.file_changes import FileChanges
from automation.authoring.names import Names
from automation.authoring.scaffolds import Scaffold
from automation.authoring.selections import Parsed, Selection
from automation.authoring.template_copies import TemplateCopy, Wishes
from automation.authoring.triggers import Trigger
from automation.project import function_names, model, selection, templates
from automation.project.model import Project, Stack
from automation.project.selection import Chosen
from automation.system import files
from automation.system.errors import ConfigurationError, UsageError

_WITH_MESSAGES = frozenset({Trigger.BUS, Trigger.QUEUE})
_MESSAGE = re.compile(r"[A-Z][A-Za-z0-9]*")
_SCHEDULE = re.compile(r"(rate|cron|at)\([^()]+\)")
# A description goes into YAML, Python and a table, which spell other characters in different ways.
_DESCRIPTION = re.compile(r"[^\n\r\"\\|]{0,80}")


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says; an empty text leaves the choice to the plan."""

    trigger: str = ""
    stack: str = ""
    example: str = ""
    layer: str = ""
    message: str = ""
    schedule: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class FunctionPlan:
    """A new function before anything is written.

    Attributes:
        example: the function that is copied.
        values: the variables of the scaffold.
    """

    function: str
    stack: Stack
    example: str
    trigger: Trigger
    changes: FileChanges
    scaffold: Scaffold
    values: Mapping[str, str]


def plan(project: Project, names: Names, options: Options, *, known: Mapping[str, str]) -> FunctionPlan:
    """Plan a new function.

    Args:
        known: the source of each message that exists, by its name.

    Raises:
        UsageError: the name, the trigger, the stack, the layer or the message cannot be used.
        ConfigurationError: the template or the scaffold cannot be used.
    """
    configured = project_scaffold(project)
    scaffold = configured or Scaffold()
    stack, parsed, selected = _select(project, options, scaffold.keep)
    _require_new_name(parsed, names)
    _require_fitting(options, selected.trigger, known)
    wishes = _wishes(names, options, stack, selected.trigger, scaffold=scaffold, known=known)
    copied = template_copies.copy(parsed, selected, wishes)
    _require_only_additions(parsed, copied)

    scaffold = configured or _builtin(project, stack, copied, names)
    values = values_of(
        names,
        function=copied.function,
        stack=stack.name,
        trigger=selected.trigger,
        message=wishes.message,
        description=wishes.description,
    )
    facts = facts_of({selected.trigger}, wishes.message, is_known=wishes.message in known)
    contents = _contents(project.root, scaffold, values, facts)
    return FunctionPlan(
        function=copied.function,
        stack=stack,
        example=selected.example,
        trigger=selected.trigger,
        changes=FileChanges({stack.template.path: copied.text, **contents}),
        scaffold=scaffold,
        values=values,
    )


def _select(project: Project, options: Options, keep: Mapping[str, frozenset[str]]) -> tuple[Stack, Parsed, Selection]:
    """Return the stack of a new function, its template, and what is copied there.

    Without a stack it is the last one that has an example: it may use what the others export.

    Raises:
        UsageError: the stack, function or trigger does not exist.
    """
    chosen = selection.stacks(project, Chosen(stack=options.stack))
    example = function_names.find(options.example, project.functions).logical_id if options.example else ""
    refusal: UsageError | None = None
    for stack in reversed(chosen):
        if example and example not in {function.logical_id for function in stack.functions}:
            continue
        parsed = selections.parse(read_text(project.root / stack.template.path), path=stack.template.path)
        try:
            return stack, parsed, selections.select(parsed, example=example, trigger=options.trigger, keep=keep)
        except UsageError as cause:
            refusal = refusal or cause
    raise refusal or UsageError(f"{example} is not a function of the stack {options.stack}")


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


def _require_fitting(options: Options, trigger: Trigger, known: Mapping[str, str]) -> None:
    """Require that the options fit together.

    Raises:
        UsageError: one of them cannot be used.
    """
    message = options.message
    if message and trigger not in _WITH_MESSAGES:
        raise UsageError("--message needs --trigger bus or queue")
    if message and not _MESSAGE.fullmatch(message):
        raise UsageError(f"--message must be a name such as OrderPlaced, got {message!r}")
    if message in known and trigger is Trigger.QUEUE:
        raise UsageError(f"{message} has its consumers already; a queue has messages of its own")
    if not _DESCRIPTION.fullmatch(options.description):
        rule = "one line of at most 80 characters, without double quotes, backslashes and |"
        raise UsageError(f"--description must be {rule}")
    if options.schedule and trigger is not Trigger.SCHEDULE:
        raise UsageError("--schedule needs --trigger schedule")
    if options.schedule and not _SCHEDULE.fullmatch(options.schedule):
        raise UsageError(
            f"--schedule must be as in 'rate(1 day)' or 'cron(0 20 ? * MON-FRI *)', got {options.schedule!r}"
        )


def _wishes(
    names: Names, options: Options, stack: Stack, trigger: Trigger, *, scaffold: Scaffold, known: Mapping[str, str]
) -> Wishes:
    message = options.message
    if not message and trigger in _WITH_MESSAGES:
        message = scaffolds.render(scaffold.message, names.spellings)
        if message in known:
            advice = f"choose another name, or type --message {message}"
            raise UsageError(f"there is a message {message} already; {advice}")
    does = f"Handles {message}" if message else f"Does the work of {names.module}"
    return Wishes(
        names=names,
        description=options.description or does,
        message=message,
        source=known.get(message, scaffold.source if message else ""),
        schedule=options.schedule,
        schedule_input=scaffolds.render(scaffold.schedule_input, names.spellings),
        layer=_layer(stack, options.layer),
        keep=scaffold.keep.get(trigger, frozenset()),
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


def _require_new_name(parsed: Parsed, names: Names) -> None:
    for function in parsed.functions:
        if template_copies.module_of(parsed, function) in {names.module, names.kebab}:
            advice = f"choose another name, or take that one out first: inv remove-function {function}"
            raise UsageError(f"{names.module} is the code of {function} already; {advice}")


def _require_only_additions(parsed: Parsed, copied: TemplateCopy) -> None:
    if changed := additions.first_change(parsed.text, copied.text, name=parsed.path):
        message = f"the new function would change {changed}; copy another function with --example"
        raise ConfigurationError(message, where=parsed.path)


def _builtin(project: Project, stack: Stack, copied: TemplateCopy, names: Names) -> Scaffold:
    """Return the scaffold for the new function of a project that describes none."""
    template = templates.parse(copied.text, name=stack.template.path)
    changed = model.with_parameters(replace(stack, template=template), stack.parameters)
    function = next(function for function in changed.functions if function.logical_id == copied.function)
    if str(function.handler).split(".")[0] == names.module and names.module in sys.stdlib_module_names:
        raise UsageError(
            f"{names.module} is a module of Python, which Lambda would import instead; choose another name"
        )
    return builtin_scaffold.of_project(project, function)


def values_of(
    names: Names, *, function: str, stack: str, trigger: str, message: str, description: str
) -> Mapping[str, str]:
    """Return the variables of a scaffold."""
    return {
        **names.spellings,
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
            path = scaffolds.render(file.path, values)
            _require_new(root, path, values["module"])
            contents[path] = scaffolds.render(file.text, values, where=path)
    if not contents:
        raise UsageError(f"the scaffold has no files for the trigger {values['trigger']}; choose another --trigger")
    for insertion in scaffold.insertions:
        if insertion.when <= facts:
            text = contents.get(insertion.file) or read_text(root / insertion.file)
            contents[insertion.file] = insertions.insert(text, insertion, values)
    # New files come last: once lists and registries name the function, inv remove-function undoes what was killed.
    return dict(sorted(contents.items(), key=lambda item: not (root / item[0]).exists()))


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
