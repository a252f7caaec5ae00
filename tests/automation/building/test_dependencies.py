from pathlib import Path

import pytest

from automation.building import dependencies
from automation.system.errors import ConfigurationError
from tests.automation.projects import write_files

PACKAGE = "[project]\nname = 'Acme.Fn'\ndependencies = ['idna']\n"
UV_LOCK = """
[[package]]
name = "acme-fn"
source = { virtual = "." }
dependencies = [{ name = "near" }, { name = "idna" }]

[[package]]
name = "near"
source = { editable = "libs/near" }
dependencies = [{ name = "far" }, { name = "near" }, { name = "packed" }]

[[package]]
name = "packed"
source = { path = "libs/packed.whl" }

[[package]]
name = "far"
source = { directory = "libs/far" }

[[package]]
name = "unneeded"
source = { editable = "libs/unneeded" }

[[package]]
name = "idna"
source = { registry = "https://x.y/simple" }
"""


def names(paths: tuple[Path, ...], root: Path) -> list[str]:
    return [path.relative_to(root.resolve()).as_posix() for path in paths]


@pytest.mark.parametrize(
    ("present", "name"),
    [
        ({}, ""),
        ({"requirements.txt": "", "uv.lock": "", "pyproject.toml": ""}, "requirements.txt"),
        ({"uv.lock": "", "pyproject.toml": "", "poetry.lock": ""}, "uv.lock"),
        ({"uv.lock": ""}, ""),
        ({"pylock.toml": "", "poetry.lock": ""}, "pylock.toml"),
        ({"poetry.lock": "", "pyproject.toml": ""}, "poetry.lock"),
        ({"pyproject.toml": PACKAGE}, ""),
    ],
)
def test_of_folder_is_requirements_before_a_lock(tmp_path: Path, present: dict[str, str], name: str) -> None:
    write_files(tmp_path, present)

    assert dependencies.of_folder(tmp_path, tmp_path) == (tmp_path / name if name else None)


@pytest.mark.parametrize(
    ("present", "name"),
    [
        (["requirements.txt"], "requirements.txt"),
        (["requirements.txt", "pyproject.toml", "uv.lock"], "requirements.txt"),
        (["pyproject.toml", "uv.lock"], "uv.lock"),
        (["pyproject.toml"], "pyproject.toml"),
        ([], ""),
    ],
)
def test_of_folder_of_a_uv_project_may_be_its_pyproject(tmp_path: Path, present: list[str], name: str) -> None:
    write_files(tmp_path, dict.fromkeys(present, ""))
    expected = tmp_path / name if name else None

    assert dependencies.of_folder(tmp_path, tmp_path, takes_pyproject=True) == expected


def workspace(root: Path) -> Path:
    members = "[tool.uv.workspace]\nmembers = ['fns/*', 'libs/*/']\nexclude = ['fns/b']\n"
    write_files(root, {"pyproject.toml": members, "uv.lock": UV_LOCK, "libs/packed.whl": ""})
    for name in ("fns/a", "fns/b", "libs/near", "libs/far", "libs/unneeded", "other"):
        write_files(root, {f"{name}/pyproject.toml": PACKAGE, f"{name}/code.py": ""})
    return root / "fns/a"


def test_of_folder_member_of_a_workspace_has_its_pyproject(tmp_path: Path) -> None:
    member = workspace(tmp_path)

    assert dependencies.of_folder(member, tmp_path) == member / "pyproject.toml"
    assert dependencies.workspace_lock(member, tmp_path) == tmp_path.resolve() / "uv.lock"
    assert dependencies.workspace_lock(tmp_path / "libs/far", tmp_path) is not None
    for other in ("fns/b", "other"):
        assert dependencies.of_folder(tmp_path / other, tmp_path) is None


def test_of_folder_workspace_outside_the_project_is_not_searched(tmp_path: Path) -> None:
    member = workspace(tmp_path)

    assert dependencies.of_folder(member, tmp_path / "fns") is None


