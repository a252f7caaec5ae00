"""Real builds of templates that nest others, contain loops, or name what another builder makes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from automation.building import builder, built, engines, manifests, stack_builds
from automation.building.builder import BuildResult
from automation.building.engines import Engine
from automation.deploying import stack_inputs
from automation.project import model, yamls
from automation.project.model import Stack
from automation.project.selection import Chosen
from automation.system.errors import ToolError
from tests.automation.projects import write_files

ROOT = """
Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]
Parameters:
  Names: {Type: CommaDelimitedList, Default: "a,b"}
Resources:
  Base:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: base/, CompatibleRuntimes: [python3.12]}
    Metadata: {BuildMethod: python3.12}
  Fn::ForEach::Fns:
    - N
    - !Ref Names
    - ${N}Fn:
        Type: AWS::Serverless::Function
        Properties: {CodeUri: !Sub "code/${N}/", Handler: app.main, Runtime: python3.12}
  Fn::ForEach::Queues: [N, [x], {"${N}Queue": {Type: AWS::SQS::Queue}}]
  Js: {Type: AWS::Serverless::Function, Properties: {CodeUri: js/, Handler: i.h, Runtime: nodejs22.x}}
  Shop:
    Type: AWS::Serverless::Application
    Properties: {Location: shop/template.yaml, Parameters: {BaseArn: !Ref Base}}
"""
SHOP = """
Transform: AWS::Serverless-2016-10-31
Parameters: {BaseArn: {Type: String}}
Resources:
  Till:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: till/, Handler: app.main, Runtime: python3.12, Layers: [!Ref BaseArn, "arn:other"]}
