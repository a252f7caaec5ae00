"""`inv build` shows what it built before it fails."""

from pathlib import Path

import pytest

from automation import build
from automation.building import builder, up_to_date
from automation.building.engines import Engine
from automation.project import model
from automation.project.selection import EVERYTHING, Chosen
from automation.system.errors import ConfigurationError, UsageError
from tests.automation.projects import write_files

FUNCTION = "Type: AWS::Serverless::Function, Properties: {Handler: app.main, Runtime: python3.12"
TEMPLATE = f"""
Transform: AWS::Serverless-2016-10-31
Resources:
  Good: {{{FUNCTION}, CodeUri: good}}}}
  Bad: {{{FUNCTION}, CodeUri: bad}}}}
  Worse: {{{FUNCTION}, CodeUri: worse}}}}
"""
MIXED = "idna==3.10\nb --hash=sha256:0\n"


def test_build_with_failures_shows_the_rest_and_names_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sources = {f"{name}/app.py": "" for name in ("good", "bad", "worse")}
    write_files(tmp_path, {"template.yaml": TEMPLATE, **sources, "bad/requirements.txt": MIXED})
    write_files(tmp_path, {"worse/app.py": "x = 1\n", "worse/requirements.txt": MIXED})

    with pytest.raises(ConfigurationError, match=r"worse/requirements\.txt:1: idna==3\.10 has no hash"):
        build.build(tmp_path, EVERYTHING, engine="uv", variables={})

    said = capsys.readouterr()
    assert "3 functions: 1 built, 2 failed\n1 built, 0 unchanged, " in said.out
    assert "error: " in said.err
    assert "bad/requirements.txt:1: idna==3.10 has no hash" in said.err
    assert "worse" not in said.err


INCOMPLETE = f"""
Transform: AWS::Serverless-2016-10-31
Resources:
  Good: {{{FUNCTION}, CodeUri: good}}}}
  Lost: {{{FUNCTION}, CodeUri: lost}}}}
  Package: {{Type: AWS::Serverless::LayerVersion, Properties: {{ContentUri: package}}}}
  Queues: {{Type: AWS::CloudFormation::Stack, Properties: {{TemplateURL: ../queues.yaml}}}}
"""
COUNTS = "2 functions: 1 built, 1 failed; 1 layer: 1 failed; 1 application: 1 failed\n"


