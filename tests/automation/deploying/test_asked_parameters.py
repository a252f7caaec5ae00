"""Parameters that a person is asked for once: where their values come from, and what is asked."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from automation.deploying import asked_parameters
from automation.deploying.asked_parameters import Question
from automation.deploying.releases.records import Release, ReleasedStack, Status
from automation.deploying.scope import Scope
from automation.project import model
from automation.system.errors import UsageError
from tests.automation import projects
from tests.automation.deploying.changing_stacks import Person
from tests.automation.deploying.fake_accounts import scope_of

OWNER = """Parameters:
  Owner: {Type: String, Default: owner@example.com, Description: who is called, AllowedPattern: "[^@]+@[^@]+"}
"""
OTHERS = """  Pin: {Type: String, NoEcho: true}
  Size: {Type: String, Default: big, AllowedValues: [small, big]}
"""
BASE, APP = "shop-live-base", "shop-live"
ANN, BOB = "ann@shop.test", "bob@shop.test"


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Scope]:
    """Return the scopes of a shop: both its stacks have Owner, only app has Pin and Size."""
    root = projects.make_shop(
        tmp_path_factory.mktemp("asking"),
        pyproject_toml=projects.PYPROJECT.replace('"shop"', '"shop"\nask = ["Owner", "Pin", "Size"]', 1),
        base_yaml=projects.BASE.replace("Parameters:\n", OWNER),
        app_yaml=projects.APP.replace("Parameters:\n", OWNER + OTHERS),
    )
    project = model.load(root)
    return {name: scope_of(project, name) for name in ("live", "here")}


@pytest.fixture
def scope(shops: Mapping[str, Scope]) -> Scope:
    return shops["live"]


def fill(scope: Scope, deployed: Mapping[str, Mapping[str, str]] | None = None, **chosen: str) -> Scope:
    return asked_parameters.fill(scope, deployed or {}, chosen)


def owners(scope: Scope) -> list[str | None]:
    """Return the value of Owner in each stack; None where it has none."""
    return [settings.parameters.get("Owner") for settings in scope.stacks]


def with_file(scope: Scope, **parameters: str) -> Scope:
    """Return the scope with values that samconfig.toml gives to the stack app."""
    base, app = scope.stacks
    return replace(scope, stacks=(base, replace(app, parameters={**app.parameters, **parameters})))


def unknown(scope: Scope) -> list[str]:
    return [question.name for question in asked_parameters.questions(scope)]


def question(**definition: Any) -> Question:
    return Question("Owner", (definition,))


def test_fill_first_deployment_knows_nothing(scope: Scope) -> None:
    filled = fill(scope)

    assert owners(filled) == [None, None]
    assert [settings.asked for settings in filled.stacks] == [{"Owner": ""}, {"Owner": "", "Pin": "", "Size": ""}]


def test_questions_are_those_without_a_usable_default(scope: Scope) -> None:
    """Size has a default that can be used; both stacks get Owner by one question."""
    assert unknown(fill(scope)) == ["Owner", "Pin"]
    assert [len(question.definitions) for question in asked_parameters.questions(fill(scope))] == [2, 1]


def test_questions_before_the_account_was_read_are_none(scope: Scope) -> None:
    assert unknown(scope) == []


def test_fill_chosen_value_is_for_every_stack(scope: Scope) -> None:
    filled = fill(scope, {BASE: {"Owner": BOB}}, Owner=ANN)

    assert owners(filled) == [ANN, ANN]
    assert unknown(filled) == ["Pin"]


def test_fill_deployed_value_is_reused(scope: Scope) -> None:
    assert owners(fill(scope, {BASE: {"Owner": ANN}, APP: {"Owner": BOB}})) == [ANN, BOB]


def test_fill_value_of_one_stack_is_used_for_the_others(scope: Scope) -> None:
    assert owners(fill(scope, {BASE: {"Owner": ANN}})) == [ANN, ANN]
    assert owners(fill(scope, {BASE: {"Owner": ""}, APP: {"Owner": BOB}})) == [BOB, BOB]


@pytest.mark.parametrize("value", ["", "owner@example.com"])
def test_fill_deployed_value_that_nobody_chose_is_asked_for(scope: Scope, value: str) -> None:
    filled = fill(scope, {BASE: {"Owner": value}, APP: {"Owner": value}})

    assert owners(filled) == [None, None]
    assert "Owner" in unknown(filled)


def test_fill_deployed_example_that_somebody_chose_is_kept(scope: Scope) -> None:
    assert owners(fill(scope, {APP: {"Owner": "you@example.org"}})) == ["you@example.org"] * 2


def test_fill_value_in_a_file_comes_first(scope: Scope) -> None:
    filled = fill(with_file(scope, Owner=ANN), {BASE: {"Owner": BOB}, APP: {"Owner": BOB}})

    assert owners(filled) == [BOB, ANN]
    assert "Owner" not in filled.stacks[1].asked


def test_fill_hidden_value_that_is_deployed_stays_unread(scope: Scope) -> None:
    """CloudFormation keeps it when it is not sent again."""
    filled = fill(scope, {APP: {"Owner": ANN, "Pin": "****"}})

    assert "Pin" not in filled.stacks[1].parameters
    assert unknown(filled) == []


def test_fill_hidden_value_can_be_chosen_again(scope: Scope) -> None:
    filled = fill(scope, {APP: {"Pin": "****"}}, Pin="12")

    assert filled.stacks[1].parameters["Pin"] == "12"
    assert filled.stacks[1].sets_anew


def test_fill_deployed_value_comes_before_a_usable_default(scope: Scope) -> None:
    assert fill(scope, {APP: {"Size": "small"}}).stacks[1].parameters["Size"] == "small"


def test_fill_value_of_the_last_release_comes_last(scope: Scope) -> None:
    released = {"Owner": BOB, "Pin": "1"}

    filled = asked_parameters.fill(scope, {BASE: {"Owner": ""}}, {}, released)
    assert owners(filled) == [BOB, BOB]
    assert owners(asked_parameters.fill(scope, {APP: {"Owner": ANN}}, {}, released)) == [ANN, ANN]
    assert owners(asked_parameters.fill(scope, {}, {"Owner": ANN}, released)) == [ANN, ANN]
    # The value is in no stack yet, and a hidden one is in no release.
    assert filled.stacks[1].asked == {"Owner": "", "Pin": "", "Size": ""}
    assert unknown(filled) == ["Pin"]


def test_of_releases_is_about_the_newest_that_was_deployed() -> None:
    def release(status: Status, *owners: str) -> Release:
        stacks = [ReleasedStack(parameters={"Owner": owner, "Colour": "red"}) for owner in owners]
        return Release(status=status, stacks=(ReleasedStack(), *stacks))

    older, newer = release(Status.DEPLOYED, BOB), release(Status.DEPLOYED, ANN)
    failed = release(Status.FAILED, "failed@shop.test")

    assert asked_parameters.of_releases((failed, newer, older), ("Owner", "Pin")) == {"Owner": ANN}
    assert asked_parameters.of_releases((failed, release(Status.DEPLOYING, BOB)), ("Owner",)) == {
        "Owner": "failed@shop.test"
    }
    assert asked_parameters.of_releases((), ("Owner",)) == {}


def test_fill_twice_changes_nothing(scope: Scope) -> None:
    deployed = {BASE: {"Owner": ANN}}
    filled = fill(scope, deployed, Size="small")

    assert fill(filled, deployed) == filled
    assert fill(filled) == filled


def test_fill_with_answers_completes(scope: Scope) -> None:
    filled = fill(fill(scope, {BASE: {"Owner": ""}}), Owner=ANN, Pin="12")

    assert owners(filled) == [ANN, ANN]
    assert unknown(filled) == []
    assert filled.stacks[0].asked == {"Owner": ""}


def test_fill_sandbox_is_never_asked(shops: Mapping[str, Scope]) -> None:
    filled = fill(shops["here"], {}, Owner=ANN)

    assert filled == shops["here"]
    assert unknown(filled) == []


def test_sets_anew_is_about_another_value_than_the_deployed_one(scope: Scope) -> None:
    deployed = {BASE: {"Owner": ANN}, APP: {"Owner": ANN, "Size": "big"}}

    assert [settings.sets_anew for settings in fill(scope, deployed).stacks] == [False, False]
    assert [settings.sets_anew for settings in fill(scope, deployed, Owner=ANN).stacks] == [False, False]
    assert [settings.sets_anew for settings in fill(scope, deployed, Owner=BOB).stacks] == [True, True]
    assert [settings.sets_anew for settings in fill(scope, deployed, Size="small").stacks] == [False, True]


@pytest.mark.parametrize("word", ["Owner", "=x", "Owner=", "", "="])
def test_parse_needs_name_and_value(word: str) -> None:
    with pytest.raises(UsageError, match=r"^--set: .* must be NAME=VALUE, as in AlertsTo=you@example\.org$"):
        asked_parameters.parse([word])


def test_parse_splits_at_the_first_sign() -> None:
    assert asked_parameters.parse(["Owner=a=b", "Pin=1"]) == {"Owner": "a=b", "Pin": "1"}
    assert asked_parameters.parse([]) == {}


def test_require_settable_accepts_what_is_asked_for(scope: Scope) -> None:
    asked_parameters.require_settable(scope, {"Owner": ANN, "Pin": "1", "Size": "small"})


def test_require_settable_other_parameters_are_refused(scope: Scope) -> None:
    with pytest.raises(UsageError) as caught:
        asked_parameters.require_settable(scope, {"Colour": "red"})

    message = "--set Colour: only Owner, Pin, Size can be set here; other parameters are in samconfig.toml"
    assert str(caught.value) == message


def test_require_settable_without_ask_says_so(scope: Scope) -> None:
    settings = replace(scope.project.settings, ask=())
    plain = replace(scope, project=replace(scope.project, settings=settings))

    with pytest.raises(
        UsageError, match=r"--set Owner: ask of pyproject.toml: \[tool.alchemiser\] names no parameter;"
    ):
        asked_parameters.require_settable(plain, {"Owner": ANN})


def test_require_settable_value_of_a_file_is_refused(scope: Scope) -> None:
    with pytest.raises(UsageError) as caught:
        asked_parameters.require_settable(with_file(scope, Owner=ANN), {"Owner": BOB})

    where = "samconfig.toml: [live.deploy.parameters]"
    assert str(caught.value) == f"--set Owner: {where} gives it a value; change it there"


def test_require_settable_sandbox_is_refused(shops: Mapping[str, Scope]) -> None:
    with pytest.raises(UsageError, match=r"--set Owner: here takes its parameters from samconfig.toml"):
        asked_parameters.require_settable(shops["here"], {"Owner": ANN})


def test_require_settable_value_that_a_template_refuses(scope: Scope) -> None:
    with pytest.raises(UsageError, match=r"^--set Size: must be one of small, big$"):
        asked_parameters.require_settable(scope, {"Size": "huge"})


@pytest.mark.parametrize(
    ("definition", "value", "problem"),
    [
        ({}, "x", ""),
        ({"AllowedValues": [1, 2]}, "2", ""),
        ({"AllowedValues": [1, 2]}, "3", "must be one of 1, 2"),
        ({"AllowedPattern": "[a-c]+"}, "abc", ""),
        ({"AllowedPattern": "[a-c]+"}, "abcd", "must match [a-c]+"),
        ({"AllowedPattern": "[a-c]+", "ConstraintDescription": "only a to c"}, "d", "only a to c"),
        ({"AllowedValues": ["a"], "ConstraintDescription": "only a"}, "d", "only a"),
    ],
)
def test_problem_of_a_value(definition: Mapping[str, Any], value: str, problem: str) -> None:
    assert asked_parameters.problem_of(value, [{}, definition]) == problem


@pytest.mark.parametrize(
    ("definition", "example"),
    [
        ({"AllowedValues": ["small", "big"]}, "small"),
        ({"Default": "a@example.com"}, "you@example.org"),
        ({"AllowedPattern": "|.+@.+"}, "you@example.org"),
        ({"Default": "x"}, "VALUE"),
        ({}, "VALUE"),
    ],
)
def test_question_example_fits_the_parameter(definition: Mapping[str, Any], example: str) -> None:
    assert question(**definition).example == example


def test_question_text_has_the_first_description() -> None:
    described = Question("Owner", ({}, {"Description": "who is called"}, {"Description": "other"}))

    assert described.text == "Owner (who is called):"
    assert question().text == "Owner:"


def test_question_default_needs_one_in_every_template() -> None:
    assert question(Default="").default == ""
    assert question(Default=3).default == "3"
    assert Question("Owner", ({"Default": "a"}, {})).default is None


def test_question_is_hidden_if_any_template_hides_it() -> None:
    assert Question("Pin", ({}, {"NoEcho": True})).is_hidden
    assert not question(NoEcho=False).is_hidden


@pytest.mark.parametrize(
    ("definition", "is_usable"),
    [({}, True), ({"AllowedPattern": "[0-9]+"}, False), ({"AllowedPattern": "[0-9]+", "Default": "1"}, True)],
)
def test_question_example_is_usable_if_a_template_allows_it(definition: Mapping[str, Any], is_usable: bool) -> None:
    assert question(**definition).has_usable_example is is_usable


def test_ask_repeats_until_the_template_allows_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    person = Person(["nobody", ANN])
    asked = [question(AllowedPattern=".+@.+", Description="who is called")]

    answers = asked_parameters.ask(asked, prompt=person.reply, hidden_prompt=pytest.fail, where="live")

    assert answers == {"Owner": ANN}
    assert person.questions == ["Owner (who is called):"] * 2
    assert capsys.readouterr().err == "warning: Owner must match .+@.+\n"


def test_ask_hidden_parameter_is_not_shown() -> None:
    person = Person(["12"])

    answers = asked_parameters.ask(
        [Question("Pin", ({"NoEcho": True},))], prompt=pytest.fail, hidden_prompt=person.reply, where="live"
    )

    assert answers == {"Pin": "12"}


def test_ask_empty_answer_cancels() -> None:
    with pytest.raises(UsageError) as caught:
        asked_parameters.ask([question()], prompt=Person([""]).reply, hidden_prompt=pytest.fail, where="live")

    assert str(caught.value) == "live: Owner has no value; cancelled: nothing was changed"


def test_set_words_have_an_example_each() -> None:
    asked = [question(Default="a@example.com"), Question("Size", ({"AllowedValues": ["big"]},))]

    assert asked_parameters.set_words(asked) == ["--set", "Owner=you@example.org", "--set", "Size=big"]
