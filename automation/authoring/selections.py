"""Select what to copy for a new function: an example, and those of its resources that the trigger needs. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from automation.authoring import ownership, triggers, yaml_trees
from automation.authoring.ownership import FUNCTIONS, ROLE, RULE, SCHEDULE, Resource
from automation.authoring.triggers import Trigger, Triggers
from automation.authoring.yaml_trees import Node
from automation.system.errors import UsageError

_WRITTEN = {Trigger.BUS: "rule", Trigger.QUEUE: "queue", Trigger.SCHEDULE: "schedule"}
_RULES_AND_SCHEDULES = frozenset({RULE, SCHEDULE})


@dataclass(frozen=True, slots=True)
class Parsed:
    """A template with the owners of its resources.

    Attributes:
        path: the template's name in messages.
    """

    path: str
    text: str
    root: Node
    resources: Mapping[str, Resource]
    owners: Mapping[str, frozenset[str]]

    @property
    def functions(self) -> tuple[str, ...]:
        return tuple(name for name, resource in self.resources.items() if resource.type in FUNCTIONS)

    def owned_by(self, function: str) -> frozenset[str]:
        """Return the resources that belong to one function only."""
        return frozenset(name for name, functions in self.owners.items() if functions == {function})


@dataclass(frozen=True, slots=True)
class Selection:
    """What is copied for a new function.

    Attributes:
        example: the function that is copied.
        picked: its rule or schedule that is copied; empty when the trigger is one of its Events, or a queue.
        copies: the function and its resources, in the order of the template.
    """

    example: str
    trigger: Trigger
    picked: str
    copies: tuple[str, ...]


def parse(text: str, *, path: str) -> Parsed:
    """Read a template.

    Raises:
        ConfigurationError: it is JSON, or cannot be parsed.
    """
    root = yaml_trees.read(text, name=path)
    resources = ownership.resources_of(root)
    return Parsed(path, text, root, resources, ownership.owners(resources))


def select(parsed: Parsed, *, example: str, trigger: str, keep: Mapping[str, frozenset[str]]) -> Selection:
    """Select an example and its resources.

    Args:
        example: the function to copy; empty for the shortest one that has the trigger.
        trigger: bus, queue or schedule; empty for the first of these that an example has.
        keep: by trigger, shared resources that the example must use, since the new code does.

    Raises:
        UsageError: the function or the trigger does not exist, or no function has this trigger or uses these resources.
    """
    if example and example not in parsed.functions:
        raise UsageError(f"{parsed.path} has no function {example!r}; its functions are: {', '.join(parsed.functions)}")
    candidates = {
        name: triggers.triggers_of(name, parsed.resources, parsed.owners)
        for name in ([example] if example else parsed.functions)
    }
    kind = _trigger(trigger, candidates, parsed.path)
    fitting = [name for name, own in candidates.items() if kind is Trigger.NONE or kind in own.kinds]
    needed = keep.get(kind, frozenset()).intersection(parsed.resources)
    selections = [
        selection
        for selection in (_selection(parsed, name, kind, candidates[name]) for name in fitting)
        if _mentioned(parsed, selection, needed) == needed
    ]
    if not selections:
        names = ", ".join(sorted(needed))
        raise UsageError(f"no function of {parsed.path} with the trigger {kind} uses {names}; choose another --example")
    return min(selections, key=lambda selection: _rank(parsed, selection))


def inline_code(resource: Resource) -> tuple[Node, Node] | None:
    """Return the key and the value of the property that holds a function's code as text; None without one."""
    properties = resource.body.get("Properties")
    for key, value in properties.entries if properties else ():
        if key.scalar == "InlineCode" or (key.scalar == "Code" and value.get("ZipFile") is not None):
            return key, value
    return None


def _trigger(asked: str, candidates: Mapping[str, Triggers], path: str) -> Trigger:
    present = frozenset[Trigger]().union(*(own.kinds for own in candidates.values()))
    kinds = [kind for kind in Trigger if kind in present]
    if not candidates:
        raise UsageError(f"{path} has no function to copy; add the first one by hand")
    if not asked:
        return kinds[0] if kinds else Trigger.NONE
    if asked not in set(Trigger) - {Trigger.NONE}:
        raise UsageError(f"--trigger must be bus, queue or schedule, got {asked!r}")
    if asked not in kinds:
        names = " or ".join(f"--trigger {kind}" for kind in kinds) or "the command without --trigger"
        who = f"{next(iter(candidates))} does not have" if len(candidates) == 1 else f"no function of {path} has"
        advice = f"use {names}, and write the {_WRITTEN[Trigger(asked)]} by hand"
        raise UsageError(f"{who} the trigger {asked}, so there is nothing to copy; {advice}")
    return Trigger(asked)


def _selection(parsed: Parsed, example: str, trigger: Trigger, own: Triggers) -> Selection:
    picked = own.picked(trigger)
    skipped = {*own.rules, *own.schedules} - {picked}
    copies = (parsed.owned_by(example) | ({picked} if picked else set())) - skipped
    copies -= {name for name in copies if _serves_only(parsed.resources[name], skipped, copies)}
    copies -= {name for name in copies if _is_unused_role(name, copies, parsed.resources)}
    if picked:
        copies |= {name for name, resource in parsed.resources.items() if _watches(resource, picked, copies)}
    return Selection(example, trigger, picked, tuple(name for name in parsed.resources if name in copies))


def _serves_only(resource: Resource, skipped: Iterable[str], copies: frozenset[str]) -> bool:
    """Return whether a resource is there for rules or schedules that are not copied."""
    return bool(resource.refers_to.intersection(skipped)) and not resource.refers_to & copies


def _is_unused_role(name: str, copies: frozenset[str], resources: Mapping[str, Resource]) -> bool:
    users = (copied for copied in copies if name in resources[copied].refers_to)
    return resources[name].type == ROLE and not any(users)


def _watches(resource: Resource, picked: str, copies: frozenset[str]) -> bool:
    """Return whether a resource, such as an alarm, is there for the rule or schedule that is copied."""
    is_trigger = resource.type in _RULES_AND_SCHEDULES or resource.type in FUNCTIONS
    return not is_trigger and picked in resource.refers_to and resource.refers_to <= copies


def _mentioned(parsed: Parsed, selection: Selection, resources: frozenset[str]) -> frozenset[str]:
    bodies = (parsed.resources[name].body for name in selection.copies)
    return frozenset[str]().union(*(yaml_trees.references(body, resources) for body in bodies))


def _rank(parsed: Parsed, selection: Selection) -> tuple[bool, int]:
    """Return what puts the best example first: code in a folder, then the fewest settings, since some are special."""
    bodies = (parsed.resources[name].body for name in selection.copies)
    return inline_code(parsed.resources[selection.example]) is not None, sum(body.end - body.start for body in bodies)
