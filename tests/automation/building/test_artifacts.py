"""The fingerprint of an artifact covers everything that its bytes depend on."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from automation.building import artifacts
from automation.building.artifacts import Artifact
from automation.project import model
from automation.system.errors import ConfigurationError
from tests.automation.projects import write_files

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Chip: {Type: String, Default: x86_64}
Conditions:
  IsArm: !Equals [!Ref Chip, arm64]
Globals:
  Function: {Runtime: python3.12, Architectures: [!Ref Chip]}
Resources:
  Greet:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: greet/, Handler: app.handler, Layers: !If [IsArm, [!Ref Common], !Ref AWS::NoValue]}
  Common:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: common/, CompatibleRuntimes: [python3.12], CompatibleArchitectures: [!Ref Chip]}
    Metadata: {BuildMethod: python3.12, BuildArchitecture: !Ref Chip}
  AsItIs:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: common/}
  Elsewhere:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: !ImportValue code, Handler: app.handler}
  Archived:
    Type: AWS::Lambda::Function
    Properties: {Code: greet.zip, Handler: app.handler, Runtime: python3.12}
  Inline:
    Type: AWS::Serverless::Function
    Properties: {InlineCode: "x = 1", Handler: index.handler}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    sources = {
        "greet/app.py": "x = 1\n",
        "common/shared.py": "",
        "common/requirements.txt": "# none\n",
        "greet.zip": "",
    }
    write_files(tmp_path, {**sources, "template.yaml": TEMPLATE})
    return tmp_path


def artifacts_of(root: Path, **parameters: str) -> tuple[Artifact, ...]:
    return artifacts.of_stack(model.load(root, parameters=parameters).stacks[0], root)


def with_text(name: str, text: str) -> Callable[[Artifact], Artifact]:
    def change(artifact: Artifact) -> Artifact:
        (artifact.source / name).write_text(text)
        return artifact

    return change


def executable(artifact: Artifact) -> Artifact:
    (artifact.source / "shared.py").chmod(0o755)
    return artifact


def test_of_stack_lists_code_folders_with_their_targets(root: Path) -> None:
    targets = [
        (artifact.logical_id, artifact.runtime, artifact.architecture, artifact.nested_in, artifact.mounted_at)
        for artifact in artifacts_of(root)
    ]

    assert targets == [
        ("Greet", "python3.12", "x86_64", "", "/var/task"),
        ("Common", "python3.12", "x86_64", "python", "/opt"),
        ("AsItIs", "", "x86_64", "", "/opt"),
    ]


def test_of_stack_target_follows_parameters(root: Path) -> None:
    assert [artifact.architecture for artifact in artifacts_of(root, Chip="arm64")][:2] == ["arm64", "arm64"]


def test_load_layers_follow_conditions(root: Path) -> None:
    plain, arm = (model.load(root, parameters={"Chip": chip}) for chip in ("x86_64", "arm64"))

    assert [plain.functions[0].layers, arm.functions[0].layers] == [(), ("Common",)]


def test_unknown_code_names_the_function_and_its_path(root: Path) -> None:
    assert artifacts.unknown_code(model.load(root).stacks[0]) == ("Elsewhere ({'Fn::ImportValue': 'code'})",)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Runtime: python3.12, Arch", "Arch", "Greet: Runtime is missing; set it to a literal or to a parameter"),
        (
            "CodeUri: greet/",
            "CodeUri: missing/",
            "Greet: its code missing does not exist; correct the path, or make it before the build",
        ),
        (
            "ContentUri: common/}",
            "ContentUri: greet/app.py}",
            "AsItIs: its content greet/app.py is a file; name the folder that contains it",
        ),
        (
            "Runtime: python3.12, Arch",
            "Runtime: 3.12, Arch",
            "Greet: Runtime is 3.12, which is not a text; set it to a literal or to a parameter",
        ),
    ],
)
def test_of_stack_unbuildable_code_is_refused(root: Path, old: str, new: str, message: str) -> None:
    write_files(root, {"template.yaml": TEMPLATE.replace(old, new)})

    with pytest.raises(ConfigurationError, match=f"^template.yaml: {message}$"):
        artifacts_of(root)


def test_of_stack_failures_are_passed_on_and_the_rest_is_returned(root: Path) -> None:
    write_files(root, {"template.yaml": TEMPLATE.replace("CodeUri: greet/", "CodeUri: missing/")})
    [stack] = model.load(root).stacks
    failures: dict[str, ConfigurationError] = {}

    rest = artifacts.of_stack(stack, root, on_failure=failures.__setitem__)

    assert [*failures] == ["Greet"]
    assert str(failures["Greet"]).startswith("template.yaml: Greet: its code missing does not exist; ")
    assert [artifact.logical_id for artifact in rest] == ["Common", "AsItIs"]


def test_all_ingredients_failures_are_passed_on_and_concern_only_their_folder(root: Path) -> None:
    (root / "greet" / "lost").symlink_to("nowhere")
    failures: dict[str, ConfigurationError] = {}

    read = artifacts.all_ingredients(artifacts_of(root), builder="1", on_failure=failures.__setitem__)

    assert ([*failures], [*read]) == (["Greet"], ["Common", "AsItIs"])
    assert read["Common"].settings["builder"] == "1"
    with pytest.raises(ConfigurationError, match="greet/lost: links to nowhere, which does not exist"):
        artifacts.all_ingredients(artifacts_of(root), builder="1")


@pytest.mark.parametrize(
    "change",
    [
        with_text("more.py", ""),
        with_text("shared.py", "x = 2\n"),
        with_text("requirements.txt", "a==1 --hash=sha256:0\n"),
        executable,
        lambda artifact: replace(artifact, architecture="arm64"),
        lambda artifact: replace(artifact, runtime="python3.13"),
        lambda artifact: replace(artifact, is_zipped_as_is=True),
        lambda artifact: replace(artifact, is_layer=False),
    ],
    ids=["source", "content", "lock", "mode", "architecture", "runtime", "nesting", "kind"],
)
def test_fingerprint_changes_with_each_ingredient(root: Path, change: Callable[[Artifact], Artifact]) -> None:
    common = artifacts_of(root)[1]
    before = artifacts.ingredients(common).fingerprint

    assert artifacts.ingredients(change(common)).fingerprint != before


def test_fingerprint_changes_with_the_builder(root: Path) -> None:
    common = artifacts_of(root)[1]

    assert artifacts.ingredients(common).fingerprint != artifacts.ingredients(common, builder="sam").fingerprint


def test_fingerprint_changes_with_a_file_that_the_lock_includes(root: Path) -> None:
    write_files(root, {"common/requirements.txt": "-r ../base.txt\n", "base.txt": "a==1\n"})
    before = artifacts.ingredients(artifacts_of(root)[1]).fingerprint
    write_files(root, {"base.txt": "a==2\n"})

    assert artifacts.ingredients(artifacts_of(root)[1]).fingerprint != before


def test_fingerprint_ignores_comments_of_a_lock(root: Path) -> None:
    write_files(root, {"common/requirements.txt": "a==1 \\\n  --hash=sha256:0\n    # via here\n"})
    before = artifacts.ingredients(artifacts_of(root)[1]).fingerprint
    write_files(root, {"common/requirements.txt": "a==1 \\\n  --hash=sha256:0\n    # via there\n"})

    assert artifacts.ingredients(artifacts_of(root)[1]).fingerprint == before


def test_ingredients_refers_to_is_what_any_code_of_the_stack_names(root: Path) -> None:
    greet, common, *_ = artifacts_of(root)
    assert "refers to" not in artifacts.ingredients(common).settings

    (root / "greet" / "app.py").write_text("import pkg.tests.rows\n")

    assert artifacts.ingredients(common).settings["refers to"] == "pkg.tests.rows"
    assert "refers to" not in artifacts.ingredients(greet).settings, "it installs nothing"


def test_ingredients_without_bytecode_have_no_interpreter(root: Path) -> None:
    before = artifacts.ingredients(artifacts_of(root)[1]).settings
    text = TEMPLATE.replace("BuildMethod: python3.12,", "Alchemiser: {Bytecode: false}, BuildMethod: python3.12,")
    (root / "template.yaml").write_text(text)

    common = artifacts_of(root)[1]

    assert (common.logical_id, common.has_bytecode) == ("Common", False)
    assert before["bytecode by"]
    assert artifacts.ingredients(common).settings == {
        "builder": artifacts.BUILDER,
        "runtime": "python3.12",
        "architecture": "x86_64",
        "mounted at": "/opt/python",
        "bytecode by": "",
    }


def with_template(root: Path, resources: str) -> tuple[Artifact, ...]:
    write_files(root, {"template.yaml": f"Transform: AWS::Serverless-2016-10-31\nResources:\n{resources}"})
    return artifacts_of(root)


FOREIGN = """
  Js: {Type: AWS::Serverless::Function, Properties: {CodeUri: greet/, Handler: i.h, Runtime: nodejs22.x}}
  Img:
    Type: AWS::Serverless::Function
    Properties: {PackageType: Image}
    Metadata: {Dockerfile: Dockerfile, DockerContext: common}
  Made:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: common/}
    Metadata: {BuildMethod: makefile}
  Raw: {Type: AWS::Serverless::Function, Properties: {InlineCode: x, Handler: i.h, Runtime: python3.12}}
