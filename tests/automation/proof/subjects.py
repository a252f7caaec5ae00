"""A project whose build is written by hand: what the rules are shown, without building anything."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from automation.building import built
from automation.project import model
from automation.proof.model import Fault, Rule, Subject
from tests.faults.bakery import put

BUILD = ".aws-sam/build"
FUNCTION: Mapping[str, Any] = {"CodeUri": "code/", "Handler": "app.main", "Runtime": "python3.12"}


def function(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::Serverless::Function", "Properties": {**FUNCTION, **properties}}


def layer(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::Serverless::LayerVersion", "Properties": {"ContentUri": "layer/", **properties}}


def queue(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::SQS::Queue", "Properties": properties}


def reading(name: str) -> dict[str, Any]:
    """The Events of a function that reads a queue."""
    return {"Inbox": {"Type": "SQS", "Properties": {"Queue": {"Fn::GetAtt": [name, "Arn"]}}}}


def rule(targets: Iterable[Any], **pattern: Any) -> dict[str, Any]:
    named = [{"Id": str(number), "Arn": arn} for number, arn in enumerate(targets)]
    known = {name.replace("_", "-"): value for name, value in pattern.items()}
    return {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": known, "Targets": named}}


def write(
    root: Path,
    resources: Mapping[str, Any],
    trees: Mapping[str, Mapping[str, str | bytes]] | None = None,
    *,
    settings: str = "",
    **sections: Any,
) -> Subject:
    """Write a template, and the files of each built tree, and gather them.

    Args:
        trees: by logical id; one that is not named is empty.
        settings: pyproject.toml.
    """
    put(root / "template.yaml", yaml.safe_dump({"Resources": resources, **sections}))
    put(root / "pyproject.toml", settings)
    coded = {name: one for name, one in resources.items() if one["Type"].startswith("AWS::Serverless::")}
    places = {name: {"Type": one["Type"], "Properties": {_key(one): name}} for name, one in coded.items()}
    put(root / BUILD / "template.yaml", yaml.safe_dump({"Resources": places or {"Nothing": {"Type": "Custom::None"}}}))
    for name in coded:
        (root / BUILD / name).mkdir(parents=True, exist_ok=True)
        for path, content in (trees or {}).get(name, {}).items():
            put(root / BUILD / name / path, content)
    return gather(root)


def gather(root: Path) -> Subject:
    loaded = model.load(root)
    stack = loaded.stacks[0]
    trees = {(stack.name, name): tree for name, tree in built.trees(stack, root).items()}
    return Subject(loaded, built.mounts_of_project(loaded), trees, root / "runtime")


def faults(rules: Iterable[Rule], rule_id: str, subject: Subject) -> list[Fault]:
    return [fault for one in rules if one.id == rule_id for fault in one.check(subject)]


def _key(resource: Mapping[str, Any]) -> str:
    return "CodeUri" if resource["Type"].endswith("Function") else "ContentUri"
