from pathlib import Path
from typing import Any

import pytest

from automation.building import outputs
from automation.project import model, templates
from automation.system import files
from tests.automation.projects import write_files

INCLUDE: dict[str, Any] = {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "api.yaml"}}}
DOCUMENT: dict[str, Any] = {
    "Globals": {"Function": {"CodeUri": "code/"}},
    "Resources": {
        "Api": {"Type": "AWS::Serverless::Api", "Properties": {"DefinitionUri": "api.yaml", "Name": "api.yaml"}},
        "Bucketed": {"Type": "AWS::Serverless::Api", "Properties": {"DefinitionUri": "s3://bucket/api.yaml"}},
        "Machine": {"Type": "AWS::Serverless::StateMachine", "Properties": {"Definition": [INCLUDE]}},
        "Topic": {"Type": "AWS::SNS::Topic"},
        "Fn::ForEach::Loop": ["N", ["a"], {}],
    },
}


LOCAL_FILES = """
ApiGateway::RestApi.BodyS3Location ApiGatewayV2::Api.BodyS3Location
AppSync::FunctionConfiguration.RequestMappingTemplateS3Location
AppSync::FunctionConfiguration.ResponseMappingTemplateS3Location AppSync::FunctionConfiguration.CodeS3Location
AppSync::GraphQLSchema.DefinitionS3Location AppSync::Resolver.RequestMappingTemplateS3Location
AppSync::Resolver.ResponseMappingTemplateS3Location AppSync::Resolver.CodeS3Location
CloudFormation::Stack.TemplateURL ElasticBeanstalk::ApplicationVersion.SourceBundle
Lambda::Function.Code Lambda::LayerVersion.Content Serverless::Api.DefinitionUri Serverless::Application.Location
Serverless::Function.CodeUri Serverless::GraphQLApi.SchemaUri Serverless::GraphQLApi.CodeUri
Serverless::HttpApi.DefinitionUri Serverless::LayerVersion.ContentUri Serverless::StateMachine.DefinitionUri
StepFunctions::StateMachine.DefinitionS3Location
"""


def test_relocate_knows_the_properties_that_sam_package_uploads(tmp_path: Path) -> None:
    write_files(tmp_path, {"local": ""})
    properties = [name.split(".") for name in LOCAL_FILES.split()]
    document = {
        "Resources": {
            f"{kind}{name}": {"Type": f"AWS::{kind}", "Properties": {name: "local", "Name": "local"}}
            for kind, name in properties
        }
    }

    relocated = outputs.relocate(document, from_folder=tmp_path, to_folder=tmp_path / "out")["Resources"]

    assert [relocated[f"{kind}{name}"]["Properties"] for kind, name in properties] == [
        {name: "../local", "Name": "local"} for _, name in properties
    ]


def test_relocate_moves_every_path_to_a_file_and_nothing_else(tmp_path: Path) -> None:
    write_files(tmp_path, {"api.yaml": "", "code/app.py": ""})

    relocated = outputs.relocate(DOCUMENT, from_folder=tmp_path, to_folder=tmp_path / ".aws-sam" / "build")

    resources = relocated["Resources"]
    assert relocated["Globals"]["Function"]["CodeUri"] == "../../code"
    assert resources["Api"]["Properties"] == {"DefinitionUri": "../../api.yaml", "Name": "api.yaml"}
    assert resources["Bucketed"] == DOCUMENT["Resources"]["Bucketed"]
    include = resources["Machine"]["Properties"]["Definition"][0]["Fn::Transform"]
    assert include == {"Name": "AWS::Include", "Parameters": {"Location": "../../api.yaml"}}
    assert INCLUDE["Fn::Transform"]["Parameters"] == {"Location": "api.yaml"}, "it is a copy that changes"


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("AWS::Lambda::Function", "Code"),
        ("AWS::Lambda::LayerVersion", "Content"),
        ("AWS::Serverless::Function", "CodeUri"),
        ("AWS::Serverless::LayerVersion", "ContentUri"),
        ("AWS::Serverless::WebFunction", "CodeUri"),
        ("AWS::Serverless::Application", "Location"),
        ("AWS::CloudFormation::Stack", "TemplateURL"),
    ],
)
def test_point_to_sets_the_code_property_of_the_resource_type(kind: str, name: str) -> None:
    document: dict[str, Any] = {"Resources": {"A": {"Type": kind, "Properties": {name: "x"}}, "B": {"Type": kind}}}

    pointed = outputs.point_to(document, {"A": "A", "B": "zips/B.zip"})["Resources"]

    assert [pointed["A"]["Properties"], pointed["B"]["Properties"]] == [{name: "A"}, {name: "zips/B.zip"}]
    assert document["Resources"]["A"]["Properties"] == {name: "x"}


