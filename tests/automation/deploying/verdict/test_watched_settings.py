"""Watched settings: a line for each change, a danger for a forbidden value."""

import pytest

from automation.deploying.changes.model import Rank, RankedChange, Verdict
from automation.deploying.verdict import dangers
from automation.deploying.verdict.aspects import Facts, ParameterChange
from automation.project.settings import Watched
from tests.automation.deploying.planned_changes import SCHEDULE, TOPIC, assess, lines, names, resource, update

SSM = "AWS::SSM::Parameter"
SWITCH = Watched("kill switch", resource="X", property="Value", forbid=("enabled", "on"))
STATE = Watched("schedule", resource=SCHEDULE, property="State", forbid=("NEVER",))
NESTED = Watched("message", resource=SCHEDULE, property="Target.Input")
URL = Watched("broker", parameter="BrokerUrl", forbid=("https://live",))
FACTS = Facts(watched=(SWITCH, STATE, NESTED, URL))


def parameter(before: str | None, after: str | None, *, name: str = "BrokerUrl") -> Facts:
    return Facts(watched=(URL,), parameters=(ParameterChange("trading", name, before, after),))


def test_forbidden_value_is_a_danger() -> None:
    assessment = update(SSM, {"Value": "paused"}, {"Value": "enabled"}, FACTS)

    [danger] = assessment.dangers
    assert (danger.name, danger.rank) == ("watched:X", Rank.WATCHED)
    assert danger.what == "kill switch: Value: paused -> enabled"
    assert danger.fix == "keep paused; pyproject.toml forbids enabled and on as kill switch"
    assert len(assessment.changes) == 1


def test_forbidden_value_of_a_new_resource_is_a_danger() -> None:
    [danger] = assess({}, {"X": resource(SSM, {"Value": "enabled"})}, FACTS).dangers

    assert danger.fix.startswith("choose another value; ")


def test_other_value_of_a_watched_property_needs_attention() -> None:
    assessment = update(SSM, {"Value": "enabled"}, {"Value": "paused"}, FACTS)

    assert (names(assessment), lines(assessment)) == ([], [("kill switch: Value: enabled -> paused", True)])
    assert assessment.changes[0].rank is Rank.WATCHED


def test_watched_type_covers_each_resource_and_says_it_once() -> None:
    assessment = update(SCHEDULE, {"State": "ENABLED"}, {"State": "DISABLED"}, FACTS)

    assert lines(assessment) == [("schedule: State: ENABLED -> DISABLED", True)]


def test_watched_setting_leaves_other_lines_of_the_same_resource() -> None:
    before = {"State": "ENABLED", "Target": {"DeadLetterConfig": {"Arn": "a"}, "Input": "a"}}

    assessment = update(SCHEDULE, before, {"State": "DISABLED", "Target": {"Input": "a"}}, FACTS)

    assert lines(assessment) == [
        ("Target.DeadLetterConfig is removed: what fails is not kept any more", True),
        ("schedule: State: ENABLED -> DISABLED", True),
    ]


def test_watched_setting_leaves_dangers_of_the_same_property() -> None:
    facts = Facts(watched=(Watched("alarm", resource="X", property="AlarmActions"),))

    assert names(update("AWS::CloudWatch::Alarm", {"AlarmActions": ["a"]}, {}, facts)) == ["unwatch:X"]


def test_watched_nested_property_is_found() -> None:
    before, after = {"Target": {"Input": "a", "Arn": "b"}}, {"Target": {"Input": "c", "Arn": "b"}}

    assert lines(update(SCHEDULE, before, after, FACTS)) == [("message: Target.Input: a -> c", True)]


def test_unwatched_resource_and_unchanged_value_have_no_line() -> None:
    added = {"Y": resource(SSM, {"Value": "enabled"}), "S": resource(SCHEDULE, {"State": "ENABLED"})}

    assert lines(assess({}, added, FACTS)) == [("added", False)] * 2
    assert lines(update(SCHEDULE, {"State": "ENABLED"}, {"State": "ENABLED", "Description": "d"}, FACTS)) == [
        ("Description: (none) -> d", False)
    ]


def test_other_property_of_a_stored_parameter_resets_its_value() -> None:
    before = {"Value": "paused", "Description": "a"}

    assessment = update(SSM, before, {**before, "Description": "b"})

    assert ("the update sets Value back to paused, whatever it is now", True) in lines(assessment)
    assert not any("sets Value back" in what for what, _ in lines(update(SSM, before, {**before, "Value": "x"})))
    assert not any("sets" in what for what, _ in lines(update(TOPIC, {"DisplayName": "a"}, {"DisplayName": "b"})))


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ("https://paper", "https://other", "broker: https://paper -> https://other"),
        ("", "https://other", 'broker: "" -> https://other'),
        (None, "https://other", "broker: (none) -> https://other"),
        ("https://paper", None, "broker: https://paper -> (none)"),
    ],
)
def test_watched_parameter_has_one_line(before: str | None, after: str | None, what: str) -> None:
    assessment = dangers.assess((), parameter(before, after))

    [line] = assessment.changes
    assert (line.rank, line.stack, line.resource, line.what) == (Rank.WATCHED, "trading", "BrokerUrl", what)
    assert line.type == "a template parameter"
    assert assessment.verdict is Verdict.CONSENT


def test_forbidden_value_of_a_parameter_is_a_danger() -> None:
    [danger] = dangers.assess((), parameter("https://paper", "https://live")).dangers

    assert (danger.name, danger.stack) == ("watched:BrokerUrl", "trading")
    assert danger.what == "broker: https://paper -> https://live"
    assert danger.fix == "keep https://paper; pyproject.toml forbids https://live as broker"


def test_unwatched_parameter_has_no_line() -> None:
    assert dangers.assess((), parameter("a", "https://live", name="Stage")) == dangers.assess(())


def test_parameter_with_the_name_of_a_secret_shows_no_value() -> None:
    watched = Watched("token", parameter="ApiToken")

    [line] = dangers.assess((), Facts((watched,), (ParameterChange("a", "ApiToken", "x", "y"),))).changes

    assert line.what == "token: (hidden) -> (hidden)"
    assert isinstance(line, RankedChange)
