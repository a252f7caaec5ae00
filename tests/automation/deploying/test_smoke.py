"""The smoke test invokes every function and names those that fail."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from automation.deploying import smoke
from automation.system import aws
from automation.system.errors import DeploymentError


@dataclass
class FakeCloud:
    """A cloud with two functions per stack; each function in `broken` fails with its text."""

    broken: Mapping[str, str] = field(default_factory=dict)
    requests: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)

    def functions(self, stack_name: str) -> Mapping[str, str]:
        return {f"{stack_name}{number}": f"{stack_name}-physical-{number}" for number in (1, 2)}

    def invoke(self, function: str, payload: Mapping[str, object]) -> str:
        self.requests.append((function, payload))
        return self.broken.get(function, "")


def test_ask_all_invokes_every_function_of_every_stack_once() -> None:
    cloud = FakeCloud()

    answers = smoke.ask_all(["A", "B"], cloud, {"health": True})

    smoke.require_success(answers)
    assert [answer.function for answer in answers] == ["A1", "A2", "B1", "B2"]
    functions = ["A-physical-1", "A-physical-2", "B-physical-1", "B-physical-2"]
    assert sorted(cloud.requests) == [(function, {"health": True}) for function in functions]


def test_require_success_names_failed_function_and_error() -> None:
    answers = smoke.ask_all(["A"], FakeCloud({"A-physical-2": "KeyError: 'RUNS_TABLE'"}), {})

    with pytest.raises(DeploymentError, match="A2 failed: KeyError: 'RUNS_TABLE'") as caught:
        smoke.require_success(answers)

    assert "A1" not in str(caught.value)


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (b'{"errorType": "KeyError", "errorMessage": "\'X\'"}', "KeyError: 'X'"),
        (b"killed", "killed"),
    ],
)
def test_error_text_describes_failed_invocation(payload: bytes, text: str) -> None:
    assert aws.error_text(payload) == text
