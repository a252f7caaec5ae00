from pathlib import Path

import pytest

from automation.authoring import layer_plans, selections
from automation.authoring.layer_plans import LayerPlan
from automation.authoring.names import Names
from automation.project import model, yamls
from automation.system.errors import UsageError
from tests.automation.projects import write_files

TEMPLATE = """\
Resources:
  CodeLayer:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: layers/code/}

  # what the web needs
  WebLayer:
    Type: AWS::Serverless::LayerVersion
    Properties:
      LayerName: !Sub "${AWS::StackName}-web"
      ContentUri: layers/web/
      CompatibleRuntimes: [python3.12] # only
    Metadata: {BuildMethod: python3.12, Alchemiser: {BudgetMB: 27}}

  Maths:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: layers/maths/}
"""
PROJECT = {
    "template.yaml": TEMPLATE,
    "layers/web/requirements.in": "pydantic==2.0\nhttpx==0.28.1\n\n",
    "layers/maths/requirements.in": "numpy==2.0\npydantic==2.0\n\n",
}


def plan(root: Path, name: str = "report_pages", *requirements: str, stack: str = "", example: str = "") -> LayerPlan:
    names = Names(name)
    return layer_plans.plan(model.load(root), names, requirements=requirements, stack_name=stack, example=example)


def test_plan_copies_the_first_layer_that_is_made_from_requirements(tmp_path: Path) -> None:
    write_files(tmp_path, PROJECT)

    planned = plan(tmp_path, "report_pages", "jinja2==3.1.6", "pydantic==2.0")

    assert (planned.layer, planned.folder) == ("ReportPagesLayer", "layers/report_pages")
    assert planned.example.logical_id == "WebLayer"
    assert planned.changes.contents["layers/report_pages/requirements.in"] == "pydantic==2.0\njinja2==3.1.6\n"
    template = planned.changes.contents["template.yaml"] or ""
    start = template.index("  ReportPagesLayer:")
    assert template[start : template.index("  Maths:")] == (
        "  ReportPagesLayer:\n"
        "    Type: AWS::Serverless::LayerVersion\n"
        "    Properties:\n"
        '      LayerName: !Sub "${AWS::StackName}-report-pages"\n'
        "      ContentUri: layers/report_pages/\n"
        "      CompatibleRuntimes: [python3.12] # only\n"
        "    Metadata: {BuildMethod: python3.12, Alchemiser: {BudgetMB: 27}}\n"
        "\n"
    )


def test_plan_takes_the_example_and_the_default_budget(tmp_path: Path) -> None:
    write_files(tmp_path, {**PROJECT, "pyproject.toml": "[tool.alchemiser.budgets]\nlayer_mb = 60\n"})

    assert "BudgetMB: 60}" in (plan(tmp_path).changes.contents["template.yaml"] or "")
    assert plan(tmp_path, example="maths").layer == "ReportPages"
    assert plan(tmp_path, example="Maths").example.logical_id == "Maths"


def test_plan_of_the_second_layer_has_no_common_requirements(tmp_path: Path) -> None:
    write_files(tmp_path, {**PROJECT, "layers/maths/requirements.in": "numpy==2.0\n"})
    (tmp_path / "layers/maths/requirements.in").unlink()

    planned = plan(tmp_path, "report_pages", "jinja2==3.1.6")

    assert planned.changes.contents["layers/report_pages/requirements.in"] == "jinja2==3.1.6\n"


def test_plan_only_adds_to_the_template(tmp_path: Path) -> None:
    write_files(tmp_path, PROJECT)

    text = plan(tmp_path).changes.contents["template.yaml"] or ""

    before, after = (yamls.load(content, name="t")["Resources"] for content in (TEMPLATE, text))
    assert {name: body for name, body in after.items() if name != "ReportPagesLayer"} == before
    assert selections.parse(text, path="t").functions == ()


@pytest.mark.parametrize(
    ("changes", "choices", "message"),
    [
        (
            {},
            {"example": "nope"},
            "layer 'nope' cannot be copied; choose one of WebLayer, Maths",
        ),
        ({}, {"stack": "nope"}, "there is no stack 'nope'; the stacks are: main"),
        ({}, {"name": "maths", "example": "Maths"}, "template.yaml already has a resource Maths; choose another name"),
        (
            {"layers/report_pages/x": ""},
            {},
            "layers/report_pages exists already; choose another name, or remove it first",
        ),
        (
            {"layers/maths/requirements.in": "numpy==2.0\n"},
            {},
            "the layer would be empty; name a package, as in --requirement httpx==0.28.1",
        ),
    ],
)
def test_plan_refuses_what_it_cannot_do(
    tmp_path: Path, changes: dict[str, str], choices: dict[str, str], message: str
) -> None:
    write_files(tmp_path, {**PROJECT, **changes})

    with pytest.raises(UsageError) as raised:
        plan(tmp_path, **choices)

    assert str(raised.value) == message


def test_plan_without_a_layer_to_copy_says_so(tmp_path: Path) -> None:
    write_files(tmp_path, {"template.yaml": TEMPLATE})

    with pytest.raises(UsageError, match=r"no layer has a requirements\.in to copy; write the first layer by hand"):
        plan(tmp_path)
