"""What to edit or to run so that a tree gets another distribution."""

from pathlib import Path, PurePosixPath

import pytest

from automation.proof import requirement_files
from automation.proof.built_trees import BuiltTree, Platform
from automation.proof.requirement_files import RequirementFile
from tests.automation.proof import subjects
from tests.faults.bakery import install, put


@pytest.mark.parametrize(
    ("files", "advice"),
    [
        (["requirements.txt"], "add a and b<2 to src/requirements.txt and run inv build"),
        (
            ["requirements.txt", "requirements.in"],
            "add a and b<2 to src/requirements.in and run inv lock and inv build",
        ),
        (["requirements.in"], "add a and b<2 to src/requirements.in and run inv lock and inv build"),
        (["uv.lock", "pyproject.toml"], "run uv add --directory src a 'b<2', then inv build"),
        (["poetry.lock", "pyproject.toml"], "run poetry add -C src a 'b<2', then inv build"),
        (["pylock.toml"], "add a and b<2 to what src/pylock.toml is made from and make it again, then run inv build"),
        (["requirements.txt", "uv.lock", "pyproject.toml"], "add a and b<2 to src/requirements.txt and run inv build"),
    ],
)
def test_of_folder_adds_where_the_build_reads(tmp_path: Path, files: list[str], advice: str) -> None:
    for name in files:
        put(tmp_path / "src" / name, "")

    file = requirement_files.of_folder("src/", tmp_path)

    assert file is not None
    assert file.add("a", "b<2") == advice


def test_of_folder_without_requirements_is_none(tmp_path: Path) -> None:
    put(tmp_path / "src" / "app.py", "")

    assert requirement_files.of_folder("src", tmp_path) is None
    assert requirement_files.to_write("src/") == RequirementFile("src/requirements.txt", "src/")


def test_advice_to_change_or_remove_suits_the_program() -> None:
    by_hand, by_uv = RequirementFile("src/requirements.txt"), RequirementFile("src/uv.lock", "src", "uv")

    assert by_hand.require("a>1") == "require a>1 in src/requirements.txt and run inv build"
    assert by_hand.remove("a") == "remove a from src/requirements.txt and run inv build"
    assert by_hand.remove("a", "b", "c") == "remove a, b and c from src/requirements.txt and run inv build"
    assert by_uv.require("a>1") == "run uv add --directory src 'a>1', then inv build"
    assert by_uv.remove("a", "b") == "run uv remove --directory src a b, then inv build"


X64 = Platform("python3.12", "x86_64")
MODULE = "stone/_mill.so"
COMMAND = "uv pip install --only-binary :all: --python-version 3.12 --python-platform x86_64-manylinux_2_34"


def tree(root: Path, owner: str, folder: str, source: str) -> BuiltTree:
    """Return a built tree with a distribution in one of its folders; the same lies in a source folder."""
    layer = subjects.layer(ContentUri="lib dir/")
    resources = {"App": subjects.function(CodeUri="src/", Layers=[{"Ref": "Libs"}]), "Libs": layer}
    for site in (root / source, root / subjects.BUILD / owner / folder):
        install(site, "stone", "1.0", {}, MODULE)
    subject = subjects.write(root, resources)
    return next(entry for entry in subject.built_trees if entry.owner.logical_id == owner)


def install_for(built: BuiltTree, root: Path, platform: Platform = X64, *, is_listed: bool = True) -> str:
    site = PurePosixPath(built.sites[0].relative_to(built.folder).as_posix())
    return requirement_files.install_for(
        built, built.distributions[0] if is_listed else None, site / MODULE, platform, root
    )


@pytest.mark.parametrize(
    ("owner", "folder", "source", "target"),
    [
        ("App", ".", "src", "src"),
        ("Libs", "python", "lib dir", "'lib dir'"),
        ("Libs", "python", "lib dir/python", "'lib dir/python'"),
        ("Libs", "python/lib/python3.12/site-packages", "lib dir", "'lib dir'"),
    ],
)
def test_install_for_names_the_folder_of_the_sources(
    tmp_path: Path, owner: str, folder: str, source: str, target: str
) -> None:
    fix = install_for(tree(tmp_path, owner, folder, source), tmp_path)

    assert fix == (f"run {COMMAND} --target {target} --reinstall --no-deps stone==1.0, then inv build")


@pytest.mark.parametrize("changed", [MODULE, "stone-1.0.dist-info/WHEEL"])
def test_install_for_what_the_build_has_installed_is_a_new_build(tmp_path: Path, changed: str) -> None:
    built = tree(tmp_path, "App", ".", "src")
    put(tmp_path / "src" / changed, "another")

    assert install_for(built, tmp_path) == "run inv build --force"
    (tmp_path / "src" / changed).unlink()
    assert install_for(built, tmp_path) == "run inv build --force"


