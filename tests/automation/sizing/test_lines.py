from pathlib import Path

import pytest

from automation.sizing import lines
from tests.automation.projects import write_files

TEMPLATE = """\
# BudgetMB in a comment
Resources:
  Other:
    Type: AWS::Serverless::LayerVersion
    Metadata: {Alchemiser: {BudgetMB: 1}}
  Wheels:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: !Sub "x/${A}"}
    Metadata:
      BuildMethod: python3.12
      Alchemiser:
        BudgetMB: 2
  Plain: {Type: AWS::Serverless::Function}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_files(tmp_path, {"t.yaml": TEMPLATE})
    return tmp_path


@pytest.mark.parametrize(("name", "place"), [("Other", "t.yaml:5"), ("Wheels", "t.yaml:12"), ("Plain", "")])
def test_find_budget_is_the_line_of_the_resource(root: Path, name: str, place: str) -> None:
    assert lines.find_budget(root, "t.yaml", name) == place


def test_find_resource_is_its_first_line(root: Path) -> None:
    assert lines.find_resource(root, "t.yaml", "Plain") == "t.yaml:13"


def test_find_resource_in_an_unreadable_template_is_the_template(root: Path) -> None:
    write_files(root, {"broken.yaml": "a: [\n"})

    assert lines.find_resource(root, "broken.yaml", "Plain") == "broken.yaml"
    assert lines.find_resource(root, "missing.yaml", "Plain") == "missing.yaml"


def test_find_default_inside_an_inline_table_is_its_line(root: Path) -> None:
    write_files(root, {"pyproject.toml": "# layer_mb = 1\nbudgets = {function_mb = 1, layer_mb = 2}\n"})

    assert lines.find_default(root, "layer_mb") == "pyproject.toml:2"
    assert lines.find_default(root, "missing_mb") == ""


def test_find_requirement_without_requirements_in_is_in_the_lock(root: Path) -> None:
    write_files(root, {"f/requirements.txt": "--no-binary :none:\nPyYAML==6.0 ; python_version > '3'\n"})

    assert lines.find_requirement(root, "f", "pyyaml") == ("f/requirements.txt:2", "pyyaml")


def test_find_requirement_of_an_indirect_dependency_is_followed(root: Path) -> None:
    lock = "h11==1 \\\n    --hash=sha256:0\n    # via httpcore\nhttpcore==1\n    # via\n    #   httpx\n    #   other\n"
    write_files(root, {"f/requirements.in": "\nhttpx==1\n", "f/requirements.txt": lock})

    assert lines.find_requirement(root, "f", "h11") == ("f/requirements.in:2", "httpx")


def test_find_requirement_unknown_is_the_file(root: Path) -> None:
    write_files(
        root, {"f/requirements.in": "httpx==1\n", "f/requirements.txt": "a==1\n    # via b\nb==1\n    # via a\n"}
    )

    assert lines.find_requirement(root, "f", "a") == ("f/requirements.in", "")


def test_find_requirement_in_folder_without_requirements_is_empty(root: Path) -> None:
    assert lines.find_requirement(root, "f", "a") == ("", "")
