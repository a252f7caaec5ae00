"""The settings that pyproject.toml watches: each change on a line of its own, forbidden values as dangers."""

from collections.abc import Iterable, Iterator
from typing import Any

from automation.deploying.changes.comparison import is_same
from automation.deploying.changes.model import Action, Danger, Rank, RankedChange, ResourceChange
from automation.deploying.verdict.aspects import Aspect, ParameterChange
from automation.deploying.verdict.property_texts import HIDDEN, change_text, is_secret, pair_text, text_of, value_of
from automation.project.settings import Watched

KIND = "watched"
_PARAMETER = "a template parameter"
# CloudFormation writes the value of the template with every update of one of its other properties.
_STORED_VALUES = {"AWS::SSM::Parameter": "Value"}


def aspects(change: ResourceChange, watched: Iterable[Watched]) -> Iterator[Aspect]:
    """Yield the watched properties that a change sets to another value."""
    for setting in watched:
        if setting.resource not in {change.logical_id, change.type}:
            continue
        before, after = value_of(change.before, setting.property), value_of(change.after, setting.property)
        if is_same(before, after):
            continue

        paths = (f"Properties.{setting.property}",)
        what = f"{setting.name}: {change_text(setting.property, before, after)}"
        if text_of(after) in setting.forbid:
            yield Aspect(Rank.WATCHED, what, KIND, _fix(setting, before), paths=paths)
        elif change.action is Action.MODIFY:
            yield Aspect(Rank.WATCHED, what, needs_attention=True, paths=paths)
    yield from _reset_value(change)


def parameter_lines(parameters: Iterable[ParameterChange], watched: Iterable[Watched]) -> Iterator[RankedChange]:
    """Yield one line per watched parameter whose value changes."""
    settings = {setting.parameter: setting for setting in watched if setting.parameter}
    for change in parameters:
        if change.name in settings:
            what = _parameter_text(settings[change.name], change)
            yield RankedChange(
                Rank.WATCHED, change.stack, change.name, _PARAMETER, Action.MODIFY, what, needs_attention=True
            )


def parameter_dangers(parameters: Iterable[ParameterChange], watched: Iterable[Watched]) -> Iterator[Danger]:
    """Yield the watched parameters that change to a forbidden value."""
    settings = {setting.parameter: setting for setting in watched if setting.parameter}
    for change in parameters:
        setting = settings.get(change.name)
        if setting is not None and change.after in setting.forbid:
            what = _parameter_text(setting, change)
            yield Danger(KIND, change.stack, change.name, Rank.WATCHED, what, _fix(setting, change.before))


def _parameter_text(setting: Watched, change: ParameterChange) -> str:
    if is_secret(change.name):
        return f"{setting.name}: {HIDDEN} -> {HIDDEN}"
    return f"{setting.name}: {pair_text(_value(change.before), _value(change.after))}"


def _value(value: str | None) -> str:
    return '""' if value == "" else text_of(value)


def _fix(setting: Watched, before: Any) -> str:
    kept = f"keep {text_of(before)}" if before is not None else "choose another value"
    return f"{kept}; pyproject.toml forbids {' and '.join(setting.forbid)} as {setting.name}"


def _reset_value(change: ResourceChange) -> Iterator[Aspect]:
    name = _STORED_VALUES.get(change.type, "")
    is_reset = bool(name) and change.action is Action.MODIFY and bool(change.properties)
    if is_reset and is_same(value_of(change.before, name), value_of(change.after, name)):
        what = f"the update sets {name} back to {text_of(value_of(change.after, name))}, whatever it is now"
        yield Aspect(Rank.WATCHED, what, needs_attention=True)
