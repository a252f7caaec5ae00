import base64
import csv
import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from automation.building import joint_installs, store, wheels
from automation.building.artifacts import Artifact
from tests.automation.projects import write_files

HASH = f"--hash=sha256:{'0' * 64}"
TARGET = ("3.12", "x86_64")


def make_wheel(
    folder: Path, name: str, contents: Mapping[str, str], *, version: str = "1", script: str = "", unlisted: str = ""
) -> str:
    """Write a pure wheel; return its line for a lock.

    Args:
        script: the name of a program.
        unlisted: a file that its RECORD lacks.
    """
    info = f"{name}-{version}.dist-info"
    members = dict(contents)
    members[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    members[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    if script:
        members[f"{name}-{version}.data/scripts/{script}"] = "#!python\nimport sys\n"

    record = io.StringIO()
    rows = csv.writer(record, lineterminator="\n")
    for path, content in members.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content.encode()).digest()).rstrip(b"=").decode()
        rows.writerow((path, f"sha256={digest}", len(content)))
    rows.writerow((f"{info}/RECORD", "", ""))

    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, content in {
            **members,
            f"{info}/RECORD": record.getvalue(),
            **({unlisted: ""} if unlisted else {}),
        }.items():
            archive.writestr(path, content)
    return f"{name.replace('_', '-')}=={version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}"


