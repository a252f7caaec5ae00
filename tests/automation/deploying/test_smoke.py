"""Every function is asked; the one that fails is named."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from automation.deploying import smoke
from automation.system import aws
from automation.system.errors import ConfigurationError, DeploymentError


@dataclass
class FakeCloud:
    """Two stacks of two functions; those in `broken` fail with the text there."""

    broken: Mapping[str, str] = field(default_factory=dict)
    asked: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)

    def functions(self, stack_name: str) -> Mapping[str, str]:
        return {f"{stack_name}{n}": f"{stack_name}-physical-{n}" for n in (1, 2)}

    def invoke(self, function: str, payload: Mapping[str, object]) -> str:
        self.asked.append((function, payload))
        return self.broken.get(function, "")


def test_ask_all_asks_every_function_of_every_stack_once() -> None:
    cloud = FakeCloud()

    answers = smoke.ask_all(["A", "B"], cloud, {"health": True})

    smoke.require_well(answers)
    assert [answer.function for answer in answers] == ["A1", "A2", "B1", "B2"]
    assert sorted(cloud.asked) == [(f"{s}-physical-{n}", {"health": True}) for s in "AB" for n in (1, 2)]


def test_require_well_names_the_function_that_failed_and_why() -> None:
    answers = smoke.ask_all(["A"], FakeCloud({"A-physical-2": "KeyError: 'RUNS_TABLE'"}), {})

    with pytest.raises(DeploymentError, match="A2 failed: KeyError: 'RUNS_TABLE'") as caught:
        smoke.require_well(answers)

    assert "A1" not in str(caught.value)


def test_message_of_a_project_without_one_is_none(tmp_path: Path) -> None:
    assert smoke.message(tmp_path) is None


def test_message_that_is_no_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.alchemiser]\nsmoke = 1\n")

    with pytest.raises(ConfigurationError, match="not a table"):
        smoke.message(tmp_path)


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (b'{"errorType": "KeyError", "errorMessage": "\'X\'"}', "KeyError: 'X'"),
        (b"killed", "killed"),
    ],
)
def test_error_text_reads_what_lambda_says(payload: bytes, text: str) -> None:
    assert aws.error_text(payload) == text