def test_write_templates_keeps_every_section_and_intrinsic(tmp_path: Path) -> None:
    text = """
Transform: AWS::Serverless-2016-10-31
Anchors: &shared {Timeout: 3}
Resources:
  Greet: {Type: AWS::Serverless::Function, Properties: {<<: *shared, CodeUri: greet, Name: !Sub "${AWS::StackName}-x"}}
Outputs:
  Name: {Value: !GetAtt Greet.Arn}
"""
    write_files(tmp_path, {"template.yaml": text, "greet/app.py": ""})
    stack = model.load(tmp_path).stacks[0]

    outputs.write_templates(stack, tmp_path, ("Greet",), tmp_path / "out")

    read = templates.document(tmp_path / "out/template.yaml", name="t")
    assert read["Resources"]["Greet"]["Properties"] == {
        "Timeout": 3,
        "CodeUri": "Greet",
        "Name": {"Fn::Sub": "${AWS::StackName}-x"},
    }
    assert read["Outputs"] == {"Name": {"Value": {"Fn::GetAtt": ["Greet", "Arn"]}}}
    assert templates.document(tmp_path / "out/packed.json", name="t")["Resources"]["Greet"]["Properties"][
        "CodeUri"
    ] == ("zips/Greet.zip")


def test_swap_in_keeps_the_named_and_removes_the_rest(tmp_path: Path) -> None:
    build_dir, staged = tmp_path / ".aws-sam/build", tmp_path / ".aws-sam/.build.new"
    present = ("Kept/a.py", "zips/Kept.zip", "Fn/old.py", "zips/Fn.zip", "Gone/a.py", "zips/Gone.zip", "Shop/a.py")
    write_files(build_dir, {**dict.fromkeys(present, "old"), "template.yaml": "old", "packed.json": "old"})
    write_files(staged, dict.fromkeys(("Fn/new.py", "zips/Fn.zip", "template.yaml"), "new"))

    outputs.swap_in(staged, build_dir, new=["Fn"], kept=["Kept"], nested=["Shop"])

    assert {path.as_posix(): (build_dir / path).read_text() for path in files.walk(build_dir)} == {
        "Fn/new.py": "new",
        "zips/Fn.zip": "new",
        "template.yaml": "new",
        "packed.json": "old",
        **dict.fromkeys(("Kept/a.py", "zips/Kept.zip", "Shop/a.py"), "old"),
    }
    assert {path.name for path in build_dir.parent.iterdir()} == {"build", ".build.new"}


def test_signatures_are_by_name_and_empty_for_what_is_missing(tmp_path: Path) -> None:
    write_files(tmp_path, {"Fn/a.py": "", "packed.json": ""})

    own, templates_now = outputs.artifact_signatures(tmp_path, "Fn"), outputs.template_signatures(tmp_path)

    assert {name: bool(signature) for name, signature in own.items()} == {"Fn": True, "zips/Fn.zip": False}
    assert {name: bool(signature) for name, signature in templates_now.items()} == {
        "template.yaml": False,
        "packed.json": True,
    }
