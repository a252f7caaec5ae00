"""What is read from a last build that lies on the disk; nothing is built here."""

from pathlib import Path

import pytest

from automation.building import built, manifests
from automation.building.manifests import Manifest
from automation.lambda_runtime.mounts import MountedLayer
from automation.project import model, templates
from automation.system.errors import ConfigurationError
from tests.automation.projects import write_files

FUNCTION = "Type: AWS::Serverless::Function, Properties: {Handler: app.main, Runtime: python3.12"
RESOURCES = f"""
Transform: AWS::Serverless-2016-10-31
Parameters: {{Chip: {{Type: String, Default: x86_64}}}}
Resources:
  Topic: {{Type: AWS::SNS::Topic}}
  Lost: {{{FUNCTION}, CodeUri: LOST}}}}
  Fn: {{{FUNCTION}, Architectures: [!Ref Chip], Layers: [!Ref Stale, !Ref Base, "arn:x"], CodeUri: FN}}}}
  Ready: {{{FUNCTION}, CodeUri: ../ready}}, Metadata: {{SkipBuild: true}}}}
  Raw: {{Type: AWS::Lambda::Function, Properties: {{Handler: app.main, Runtime: python3.12, Code: RAW}}}}
  RawBase: {{Type: AWS::Lambda::LayerVersion, Properties: {{Content: BASE}}}}
  Base: {{Type: AWS::Serverless::LayerVersion, Properties: {{ContentUri: BASE}}}}
  Stale: {{Type: AWS::Serverless::LayerVersion, Properties: {{ContentUri: ../stale}}}}
"""


def text(**code: str) -> str:
    template = RESOURCES
    for name, path in code.items():
        template = template.replace(name.upper(), path)
    return template


SOURCE = text(lost="../lost", fn="../fn", raw="../fn", base="../base")
BUILT = text(lost="s3://bucket/lost.zip", fn="Fn", raw="Fn", base="Base").replace("../", "../../")
FOLDERS = ("lost", "fn", "ready", "base", "stale", ".aws-sam/build/Fn", ".aws-sam/build/Base")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a project with a build that lacks a function and a layer, and has a function that skips its build."""
    code = {f"{folder}/app.py": "" for folder in FOLDERS}
    write_files(tmp_path, {**code, "template.yaml": SOURCE.replace("../", ""), ".aws-sam/build/template.yaml": BUILT})
    return tmp_path


def test_trees_are_those_that_were_built_or_skip_the_build(root: Path) -> None:
    [stack] = model.load(root).stacks

    trees = built.trees(stack, root)

    assert {name: path.resolve() for name, path in trees.items()} == {
        "Fn": root / ".aws-sam/build/Fn",
        "Ready": root / "ready",
        "Raw": root / ".aws-sam/build/Fn",
        "RawBase": root / ".aws-sam/build/Base",
        "Base": root / ".aws-sam/build/Base",
    }


def test_mounts_are_of_built_functions_with_layers_known_or_named(root: Path) -> None:
    fn, ready, raw = built.mounts_of_project(model.load(root))

    assert (fn.where, fn.task) == ("template.yaml: Fn", root / ".aws-sam/build/Fn")
    assert fn.layers == (MountedLayer("Base", root / ".aws-sam/build/Base"),)
    assert (fn.unknown, fn.unbuilt) == (("Stale", "arn:x"), ("Stale",))
    assert (ready.function.logical_id, ready.layers, ready.unknown) == ("Ready", (), ())
    assert raw.function.logical_id == "Raw"


def test_as_built_takes_the_parameters_of_the_last_build(root: Path) -> None:
    manifests.write(root, "main", Manifest(parameters={"Chip": "arm64"}))

    project = built.as_built(model.load(root))

    assert {function.logical_id: function.architectures for function in project.functions}["Fn"] == ("arm64",)


def test_deployed_template_is_the_packed_one_where_there_is_one(root: Path) -> None:
    [stack] = model.load(root).stacks
    before = built.deployed_template(stack, root)
    write_files(root, {".aws-sam/build/packed.json": "{}"})

    assert (before.name, built.deployed_template(stack, root).name) == ("template.yaml", "packed.json")


def test_every_reader_without_a_build_says_what_to_run(root: Path) -> None:
    project = model.load(root)
    (root / ".aws-sam/build/template.yaml").unlink()

    for read in (built.as_built, built.mounts_of_project, built.require_built):
        with pytest.raises(ConfigurationError, match=r"^\.aws-sam/build: there is no build; run inv build$"):
            read(project)


def test_read_built_parses_a_template_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [stack] = model.load(root).stacks
    first = built.read_built(stack, root)
    monkeypatch.setattr(templates, "_parsed", lambda *_, **__: pytest.fail("it is parsed again"))

    assert built.read_built(stack, root) == first


def test_read_built_of_a_new_build_is_parsed_again(root: Path) -> None:
    [stack] = model.load(root).stacks
    built.read_built(stack, root)
    write_files(root, {".aws-sam/build/template.yaml": BUILT.replace("Fn:", "Other:", 1)})

    assert "Other" in built.read_built(stack, root).resources
