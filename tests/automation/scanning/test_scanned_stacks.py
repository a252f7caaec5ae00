import pytest

from automation.project import model
from automation.project.environments import StackSettings
from automation.scanning import scanned_stacks
from automation.scanning.scanned_stacks import ScannedStack
from tests.automation.projects import write_files
from tests.automation.scanning.small_stacks import stack

PYPROJECT = """
[[tool.alchemiser.stacks]]
name = "base"
template = "infra/base.yaml"
build_dir = "a"
config_env = "{env}-base"

[[tool.alchemiser.stacks]]
name = "app"
template = "app.yaml"
build_dir = "b"
"""
BASE = """
Parameters:
  Stage: {Type: String, Default: dev}
Outputs:
  OrdersArn: {Value: !GetAtt Orders.Arn, Export: {Name: !Sub "${AWS::StackName}-OrdersArn"}}
  OrdersName: {Value: !Ref Orders, Export: {Name: !Sub "${AWS::StackName}-Orders"}}
  OrdersUrl: {Value: !Sub "https://${AWS::Region}/${Orders}", Export: {Name: !Sub "${AWS::StackName}-Url"}}
  Both: {Value: !Join [",", [!Ref Orders, plain]], Export: {Name: !Sub "${AWS::StackName}-Both"}}
Resources:
  Orders:
    Type: AWS::DynamoDB::Table
    Properties: {TableName: !Ref Stage}
"""
APP = """
Parameters:
  Stage: {Type: String, Default: dev}
  Base: {Type: String}
Resources:
  Worker:
    Type: AWS::Lambda::Function
    Properties:
      Arn: {"Fn::ImportValue": !Sub "${Base}-OrdersArn"}
      Name: {"Fn::ImportValue": !Sub "${Base}-Orders"}
      Url: {"Fn::ImportValue": !Sub "${Base}-Url"}
      Both: {"Fn::ImportValue": !Sub "${Base}-Both"}
      Place: !Sub ["${Table}/x", {Table: !GetAtt Own.Arn}]
      Stage: !Ref Stage
      Account: !Ref AWS::AccountId
      Name2: !Sub "${AWS::StackName}-${AWS::Partition}-${AWS::Region}"
  Own: {Type: AWS::DynamoDB::Table}
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> model.Project:
    root = tmp_path_factory.mktemp("project")
    write_files(root, {"pyproject.toml": PYPROJECT, "infra/base.yaml": BASE, "app.yaml": APP})
    return model.load(root)


@pytest.fixture(scope="module")
def in_prod(project: model.Project) -> tuple[ScannedStack, ...]:
    base, app = project.stacks
    settings = (
        StackSettings(base, "shop-base", "prod", {"Stage": "prod"}),
        StackSettings(app, "shop", "prod", {"Stage": "prod", "Base": "shop-base"}),
    )
    return scanned_stacks.read(project.root, project.stacks, settings, region="eu-west-1")


def test_read_imports_name_the_stack_that_exports(in_prod: tuple[ScannedStack, ...]) -> None:
    properties = in_prod[1].resources["Worker"]["Properties"]

    assert properties["Arn"] == {"Fn::GetAtt": ["base/Orders", "Arn"]}
    assert properties["Name"] == {"Ref": "base/Orders"}
    assert properties["Url"] == {"Fn::Sub": "https://eu-west-1/${base/Orders}"}
    assert properties["Both"] == {"Fn::Join": [",", [{"Ref": "base/Orders"}, "plain"]]}


def test_read_in_an_environment_resolves_parameters_and_pseudo_parameters(in_prod: tuple[ScannedStack, ...]) -> None:
    properties = in_prod[1].resources["Worker"]["Properties"]

    assert properties["Stage"] == "prod"
    assert properties["Account"] == "123456789012"
    assert properties["Name2"] == "shop-aws-eu-west-1"
    assert in_prod[0].resources["Orders"]["Properties"] == {"TableName": "prod"}


def test_read_puts_the_variables_of_a_sub_in_place(in_prod: tuple[ScannedStack, ...]) -> None:
    assert in_prod[1].resources["Worker"]["Properties"]["Place"] == {"Fn::Sub": "${Own.Arn}/x"}


def test_read_names_stack_path_and_lines(in_prod: tuple[ScannedStack, ...]) -> None:
    base, app = in_prod

    assert (base.name, base.path, dict(base.lines)) == ("base", "infra/base.yaml", {"Orders": 10})
    assert (app.name, app.path, dict(app.lines)) == ("app", "app.yaml", {"Worker": 6, "Own": 17})


def test_read_without_an_environment_uses_the_defaults(project: model.Project) -> None:
    _, app = scanned_stacks.read(project.root, project.stacks)

    properties = app.resources["Worker"]["Properties"]
    assert properties["Stage"] == "dev"
    assert properties["Arn"] == {"Fn::ImportValue": {"Fn::Sub": "${Base}-OrdersArn"}}
    assert properties["Name2"] == {"Fn::Sub": "${AWS::StackName}-aws-us-east-1"}


def test_read_gives_the_template_the_values_as_defaults(in_prod: tuple[ScannedStack, ...]) -> None:
    parameters = in_prod[1].template["Parameters"]

    assert parameters == {"Stage": {"Type": "String", "Default": "prod"}, "Base": {"Type": "String"}}


def test_with_values_of_a_template_without_parameters_adds_none() -> None:
    assert scanned_stacks.with_values({"Resources": {}}, {"Stage": "prod"}) == {"Resources": {}}


def test_with_values_keeps_a_default_without_a_value() -> None:
    template = {"Parameters": {"A": {"Default": "1"}}}

    assert scanned_stacks.with_values(template, {}) == template


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Outputs:\n  A: {}\nResources:\n  A:\n    Type: x", 4),
        ("Resources:\n  C:\n    A: 1\n  A: {Type: x}", 4),
        ('{"Resources": {\n "B": {},\n "A" : {}}}', 3),
        ("Resources:\n  'A':\n    Type: x\nOutputs:\n  A: {}", 2),
    ],
)
def test_lines_of_is_the_first_line_after_resources(text: str, line: int) -> None:
    assert scanned_stacks.lines_of(text, {"A": {}, "C": {}})["A"] == line


def test_line_of_a_generated_resource_is_that_of_its_origin() -> None:
    scanned = ScannedStack("main", "t.yaml", {}, {}, {"Worker": 3, "WorkerTwo": 9})

    assert scanned.line_of("WorkerTwoRole") == 9
    assert scanned.line_of("WorkerRole") == 3
    assert scanned.line_of("") == 1


def test_stable_name_has_no_hash_of_sam() -> None:
    layer = {"Type": "AWS::Lambda::LayerVersion"}

    scanned = stack(Codea1b2c3d4e5=layer, Queuea1b2c3d4e5={"Type": "AWS::SQS::Queue"})

    assert scanned.stable_name("Codea1b2c3d4e5") == "Code"
    assert scanned.stable_name("Queuea1b2c3d4e5") == "Queuea1b2c3d4e5"
    assert scanned.stable_name("Unknown") == "Unknown"
