from pathlib import Path
from typing import Any

from automation.building import outputs
from automation.project import model, templates
from tests.automation.projects import write_files

INCLUDE = {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "api.yaml"}}}
DOCUMENT: dict[str, Any] = {
    "Globals": {"Function": {"CodeUri": "code/"}},
    "Resources": {
        "Api": {"Type": "AWS::Serverless::Api", "Properties": {"DefinitionUri": "api.yaml", "Name": "api.yaml"}},
        "Bucketed": {"Type": "AWS::Serverless::Api", "Properties": {"DefinitionUri": "s3://bucket/api.yaml"}},
        "Machine": {"Type": "AWS::Serverless::StateMachine", "Properties": {"Definition": INCLUDE}},
        "Topic": {"Type": "AWS::SNS::Topic"},
    },
}


def test_relocate_moves_every_path_to_a_file_and_nothing_else(tmp_path: Path) -> None:
    write_files(tmp_path, {"api.yaml": "", "code/app.py": ""})

    relocated = outputs.relocate(DOCUMENT, from_folder=tmp_path, to_folder=tmp_path / ".aws-sam" / "build")

    resources = relocated["Resources"]
    assert relocated["Globals"]["Function"]["CodeUri"] == "../../code"
    assert resources["Api"]["Properties"] == {"DefinitionUri": "../../api.yaml", "Name": "api.yaml"}
    assert resources["Bucketed"] == DOCUMENT["Resources"]["Bucketed"]
    assert (
        resources["Machine"]["Properties"]["Definition"]["Fn::Transform"]["Parameters"]["Location"] == "../../api.yaml"
    )


def test_point_to_sets_the_code_property_of_the_resource_type() -> None:
    document = {"Resources": {"A": {"Type": "AWS::Lambda::Function", "Properties": {"Code": "x"}}}}

    assert outputs.point_to(document, {"A": "A"})["Resources"]["A"]["Properties"] == {"Code": "A"}


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
