"""An artifact is made once for what it is made of, whole or not at all, and its zip is the same everywhere."""

import importlib.util
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from automation import artifacts, outputs, project, templates, wheels, zips
from automation.artifacts import Artifact
from automation.errors import ConfigurationError, ToolError

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Chip: {Type: String, Default: x86_64}
Globals:
  Function: {Runtime: python3.12, Architectures: [!Ref Chip]}
Resources:
  Greet:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: greet/, Handler: app.handler, Layers: [!Ref Common]}
  Common:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: common/, CompatibleRuntimes: [python3.12], CompatibleArchitectures: [!Ref Chip]}
Outputs:
  Name: {Value: !Ref Greet}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for folder, module in (("greet", "app"), ("common", "shared")):
        (root / folder / "__pycache__").mkdir(parents=True)
        (root / folder / f"{module}.py").write_text("def handler(event, context):\n    return event\n")
        (root / folder / "__pycache__" / "stale.pyc").write_bytes(b"stale")
    (root / "template.yaml").write_text(TEMPLATE)
    return root


def made_of(root: Path) -> tuple[Artifact, ...]:
    return artifacts.of_stack(project.load(root).stacks[0], root)


def with_more_source(one: Artifact) -> Artifact:
    (one.source / "more.py").write_text("")
    return one


def test_of_stack_tells_functions_and_layers_with_their_target(root: Path) -> None:
    found = [(one.logical_id, one.runtime, one.architecture, one.is_layer) for one in made_of(root)]

    assert found == [("Greet", "python3.12", "x86_64", False), ("Common", "python3.12", "x86_64", True)]


def test_of_stack_with_an_architecture_only_cloudformation_knows_is_refused(root: Path) -> None:
    text = TEMPLATE.replace("[!Ref Chip]", "[!ImportValue chip]")
    (root / "template.yaml").write_text(text)

    with pytest.raises(ConfigurationError, match="Greet: Architectures"):
        made_of(root)


def test_make_all_puts_layers_under_python_with_bytecode_and_nothing_stale(root: Path, tmp_path: Path) -> None:
    made = artifacts.make_all(made_of(root), tmp_path / "store")

    names = {key: sorted(zipfile.ZipFile(place / artifacts.ZIP).namelist()) for key, place in made.items()}
    assert names == {
        "Greet": ["__pycache__/app.cpython-312.pyc", "app.py"],
        "Common": ["python/__pycache__/shared.cpython-312.pyc", "python/shared.py"],
    }


def test_make_all_twice_touches_nothing(root: Path, tmp_path: Path) -> None:
    first = artifacts.make_all(made_of(root), tmp_path / "store")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "store").rglob("*")}

    second = artifacts.make_all(made_of(root), tmp_path / "store")

    assert second == first
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "store").rglob("*")} == before


@pytest.mark.parametrize(
    "change",
    [
        with_more_source,
        lambda one: replace(one, architecture="arm64"),
        lambda one: replace(one, runtime="python3.13"),
        lambda one: replace(one, is_layer=True),
    ],
    ids=["source", "architecture", "runtime", "kind"],
)
def test_fingerprint_changes_with_each_input(root: Path, change: Callable[[Artifact], Artifact]) -> None:
    greet = made_of(root)[0]
    before = artifacts.fingerprint(greet)

    assert artifacts.fingerprint(change(greet)) != before


def test_make_all_with_a_lock_without_hashes_fails_and_leaves_nothing(root: Path, tmp_path: Path) -> None:
    (root / "common" / "requirements.txt").write_text("idna==3.10\n")

    with pytest.raises(ToolError, match="hash"):
        artifacts.make_all(made_of(root)[1:], tmp_path / "store")

    assert list((tmp_path / "store").glob("*")) == []


def test_pack_gives_the_same_bytes_in_another_place_at_another_time(root: Path, tmp_path: Path) -> None:
    first, second = (artifacts.make_all(made_of(root), tmp_path / name) for name in ("one", "two"))
    again = tmp_path / "again.zip"
    for path in (second["Greet"] / artifacts.TREE).rglob("*"):
        path.touch()
    zips.pack(second["Greet"] / artifacts.TREE, again)

    bytes_of = {place: (place / artifacts.ZIP).read_bytes() for place in (*first.values(), *second.values())}
    assert bytes_of[first["Greet"]] == bytes_of[second["Greet"]] == again.read_bytes()
    assert bytes_of[first["Common"]] == bytes_of[second["Common"]]


def test_compile_bytecode_is_unchecked_and_names_lambdas_path(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("x = 1\n")

    done = wheels.compile_bytecode(tmp_path, runtime="python3.12", mounted_at="/var/task")

    code = next(tmp_path.glob("__pycache__/app.*.pyc")).read_bytes()
    assert done
    assert code[:4] == importlib.util.MAGIC_NUMBER
    assert int.from_bytes(code[4:8], "little") == 0b01
    assert b"/var/task/app.py" in code


def test_compile_bytecode_for_another_python_does_nothing_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("x = 1\n")

    assert not wheels.compile_bytecode(tmp_path, runtime="python3.13", mounted_at="/var/task")
    assert not list(tmp_path.glob("__pycache__/*"))


def test_prune_keeps_metadata_and_takes_what_no_import_needs(tmp_path: Path) -> None:
    wanted = ["numpy/core.py", "numpy-1.dist-info/METADATA", "tests/kept.py"]
    unwanted = ["bin/f2py", ".lock", "numpy/core.pyi", "numpy/tests/test_a.py", "numpy-1.dist-info/REQUESTED"]
    for name in (*wanted, *unwanted):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")

    wheels.prune(tmp_path)

    assert sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()) == sorted(wanted)


@pytest.mark.parametrize(
    ("runtime", "architecture", "told"), [("nodejs22.x", "arm64", "nodejs22.x"), ("python3.12", "mips", "mips")]
)
def test_install_for_a_target_that_is_not_pythons_is_refused(
    tmp_path: Path, runtime: str, architecture: str, told: str
) -> None:
    with pytest.raises(ConfigurationError, match=told):
        wheels.install(tmp_path / "r.txt", tmp_path / "t", runtime=runtime, architecture=architecture)


def test_write_gives_a_template_of_folders_and_one_of_zips(root: Path, tmp_path: Path) -> None:
    stack = project.load(root).stacks[0]
    out = tmp_path / "out"

    outputs.write(stack, root, artifacts.make_all(made_of(root), tmp_path / "store"), out)

    folders = templates.read(out / "template.yaml", name="t").resources
    packed = templates.read(out / "packed.json", name="t").resources
    assert (folders["Greet"]["Properties"]["CodeUri"], folders["Common"]["Properties"]["ContentUri"]) == (
        "Greet",
        "Common",
    )
    assert packed["Greet"]["Properties"]["CodeUri"] == "zips/Greet.zip"
    assert (out / "Greet" / "app.py").is_file()
    assert (out / "zips" / "Common.zip").is_file()
    assert templates.document(out / "template.yaml", name="t")["Outputs"] == {"Name": {"Value": {"Ref": "Greet"}}}


def test_two_layers_of_one_content_are_made_once(root: Path, tmp_path: Path) -> None:
    common = made_of(root)[1]

    made = artifacts.make_all([common, replace(common, logical_id="Other")], tmp_path / "store")

    assert made["Common"] == made["Other"]
    assert len(list((tmp_path / "store").iterdir())) == 1