"""


def test_of_stack_with_foreign_lists_what_only_sam_builds(root: Path) -> None:
    assert with_template(root, FOREIGN) == ()

    foreign = artifacts.of_stack(model.load(root).stacks[0], root, with_foreign=True)

    assert [(artifact.logical_id, artifact.folder, artifact.is_layer) for artifact in foreign] == [
        ("Js", "greet", False),
        ("Img", "common", False),
        ("Made", "common", True),
    ]
    assert {(artifact.version, artifact.lock, artifact.is_zipped_as_is) for artifact in foreign} == {("", None, True)}


def test_of_stack_context_of_an_image_lies_below_the_base_dir(root: Path) -> None:
    write_files(root, {"samconfig.toml": '[default.build.parameters]\nbase_dir = "code"\n', "code/common/x.py": ""})
    with_template(root, FOREIGN[FOREIGN.index("  Img") : FOREIGN.index("  Made")])

    [image] = artifacts.of_stack(model.load(root).stacks[0], root, with_foreign=True)

    assert image.folder == "code/common"


def test_ingredients_of_what_sam_builds_include_its_requirements(root: Path) -> None:
    with_template(root, FOREIGN)
    made = artifacts.of_stack(model.load(root).stacks[0], root, with_foreign=True)[2]

    assert set(artifacts.ingredients(made).files) == {"shared.py", "requirements.txt"}


def test_of_stack_function_that_skips_the_build_is_taken_as_it_is(root: Path) -> None:
    function = "Type: AWS::Serverless::Function, Properties: {CodeUri: common/, Handler: i.h, Runtime: python3.12}"

    [artifact] = with_template(root, f"  Fn: {{{function}, Metadata: {{SkipBuild: true}}}}")

    assert (artifact.is_zipped_as_is, artifact.lock, artifact.nested_in) == (True, None, "")


def test_of_stack_function_of_one_file_is_taken_as_it_is(root: Path) -> None:
    properties = "{CodeUri: greet/app.py, Handler: app.handler, Runtime: python3.12}"

    [artifact] = with_template(root, f"  Fn: {{Type: AWS::Serverless::Function, Properties: {properties}}}")

    assert (artifact.is_zipped_as_is, artifact.source) == (True, root / "greet/app.py")
    assert set(artifacts.ingredients(artifact).files) == {"app.py"}


UV_PROJECTS = """
  Layer:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: common/, CompatibleRuntimes: [!ImportValue r, nodejs22.x, python3.13]}
    Metadata: {BuildMethod: python-uv}
  Fn:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: greet/, Handler: app.handler, Runtime: python3.13}
    Metadata: {BuildMethod: python-uv}
  Plain:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: common/}
    Metadata: {BuildMethod: python3.12}
"""


def test_of_stack_uv_project_needs_only_a_pyproject(root: Path) -> None:
    fn, layer, plain = with_template(root, UV_PROJECTS)
    write_files(root, {"greet/pyproject.toml": ""})

    assert [artifact.is_uv_project for artifact in (fn, layer, plain)] == [True, True, False]
    assert [artifact.runtime for artifact in (fn, layer, plain)] == ["python3.13", "python3.13", "python3.12"]
    assert fn.lock == root / "greet/pyproject.toml"


def test_ingredients_name_a_parent_package(root: Path) -> None:
    metadata = "{BuildProperties: {ParentPackageMode: explicit, ParentPackages: src.greet}}"
    function = "Type: AWS::Serverless::Function, Properties: {CodeUri: greet/, Handler: i.h, Runtime: python3.12}"

    [artifact] = with_template(root, f"  Fn: {{{function}, Metadata: {metadata}}}")

    assert artifact.package_folder == "src/greet"
    assert artifacts.ingredients(artifact).settings["package"] == "src/greet"
    assert "package" not in artifacts.ingredients(replace(artifact, package_folder="")).settings