def test_build_what_does_not_exist_is_named_and_the_rest_is_built(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_files(tmp_path, {"template.yaml": INCOMPLETE, "good/app.py": ""})

    for built in (1, 0):
        with pytest.raises(ConfigurationError, match=r"Package: its code package does not exist; correct the path, or"):
            build.build(tmp_path, EVERYTHING, engine="uv", variables={}, note=True)

        said = capsys.readouterr()
        assert f"{COUNTS}{built} built, {1 - built} unchanged, " in said.out
        missing = "it has the template ../queues.yaml, which does not exist; correct the path, or make the file"
        lost = "its code lost does not exist; correct the path, or make it before the build"
        assert said.err.splitlines() == [
            f"error: template.yaml: Queues: {missing} before the build",
            f"error: template.yaml: Lost: {lost}",
        ]
    assert (tmp_path / ".aws-sam/build/Good/app.py").is_file()


def test_build_of_names_ignores_what_does_not_exist_elsewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_files(tmp_path, {"template.yaml": INCOMPLETE, "good/app.py": ""})

    result = build.build(tmp_path, Chosen(names=("good/",)), engine="uv", variables={})

    assert ([decision.logical_id for decision in result.rebuilt], result.failures) == (["Good"], ())
    with pytest.raises(ConfigurationError, match="Lost: its code lost does not exist"):
        build.build(tmp_path, Chosen(names=("Good", "Lost")), engine="uv", variables={})


def test_build_folder_that_vanished_keeps_its_last_build(tmp_path: Path) -> None:
    write_files(tmp_path, {"template.yaml": INCOMPLETE, "good/app.py": "", "lost/app.py": "x = 1\n"})
    with pytest.raises(ConfigurationError, match="Package"):
        build.build(tmp_path, EVERYTHING, engine="uv", variables={})
    (tmp_path / "lost/app.py").unlink()
    (tmp_path / "lost").rmdir()
    write_files(tmp_path, {"good/app.py": "y = 1\n"})

    with pytest.raises(ConfigurationError, match="Package"):
        build.build(tmp_path, EVERYTHING, engine="uv", variables={})

    folder = tmp_path / ".aws-sam/build"
    assert [(folder / name / "app.py").read_text() for name in ("Good", "Lost")] == ["y = 1\n", "x = 1\n"]


@pytest.mark.parametrize(("engine", "keeps_going"), [(Engine.UV, False), (Engine.SAM, False), (Engine.SAM, True)])
def test_build_of_all_or_nothing_refuses_what_does_not_exist(
    tmp_path: Path, engine: Engine, *, keeps_going: bool
) -> None:
    write_files(tmp_path, {"template.yaml": INCOMPLETE, "good/app.py": ""})
    with pytest.raises(
        ConfigurationError, match=r"Queues: it has the template \.\./queues\.yaml, which does not exist"
    ):
        builder.build(model.load(tmp_path), engine=engine, keeps_going=keeps_going)

    assert not (tmp_path / ".aws-sam").exists()


STACKS = """
[[tool.alchemiser.stacks]]
name = "data"
template = "data.yaml"
build_dir = ".aws-sam/data"
config_env = "{env}-data"

[[tool.alchemiser.stacks]]
name = "shop"
template = "template.yaml"
"""
READABLE = f"Resources:\n  Good: {{{FUNCTION}, CodeUri: good}}}}\n"
UNREADABLE = {"pyproject.toml": STACKS, "template.yaml": READABLE, "data.yaml": "Resources:\n  A: b: c\n"}


def test_build_stack_that_cannot_be_read_is_named_and_the_other_is_built(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_files(tmp_path, {**UNREADABLE, "good/app.py": ""})

    with pytest.raises(ConfigurationError, match=r"^data\.yaml:2: is not valid YAML"):
        build.build(tmp_path, EVERYTHING, engine="uv", variables={}, note=True)

    assert "1 function: 1 built\n1 built, 0 unchanged, " in capsys.readouterr().out
    assert not up_to_date.count(tmp_path)


def test_build_every_fault_is_named_the_last_as_the_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_files(tmp_path, UNREADABLE)

    with pytest.raises(ConfigurationError, match=r"^template\.yaml: Good: its code good does not exist"):
        build.build(tmp_path, EVERYTHING, engine="uv", variables={})

    assert capsys.readouterr().err.startswith("error: data.yaml:2: is not valid YAML")


@pytest.mark.parametrize("chosen", [Chosen(names=("Good",)), Chosen(stack="shop")])
def test_build_of_what_can_be_read_ignores_another_stack(tmp_path: Path, chosen: Chosen) -> None:
    write_files(tmp_path, {**UNREADABLE, "good/app.py": ""})

    result = build.build(tmp_path, chosen, engine="uv", variables={})

    assert [decision.logical_id for decision in result.rebuilt] == ["Good"]


@pytest.mark.parametrize("chosen", [Chosen(names=("Archive",)), Chosen(stack="data")])
def test_build_of_what_may_be_in_an_unreadable_template_says_so(tmp_path: Path, chosen: Chosen) -> None:
    write_files(tmp_path, {**UNREADABLE, "good/app.py": ""})

    with pytest.raises(ConfigurationError, match=r"^data\.yaml:2: is not valid YAML"):
        build.build(tmp_path, chosen, engine="uv", variables={})


def test_build_unknown_name_is_a_usage_error(tmp_path: Path) -> None:
    write_files(tmp_path, {"template.yaml": READABLE, "good/app.py": ""})

    with pytest.raises(UsageError, match="Archive"):
        build.build(tmp_path, Chosen(names=("Archive",)), engine="uv", variables={})
