"""Nested applications become stacks of their own, and pass parameters and layers on."""

from pathlib import Path

import pytest

from automation.project import model, passed_layers
from automation.project.model import Project, Stack
from automation.project.skipped import Kind, Skipped
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


def test_load_template_that_nests_itself_raises(tmp_path: Path) -> None:
    text = "Resources: {Up: {Type: AWS::Serverless::Application, Properties: {Location: ../template.yaml}}}"
    write_files(tmp_path, {**FILES, "layers/template.yaml": text})

    message = r"^layers/template\.yaml: Up: nests template\.yaml, which contains it$"
    with pytest.raises(ConfigurationError, match=message):
        model.load(tmp_path)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: 1", "layers/template.yaml: has no Resources, so it is not a template"),
        ("Resources:\n  A: b: c\n", "layers/template.yaml:2: is not valid YAML: mapping values are not allowed"),
        (
            "Transform: AWS::LanguageExtensions\nResources: {'Fn::ForEach::Of': [X, [a], {'F${X}': {}}]}",
            "layers/template.yaml: Fa: has no Type",
        ),
    ],
)
def test_load_unreadable_template_is_named_and_the_others_are_read(tmp_path: Path, text: str, why: str) -> None:
    project = load(tmp_path, **{"layers/template.yaml": text})

    [fault] = stack_of(project, "main").skipped
    assert (fault.logical_id, fault.kind, fault.label, fault.is_fault) == (
        "Layers",
        Kind.APPLICATION,
        "unreadable",
        True,
    )
    assert fault.why.startswith(f"has a template that cannot be read: {why}")
    assert [stack.name for stack in project.stacks] == [
        "main",
        "main/Shop",
        "main/Shop/Inner",
        "main/Again",
        "main/Again/Inner",
    ]


def test_load_faults_of_a_stack_are_not_those_of_what_it_nests(tmp_path: Path) -> None:
    root = ROOT.replace("  Layers:", "  Inner:").replace("./layers/", "lost/")
    project = load(tmp_path, **{"template.yaml": root})

    assert [fault.logical_id for fault in stack_of(project, "main").faults] == ["Inner"]
    assert stack_of(project, "main/Shop").nested == ("Inner",)
    assert stack_of(project, "main/Shop").skipped == ()


def test_with_parameters_drops_the_fault_of_an_application_that_is_elsewhere(tmp_path: Path) -> None:
    project = load(tmp_path, **{"template.yaml": ROOT.replace("./layers/template.yaml", "!Ref Rt")})
    stack = stack_of(project, "main")

    moved = model.with_parameters(stack, {"Rt": "https://elsewhere/template.yaml"})

    assert [entry.label for entry in stack.skipped] == ["missing"]
    assert [entry.label for entry in moved.skipped] == ["remote"]


def test_load_missing_template_is_named_and_nests_nothing(tmp_path: Path) -> None:
    project = load(tmp_path, **{"template.yaml": ROOT.replace("./layers/", "lost/")})

    [missing] = stack_of(project, "main").skipped
    why = (
        "has the template lost/template.yaml, which does not exist; correct the path, or make the file before the build"
    )
    assert missing == Skipped("Layers", Kind.APPLICATION, why, "missing", is_fault=True)
    assert stack_of(project, "main").nested == ("Shop", "Again")
    assert [stack.name for stack in project.stacks] == [
        "main",
        "main/Shop",
        "main/Shop/Inner",
        "main/Again",
        "main/Again/Inner",
    ]


def test_load_location_as_a_file_url(tmp_path: Path) -> None:
    project = load(tmp_path, **{"template.yaml": ROOT.replace("./layers/", "file://layers/")})

    assert "main/Layers" in {stack.name for stack in project.stacks}


def origins(project: Project, name: str) -> list[passed_layers.Origin]:
    stacks = {stack.name: stack for stack in project.stacks}
    [function] = stacks[name].functions
    return list(passed_layers.of_function(function, stacks[name], stacks))


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        ("main/Shop", [("main", "Base"), ("main/Layers", "Extra")]),
        ("main/Shop/Inner", [("main", "Base"), "arn:x"]),
        ("main/Again", ["none", "{'Ref': 'ExtraArn'}"]),
        ("main/Again/Inner", ["none", "arn:x"]),
    ],
)
def test_origin_follows_parameters_and_outputs(
    tmp_path: Path, stack: str, expected: list[passed_layers.Origin]
) -> None:
    assert origins(load(tmp_path), stack) == expected


def test_origin_of_an_output_in_the_same_template(tmp_path: Path) -> None:
    function = """
  Own:
    Type: AWS::Serverless::Function
    Properties: {Handler: a.b, Runtime: python3.12, Layers: [!GetAtt Layers.Outputs.ExtraArn, !GetAtt Base.Arn]}
"""
    project = load(tmp_path, **{"template.yaml": ROOT + function})

    assert origins(project, "main") == [("main/Layers", "Extra"), "{'Fn::GetAtt': ['Base', 'Arn']}"]


