from pathlib import Path

import pytest

from automation.project import template_search
from tests.automation.projects import write_files

FUNCTION = "Transform: AWS::Serverless-2016-10-31\nResources: {A: {Type: 'AWS::Serverless::Function'}}\n"
NESTING = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Child:
    Type: AWS::Serverless::Application
    Properties: {Location: ../child/template.yaml}
  Shared: {Type: AWS::Serverless::Application, Properties: {Location: {ApplicationId: x}}}
"""


def test_find_returns_templates_of_every_folder_and_ending(tmp_path: Path) -> None:
    names = ["a/b/c/d/deep.yaml", "a/sam.yml", "t.json", "z.template"]
    write_files(tmp_path, dict.fromkeys(names, FUNCTION))

    assert template_search.find(tmp_path) == tuple(names)


@pytest.mark.parametrize(
    "name",
    [
        "a/b/c/d/e/too_deep.yaml",
        ".aws-sam/build/template.yaml",
        "node_modules/x/template.yaml",
        "venv/template.yaml",
        "cdk.out/template.json",
        "template.txt",
    ],
)
def test_find_leaves_folders_of_tools_out(tmp_path: Path, name: str) -> None:
    write_files(tmp_path, {name: FUNCTION})

    assert template_search.find(tmp_path) == ()


@pytest.mark.parametrize(
    "text",
    [
        "Resources: {A: {Type: 'AWS::Serverless::Function'}}",
        "Transform: AWS::Serverless-2016-10-31\nResources: {A: {Type: 'AWS::Serverless::Api'}}",
        FUNCTION + "#" * (1_000_001 - len(FUNCTION)),
        f"{FUNCTION}# CodeUri: s3://bucket/key",
        f'{FUNCTION}# "ContentUri": "s3://bucket/key"',
    ],
)
def test_find_leaves_other_documents_out(tmp_path: Path, text: str) -> None:
    write_files(tmp_path, {"template.yaml": text})

    assert template_search.find(tmp_path) == ()


@pytest.mark.parametrize("kind", ["Lambda::Function", "Lambda::LayerVersion", "Serverless::LayerVersion"])
def test_find_knows_every_resource_with_code(tmp_path: Path, kind: str) -> None:
    write_files(tmp_path, {"template.yaml": FUNCTION.replace("Serverless::Function", kind)})

    assert template_search.find(tmp_path) == ("template.yaml",)


def test_find_largest_template_counts(tmp_path: Path) -> None:
    write_files(tmp_path, {"template.yaml": FUNCTION + "#" * (1_000_000 - len(FUNCTION))})

    assert template_search.find(tmp_path) == ("template.yaml",)


def test_find_leaves_nested_templates_to_their_parent(tmp_path: Path) -> None:
    write_files(tmp_path, {"parent/template.yaml": NESTING, "child/template.yaml": FUNCTION})

    assert template_search.find(tmp_path) == ("parent/template.yaml",)


def test_find_reads_locations_of_json(tmp_path: Path) -> None:
    text = '{"Transform": "AWS::Serverless-2016-10-31", "A": {"Type": "AWS::Serverless::Application",'
    write_files(tmp_path, {"a.json": f'{text} "Location": "b.yaml"}}}}', "b.yaml": FUNCTION})

    assert template_search.find(tmp_path) == ("a.json",)
