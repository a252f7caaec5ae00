"""Nested applications become stacks of their own, and pass parameters and layers on."""

from pathlib import Path

import pytest

from automation.project import model, passed_layers
from automation.project.model import Project, Stack
from automation.project.templates import Unresolved
from automation.system.errors import ConfigurationError
from tests.automation.projects import write_files

ROOT = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Rt: {Type: String, Default: python3.12}
Resources:
  Base:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: base/}
  Layers:
    Type: AWS::Serverless::Application
    Properties: {Location: ./layers/template.yaml}
  Shop:
    Type: AWS::Serverless::Application
    Properties:
      Location: shop/template.yml
      Parameters:
        Runtime: !Ref Rt
        Zones: [a, b]
        Debug: true
        BaseArn: !Ref Base
        ExtraArn: !GetAtt Layers.Outputs.ExtraArn
        Account: !ImportValue account
  Again:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: shop/template.yml
      Parameters: {Runtime: python3.13, ExtraArn: !GetAtt [Layers, Outputs.Nothing]}
"""
LAYERS = """
Resources:
  Extra: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: extra/}}
Outputs:
  ExtraArn: {Value: !Ref Extra}
"""
SHOP = """
Parameters:
  Runtime: {Type: String}
  Zones: {Type: CommaDelimitedList, Default: ""}
  Debug: {Type: String, Default: ""}
  BaseArn: {Type: String, Default: none}
  ExtraArn: {Type: String}
  Account: {Type: String, Default: none}
Resources:
  Till:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: ../code/till, Handler: app.main, Runtime: !Ref Runtime, Layers: [!Ref BaseArn, !Ref ExtraArn]}
  Inner:
    Type: AWS::Serverless::Application
    Properties: {Location: inner/template.json, Parameters: {LayerArn: !Ref BaseArn}}
