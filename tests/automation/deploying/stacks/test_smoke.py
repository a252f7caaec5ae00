"""The smoke test invokes every function, reads what it answers, and names those that fail."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from automation.deploying.stacks import smoke
from automation.deploying.stacks.smoke import Answer, State
from automation.system import aws
from automation.system.invocations import Invocation

BROKEN = Invocation(error="KeyError: 'RUNS_TABLE'")
HEALTHY = Invocation(answer={"healthy": True, "checks": {"bus": "ok"}, "incomplete": []})
INCOMPLETE = Invocation(answer={"healthy": True, "checks": {"secret": "missing"}, "incomplete": ["broker secret"]})


@dataclass
class FakeCloud:
    """A cloud with two functions per stack; each answers its invocations in turn, the last one for ever."""

    scripts: Mapping[str, list[Invocation]] = field(default_factory=dict)
    requests: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)

    def functions(self, stack_name: str) -> Mapping[str, str]:
        return {f"{stack_name}{number}": f"{stack_name}-physical-{number}" for number in (2, 1)}

    def invoke(self, function: str, payload: Mapping[str, object]) -> Invocation:
        self.requests.append((function, payload))
        script = self.scripts.get(function, [HEALTHY])
        return script.pop(0) if len(script) > 1 else script[0]


@dataclass
class Pauses:
    """Writes down how long it is asked to sleep."""

    seconds: list[float] = field(default_factory=list)

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def test_ask_all_invokes_every_function_of_every_stack_once() -> None:
    cloud = FakeCloud()

    answers = smoke.ask_all(["A", "B"], cloud, {"health": True})

    assert answers == (Answer("A1"), Answer("A2"), Answer("B1"), Answer("B2"))
    functions = ["A-physical-1", "A-physical-2", "B-physical-1", "B-physical-2"]
    assert sorted(cloud.requests) == [(function, {"health": True}) for function in functions]


def test_ask_all_asks_a_failed_function_again_until_it_passes() -> None:
    cloud, pauses = FakeCloud({"A-physical-2": [BROKEN, HEALTHY]}), Pauses()

    answers = smoke.ask_all(["A"], cloud, {}, pauses_s=(5.0, 10.0), sleep=pauses)

    assert answers == (Answer("A1"), Answer("A2"))
    assert pauses.seconds == [5.0]
    assert sorted(function for function, _ in cloud.requests) == ["A-physical-1", "A-physical-2", "A-physical-2"]


def test_ask_all_gives_up_after_the_last_pause() -> None:
    cloud, pauses = FakeCloud({"A-physical-1": [BROKEN]}), Pauses()

    answers = smoke.ask_all(["A"], cloud, {}, pauses_s=(5.0, 10.0), sleep=pauses)

    assert [answer.state for answer in answers] == [State.FAILED, State.PASSED]
    assert pauses.seconds == [5.0, 10.0]
    assert len(cloud.requests) == 4


def test_ask_all_does_not_ask_an_incomplete_function_again() -> None:
    cloud, pauses = FakeCloud({"A-physical-1": [INCOMPLETE]}), Pauses()

    smoke.ask_all(["A"], cloud, {}, pauses_s=(5.0,), sleep=pauses)

    assert pauses.seconds == []
    assert len(cloud.requests) == 2


@pytest.mark.parametrize("answer", [None, "fine", 200, [], {}, {"healthy": True}, {"healthy": 0}, {"incomplete": "x"}])
def test_read_answer_without_a_fault_passes(answer: Any) -> None:
    assert smoke.read("F", Invocation(answer=answer)) == Answer("F")


def test_read_error_of_an_invocation_fails_with_its_text() -> None:
    assert smoke.read("F", BROKEN) == Answer("F", State.FAILED, "KeyError: 'RUNS_TABLE'")


def test_read_incomplete_answer_has_what_is_missing() -> None:
    assert smoke.read("F", INCOMPLETE) == Answer("F", State.INCOMPLETE, missing=("broker secret",))


def test_read_unhealthy_answer_names_the_checks_that_are_not_ok() -> None:
    checks = {"settings": "ok", "bus": "AccessDenied: no", "clock": "no answer within 10 s"}

    answer = smoke.read("F", Invocation(answer={"healthy": False, "checks": checks}))

    assert answer == Answer("F", State.FAILED, "bus: AccessDenied: no; clock: no answer within 10 s")


def test_read_unhealthy_and_incomplete_answer_fails() -> None:
    answer = smoke.read("F", Invocation(answer={"healthy": False, "checks": {"bus": "no"}, "incomplete": ["secret"]}))

    assert answer == Answer("F", State.FAILED, "bus: no", ("secret",))


@pytest.mark.parametrize(
    "answer",
    [
        {"healthy": False},
        {"healthy": False, "checks": ["bus"]},
        {"healthy": False, "checks": {"bus": "ok"}},
    ],
)
def test_read_unhealthy_answer_without_faults_says_so(answer: Any) -> None:
    detail = "it answered that it is not healthy, but names no check that failed"

    assert smoke.read("F", Invocation(answer=answer)) == Answer("F", State.FAILED, detail)


def test_read_faults_that_name_a_missing_secret_are_incomplete() -> None:
    checks = {"bus": "ok", "secret": "denied: /shop/keys", "clock": "denied: /shop/keys"}
    invocation = Invocation(answer={"healthy": False, "checks": checks, "incomplete": ["sender"]})

    answer = smoke.read("F", invocation, ("/shop/keys", "/shop/other"))

    assert answer == Answer("F", State.INCOMPLETE, missing=("/shop/keys", "sender"))


def test_read_error_that_names_a_missing_secret_is_incomplete() -> None:
    invocation = Invocation(error="ClientError: no access to /shop/keys")

    assert smoke.read("F", invocation, ("/shop/keys",)) == Answer("F", State.INCOMPLETE, missing=("/shop/keys",))
    assert smoke.read("F", invocation, ("/shop/other",)).state is State.FAILED


def test_read_other_faults_beside_a_missing_secret_fail() -> None:
    checks = {"secret": "denied: /shop/keys", "bus": "no bus"}

    answer = smoke.read("F", Invocation(answer={"healthy": False, "checks": checks}), ("/shop/keys",))

    assert answer == Answer("F", State.FAILED, "bus: no bus", ("/shop/keys",))


def test_read_checks_with_the_same_fault_are_named_together() -> None:
    checks = {"secret": "denied", "clock": "denied", "bus": "no bus"}

    answer = smoke.read("F", Invocation(answer={"healthy": False, "checks": checks}))

    assert answer.detail == "secret, clock: denied; bus: no bus"


def test_ask_all_passes_the_missing_secrets_on() -> None:
    cloud = FakeCloud({"A-physical-1": [Invocation(error="no access to /shop/keys")]})

    answers = smoke.ask_all(["A"], cloud, {}, missing_secrets=("/shop/keys",))

    assert answers[0] == Answer("A1", State.INCOMPLETE, missing=("/shop/keys",))


@pytest.mark.parametrize(
    ("states", "worst"),
    [
        ([], State.PASSED),
        ([State.PASSED, State.PASSED], State.PASSED),
        ([State.PASSED, State.INCOMPLETE], State.INCOMPLETE),
        ([State.FAILED, State.INCOMPLETE, State.PASSED], State.FAILED),
    ],
)
def test_state_of_answers_is_the_worst(states: list[State], worst: State) -> None:
    assert smoke.state_of([Answer("F", state) for state in states]) is worst


def test_missing_of_answers_has_no_repetitions() -> None:
    answers = [Answer("A", missing=("topic", "secret")), Answer("B", missing=("secret",)), Answer("C")]

    assert smoke.missing_of(answers) == ("secret", "topic")


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (b'{"errorType": "KeyError", "errorMessage": "\'X\'"}', "KeyError: 'X'"),
        (b"killed", "killed"),
    ],
)
def test_error_text_describes_failed_invocation(payload: bytes, text: str) -> None:
    assert aws.error_text(payload) == text


def test_states_have_the_words_of_release_records() -> None:
    assert [state.value for state in State] == ["passed", "incomplete", "failed"]
