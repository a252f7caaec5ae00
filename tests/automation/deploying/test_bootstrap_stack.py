"""The bootstrap stack as deployments see it: its name, its bucket, its answers."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from automation.deploying import bootstrap_stack
from automation.system.errors import ConfigurationError
from automation.system.stacks import StackDescription, StackState


@dataclass
class FakeCloud:
    """Stacks with outputs, by name."""

    stacks: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def describe(self, stack: str) -> StackDescription:
        self.asked.append(stack)
        return StackDescription(StackState(stack), outputs=self.stacks.get(stack, {}))


def environment(*, is_sandbox: bool = False) -> Any:
    return SimpleNamespace(is_sandbox=is_sandbox)


@pytest.mark.parametrize(
    ("stacks", "name"),
    [(("shop-base", "shop"), "bootstrap-shop"), (("shop",), "bootstrap-shop"), (("boot",), "bootstrap-boot")],
)
def test_name_is_no_name_of_the_stacks_with_more_behind_it(stacks: tuple[str, ...], name: str) -> None:
    assert bootstrap_stack.name_of(stacks) == name
    assert not [stack for stack in stacks if name.startswith(f"{stack}-")]


@pytest.mark.parametrize(
    ("patterns", "name"),
    [(("shop-pr-*-base", "shop-pr-*"), "bootstrap-shop-pr"), (("pr-*-shop",), "bootstrap-pr-shop")],
)
def test_name_of_a_pattern_is_one_for_all_its_environments(patterns: tuple[str, ...], name: str) -> None:
    assert bootstrap_stack.name_of(patterns) == name


@pytest.mark.parametrize("patterns", [("bootstrap-*",), ("boot*-*", "shop")])
def test_name_that_fits_a_pattern_is_refused(patterns: tuple[str, ...]) -> None:
    with pytest.raises(ConfigurationError, match="the stack of the deploy role; rename the stack"):
        bootstrap_stack.name_of(patterns)


def test_name_that_a_grant_of_the_role_would_cover_is_refused() -> None:
    """Otherwise the deploy role could change itself."""
    with pytest.raises(
        ConfigurationError, match=r"samconfig.toml: the name bootstrap is a beginning of bootstrap-shop,"
    ):
        bootstrap_stack.name_of(("bootstrap", "shop"))


def test_answers_are_those_of_the_output() -> None:
    cloud = FakeCloud({"bootstrap-shop": {"Answers": '{"MailTo": "a@shop.test"}'}})

    assert bootstrap_stack.answers(environment(), ("shop",), cloud) == {"MailTo": "a@shop.test"}


def test_answers_without_a_stack_or_an_answer_are_none() -> None:
    cloud = FakeCloud({"bootstrap-shop": {"DeployRole": "arn"}})

    assert bootstrap_stack.answers(environment(), ("shop",), cloud) == {}
    assert bootstrap_stack.answers(environment(), ("other",), cloud) == {}


def test_answers_of_an_emulator_are_not_asked_for() -> None:
    cloud = FakeCloud()

    assert bootstrap_stack.answers(environment(is_sandbox=True), ("shop",), cloud) == {}
    assert cloud.asked == []
