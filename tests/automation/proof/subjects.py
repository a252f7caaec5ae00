"""A project whose build is written by hand, so that the rules can check it without a real build."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from automation.building import built
from automation.project import model
from automation.proof.evidence import Evidence, ProofMethod
from automation.proof.imports import ImportResult, Outcome
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
    """Return the Events of a function that reads a queue."""
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
    """Write a template and the files of each built tree, and return them as a subject.

    Args:
        trees: by logical id; a tree that is not listed is empty.
        settings: the text of pyproject.toml.
    """
    put(root / "template.yaml", yaml.safe_dump({"Resources": resources, **sections}))
    put(root / "pyproject.toml", settings)
    owners = {name: entry for name, entry in resources.items() if entry["Type"].startswith("AWS::Serverless::")}
    built_owners = {name: {"Type": entry["Type"], "Properties": {_key(entry): name}} for name, entry in owners.items()}
    built_resources = built_owners or {"Nothing": {"Type": "Custom::None"}}
    put(root / BUILD / "template.yaml", yaml.safe_dump({"Resources": built_resources}))
    for name in owners:
        (root / BUILD / name).mkdir(parents=True, exist_ok=True)
        for path, content in (trees or {}).get(name, {}).items():
            put(root / BUILD / name / path, content)
    return gather(root)


def one_layer(root: Path, fill: Callable[[Path], None], *, runtime: str = "python3.12") -> Subject:
    """Write a function and a layer; `fill` writes files into the layer's python/."""
    resources = {"App": function(Layers=[{"Ref": "Libs"}], Runtime=runtime), "Libs": layer()}
    fill(root / BUILD / "Libs" / "python")
    return write(root, resources, {"App": {"app.py": ""}, "Libs": {"python/known.py": ""}})


def two_layers(root: Path, first: Callable[[Path], None], second: Callable[[Path], None]) -> Subject:
    layers = [{"Ref": "First"}, {"Ref": "Second"}]
    resources = {"App": function(Layers=layers), "First": layer(), "Second": layer()}
    first(root / BUILD / "First" / "python")
    second(root / BUILD / "Second" / "python")
    return write(root, resources, {"First": {"python/one.py": ""}, "Second": {"python/two.py": ""}})


def gather(root: Path) -> Subject:
    loaded = model.load(root)
    stack = loaded.stacks[0]
    trees = {(stack.name, name): tree for name, tree in built.trees(stack, root).items()}
    return Subject(loaded, built.mounts_of_project(loaded), trees, root / "runtime")


def importing(subject: Subject, *modules: str, failed: ImportResult | None = None) -> Subject:
    """Return a subject whose functions import these top-level modules, or whose imports have failed."""
    imported = failed or ImportResult(Outcome.RESOLVED, loaded=frozenset(modules))
    evidence = (Evidence(mount, ProofMethod.IMPORTED, imported=imported) for mount in subject.mounts)
    return replace(subject, evidence=tuple(evidence))


def faults(rules: Iterable[Rule], rule_id: str, subject: Subject) -> list[Fault]:
    broken: list[Fault] = []
    for rule in rules:
        broken += rule.check(subject) if rule.id == rule_id else ()
    return broken


def _key(resource: Mapping[str, Any]) -> str:
    return "CodeUri" if resource["Type"].endswith("Function") else "ContentUri"
