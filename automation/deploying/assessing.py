"""Collect what the verdict on a plan needs besides the changes of resources, and pass the verdict."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from automation.deploying.changes import resolution
from automation.deploying.changes.comparison import is_same
from automation.deploying.changes.model import Action, Assessment, Expanded, Rank, RankedChange
from automation.deploying.connections import Tables
from automation.deploying.planning import PlannedStack
from automation.deploying.verdict import code_changes, dangers
from automation.deploying.verdict.aspects import Facts, ParameterChange
from automation.deploying.verdict.property_texts import change_text
from automation.project import templates
from automation.project.settings import Watched

_TABLE = "AWS::DynamoDB::Table"
_INDEXES = "Properties.GlobalSecondaryIndexes"
_CODE = "Properties.Code"
_OUTPUT = "an output of the stack"
_EXPORT = "an export of the stack"


def assess(
    stacks: Sequence[PlannedStack],
    *,
    watched: Sequence[Watched],
    tables: Tables,
    allow: Iterable[str],
    enforce: bool,
    reasons: Callable[[], Mapping[str, str]] = dict,
    lines: Sequence[RankedChange] = (),
) -> Assessment:
    """Pass the verdict on a plan.

    Args:
        allow: the dangers that were allowed by name.
        enforce: whether dangers must be allowed; see dangers.assess.
        reasons: returns why the code of functions changes, by logical id; called only if code changes.
        lines: changes that no stack shows, such as those of message contracts.

    Raises:
        DeploymentError: DynamoDB did not answer.
        ToolError: cfn-lint is not installed.
    """
    facts = Facts(
        watched=tuple(watched),
        parameters=tuple(
            chain.from_iterable(parameter_changes(stack.name, stack.deployed_before, stack.after) for stack in stacks)
        ),
        code_reasons=reasons() if any(_changes_code(stack) for stack in stacks) else {},
        layer_users=_layer_users(stacks),
        deployed_indexes=_deployed_indexes(stacks, tables),
        lines=(*lines, *chain.from_iterable(map(_output_lines, stacks))),
        hidden=frozenset(chain.from_iterable(_hidden(stack) for stack in stacks)),
        adopted=frozenset(chain.from_iterable(_adopted(stack) for stack in stacks)),
    )
    changes = tuple(chain.from_iterable(stack.changes for stack in stacks))
    return dangers.assess(changes, facts, allow=allow, enforce=enforce)


def output_lines(stack: str, before: Expanded | None, after: Expanded) -> Iterator[RankedChange]:
    """Yield one line per output and export of a stack that is new, changes or is removed; none for a new stack."""
    if before is None:
        return
    old, new = resolution.resolve(before), resolution.resolve(after)
    for name in sorted({*old.outputs, *new.outputs}):
        if not is_same(old.outputs.get(name), new.outputs.get(name)):
            yield _output_line(stack, name, _OUTPUT, old.outputs, new.outputs)
    # An export changes with the value of its output, which has a line already.
    for name in sorted(old.exports.keys() ^ new.exports.keys()):
        yield _output_line(stack, name, _EXPORT, old.exports, new.exports)


def _output_lines(stack: PlannedStack) -> Iterator[RankedChange]:
    return output_lines(stack.name, stack.deployed_before, stack.after)


def _adopted(stack: PlannedStack) -> Iterator[tuple[str, str]]:
    return ((stack.name, logical_id) for logical_id in stack.adopted)


def _output_line(stack: str, name: str, kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> RankedChange:
    action = Action.ADD if name not in old else Action.REMOVE if name not in new else Action.MODIFY
    what = change_text("Value", old.get(name), new.get(name))
    return RankedChange(Rank.OTHER, stack, name, kind, action, what, needs_attention=action is Action.REMOVE)


def parameter_changes(stack: str, before: Expanded | None, after: Expanded) -> Iterator[ParameterChange]:
    """Yield the template parameters of a stack whose values change; none for a new stack."""
    if before is None:
        return
    old, new = _values(before), _values(after)
    definitions = {**_definitions(before), **_definitions(after)}
    for name in sorted({*old, *new}):
        # CloudFormation hides the value of a NoEcho parameter, so whether it changes is not known.
        if old.get(name) != new.get(name) and not templates.is_no_echo(definitions.get(name)):
            yield ParameterChange(stack, name, old.get(name), new.get(name))


def _values(expanded: Expanded) -> dict[str, str]:
    definitions = _definitions(expanded)
    return {name: value for name, value in resolution.known_parameters(expanded).items() if name in definitions}


def _definitions(expanded: Expanded) -> Mapping[str, Any]:
    return expanded.template.get("Parameters") or {}


def _changes_code(stack: PlannedStack) -> bool:
    paths = chain.from_iterable((entry.path for entry in change.properties) for change in stack.changes)
    return any(path.startswith(_CODE) for path in paths)


def _layer_users(stacks: Sequence[PlannedStack]) -> dict[tuple[str, str], frozenset[str]]:
    users: dict[tuple[str, str], frozenset[str]] = {}
    for stack in stacks:
        if any(code_changes.is_new_version(change) for change in stack.changes):
            users |= code_changes.layer_users(stack.name, stack.after)
    return users


def _deployed_indexes(stacks: Sequence[PlannedStack], tables: Tables) -> dict[tuple[str, str], frozenset[str]]:
    """Ask for the indexes of each table whose indexes change: AWS compares with those, not with a template."""
    indexes: dict[tuple[str, str], frozenset[str]] = {}
    for stack in stacks:
        physical_ids = _physical_ids(stack)
        for change in stack.changes:
            is_changed = any(entry.path.startswith(_INDEXES) for entry in change.properties)
            table = physical_ids.get(change.logical_id)
            if table and is_changed and change.type == _TABLE and change.action is Action.MODIFY:
                indexes[stack.name, change.logical_id] = tables.global_indexes(table)
    return indexes


def _physical_ids(stack: PlannedStack) -> dict[str, str]:
    described = stack.change_set.described if stack.change_set else {}
    entries = [change.get("ResourceChange", {}) for change in described.get("Changes") or ()]
    return {
        entry["LogicalResourceId"]: entry["PhysicalResourceId"] for entry in entries if entry.get("PhysicalResourceId")
    }


def _hidden(stack: PlannedStack) -> Iterator[str]:
    """Yield the values of NoEcho parameters, which no text may show."""
    definitions = _definitions(stack.after)
    for name, value in stack.candidate.settings.parameters.items():
        if templates.is_no_echo(definitions.get(name)) and value:
            yield value
