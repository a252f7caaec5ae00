"""Edits of the real templates: each dangerous one is forbidden or named by its class, each harmless one is safe."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from automation.deploying.changes import comparison, expansion
from automation.deploying.changes.model import Assessment, Expanded, Verdict
from automation.deploying.verdict import dangers
from automation.deploying.verdict.aspects import Facts
from automation.project import settings, templates
from tests.templates.dangerous_edits import FORBIDDEN, HARMLESS, NAMED
from tests.templates.edits import Edit

ROOT = Path(__file__).parents[2]
TEMPLATES = {"data": "data-template.yaml", "trading": "template.yaml"}
PARAMETERS = {
    "Stage": "prod",
    "DataStackName": "shop-data",
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
}
STACK = "shop"


@dataclass(frozen=True, slots=True)
class Plans:
    """The expanded templates: as they are, and with each edit."""

    before: Mapping[str, Expanded]
    edited: Mapping[str, Expanded]

    def assess(self, name: str, stack: str) -> Assessment:
        changes = comparison.compare(stack, self.before[stack], self.edited[name])
        return dangers.assess(changes, Facts(watched=settings.read(ROOT).watched))


@cache
def document(stack: str) -> Mapping[str, Any]:
    return templates.document(ROOT / TEMPLATES[stack], name=TEMPLATES[stack])


def edited(stack: str, edit: Edit) -> expansion.SamTemplate:
    template = copy.deepcopy(dict(document(stack)))
    edit(template)
    return expansion.SamTemplate(TEMPLATES[stack], template, PARAMETERS)


@pytest.fixture(scope="module")
def plans() -> Plans:
    """Expand every template in one process; starting it takes most of the time."""
    edits: dict[str, tuple[str, Edit]] = dict(HARMLESS)
    edits |= {name: (stack, edit) for name, (stack, edit, _) in FORBIDDEN.items()}
    edits |= {name: (stack, edit) for name, (stack, edit, _, _) in NAMED.items()}
    sources = [edited(stack, lambda _: None) for stack in TEMPLATES] + [edited(*entry) for entry in edits.values()]
    parameters = {**PARAMETERS, "AWS::StackName": STACK}
    expanded = [Expanded(template, parameters) for template in expansion.expand(sources, root=ROOT)]
    count = len(TEMPLATES)
    return Plans(
        before=dict(zip(TEMPLATES, expanded[:count], strict=True)),
        edited=dict(zip(edits, expanded[count:], strict=True)),
    )


@pytest.mark.parametrize("name", FORBIDDEN)
def test_dangerous_edit_is_forbidden_by_name(name: str, plans: Plans) -> None:
    stack, _, expected = FORBIDDEN[name]

    assessment = plans.assess(name, stack)

    assert {danger.name for danger in assessment.dangers} == expected
    assert assessment.verdict is Verdict.FORBIDDEN


@pytest.mark.parametrize("name", NAMED)
def test_edit_that_needs_attention_is_named(name: str, plans: Plans) -> None:
    stack, _, rank, what = NAMED[name]

    assessment = plans.assess(name, stack)

    lines = [line for line in assessment.changes if line.rank is rank and line.needs_attention]
    assert what in [line.what[: len(what)] for line in lines]
    assert assessment.verdict is Verdict.CONSENT


@pytest.mark.parametrize("name", HARMLESS)
def test_harmless_edit_is_safe(name: str, plans: Plans) -> None:
    stack, _ = HARMLESS[name]

    assessment = plans.assess(name, stack)

    assert assessment.changes != ()
    assert (assessment.dangers, assessment.verdict) == ((), Verdict.SAFE)


def test_first_deployment_has_no_danger(plans: Plans) -> None:
    changes = [change for stack in TEMPLATES for change in comparison.compare(stack, None, plans.before[stack])]

    assessment = dangers.assess(changes, Facts(watched=settings.read(ROOT).watched))

    assert assessment.dangers == ()
    assert assessment.verdict is Verdict.CONSENT


def test_unchanged_templates_have_nothing_to_do(plans: Plans) -> None:
    changes = [
        change for stack in TEMPLATES for change in comparison.compare(stack, plans.before[stack], plans.before[stack])
    ]

    assert dangers.assess(changes).verdict is Verdict.NOTHING
