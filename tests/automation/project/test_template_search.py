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
        ".aws-sam/x/template.yaml",
        "node_modules/x/template.yaml",
        "__pycache__/template.yaml",
        "build/template.yaml",
        "dist/template.yaml",
        "env/template.yaml",
        "lib/site-packages/template.yaml",
        "venv/template.yaml",
        "virtualenv/template.yaml",
        "cdk.out/template.json",
        "template.txt",
    ],
)
def test_find_leaves_folders_of_tools_out(tmp_path: Path, name: str) -> None:
    write_files(tmp_path, {name: FUNCTION})

    assert template_search.find(tmp_path) == ()


def test_find_does_not_follow_links_to_folders(tmp_path: Path) -> None:
    write_files(tmp_path, {"a/t.yaml": FUNCTION})
    (tmp_path / "link").symlink_to(tmp_path / "a")

    assert template_search.find(tmp_path) == ("a/t.yaml",)


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


@pytest.mark.parametrize(
    "location",
    [
        "Location: ../child/template.yaml",
        "Location: file://../child/template.yaml",
        "TemplateURL: ../child/template.yaml",
    ],
)
def test_find_leaves_nested_templates_to_their_parent(tmp_path: Path, location: str) -> None:
    parent = NESTING.replace("Location: ../child/template.yaml", location)
    write_files(tmp_path, {"parent/template.yaml": parent, "child/template.yaml": FUNCTION})

    assert template_search.find(tmp_path) == ("parent/template.yaml",)


def test_find_reads_locations_of_json(tmp_path: Path) -> None:
    text = '{"Transform": "AWS::Serverless-2016-10-31", "A": {"Type": "AWS::Serverless::Application",'
    write_files(tmp_path, {"a.json": f'{text} "Location": "b.yaml"}}}}', "b.yaml": FUNCTION})

    assert template_search.find(tmp_path) == ("a.json",)


def test_stack_names_are_those_of_the_folders(tmp_path: Path) -> None:
    templates = ["sam.yml", "My App/t.yaml", "my_app/t.yaml", "a/b/t.yaml", "_.yaml"]

    assert template_search.stack_names(templates) == {
        "sam": "sam.yml",
        "my-app": "My App/t.yaml",
        "my-app-2": "my_app/t.yaml",
        "b": "a/b/t.yaml",
        "main": "_.yaml",
    }


LINE = "write into pyproject.toml the line [tool.alchemiser] and below it the line "
ELSE = "run it beside one, or name yours as stacks of [tool.alchemiser] in pyproject.toml"


@pytest.mark.parametrize(
    ("names", "advice"),
    [
        (["sam.yml"], f'{LINE}stacks = [{{name = "main", template = "sam.yml"}}]'),
        (
            ["a/t.yaml", "b.yaml"],
            f'{LINE}stacks = [{{name = "a", template = "a/t.yaml"}}, {{name = "b", template = "b.yaml"}}]',
        ),
        ([], ELSE),
        ([f"{number}/t.yaml" for number in range(13)], ELSE),
    ],
)
def test_how_to_name_templates_is_a_line_to_write(tmp_path: Path, names: list[str], advice: str) -> None:
    write_files(tmp_path, dict.fromkeys(names, FUNCTION))

    assert template_search.how_to_name(tmp_path) == advice


def test_how_to_name_a_dozen_templates_names_all(tmp_path: Path) -> None:
    write_files(tmp_path, {f"{number}/t.yaml": FUNCTION for number in range(12)})

    assert template_search.how_to_name(tmp_path).count("template =") == 12