def test_lock_files_are_all_that_decide(tmp_path: Path) -> None:
    member = workspace(tmp_path)
    write_files(tmp_path, {"src/requirements.txt": "-r more.txt\n", "src/more.txt": "", "src/pylock.toml": ""})

    def listed(name: str) -> list[str]:
        return names(tuple(path.resolve() for path in dependencies.lock_files(tmp_path / name, tmp_path)), tmp_path)

    assert listed("src/requirements.txt") == ["src/requirements.txt", "src/more.txt"]
    assert listed("src/pylock.toml") == ["src/pylock.toml"]
    assert listed("uv.lock") == ["uv.lock", "pyproject.toml"]
    assert listed(f"{member.relative_to(tmp_path)}/pyproject.toml") == [
        "fns/a/pyproject.toml",
        "uv.lock",
        "pyproject.toml",
    ]
    assert listed("other/pyproject.toml") == ["other/pyproject.toml"]


def test_local_paths_of_a_workspace_are_those_it_needs(tmp_path: Path) -> None:
    member = workspace(tmp_path)

    paths = dependencies.local_paths(member / "pyproject.toml", tmp_path)

    assert names(paths, tmp_path) == ["libs/far", "libs/near", "libs/packed.whl"]


def test_local_paths_follow_the_sources_of_folders(tmp_path: Path) -> None:
    uv, poetry = "[project]\n[tool.uv.sources]\nb = {path = '../b'}\nc = {git = 'x'}\n", "[tool.poetry.dependencies]\n"
    write_files(tmp_path, {"src/requirements.txt": "idna\n../a\n", "a/pyproject.toml": uv, "w/x.whl": ""})
    write_files(
        tmp_path, {"b/pyproject.toml": f"{poetry}python = '*'\na = {{path = '../a'}}\nx = {{path = '../w/x.whl'}}"}
    )

    paths = dependencies.local_paths(tmp_path / "src/requirements.txt", tmp_path)

    assert names(paths, tmp_path) == ["a", "b", "w/x.whl"]


def test_local_paths_of_poetry_and_pylock(tmp_path: Path) -> None:
    poetry = (
        "[[package]]\nsource = {type = 'directory', url = '../a'}\n[[package]]\nsource = {type = 'git', url = 'x'}\n"
    )
    pylock = "[[packages]]\ndirectory = {path = '../a'}\n[[packages]]\nname = 'idna'\n"
    write_files(
        tmp_path, {"src/poetry.lock": f"{poetry}[[package]]\nname = 'idna'\n", "src/pylock.toml": pylock, "a/x": ""}
    )

    for name in ("poetry.lock", "pylock.toml"):
        assert names(dependencies.local_paths(tmp_path / "src" / name, tmp_path), tmp_path) == ["a"]


def test_local_paths_missing_folder_of_a_lock_is_refused(tmp_path: Path) -> None:
    write_files(tmp_path, {"src/pylock.toml": "[[packages]]\ndirectory = {path = '../a'}\n"})

    with pytest.raises(
        ConfigurationError, match=r"src: \.\./a does not exist, but a lock or pyproject\.toml here names it"
    ):
        dependencies.local_paths(tmp_path / "src/pylock.toml", tmp_path)


def test_local_paths_broken_lock_is_refused(tmp_path: Path) -> None:
    write_files(tmp_path, {"src/poetry.lock": "[["})

    with pytest.raises(ConfigurationError, match=r"src/poetry\.lock: cannot be parsed: "):
        dependencies.local_paths(tmp_path / "src/poetry.lock", tmp_path)


def test_files_of_leave_out_what_tools_and_builds_left(tmp_path: Path) -> None:
    kept = ["pyproject.toml", "acme/build/a.py", "acme/x.py", "requirements.txt"]
    left = ["build/lib/a.py", "dist/a.whl", "a.egg-info/PKG-INFO", ".venv/a.py", "acme/__pycache__/x.pyc", "acme/y.pyc"]
    write_files(tmp_path, dict.fromkeys([*kept, *left], ""))
    write_files(tmp_path, {"env/pyvenv.cfg": "", "env/a.py": ""})
    (tmp_path / "broken").symlink_to("nowhere")

    assert sorted(names(tuple(dependencies.files_of(tmp_path)), tmp_path)) == sorted(kept)


def test_files_of_follow_links_but_not_into_a_circle(tmp_path: Path) -> None:
    write_files(tmp_path, {"lib/setup.py": "", "src/acme/a.py": ""})
    (tmp_path / "lib/acme").symlink_to("../src/acme")
    (tmp_path / "src/acme/again").symlink_to("../../lib")

    listed = [path.relative_to(tmp_path / "lib").as_posix() for path in dependencies.files_of(tmp_path / "lib")]

    assert listed == ["setup.py", "acme/a.py"]