@pytest.fixture
def lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return the lines of packages that uv finds on this disk alone."""
    folder = tmp_path / "wheels"
    for variable, value in {
        "UV_NO_INDEX": "1",
        "UV_FIND_LINKS": str(folder),
        "UV_CACHE_DIR": str(tmp_path / "uv"),
    }.items():
        monkeypatch.setenv(variable, value)
    return {
        "ore": make_wheel(folder, "ore_mine", {"ore/__init__.py": "x = 1\n", "ore/tests/test_a.py": ""}, script="dig"),
        "oil": make_wheel(folder, "oil", {"oil/__init__.py": "y = 2\n"}),
        "ash": make_wheel(folder, "ash", {"ash.py": "z = 3\n"}),
        "rust": make_wheel(folder, "rust", {"oil/__init__.py": "y = 9\n"}),
        "sly": make_wheel(folder, "sly", {"sly.py": ""}, unlisted="sly-1.dist-info/RECORD.jws"),
        "wax": make_wheel(folder, "wax", {"oil/__init__.py": "y = 2\n"}),
    }


def layer(root: Path, name: str, lock: str, *, version: str = "3.12", architecture: str = "x86_64") -> Artifact:
    write_files(root, {f"{name}/requirements.txt": lock})
    return Artifact("main", name, root / name, name, f"python{version}", architecture, is_layer=True, root=root)


def contents(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def plan(root: Path, locks: Mapping[str, str]) -> list[list[str]]:
    groups = joint_installs.plan({name: layer(root, name, lock) for name, lock in locks.items()})
    return [list(group.packages) for group in groups]


def test_plan_joins_locks_that_agree(tmp_path: Path) -> None:
    marked = f"d==1 ; python_version > '3' {HASH}"
    locks = {"long": f"a==1 {HASH}\nB_c[x]==2 {HASH}\n", "short": f"B_c[x]==2 {HASH}\n", "other": f"{marked}\n"}

    (group,) = joint_installs.plan({name: layer(tmp_path, name, lock) for name, lock in locks.items()})

    assert group.target == TARGET
    assert group.packages == {"long": {"a", "b-c"}, "short": {"b-c"}, "other": {"d"}}
    assert sorted(group.lines) == ["a", "b-c", "d"]
    assert group.lines["b-c"] == f"B_c[x]==2 {HASH}"


def test_plan_keeps_different_versions_apart(tmp_path: Path) -> None:
    old, new = f"a==1 {HASH}\n", f"a==2 {HASH}\n"

    planned = plan(
        tmp_path, {"old": old, "new": new, "alone": f"a==3 {HASH}\n", "old2": old, "new2": f"b==1 {HASH}\n{new}"}
    )

    assert sorted(planned) == [["new", "new2"], ["old", "old2"]]


@pytest.mark.parametrize(
    "lock",
    [
        "",
        "a==1\n",
        f"a==1 {HASH}\n--index-url https://x.y\n",
        f"a==1 {HASH}\n-c limits.txt\n",
        f"a @ https://x.y/a-1.whl {HASH}\n",
        f"a==1 {HASH}\n./lib\n",
        f"a==1 ; python_version > '3' {HASH}\na==2 ; python_version < '3' {HASH}\n",
        f"a==1 {HASH}\nb==1\n",
        "x y\n",
    ],
)
def test_plan_leaves_any_other_lock_alone(tmp_path: Path, lock: str) -> None:
    write_files(tmp_path, {"limits.txt": "b==1\n", "lib/setup.py": ""})

    assert plan(tmp_path, {"one": lock, "two": lock}) == []


def test_plan_keeps_targets_and_other_files_apart(tmp_path: Path) -> None:
    lock = f"a==1 {HASH}\n"
    artifacts = {
        "one": layer(tmp_path, "one", lock),
        "arm": layer(tmp_path, "arm", lock, architecture="arm64"),
        "new": layer(tmp_path, "new", lock, version="3.13"),
    }
    write_files(tmp_path, {"uv/uv.lock": lock, "uv/pyproject.toml": "", "none/a.py": ""})
    for name in ("uv", "none"):
        artifacts[name] = Artifact("main", name, tmp_path / name, name, "python3.12", "x86_64", is_layer=True)

    assert joint_installs.plan(artifacts) == ()


def install(root: Path, locks: Mapping[str, str]) -> bool:
    (group,) = joint_installs.plan({name: layer(root, name, lock) for name, lock in locks.items()})
    folders = {name: root / "trees" / name / "python" for name in locks}
    return joint_installs.install(group, folders, work=root / "trees/work")


def test_install_fills_each_folder_as_a_run_of_its_own_does(tmp_path: Path, lines: dict[str, str]) -> None:
    never = lines["ash"].replace(" ", " ; python_version < '3' ")
    locks = {
        "all": f"{lines['ore']}\n{lines['oil']}\n{never}\n",
        "some": f"{lines['oil']}\n{lines['ore']}\n",
        "one": f"{never}\n{lines['oil']}\n",
    }

    assert install(tmp_path, locks)

    assert not (tmp_path / "trees/work").exists()
    for name in locks:
        own = tmp_path / "own" / name
        wheels.install(tmp_path / name / "requirements.txt", own, root=tmp_path, version="3.12", architecture="x86_64")
        joint = contents(tmp_path / "trees" / name / "python")
        assert {path: data for path, data in contents(own).items() if path != ".lock"} == {
            path: data for path, data in joint.items() if path != ".lock"
        }
    shared = [(tmp_path / "trees" / name / "python/oil/__init__.py").stat().st_ino for name in locks]
    assert len(set(shared)) == 1


def test_install_without_a_lock_that_has_all_fills_every_folder(tmp_path: Path, lines: dict[str, str]) -> None:
    assert install(tmp_path, {"one": f"{lines['oil']}\n", "two": f"{lines['ash']}\n"})

    assert (tmp_path / "trees/one/python/oil/__init__.py").read_text() == "y = 2\n"
    assert not (tmp_path / "trees/one/python/ash.py").exists()
    assert (tmp_path / "trees/two/python/ash.py").read_text() == "z = 3\n"
    assert sorted(path.name for path in (tmp_path / "trees").iterdir()) == ["one", "two"]


@pytest.mark.parametrize("other", ["rust", "wax"])
def test_install_of_packages_that_share_a_file_fills_nothing(tmp_path: Path, lines: dict[str, str], other: str) -> None:
    assert not install(tmp_path, {"one": f"{lines['oil']}\n", "two": f"{lines[other]}\n"})
    assert list((tmp_path / "trees").iterdir()) == []


def test_install_of_a_file_that_no_package_lists_fills_nothing(tmp_path: Path, lines: dict[str, str]) -> None:
    assert not install(tmp_path, {"one": f"{lines['oil']}\n", "two": f"{lines['sly']}\n"})
    assert list((tmp_path / "trees").iterdir()) == []


def test_install_of_a_package_that_is_missing_fills_nothing(tmp_path: Path, lines: dict[str, str]) -> None:
    assert not install(tmp_path, {"one": f"{lines['oil']}\n", "two": f"gone==1 {HASH}\n"})
    assert list((tmp_path / "trees").iterdir()) == []


def test_build_missing_joins_installs_and_makes_the_same_zips(tmp_path: Path, lines: dict[str, str]) -> None:
    runs = {
        "all": layer(tmp_path, "all", f"{lines['ore']}\n{lines['oil']}\n"),
        "one": layer(tmp_path, "one", f"{lines['ore']}\n"),
    }
    # The code of one layer keeps the tests and replaces an installed file: the other layer must not see it.
    write_files(tmp_path, {"one/use.py": "import ore.tests.test_a\n", "one/ore/__init__.py": "x = 5\n"})

    together = store.build_missing(runs, tmp_path / "together")
    apart = {key: store.build_missing({key: run}, tmp_path / f"apart-{key}")[key] for key, run in runs.items()}

    for key in runs:
        assert together[key].zip.read_bytes() == apart[key].zip.read_bytes(), key
    ore = [together[key].tree / "python/ore" for key in ("all", "one")]
    assert [(folder / "__init__.py").read_text() for folder in ore] == ["x = 1\n", "x = 5\n"]
    assert [(folder / "tests").exists() for folder in ore] == [False, True]
    assert len({(folder.parent / "ore_mine-1.dist-info/METADATA").stat().st_ino for folder in ore}) == 1


def test_build_missing_names_the_lock_at_fault(tmp_path: Path, lines: dict[str, str]) -> None:
    runs = {"good": layer(tmp_path, "good", f"{lines['oil']}\n"), "bad": layer(tmp_path, "bad", f"gone==1 {HASH}\n")}
    failures: dict[str, Exception] = {}

    built = store.build_missing(runs, tmp_path / "store", on_failure=failures.__setitem__)

    assert (list(built), list(failures)) == (["good"], ["bad"])
    assert "gone" in str(failures["bad"])
    assert "bad/requirements.txt" in str(failures["bad"])