"""
INNER = """{"Parameters": {"LayerArn": {"Type": "String"}}, "Resources": {"Deep": {
\t"Type": "AWS::Serverless::Function",
\t"Properties": {"Handler": "app.main", "Runtime": "python3.12", "Layers": [{"Ref": "LayerArn"}, "arn:x"]}}}}"""
FILES = {
    "template.yaml": ROOT,
    "layers/template.yaml": LAYERS,
    "shop/template.yml": SHOP,
    "shop/inner/template.json": INNER,
}


def load(root: Path, **changes: str) -> Project:
    write_files(root, {**FILES, **{name.replace("__", "/"): text for name, text in changes.items()}})
    return model.load(root)


def stack_of(project: Project, name: str) -> Stack:
    return next(stack for stack in project.stacks if stack.name == name)


def test_load_nested_applications_are_stacks_in_folders_of_their_own(tmp_path: Path) -> None:
    project = load(tmp_path)

    assert [(stack.name, stack.parent, stack.template.path, stack.build_dir) for stack in project.stacks] == [
        ("main", "", "template.yaml", ".aws-sam/build"),
        ("main/Layers", "main", "layers/template.yaml", ".aws-sam/build/Layers"),
        ("main/Shop", "main", "shop/template.yml", ".aws-sam/build/Shop"),
        ("main/Shop/Inner", "main/Shop", "shop/inner/template.json", ".aws-sam/build/Shop/Inner"),
        ("main/Again", "main", "shop/template.yml", ".aws-sam/build/Again"),
        ("main/Again/Inner", "main/Again", "shop/inner/template.json", ".aws-sam/build/Again/Inner"),
    ]
    assert [stack.name for stack in project.deployed] == ["main"]
    assert stack_of(project, "main").nested == ("Layers", "Shop", "Again")


def test_load_nested_code_lies_beside_its_own_template(tmp_path: Path) -> None:
    functions = {function.stack: function.code_uri for function in load(tmp_path).functions}

    assert functions == {
        "main/Shop": "code/till",
        "main/Shop/Inner": "shop/inner",
        "main/Again": "code/till",
        "main/Again/Inner": "shop/inner",
    }


def test_load_nested_parameters_are_those_that_are_known(tmp_path: Path) -> None:
    project = load(tmp_path)

    assert stack_of(project, "main/Shop").parameters == {"Runtime": "python3.12", "Zones": "a,b", "Debug": "true"}
    runtimes = {function.stack: function.runtime for function in project.functions}
    assert (runtimes["main/Shop"], runtimes["main/Again"]) == ("python3.12", "python3.13")


def test_load_nested_default_does_not_replace_a_value_that_is_known_later(tmp_path: Path) -> None:
    project = load(tmp_path)

    assert "Default" not in stack_of(project, "main/Shop").template.parameters["Account"]
    assert stack_of(project, "main/Again").template.parameters["Account"] == {"Type": "String", "Default": "none"}


def test_parameters_by_stack_pass_given_values_on(tmp_path: Path) -> None:
    parameters = model.parameters_by_stack(load(tmp_path), {"main": {"Rt": "python3.11"}})

    assert parameters["main"] == {"Rt": "python3.11"}
    assert parameters["main/Shop"]["Runtime"] == "python3.11"
    assert parameters["main/Again"]["Runtime"] == "python3.13"


def test_parameters_by_stack_without_given_ones_keep_their_own(tmp_path: Path) -> None:
    write_files(tmp_path, FILES)
    project = model.load(tmp_path, parameters={"Rt": "python3.10"})

    parameters = model.parameters_by_stack(project, {})

    assert (parameters["main"], parameters["main/Shop"]["Runtime"]) == ({"Rt": "python3.10"}, "python3.10")


@pytest.mark.parametrize(
    ("changed", "text", "message"),
    [
        (
            "template.yaml",
            ROOT.replace("./layers/", "lost/"),
            r"template\.yaml: Layers: its template lost/template\.yaml does not exist; correct the path",
        ),
        (
            "layers/template.yaml",
            "Resources: {Up: {Type: AWS::Serverless::Application, Properties: {Location: ../template.yaml}}}",
            r"layers/template\.yaml: Up: nests template\.yaml, which contains it",
        ),
        ("layers/template.yaml", "a: 1", r"layers/template\.yaml: has no Resources"),
    ],
)
def test_load_wrong_nesting_raises(tmp_path: Path, changed: str, text: str, message: str) -> None:
    write_files(tmp_path, {**FILES, changed: text})

    with pytest.raises(ConfigurationError, match=message):
        model.load(tmp_path)


def test_load_location_as_a_file_url(tmp_path: Path) -> None:
    project = load(tmp_path, **{"template.yaml": ROOT.replace("./layers/", "file://layers/")})

    assert "main/Layers" in {stack.name for stack in project.stacks}


def origins(project: Project, name: str) -> list[tuple[str, str] | None]:
    stacks = {stack.name: stack for stack in project.stacks}
    [function] = stacks[name].functions
    unresolved = [layer for layer in function.layers if isinstance(layer, Unresolved)]
    return [passed_layers.origin(layer, stacks[name], stacks) for layer in unresolved]


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        ("main/Shop", [("main", "Base"), ("main/Layers", "Extra")]),
        ("main/Shop/Inner", [("main", "Base")]),
        ("main/Again", [None]),
        ("main/Again/Inner", []),
    ],
)
def test_origin_follows_parameters_and_outputs(
    tmp_path: Path, stack: str, expected: list[tuple[str, str] | None]
) -> None:
    assert origins(load(tmp_path), stack) == expected


def test_origin_of_an_output_in_the_same_template(tmp_path: Path) -> None:
    function = """
  Own:
    Type: AWS::Serverless::Function
    Properties: {Handler: a.b, Runtime: python3.12, Layers: [!GetAtt Layers.Outputs.ExtraArn, !GetAtt Base.Arn]}
"""
    project = load(tmp_path, **{"template.yaml": ROOT + function})

    assert origins(project, "main") == [("main/Layers", "Extra"), None]


def test_origin_of_a_parameter_of_a_deployed_stack_is_unknown(tmp_path: Path) -> None:
    write_files(tmp_path, {"template.yaml": SHOP[: SHOP.index("  Inner:")].replace("Default: none", "")})

    assert origins(model.load(tmp_path), "main") == [None, None]