def test_digests_change_with_lines_and_local_code_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSWORD", "1")
    monkeypatch.setenv("VERSION", "1")
    text = "--index-url https://${PASSWORD}@x.y/\nidna==${VERSION}\n../lib\n"
    write_files(tmp_path, {"src/requirements.txt": f"# why\n{text}", "lib/setup.py": "", "lib/a.py": "x = 1"})
    lock = tmp_path / "src/requirements.txt"
    before = dependencies.digests(lock, tmp_path)

    write_files(tmp_path, {"src/requirements.txt": text, "lib/build/a.py": ""})
    monkeypatch.setenv("PASSWORD", "2")
    assert dependencies.digests(lock, tmp_path) == before
    assert set(before) == {lock, tmp_path / "lib/setup.py", tmp_path / "lib/a.py"}

    write_files(tmp_path, {"lib/a.py": "x = 2"})
    changed = dependencies.digests(lock, tmp_path)
    assert {path.name for path in before if before[path] != changed[path]} == {"a.py"}

    monkeypatch.setenv("VERSION", "2")
    assert dependencies.digests(lock, tmp_path)[lock] != before[lock]


def test_digests_of_a_lock_are_those_of_its_bytes(tmp_path: Path) -> None:
    write_files(tmp_path, {"uv.lock": "# a\n", "pyproject.toml": ""})
    before = dependencies.digests(tmp_path / "uv.lock", tmp_path)
    write_files(tmp_path, {"uv.lock": "# b\n"})
    after = dependencies.digests(tmp_path / "uv.lock", tmp_path)

    assert [path.name for path in before if before[path] != after[path]] == ["uv.lock"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("idna\n-r more.txt\n", True), ("idna==${V}\n", False), ("../lib\n", False), ("--find-links ../lib\n", False)],
)
def test_is_all_in_files_without_paths_and_variables(tmp_path: Path, text: str, expected: bool) -> None:
    write_files(tmp_path, {"src/requirements.txt": text, "src/more.txt": "", "lib/setup.py": "", "src/pylock.toml": ""})

    assert dependencies.is_all_in_files(tmp_path / "src/requirements.txt", tmp_path) is expected
    assert dependencies.is_all_in_files(tmp_path / "src/pylock.toml", tmp_path)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("name = 'my-fn'", ("boto_core", "rich", "x")),
        ("name = 'my-fn'\ndependencies = [{name = 'boto-core'}, {name = 'x'}]", ("rich",)),
        ("name = 'my-fn'\nmetadata = {requires-dist = [{name = 'rich', specifier = '>1'}]}", ("boto_core", "x")),
        ("name = 'another'", ()),
    ],
)
def test_lacking_is_required_and_not_in_the_lock(tmp_path: Path, entry: str, expected: tuple[str, ...]) -> None:
    required = "['boto_core[a]>=1; python_version > \"3\"', 'rich', 'rich<2', 'x @ file:///x', '']"
    project = f"[project]\nname = 'My_.Fn'\ndependencies = {required}\n"
    write_files(tmp_path, {"pyproject.toml": project, "uv.lock": f"[[package]]\n{entry}\n"})

    assert dependencies.lacking(tmp_path, tmp_path / "uv.lock") == expected


def test_unread_names_what_lists_requirements_in_vain(tmp_path: Path) -> None:
    files = {"a/Pipfile.lock": "", "b/pdm.lock": "", "c/pyproject.toml": PACKAGE, "d/pyproject.toml": "[project]\n"}
    write_files(tmp_path, {**files, "e/pyproject.toml": "[[", "pyproject.toml": PACKAGE})

    def unread(name: str) -> str:
        return dependencies.unread(tmp_path / name, tmp_path)

    advice = "is not read, by sam build neither; write its requirements to requirements.txt"
    assert (unread("a"), unread("b")) == (f"Pipfile.lock {advice}", f"pdm.lock {advice}")
    assert (
        unread("c") == f"pyproject.toml lists dependencies, but has no lock; run uv lock --directory {tmp_path / 'c'}"
    )
    assert [unread(name) for name in ("d", "e", ".", "none")] == ["", "", "", ""]
