"""Every task of a namespace of Invoke, with its options: what `inv --help TASK` prints, on one page."""

from collections.abc import Iterator
from typing import Any

from invoke.collection import Collection
from invoke.parser.argument import Argument
from invoke.parser.context import ParserContext

from automation import commands
from automation.system import markdown
from automation.system.errors import CheckFailedError, Finding

_VALUES: dict[type, str] = {str: "TEXT", int: "NUMBER", list: "TEXT"}


def page(namespace: Collection, *, program: str) -> str:
    """Return the page.

    Args:
        program: what a person types before the name of a task.

    Raises:
        CheckFailedError: a task or an option has no text that says what it does.
    """
    if silent := list(findings(namespace)):
        raise CheckFailedError(f"{len(silent)} task(s) or option(s) without a description", findings=silent)

    contexts = sorted(namespace.to_contexts(), key=lambda context: str(context.name))
    rows = [
        (_link(f"{program} {context.name}"), markdown.with_code(_first_line(namespace, context)))
        for context in contexts
    ]
    overview = markdown.table(("task", "what it does"), rows, cell=str)
    sections = [_section(namespace, context, program) for context in contexts]
    return "\n\n".join([f"# The tasks of {program}", overview, *sections]) + "\n"


def findings(namespace: Collection) -> Iterator[Finding]:
    """Yield the tasks without a docstring, and the options without a help text."""
    for context in namespace.to_contexts():
        name = str(context.name)
        if not _text(namespace, context):
            yield Finding(name, "the task has no docstring", "say in a sentence what it does")
        for argument in _arguments(context):
            if not _help(namespace, context, argument):
                yield Finding(name, f"the option {argument.names[0]} has no help", "add it to help= of the task")


def _section(namespace: Collection, context: ParserContext, program: str) -> str:
    arguments = _arguments(context)
    rows = [(_usage(argument), _default(argument), _help(namespace, context, argument)) for argument in arguments]
    options = [markdown.table(("option", "default", "meaning"), rows, cell=markdown.with_code)] if rows else []
    paragraphs = (markdown.with_code(text) for text in _text(namespace, context).split("\n\n"))
    return "\n\n".join([f"## {program} {context.name}", *paragraphs, *options])


def _arguments(context: ParserContext) -> list[Argument]:
    """Return the arguments of a task, those without a flag first."""
    return sorted(context.args.values(), key=lambda argument: (not argument.positional, str(argument.name)))


def _help(namespace: Collection, context: ParserContext, argument: Argument) -> str:
    texts = commands.help_texts(namespace[str(context.name)])
    return next((texts[name] for name in (str(argument.name), argument.names[0]) if name in texts), "")


def _usage(argument: Argument) -> str:
    name, is_repeated = argument.names[0], argument.kind is list
    if argument.positional:
        return f"`{name}{'…' if is_repeated else ''}`"
    short = "".join(f"`-{letter}`, " for letter in argument.names if len(letter) == 1)
    value = _VALUES.get(argument.kind, "")
    if argument.optional:
        return f"{short}`--{name}[={value}]`"
    return f"{short}`--{name}{f' {value}' if value else ''}{' …' if is_repeated else ''}`"


def _default(argument: Argument) -> str:
    value: Any = argument.default
    return f"`{value}`" if isinstance(value, str | int) and value not in {"", False} else ""


def _text(namespace: Collection, context: ParserContext) -> str:
    """Return the docstring of a task without its indentation."""
    lines = (namespace[str(context.name)].__doc__ or "").strip().splitlines()
    return "\n".join(line.strip() for line in lines)


def _first_line(namespace: Collection, context: ParserContext) -> str:
    return _text(namespace, context).partition("\n")[0]


def _link(heading: str) -> str:
    """Return a link to the section of a task; a heading's anchor has neither dots nor spaces."""
    return f"[`{heading}`](#{heading.replace('.', '').replace(' ', '-')})"