def test_install_for_files_of_no_distribution_names_the_platform(tmp_path: Path) -> None:
    built = tree(tmp_path, "App", ".", "src")

    assert install_for(built, tmp_path, is_listed=False) == (
        "replace it by one for python3.12 on x86_64, then run inv build"
    )
    assert install_for(built, tmp_path, Platform("python3.12", "mips")) == (
        "replace it by one for python3.12 on mips, then run inv build"
    )


def test_install_again_needs_the_file_to_lack_in_the_sources_too(tmp_path: Path) -> None:
    built = tree(tmp_path, "App", ".", "src")
    (built.folder / MODULE).unlink()

    def fix() -> str:
        return requirement_files.install_again(built, built.distributions[0], MODULE, tmp_path)

    assert fix() == "run inv build --force"
    (tmp_path / "src" / MODULE).unlink()
    assert fix() == f"run {COMMAND} --target src --reinstall --no-deps stone==1.0, then inv build"
    put(tmp_path / "src/stone-1.0.dist-info/METADATA", "another")
    assert fix() == "run inv build --force"


@pytest.mark.parametrize(
    ("name", "listed"),
    [
        ("requirements.txt", "libs/requirements.txt"),
        ("python/requirements.txt", "libs/python/requirements.txt"),
        ("requirements.in", "libs/requirements.in"),
    ],
)
def test_of_ready_layer_is_installed_into_its_python_folder(tmp_path: Path, name: str, listed: str) -> None:
    put(tmp_path / "libs" / name, "")

    file = requirement_files.of_ready_layer("libs", X64, tmp_path)

    assert file is not None
    assert file.add("a") == f"add a to {listed} and run {COMMAND} --target libs/python -r {listed}, then inv build"


@pytest.mark.parametrize("name", ["app.py", "uv.lock", "pylock.toml"])
def test_of_ready_layer_without_a_requirement_file_is_none(tmp_path: Path, name: str) -> None:
    put(tmp_path / "libs" / name, "")
    put(tmp_path / "libs/pyproject.toml", "")

    assert requirement_files.of_ready_layer("libs", X64, tmp_path) is None


def test_of_ready_layer_for_an_unknown_machine_is_none(tmp_path: Path) -> None:
    put(tmp_path / "libs/requirements.txt", "")

    assert requirement_files.of_ready_layer("libs", Platform("python3.12", "mips"), tmp_path) is None


def vendoring(root: Path, *, is_copied: bool = True) -> BuiltTree:
    """Return the tree of a function with three distributions, two of which its sources have."""
    subject = subjects.write(root, {"App": subjects.function()}, {"App": {"app.py": ""}})
    for site in (root / subjects.BUILD / "App", *([root / "code"] if is_copied else [])):
        install(site, "stone", "1.0", {"stone/__init__.py": "", "../../bin/mill": "", "bin/mill": "", "pebble.py": ""})
        install(site, "sand", "2.0", {"sand.py": "", "__pycache__/sand.pyc": ""})
    install(root / subjects.BUILD / "App", "clay", "3.0", {"clay.py": ""})
    return subject.built_trees[0]


@pytest.mark.parametrize(
    ("names", "is_copied", "fix"),
    [
        (
            ["stone", "sand"],
            True,
            "delete pebble.py, sand.py and stone with their .dist-info from code, and run inv build",
        ),
        (["clay"], True, "remove clay from code/requirements.txt and run inv build"),
        (
            ["clay", "sand"],
            True,
            (
                "remove clay from code/requirements.txt and run inv build; "
                "delete sand.py and its .dist-info from code, and run inv build"
            ),
        ),
        (["stone", "sand", "stone"], False, "remove stone and sand from code/requirements.txt and run inv build"),
    ],
)
def test_remove_from_names_what_the_sources_have(tmp_path: Path, names: list[str], is_copied: bool, fix: str) -> None:
    tree = vendoring(tmp_path, is_copied=is_copied)
    by_name = {distribution.name: distribution for distribution in tree.distributions}

    assert requirement_files.remove_from(tree, [by_name[name] for name in names], tmp_path) == fix


def test_require_in_installs_into_the_sources_that_have_it(tmp_path: Path) -> None:
    tree = vendoring(tmp_path)

    assert requirement_files.require_in(tree, "stone", "stone<2", tmp_path) == (
        f"run {COMMAND} --target code --reinstall --no-deps 'stone<2', then inv build"
    )
    assert requirement_files.require_in(tree, "clay", "clay<2", tmp_path) == (
        "require clay<2 in code/requirements.txt and run inv build"
    )
    assert requirement_files.require_in(tree, "absent", "absent<2", tmp_path) == (
        "require absent<2 in code/requirements.txt and run inv build"
    )
