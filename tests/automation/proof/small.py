"""A SAM project without settings, and its build: two functions, one of which mounts a layer."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import yaml

from automation import prove
from automation.project import model
from automation.project.model import Project
from automation.proof.model import Fault

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {Runtime: python3.12, Environment: {Variables: {STAGE: test, TABLE: !Ref Table}}}
Resources:
  Table: {Type: AWS::DynamoDB::Table}
  Common:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: layers/common/, CompatibleRuntimes: [python3.12]}
    Metadata: {BuildMethod: python3.12}
  One:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: functions/one/, Handler: app.handler, Layers: [!Ref Common]}
  Two:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: functions/two/, Handler: app.handler}
"""

SOURCES: Mapping[str, str] = {
    "functions/one/app.py": "import shared\n\ndef handler(event, context): ...\n",
    "functions/two/app.py": "def handler(event, context): ...\n",
    "layers/common/shared/__init__.py": "",
}


def make(
    root: Path, changes: Mapping[str, str] | None = None, *, template: str = TEMPLATE, settings: str = ""
) -> Project:
    """Write the project and its build.

    Args:
        changes: files that replace or extend those of the sound project.
        settings: the text of pyproject.toml; by default there is no such file.
    """
    for name, text in {**SOURCES, **(changes or {})}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / "template.yaml").write_text(template)
    if settings:
        (root / "pyproject.toml").write_text(settings)
    loaded = model.load(root)
    build(loaded)
    return loaded


def build(loaded: Project) -> None:
    """Write the trees and the template that a build without requirements leaves."""
    resources: dict[str, object] = {}
    for stack in loaded.stacks:
        out = loaded.root / stack.build_dir
        for function in stack.functions:
            shutil.copytree(loaded.root / str(function.code_uri), out / function.logical_id)
            properties = {"CodeUri": function.logical_id}
            resources[function.logical_id] = {"Type": "AWS::Serverless::Function", "Properties": properties}
        for layer in stack.layers:
            shutil.copytree(loaded.root / str(layer.content_uri), out / layer.logical_id / "python")
            properties = {"ContentUri": layer.logical_id}
            resources[layer.logical_id] = {"Type": "AWS::Serverless::LayerVersion", "Properties": properties}
        (out / "template.yaml").write_text(yaml.safe_dump({"Resources": resources}))


def install(folder: Path, name: str, text: str = "") -> None:
    """Write a distribution of one module as an installer does."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.py").write_text(text)
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "RECORD").write_text(f"{name}.py,,\n{info.name}/RECORD,,\n")
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")


def faults(loaded: Project, rule: str = "") -> list[Fault]:
    """Return what the rules find, or what one rule finds."""
    proof = prove.prove(loaded)
    return [broken.fault for broken in proof.broken if not rule or broken.rule.id == rule]


def reported(loaded: Project) -> list[tuple[str, str]]:
    """Return the rule and the severity of every fault."""
    return [(broken.rule.id, str(broken.fault.severity)) for broken in prove.prove(loaded).broken]