"""
FILES = {
    "template.yaml": ROOT,
    "shop/template.yaml": SHOP,
    "base/prices.py": "",
    "code/a/app.py": "def main(event, context): ...\n",
    "code/b/app.py": "def main(event, context): ...\n",
    "code/c/app.py": "def main(event, context): ...\n",
    "js/i.js": "",
    "shop/till/app.py": "import prices\n\n\ndef main(event, context): ...\n",
}
COUNTS = "4 functions: 3 built, 1 nodejs22.x skipped; 1 layer: 1 built"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_files(tmp_path, FILES)
    return tmp_path


def build(root: Path, *names: str, **parameters: str) -> BuildResult:
    by_stack = {"main": parameters} if parameters else None
    return builder.build(model.load(root), chosen=Chosen(names=names), parameters=by_stack)


def packed(root: Path, folder: str = "") -> dict[str, Any]:
    content: dict[str, Any] = json.loads((root / ".aws-sam/build" / folder / "packed.json").read_text())
    return content


def rebuilt(result: BuildResult) -> list[str]:
    return [f"{decision.stack} {decision.logical_id}" for decision in result.rebuilt]


def test_build_covers_loops_and_nested_templates(root: Path) -> None:
    result = build(root)

    assert rebuilt(result) == ["main aFn", "main bFn", "main Base", "main/Shop Till"]
    assert result.counts == COUNTS
    assert result.skipped == (
        "template.yaml: Js was not built: it is built by nodejs22.x, not by Python; inv build --engine sam builds it",
    )
    assert rebuilt(build(root)) == []


def test_build_lays_a_nested_stack_out_as_sam_does(root: Path) -> None:
    build(root)

    folder = root / ".aws-sam/build"
    assert sorted(path.name for path in folder.iterdir()) == [
        "Base", "Shop", "aFn", "bFn", "packed.json", "template.yaml", "zips",
    ]  # fmt: skip
    assert sorted(path.name for path in (folder / "Shop").iterdir()) == ["Till", "packed.json", "template.yaml", "zips"]


def test_build_templates_name_folders_zips_and_nested_templates(root: Path) -> None:
    build(root)

    resources = packed(root)["Resources"]
    template = yamls.load((root / ".aws-sam/build/template.yaml").read_text(), name="t")["Resources"]
    assert resources["aFn"]["Properties"]["CodeUri"] == "zips/aFn.zip"
    assert template["bFn"]["Properties"]["CodeUri"] == "bFn"
    assert (resources["Shop"]["Properties"]["Location"], template["Shop"]["Properties"]["Location"]) == (
        "Shop/packed.json",
        "Shop/template.yaml",
    )
    assert resources["Js"]["Properties"]["CodeUri"] == "../../js"
    assert packed(root, "Shop")["Resources"]["Till"]["Properties"]["CodeUri"] == "zips/Till.zip"


def test_build_leaves_loops_without_code_to_cloudformation(root: Path) -> None:
    build(root)

    resources = packed(root)["Resources"]
    assert "Fn::ForEach::Queues" in resources
    assert "Fn::ForEach::Fns" not in resources


def test_build_loop_follows_the_parameters(root: Path) -> None:
    build(root)

    assert rebuilt(build(root, Names="a,c")) == ["main cFn"]
    assert {"aFn", "cFn"} == {name for name in packed(root)["Resources"] if name.endswith("Fn")}


def test_build_change_in_a_nested_stack_touches_only_that(root: Path) -> None:
    build(root)
    before = {path.name: path.stat().st_ino for path in (root / ".aws-sam/build").iterdir()}
    write_files(root, {"shop/till/app.py": "x = 1\n"})

    assert rebuilt(build(root)) == ["main/Shop Till"]
    assert {path.name: path.stat().st_ino for path in (root / ".aws-sam/build").iterdir()} == before


def test_build_of_the_outer_stack_alone_names_the_nested_source(root: Path) -> None:
    build(root, "aFn")
    assert packed(root)["Resources"]["Shop"]["Properties"]["Location"] == "../../shop/template.yaml"

    build(root, "Till")
    build(root, "aFn")
    assert packed(root)["Resources"]["Shop"]["Properties"]["Location"] == "Shop/packed.json"


def test_build_nested_stack_that_is_gone_is_removed(root: Path) -> None:
    build(root)
    write_files(root, {"template.yaml": ROOT[: ROOT.index("  Shop:")]})

    build(root)

    assert not (root / ".aws-sam/build/Shop").exists()


def test_mounts_contain_layers_that_another_stack_passes_on(root: Path) -> None:
    build(root)

    mounts = {mount.function.logical_id: mount for mount in built.mounts_of_project(built.as_built(model.load(root)))}

    assert set(mounts) == {"aFn", "bFn", "Till"}
    [layer] = mounts["Till"].layers
    assert (layer.logical_id, layer.tree) == ("main: Base", root / ".aws-sam/build/Base")
    assert mounts["Till"].unknown == ("arn:other",)


def test_trees_leave_out_the_source_of_what_was_skipped(root: Path) -> None:
    build(root)

    stack = model.load(root).stacks[0]

    assert set(built.trees(stack, root)) == {"Base", "aFn", "bFn"}


def test_deployment_digest_changes_with_a_nested_stack(root: Path) -> None:
    build(root)
    template = root / ".aws-sam/build/packed.json"
    before = stack_inputs.deployment_digest(template, {})
    write_files(root, {"shop/till/app.py": "x = 1\n"})
    build(root)

    assert stack_inputs.deployment_digest(template, {}) != before


def test_result_of_sam_names_only_what_sam_cannot_build(root: Path) -> None:
    build(root)
    state = stack_builds.read(model.load(root), {}, Chosen(), Engine.SAM)

    assert set(state[0].artifacts) == {"aFn", "bFn", "Base", "Js"}
    assert [entry.stack.name for entry in state] == ["main", "main/Shop"]


@dataclass
class Sam:
    """A `sam build` that lays out what it was asked for, or fails as long as nothing is excluded."""

    is_failing: bool = False
    excluded: list[tuple[str, ...]] = field(default_factory=list)

    def build(
        self, stack: Stack, _root: Path, *, parameters: Mapping[str, str], work: Path, excluded: tuple[str, ...] = ()
    ) -> Path:
        self.excluded.append(excluded)
        if self.is_failing and not excluded:
            raise ToolError("sam build failed: npm is missing", where=stack.template.path)
        names = {"Base", "aFn", "bFn", "Js"} - set(excluded)
        resources = {name: {"Type": "AWS::Lambda::Function", "Properties": {"Code": name}} for name in names}
        till = {"Till": {"Type": "AWS::Lambda::Function", "Properties": {"Code": "Till"}}}
        write_files(
            work / "out",
            {
                "template.yaml": json.dumps({"Resources": resources}),
                **{f"{name}/x.py": "" for name in names},
                "Shop/template.yaml": json.dumps({"Resources": till}),
                "Shop/Till/x.py": "",
            },
        )
        return work / "out"


def build_with_sam(root: Path) -> BuildResult:
    return builder.build(model.load(root), engine=Engine.SAM)


def test_build_with_sam_builds_what_is_foreign_and_nested_at_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sam = Sam()
    monkeypatch.setattr(engines, "build_with_sam", sam.build)

    result = build_with_sam(root)

    assert sam.excluded == [()]
    assert result.counts == "4 functions: 4 built; 1 layer: 1 built"
    assert result.skipped == ()
    assert rebuilt(build_with_sam(root)) == []
    assert set(built.trees(model.load(root).stacks[0], root)) == {"Base", "aFn", "bFn", "Js"}


def test_build_with_sam_of_a_changed_foreign_source_builds_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "build_with_sam", Sam().build)
    build_with_sam(root)
    write_files(root, {"js/i.js": "changed"})

    assert rebuilt(build_with_sam(root)) == ["main Js"]


def test_build_with_sam_another_builder_that_fails_does_not_stop_python(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sam = Sam(is_failing=True)
    monkeypatch.setattr(engines, "build_with_sam", sam.build)

    with pytest.raises(ToolError, match=r"npm is missing; everything but Js was built$"):
        build_with_sam(root)

    assert sam.excluded == [(), ("Js",)]
    assert set(manifests.read(root, "main").artifacts) == {"Base", "aFn", "bFn"}
    assert set(manifests.read(root, "main/Shop").artifacts) == {"Till"}


def test_build_with_sam_that_fails_without_foreign_sources_raises(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(root, {"template.yaml": "\n".join(line for line in ROOT.splitlines() if "Js:" not in line)})
    monkeypatch.setattr(engines, "build_with_sam", Sam(is_failing=True).build)

    with pytest.raises(ToolError, match=r"^template\.yaml: sam build failed: npm is missing$"):
        build_with_sam(root)