def test_origin_of_a_parameter_of_a_deployed_stack_is_unknown(tmp_path: Path) -> None:
    write_files(tmp_path, {"template.yaml": SHOP[: SHOP.index("  Inner:")].replace("Default: none", "")})

    assert origins(model.load(tmp_path), "main") == ["{'Ref': 'BaseArn'}", "{'Ref': 'ExtraArn'}"]


LISTED = """
Transform: AWS::Serverless-2016-10-31
Parameters: {Stage: {Type: String}}
Conditions: {Later: !Equals [!Ref Stage, live], Now: !Equals [a, a], Never: !Equals [a, b]}
Resources:
  Base: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: base/}}
  Layers: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: layers/template.yaml}}
  Api:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: api/template.yaml, Parameters: {Common: LIST}}
"""
API = """
Parameters: {Common: {Type: CommaDelimitedList}}
Resources:
  Get:
    Type: AWS::Serverless::Function
    Properties: {Handler: a.b, Runtime: python3.12, Layers: LAYERS}
"""
EXTRA = ("main/Layers", "Extra")


@pytest.mark.parametrize(
    ("passed_on", "layers", "expected"),
    [
        (
            '!Join [",", [!GetAtt Layers.Outputs.ExtraArn, !Ref Base, "arn:a:1"]]',
            "!Ref Common",
            [EXTRA, ("main", "Base"), "arn:a:1"],
        ),
        ('!Join [", ", [!Ref Base, !GetAtt Layers.Outputs.ExtraArn]]', "!Ref Common", [("main", "Base"), EXTRA]),
        ("[!Ref Base, !GetAtt Layers.Outputs.ExtraArn]", "!Ref Common", [("main", "Base"), EXTRA]),
        ('!Sub "${Layers.Outputs.ExtraArn}, ${Base},arn:a:1"', "!Ref Common", [EXTRA, ("main", "Base"), "arn:a:1"]),
        ('!Sub "${Base},arn:${AWS::Region}:1"', "!Ref Common", [("main", "Base"), "{'Ref': 'Common'}"]),
        ("!GetAtt Layers.Outputs.All", "!Ref Common", [EXTRA]),
        ('"arn:a:1, arn:b:2"', "!Ref Common", ["arn:a:1", "arn:b:2"]),
        ('!Join [",", ["arn:a:1, arn:b:2", !Ref Base]]', "!Ref Common", ["arn:a:1", "arn:b:2", ("main", "Base")]),
        ('""', "!Ref Common", []),
        ('!Join [",", [!Ref Base, !ImportValue x]]', "!Ref Common", [("main", "Base"), "{'Ref': 'Common'}"]),
        ('!Join ["-", [!Ref Base, !Ref Base]]', "!Ref Common", ["{'Ref': 'Common'}"]),
        (
            '!Join [",", [!Ref Base, !GetAtt Layers.Outputs.ExtraArn]]',
            "[!Select [1, !Ref Common]]",
            [EXTRA],
        ),
        ('!Join [",", [!Ref Base]]', "[!Select [1, !Ref Common]]", ["{'Fn::Select': [1, {'Ref': 'Common'}]}"]),
        ('!Join [",", [!Ref Base]]', '!Split [",", !Join [",", !Ref Common]]', [("main", "Base")]),
        ("!If [Later, !Ref Base, !GetAtt Layers.Outputs.ExtraArn]", "!Ref Common", [("main", "Base"), EXTRA]),
        ("!If [Later, !Ref Base, !Ref AWS::NoValue]", "!Ref Common", [("main", "Base")]),
        ('!If [Later, "", !Ref Base]', "!Ref Common", [("main", "Base")]),
        ("!If [Now, !Ref Base, !GetAtt Layers.Outputs.ExtraArn]", "!Ref Common", [("main", "Base")]),
        ("!If [Never, !Ref Base, !GetAtt Layers.Outputs.ExtraArn]", "!Ref Common", [EXTRA]),
        ("!If [Unknown, !Ref Base, !Ref Base]", "[!Ref Common]", [("main", "Base")]),
    ],
)
def test_origins_of_a_list_that_a_parameter_hands_on(
    tmp_path: Path, passed_on: str, layers: str, expected: list[passed_layers.Origin]
) -> None:
    every = LAYERS + '  All: {Value: !Join [",", [!Ref Extra, !Ref Extra]]}\n'
    write_files(tmp_path, {"template.yaml": LISTED.replace("LIST", passed_on), "layers/template.yaml": every})
    write_files(tmp_path, {"api/template.yaml": API.replace("LAYERS", layers)})

    assert origins(model.load(tmp_path), "main/Api") == expected


@pytest.mark.parametrize(
    ("origin", "expected"), [("arn:a:1", "arn:a:1"), (("main", "Base"), "Base"), (EXTRA, "main/Layers: Extra")]
)
def test_name_of_a_layer_says_the_stack_of_another(tmp_path: Path, origin: passed_layers.Origin, expected: str) -> None:
    assert passed_layers.name(origin, load(tmp_path).stacks[0]) == expected
