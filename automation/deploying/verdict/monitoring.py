"""What is less watched, or no longer runs: alarms, subscriptions, schedules, event sources, rules."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from automation.deploying.changes.comparison import is_same
from automation.deploying.changes.model import Action, Rank, ResourceChange
from automation.deploying.verdict import data_loss
from automation.deploying.verdict.aspects import WHOLE, Aspect, is_update, noun
from automation.deploying.verdict.property_texts import as_list, change_text, is_on, number, text_of, value_of

_ALARMS = frozenset({"AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"})
_WATCHERS = frozenset(
    {
        "AWS::CloudTrail::Trail",
        "AWS::CloudWatch::AnomalyDetector",
        "AWS::CloudWatch::Dashboard",
        "AWS::Logs::MetricFilter",
        "AWS::Logs::SubscriptionFilter",
        "AWS::SNS::Subscription",
        "AWS::SNS::Topic",
    }
)
_SENSITIVITY = (
    *("AlarmRule", "ComparisonOperator", "DatapointsToAlarm", "Dimensions", "EvaluationPeriods", "ExtendedStatistic"),
    *("MetricName", "Metrics", "Namespace", "Period", "Statistic", "Threshold", "TreatMissingData"),
)
# What starts work by itself: the switch of each type, and its value when it is missing.
_STARTERS = {
    "AWS::Events::Rule": ("State", "ENABLED"),
    "AWS::Lambda::EventSourceMapping": ("Enabled", "true"),
    "AWS::Pipes::Pipe": ("DesiredState", "RUNNING"),
    "AWS::Scheduler::Schedule": ("State", "ENABLED"),
}
_RUNNING = frozenset({"RUNNING", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"})
_CONCURRENCY = "ReservedConcurrentExecutions"
_DEAD_LETTERS = ("DeadLetterConfig", "DestinationConfig.OnFailure", "Target.DeadLetterConfig")


def aspects(change: ResourceChange, changes: Sequence[ResourceChange]) -> Iterator[Aspect]:
    """Yield what is less watched, or no longer runs, after a change.

    Args:
        changes: those of every stack, among which a renamed alarm has its twin.
    """
    if change.action is Action.REMOVE:
        yield from _removed(change, changes)
    elif is_update(change):
        if change.type in _ALARMS:
            yield from _weaker_alarm(change)
        if change.type in _STARTERS:
            yield from _stopped(change)
        yield from _fewer_receivers(change)
        yield from _disabled_function(change)
        yield from _lost_dead_letters(change)


def _removed(change: ResourceChange, changes: Sequence[ResourceChange]) -> Iterator[Aspect]:
    name = noun(change.type)
    if change.type in _ALARMS:
        twin = data_loss.twin_of(change, changes)
        if twin is not None:
            what = f"renamed to {twin.logical_id}; it watches the same"
            yield Aspect(Rank.MONITORING, what, needs_attention=True, paths=(WHOLE,))
        else:
            fix = f"keep {change.logical_id} in the template"
            yield Aspect(Rank.MONITORING, f"the {name} is deleted", "unwatch", fix, paths=(WHOLE,))
    elif change.type in _WATCHERS:
        yield Aspect(Rank.MONITORING, f"the {name} is removed", needs_attention=True, paths=(WHOLE,))
    elif change.type in _STARTERS:
        what = f"the {name} is removed: it no longer starts any work"
        yield Aspect(Rank.WATCHED, what, needs_attention=True, paths=(WHOLE,))


def _weaker_alarm(change: ResourceChange) -> Iterator[Aspect]:
    enabled_before, enabled_after = _enabled(change.before), _enabled(change.after)
    if enabled_before and not enabled_after:
        yield _unwatched("ActionsEnabled is false: the alarm reports to nobody", "ActionsEnabled")

    actions_before, actions_after = _texts(change.before, "AlarmActions"), _texts(change.after, "AlarmActions")
    if lost := sorted(actions_before - actions_after):
        yield _unwatched(f"the alarm no longer reports to {', '.join(lost)}", "AlarmActions")

    for name in _SENSITIVITY:
        before, after = value_of(change.before, name), value_of(change.after, name)
        if not is_same(before, after):
            what = change_text(name, before, after)
            yield Aspect(Rank.MONITORING, what, needs_attention=True, paths=(f"Properties.{name}",))


def _unwatched(what: str, name: str) -> Aspect:
    return Aspect(Rank.MONITORING, what, "unwatch", f"keep {name} as deployed", paths=(f"Properties.{name}",))


def _enabled(alarm: Mapping[str, Any] | None) -> bool:
    value = value_of(alarm, "ActionsEnabled")
    return value is None or is_on(value)


def _stopped(change: ResourceChange) -> Iterator[Aspect]:
    switch, default = _STARTERS[change.type]
    before, after = value_of(change.before, switch), value_of(change.after, switch)
    if _is_running(before or default) and not _is_running(default if after is None else after):
        what = f"{change_text(switch, before, after)}: it no longer starts any work"
        yield Aspect(Rank.WATCHED, what, needs_attention=True, paths=(f"Properties.{switch}",))


def _is_running(value: Any) -> bool:
    return is_on(value) or value in _RUNNING


def _fewer_receivers(change: ResourceChange) -> Iterator[Aspect]:
    for name in ("Targets", "Subscription"):
        before, after = _texts(change.before, name), _texts(change.after, name)
        if before - after:
            what = change_text(name, value_of(change.before, name), value_of(change.after, name))
            yield Aspect(Rank.WATCHED, what, needs_attention=True, paths=(f"Properties.{name}",))


def _disabled_function(change: ResourceChange) -> Iterator[Aspect]:
    before, after = (number(value_of(resource, _CONCURRENCY)) for resource in (change.before, change.after))
    if after == 0 and before != 0:
        what = f"{_CONCURRENCY}: 0: the function no longer runs"
        yield Aspect(Rank.WATCHED, what, needs_attention=True, paths=(f"Properties.{_CONCURRENCY}",))


def _lost_dead_letters(change: ResourceChange) -> Iterator[Aspect]:
    for path in _DEAD_LETTERS:
        if value_of(change.before, path) and not value_of(change.after, path):
            what = f"{path} is removed: what fails is not kept any more"
            yield Aspect(Rank.MONITORING, what, needs_attention=True, paths=(f"Properties.{path}",))


def _texts(resource: Mapping[str, Any] | None, name: str) -> frozenset[str]:
    return frozenset(map(text_of, as_list(value_of(resource, name))))
