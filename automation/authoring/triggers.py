"""Find out what starts a function: events of a bus, messages of a queue, or a schedule. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from automation.authoring.ownership import MAPPING, RULE, SCHEDULE, Resource


class Trigger(StrEnum):
    """What starts a function; NONE for a function that others call, or whose trigger is not copied."""

    BUS = "bus"
    QUEUE = "queue"
    SCHEDULE = "schedule"
    NONE = "none"


# The types of a function's Events that a copy with this trigger keeps. The inbox is an event source of its own.
EVENT_TYPES: Mapping[Trigger, frozenset[str]] = {
    Trigger.BUS: frozenset({"SQS", "EventBridgeRule", "CloudWatchEvent"}),
    Trigger.QUEUE: frozenset({"SQS"}),
    Trigger.SCHEDULE: frozenset({"SQS", "Schedule", "ScheduleV2"}),
    Trigger.NONE: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Triggers:
    """What starts one function.

    Attributes:
        rules: the event rules that reach it, in the order of the template.
        schedules: the schedules that reach it.
        kinds: the triggers that it has.
    """

    rules: tuple[str, ...]
    schedules: tuple[str, ...]
    kinds: frozenset[Trigger]

    @property
    def main(self) -> Trigger:
        """Return what starts the function; its own queue only when nothing else writes into it."""
        order = (Trigger.BUS, Trigger.SCHEDULE, Trigger.QUEUE)
        return next((trigger for trigger in order if trigger in self.kinds), Trigger.NONE)

    def picked(self, trigger: Trigger) -> str:
        """Return the rule or schedule to copy for a trigger; empty when it is one of the function's own Events."""
        candidates = {Trigger.BUS: self.rules, Trigger.SCHEDULE: self.schedules}.get(trigger, ())
        return candidates[0] if candidates else ""


def triggers_of(function: str, resources: Mapping[str, Resource], owners: Mapping[str, frozenset[str]]) -> Triggers:
    """Return what starts a function."""
    mine = [resource for name, resource in resources.items() if function in owners.get(name, ())]
    schedules = [resource.logical_id for resource in mine if _is_schedule(resource)]
    rules = [resource.logical_id for resource in mine if resource.type == RULE and not _is_schedule(resource)]

    events = resources[function].body.get("Properties", "Events")
    types = {kind.scalar for _, event in (events.entries if events else ()) if (kind := event.get("Type"))}
    has_queue = "SQS" in types or any(resource.type == MAPPING for resource in mine)
    own = {trigger for trigger in (Trigger.BUS, Trigger.SCHEDULE) if types & (EVENT_TYPES[trigger] - {"SQS"})}
    kinds = own | ({Trigger.BUS} if rules else set()) | ({Trigger.SCHEDULE} if schedules else set())
    return Triggers(tuple(rules), tuple(schedules), frozenset(kinds | ({Trigger.QUEUE} if has_queue else set())))


def _is_schedule(resource: Resource) -> bool:
    is_timed_rule = resource.type == RULE and resource.body.get("Properties", "ScheduleExpression") is not None
    return resource.type == SCHEDULE or is_timed_rule
