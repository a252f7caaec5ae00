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
def test_of_budget_is_the_resources_own_line(root: Path, name: str, place: str) -> None:
    assert lines.of_budget(root, "t.yaml", name) == place


def test_of_resource_is_where_it_begins(root: Path) -> None:
    assert lines.of_resource(root, "t.yaml", "Plain") == "t.yaml:13"


def test_of_resource_of_a_broken_or_absent_template_is_the_template(root: Path) -> None:
    write_files(root, {"broken.yaml": "a: [\n"})

    assert lines.of_resource(root, "broken.yaml", "Plain") == "broken.yaml"
    assert lines.of_resource(root, "absent.yaml", "Plain") == "absent.yaml"


def test_of_default_finds_a_key_on_its_own_line_and_inside_a_table(root: Path) -> None:
    write_files(root, {"pyproject.toml": "# layer_mb = 1\nbudgets = {function_mb = 1, layer_mb = 2}\n"})

    assert lines.of_default(root, "layer_mb") == "pyproject.toml:2"
    assert lines.of_default(root, "absent_mb") == ""


def test_of_requirement_without_requirements_in_is_the_lock_itself(root: Path) -> None:
    write_files(root, {"f/requirements.txt": "--no-binary :none:\nPyYAML==6.0 ; python_version > '3'\n"})

    assert lines.of_requirement(root, "f", "pyyaml") == ("f/requirements.txt:2", "pyyaml")


def test_of_requirement_follows_who_brings_it_over_several_steps(root: Path) -> None:
    lock = "h11==1 \\\n    --hash=sha256:0\n    # via httpcore\nhttpcore==1\n    # via\n    #   httpx\n    #   other\n"
    write_files(root, {"f/requirements.in": "\nhttpx==1\n", "f/requirements.txt": lock})

    assert lines.of_requirement(root, "f", "h11") == ("f/requirements.in:2", "httpx")


def test_of_requirement_that_no_line_is_known_to_bring_is_the_file(root: Path) -> None:
    write_files(
        root, {"f/requirements.in": "httpx==1\n", "f/requirements.txt": "a==1\n    # via b\nb==1\n    # via a\n"}
    )

    assert lines.of_requirement(root, "f", "a") == ("f/requirements.in", "")


def test_of_requirement_in_a_folder_that_asks_for_nothing_is_nowhere(root: Path) -> None:
    assert lines.of_requirement(root, "f", "a") == ("", "")
