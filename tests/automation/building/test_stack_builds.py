"""Real builds of templates that nest others, contain loops, or name what another builder makes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from automation.building import builder, built, engines, manifests, stack_builds
from automation.building.artifacts import Ingredients
from automation.building.builder import BuildResult
from automation.building.engines import Engine
from automation.building.manifests import BuiltArtifact, Manifest
from automation.building.stack_builds import StackBuild
from automation.deploying import stack_inputs
from automation.project import model, yamls
from automation.project.model import Stack
from automation.project.selection import Chosen
from automation.system.errors import ConfigurationError, ToolError
from tests.automation.projects import APP, make_shop, write_files

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


def write_shop(root: Path, changes: Mapping[str, str] | None = None) -> Path:
    """Write a project of two stacks with its code folders."""
    make_shop(root)
    folders = ("layers/common/python", "functions/stock", "functions/till", "functions/ledger", "shop/till")
    write_files(root, {**{f"{folder}/handler.py": "" for folder in folders}, **(changes or {})})
    return root


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


@pytest.mark.parametrize(
    ("name", "engine", "stacks"),
    [
        ("Till", Engine.UV, ["app"]),
        ("Stock", Engine.SAM, ["base"]),
        ("Till", Engine.SAM, ["app", "app/Shop"]),
        ("Cashier", Engine.UV, ["app/Shop"]),
        ("Cashier", Engine.SAM, ["app", "app/Shop"]),
    ],
)
def test_read_of_sam_covers_what_a_chosen_stack_nests_and_no_other(
    tmp_path: Path, name: str, engine: Engine, stacks: list[str]
) -> None:
    nested = "  Shop: {Type: AWS::Serverless::Application, Properties: {Location: shop.yaml}}\n"
    cashier = SHOP.replace("Till", "Cashier").replace("till/", "shop/till/")
    shop = model.load(write_shop(tmp_path, {"app.yaml": APP + nested, "shop.yaml": cashier}))

    builds = stack_builds.read(shop, {}, Chosen(names=(name,)), engine)

    assert [state.stack.name for state in builds] == stacks


def test_read_parameters_are_those_that_code_depends_on_without_defaults(tmp_path: Path) -> None:
    shop = model.load(write_shop(tmp_path))

    def parameters(**values: str) -> Mapping[str, str]:
        return stack_builds.read(shop, {"base": values}, Chosen(names=("Stock",)), Engine.UV)[0].parameters

    assert parameters(Machine="arm64", Url="http://127.0.0.1/") == {"Machine": "arm64"}
    assert parameters(Machine="x86_64") == {}


def test_read_after_a_build_is_up_to_date_until_something_changes(root: Path) -> None:
    build(root)

    def states() -> list[StackBuild]:
        return stack_builds.read(model.load(root), {}, Chosen(), Engine.UV)

    main, shop = states()
    gone = replace(main.manifest, artifacts={**main.manifest.artifacts, "Gone": main.manifest.artifacts["aFn"]})
    assert (main.is_up_to_date, shop.is_up_to_date) == (True, True)
    assert not replace(main, manifest=gone).is_up_to_date

    write_files(root, {"shop/till/app.py": "x = 1\n", "template.yaml": f"Description: new\n{ROOT}"})
    main, shop = states()
    assert (main.stale, main.has_up_to_date_templates, main.is_up_to_date) == ((), False, False)
    assert ([decision.logical_id for decision in shop.stale], shop.has_up_to_date_templates) == (["Till"], True)


def test_read_folder_that_is_missing_is_refused_or_noted(root: Path) -> None:
    (root / "code/a/app.py").unlink()
    (root / "code/a").rmdir()
    project = model.load(root)

    with pytest.raises(ConfigurationError, match=r"template\.yaml: aFn: its code code/a does not exist"):
        stack_builds.read(project, {}, Chosen(), Engine.UV)
    [state, _] = stack_builds.read(project, {}, Chosen(), Engine.UV, keeps_going=True)
    assert ([*state.failures], sorted(state.artifacts)) == (["aFn"], ["Base", "bFn"])


def test_is_whole_needs_a_zip_and_unaltered_outputs(root: Path) -> None:
    state = stack_builds.read(model.load(root), {}, Chosen(), Engine.UV)[0]
    whole = {"aFn": "1", "zips/aFn.zip": "2"}

    def is_whole(recorded: Mapping[str, str], present: Mapping[str, str]) -> bool:
        manifest = Manifest(artifacts={"aFn": BuiltArtifact(Ingredients({}, {}), recorded)})
        return replace(state, manifest=manifest, signatures=present).is_whole("aFn")

    assert is_whole(whole, whole)
    assert not is_whole(whole, {**whole, "aFn": "altered"})
    assert not is_whole({"": "of SAM"}, {"": "of SAM"})


@dataclass
class Sam:
    """A `sam build` that lays out what it was asked for, or fails as long as nothing is excluded."""

    is_failing: bool = False
    work: Path = Path()
    excluded: list[tuple[str, ...]] = field(default_factory=list)

    def build(
        self, stack: Stack, _root: Path, *, parameters: Mapping[str, str], work: Path, excluded: tuple[str, ...] = ()
    ) -> Path:
        self.work = work
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
    inline = "  Raw: {Type: AWS::Serverless::Function, Properties: {InlineCode: x, Handler: index.main}}\n"
    write_files(root, {"template.yaml": ROOT + inline})

    result = build_with_sam(root)

    assert (sam.excluded, sam.work) == ([()], root / ".alchemiser/build/main")
    assert result.counts == "5 functions: 4 built, 1 inline skipped; 1 layer: 1 built"
    assert result.skipped == ("template.yaml: Raw was not built: it has inline code",)
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
