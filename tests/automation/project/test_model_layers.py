"""Layers of functions whose list depends on a condition."""

from pathlib import Path

import pytest

from automation.project import model
from automation.project.model import Function
from automation.project.templates import Unresolved
from tests.automation.projects import write_files

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: {Type: String}
Conditions:
  Live: !Equals [!Ref Stage, live]
Globals: {Function: {Runtime: python3.12, Handler: app.main, CodeUri: src/, GLOBAL}}
Resources:
  App: {Type: AWS::Serverless::Function, Properties: {OWN}}
  One: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: one/}}
  Two: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: two/}}
"""


def app(root: Path, own: str, *, shared: str = "Timeout: 3", stage: str = "") -> Function:
    write_files(root, {"template.yaml": TEMPLATE.replace("GLOBAL", shared).replace("OWN", own)})
    return model.load(root, parameters={"Stage": stage} if stage else {}).functions[0]


@pytest.mark.parametrize(
    ("own", "choices"),
    [
        ("Layers: !If [Live, [!Ref One, 'arn:x'], !Ref AWS::NoValue]", [("One", "arn:x"), ()]),
        ("Layers: [!If [Live, !Ref One, !Ref AWS::NoValue], !Ref Two]", [("One", "Two"), ("Two",)]),
        ("Layers: [!If [Live, !Ref One, !Ref Two]]", [("One",), ("Two",)]),
        ("Layers: [!Ref Two]", [("Two",)]),
        ("Timeout: 3", [()]),
    ],
)
def test_function_has_the_layers_of_every_branch(tmp_path: Path, own: str, choices: list[tuple[str, ...]]) -> None:
    function = app(tmp_path, own)

    assert sorted(function.layer_choices, key=str) == sorted(choices, key=str)
    assert set(function.layers) == set().union(*choices)


def test_function_layers_of_both_branches_keep_their_order(tmp_path: Path) -> None:
    assert app(tmp_path, "Layers: [!If [Live, !Ref Two, 'arn:x'], !Ref One]").layers[-1] == "One"


@pytest.mark.parametrize(("stage", "layers"), [("live", ("One",)), ("trial", ())])
def test_function_has_the_layers_of_a_known_condition(tmp_path: Path, stage: str, layers: tuple[str, ...]) -> None:
    function = app(tmp_path, "Layers: [!If [Live, !Ref One, !Ref AWS::NoValue]]", stage=stage)

    assert (function.layers, function.layer_choices) == (layers, (layers,))


def test_function_layers_of_globals_may_depend_on_a_condition(tmp_path: Path) -> None:
    shared = "Layers: !If [Live, [!Ref One], !Ref AWS::NoValue]"

    assert app(tmp_path, "Timeout: 3", shared=shared).layers == ("One",)
    assert app(tmp_path, "Layers: [!Ref Two]", shared=shared).layers == ("Two",)
    assert app(tmp_path, "Layers: [!Ref Two]", shared="Layers: [!Ref One]").layers == ("One", "Two")


def test_function_architecture_of_a_known_condition_may_have_no_value(tmp_path: Path) -> None:
    own = "Architectures: [!If [Live, arm64, !Ref AWS::NoValue]]"

    assert app(tmp_path, own, stage="live").architectures == ("arm64",)
    assert app(tmp_path, own, stage="trial").architectures == ("x86_64",)


def test_function_architecture_of_an_unknown_condition_names_the_parameter(tmp_path: Path) -> None:
    app(tmp_path, "Architectures: !If [Live, [arm64], [x86_64]]")
    loaded = model.load(tmp_path)

    assert loaded.functions[0].architectures == (
        Unresolved("{'Fn::If': ['Live', ['arm64'], ['x86_64']]}", parameter="Stage"),
    )
    assert loaded.stacks[0].skipped[0].why == (
        "needs its Architectures, which is only known at deploy time (!If [Live, [arm64], [x86_64]]); "
        "give the parameter a Default, or a value in samconfig.toml"
    )
