"""The parameters that a person is asked for once: `ask` in pyproject.toml.

Their values belong to an environment, not to a release, and no file has them: they are read from the deployed stacks,
and after `inv destroy` from the last release. So a later deployment or a rollback keeps them, and only --set changes
them.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from types import MappingProxyType
from typing import Any

from automation.deploying.releases.records import Release, Status
from automation.deploying.scope import Scope
from automation.project import templates
from automation.project.environments import StackSettings
from automation.project.sam_configuration import SAMCONFIG
from automation.project.settings import TABLE
from automation.system import console
from automation.system.errors import UsageError

# Source: RFC 2606: nobody can receive mail there.
_EXAMPLE = re.compile(r"@(?:[\w-]+\.)*example\.(?:com|net|org)\b", re.IGNORECASE)
_ADDRESS, _ANY_VALUE = "you@example.org", "VALUE"
_TEXTS = ("Default", "AllowedPattern")

type Definition = Mapping[str, Any]
type Prompt = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Question:
    """A parameter whose value is not known.

    Attributes:
        definitions: of the parameter, one per template that has it.
    """

    name: str
    definitions: tuple[Definition, ...]

    @property
    def is_hidden(self) -> bool:
        """Whether its value must not be shown."""
        return any(templates.is_no_echo(definition) for definition in self.definitions)

    @property
    def description(self) -> str:
        """What a template says about it; it may be empty."""
        return next(filter(None, (str(definition.get("Description", "")) for definition in self.definitions)), "")

    @property
    def text(self) -> str:
        """What a person is asked."""
        return f"{self.name} ({self.description}):" if self.description else f"{self.name}:"

    @property
    def default(self) -> str | None:
        """The default of a template; None when one has none."""
        defaults = [definition.get("Default") for definition in self.definitions]
        return None if None in defaults else str(defaults[0])

    @property
    def example(self) -> str:
        """A value that could be typed."""
        for definition in self.definitions:
            if allowed := definition.get("AllowedValues"):
                return str(allowed[0])
        texts = chain.from_iterable((str(definition.get(key, "")) for key in _TEXTS) for definition in self.definitions)
        return _ADDRESS if any("@" in text for text in texts) else _ANY_VALUE

    @property
    def has_usable_example(self) -> bool:
        """Whether a plan can be made without its value: with the default, or with the example."""
        return self.default is not None or not problem_of(self.example, self.definitions)


def is_example(address: str) -> bool:
    """Return whether a text has a mail address of a domain that is reserved for examples."""
    return _EXAMPLE.search(address) is not None


def parse(words: Iterable[str]) -> dict[str, str]:
    """Return the values that were typed as `--set NAME=VALUE`.

    Raises:
        UsageError: a word has another form.
    """
    pairs = [word.partition("=") for word in words]
    for name, separator, value in pairs:
        if not (name and separator and value):
            raise UsageError(f"{name or value!r} must be NAME=VALUE, as in AlertsTo={_ADDRESS}", where="--set")
    return {name: value for name, _, value in pairs}


def require_settable(scope: Scope, chosen: Mapping[str, str]) -> None:
    """Refuse values that --set must not give: what it sets must not be reset by the next deployment.

    Raises:
        UsageError: a parameter is not one to ask for, a file gives it a value, or a template does not allow this one.
    """
    asked = scope.project.settings.ask
    for name, value in chosen.items():
        if name not in asked:
            known = f"only {', '.join(asked)} can be set here" if asked else f"ask of {TABLE} names no parameter"
            raise UsageError(f"{known}; other parameters are in {SAMCONFIG}", where=f"--set {name}")
        if not scope.environment.needs_people:
            raise UsageError(f"{scope.environment.name} takes its parameters from {SAMCONFIG}", where=f"--set {name}")
        for settings in scope.stacks:
            if name in settings.parameters:
                section = f"[{settings.config_env}.deploy.parameters]"
                raise UsageError(f"{SAMCONFIG}: {section} gives it a value; change it there", where=f"--set {name}")
        if problem := problem_of(value, _definitions(scope, name)):
            raise UsageError(problem, where=f"--set {name}")


def of_releases(known: Iterable[Release], names: Collection[str]) -> dict[str, str]:
    """Return the values that the newest deployed release had, otherwise those of the newest one, which has failed.

    Args:
        known: newest first.
        names: of the parameters.
    """
    every_release = tuple(known) or (Release(),)
    newest = next((release for release in every_release if release.status == Status.DEPLOYED), every_release[0])
    parameters = chain.from_iterable(stack.parameters.items() for stack in newest.stacks)
    return {name: value for name, value in parameters if name in names}


def fill(
    scope: Scope,
    deployed: Mapping[str, Mapping[str, str]],
    chosen: Mapping[str, str],
    released: Mapping[str, str] = MappingProxyType({}),
) -> Scope:
    """Return the scope with the values that are known, and which of them no file gives. Idempotent.

    Args:
        deployed: the parameters of the stacks in the account, by their names there.
        chosen: what a person has just chosen; it comes first.
        released: the values of the last release, by name; they come last.
    """
    asked = scope.project.settings.ask if scope.environment.needs_people else ()
    stacks = [_filled(settings, asked, {**deployed, "": released}, chosen) for settings in scope.stacks]
    return replace(scope, stacks=tuple(stacks))


def questions(scope: Scope) -> tuple[Question, ...]:
    """Return the parameters whose values are still not known.

    Args:
        scope: one that was filled.
    """
    names = dict.fromkeys(chain.from_iterable(_unknown(settings) for settings in scope.stacks))
    return tuple(Question(name, _definitions(scope, name)) for name in names)


def ask(asked: Iterable[Question], *, prompt: Prompt, hidden_prompt: Prompt, where: str) -> dict[str, str]:
    """Ask a person for values, for each until the templates allow it.

    Raises:
        UsageError: an answer is empty; nothing was changed.
    """
    return {
        question.name: _answer(question, hidden_prompt if question.is_hidden else prompt, where) for question in asked
    }


def set_words(asked: Iterable[Question]) -> list[str]:
    """Return the words of a command that set parameters, with examples of values."""
    return list(chain.from_iterable(("--set", f"{question.name}={question.example}") for question in asked))


def problem_of(value: str, definitions: Iterable[Definition]) -> str:
    """Return why templates do not allow a value; empty when they do. The text does not repeat the value."""
    for definition in definitions:
        allowed = [str(entry) for entry in definition.get("AllowedValues", ())]
        pattern = str(definition.get("AllowedPattern", ""))
        explained = str(definition.get("ConstraintDescription", ""))
        if allowed and value not in allowed:
            return explained or f"must be one of {', '.join(allowed)}"
        if pattern and not re.fullmatch(pattern, value):
            return explained or f"must match {pattern}"
    return ""


def _answer(question: Question, prompt: Prompt, where: str) -> str:
    while value := prompt(question.text):
        problem = problem_of(value, question.definitions)
        if not problem:
            return value
        console.warning(f"{question.name} {problem}")
    raise UsageError(f"{question.name} has no value; cancelled: nothing was changed", where=where)


def _filled(
    settings: StackSettings,
    asked: Sequence[str],
    deployed: Mapping[str, Mapping[str, str]],
    chosen: Mapping[str, str],
) -> StackSettings:
    definitions, own = settings.stack.template.parameters, deployed.get(settings.stack_name, {})
    values, present = dict(settings.parameters), dict(settings.asked)
    for name in asked:
        is_given = name in settings.parameters and name not in settings.asked
        if name not in definitions or is_given:
            continue
        present.setdefault(name, own.get(name, ""))
        if name in chosen:
            values[name] = chosen[name]
        elif name not in values and not templates.is_no_echo(definitions[name]):
            # The stack's own value first, then that of any other stack: one answer is for all of them.
            candidates = (own.get(name, ""), *(parameters.get(name, "") for parameters in deployed.values()))
            usable = [value for value in candidates if not _is_open(value, definitions[name])]
            values |= {name: usable[0]} if usable else {}
    return replace(settings, parameters=values, asked=present)


def _is_open(value: str, definition: Definition) -> bool:
    """Return whether nobody has chosen a deployed value: it is empty, or the example in the template."""
    return not value or (is_example(value) and value == str(definition.get("Default", "")))


def _unknown(settings: StackSettings) -> list[str]:
    definitions = settings.stack.template.parameters
    return [
        name
        for name, present in settings.asked.items()
        if name not in settings.parameters
        and _is_open(str(definitions[name].get("Default", "")), definitions[name])
        and not (present and templates.is_no_echo(definitions[name]))
    ]


def _definitions(scope: Scope, name: str) -> tuple[Definition, ...]:
    definitions = [settings.stack.template.parameters.get(name) for settings in scope.stacks]
    return tuple(definition for definition in definitions if definition is not None)
