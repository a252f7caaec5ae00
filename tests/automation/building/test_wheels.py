from collections.abc import Sequence
from pathlib import Path

import pytest

from automation.building import lock_exports, uv_installs, wheels
from automation.building.uv_installs import BuildFailedError, Installation
from automation.system import tools
from automation.system.errors import ConfigurationError, ToolError
from tests.automation.projects import write_files

HASH = f"--hash=sha256:{'0' * 64}"
TARGET = ("--python-version", "3.12.13", "--python-platform", "x86_64-manylinux_2_34")


class Installs:
    """Stands in for uv: keeps the options of each run, and the requirements that it was given."""

    def __init__(self, failures: Sequence[Exception] = ()) -> None:
        self.failures = list(failures)
        self.options: list[list[str]] = []
        self.texts: list[str] = []

    def run(self, installation: Installation) -> None:
        words = [str(word) for word in installation.command]
        assert words[1:5] == ["pip", "install", "--target", str(installation.target)]
        assert words[5:11] == ["--link-mode", "copy", *TARGET]
        self.options.append(words[11:])
        self.texts.append(Path(words[words.index("--requirements") + 1]).read_text(encoding="utf-8"))
        if self.failures:
            raise self.failures.pop(0)


@pytest.fixture
def installs(monkeypatch: pytest.MonkeyPatch) -> Installs:
    stand_in = Installs()
    monkeypatch.setattr(uv_installs, "run", stand_in.run)
    monkeypatch.setattr(uv_installs, "interpreter", lambda version, _root: Path(f"/python{version}"))
    return stand_in


def install(root: Path, name: str) -> None:
    wheels.install(root / name, root / "target", root=root, version="3.12", architecture="x86_64")


def options(installs: Installs) -> list[str]:
    """Return the options of the only run, without the temporary file of requirements."""
    (words,) = installs.options
    return words[: words.index("--requirements")]


@pytest.mark.parametrize(
    ("version", "architecture", "name"),
    [
        ("3.12", "x86_64", "x86_64-manylinux_2_34"),
        ("3.13", "arm64", "aarch64-manylinux_2_34"),
        ("3.11", "arm64", "aarch64-manylinux_2_17"),
    ],
)
def test_platform_follows_the_system_of_the_runtime(version: str, architecture: str, name: str) -> None:
    assert wheels.platform(version, architecture) == name


def test_platform_unknown_architecture_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="architecture mips is not one of x86_64, arm64"):
        wheels.platform("3.12", "mips")


def test_install_lock_needs_every_hash_and_nothing_else(
    tmp_path: Path, installs: Installs, capsys: pytest.CaptureFixture[str]
) -> None:
    write_files(tmp_path, {"layer/requirements.txt": f"a==1 {HASH}\n"})

    install(tmp_path, "layer/requirements.txt")

    assert options(installs) == ["--require-hashes", "--no-deps"]
    assert installs.texts == [f"a==1 {HASH}\n"]
    assert capsys.readouterr().err == ""


def test_install_plain_list_is_resolved_with_a_warning(
    tmp_path: Path, installs: Installs, capsys: pytest.CaptureFixture[str]
) -> None:
    write_files(tmp_path, {"layer/requirements.txt": "--no-binary a\na\n"})

    install(tmp_path, "layer/requirements.txt")

    assert options(installs) == []
    assert "requirements.txt:1: --no-binary is ignored" in (err := capsys.readouterr().err)
    assert "requirements.in and run inv lock" in err


def test_install_plain_list_with_its_input_only_needs_a_lock(
    tmp_path: Path, installs: Installs, capsys: pytest.CaptureFixture[str]
) -> None:
    write_files(tmp_path, {"layer/requirements.txt": "a\n", "layer/requirements.in": "a\n"})

    install(tmp_path, "layer/requirements.txt")

    assert capsys.readouterr().err.endswith("may get other versions; run inv lock\n")
    assert len(installs.texts) == 1


@pytest.mark.parametrize("text", ["", "# nothing\n", "-i https://x.y\n", "-c limits.txt\n"])
def test_install_of_nothing_starts_nothing(tmp_path: Path, installs: Installs, text: str) -> None:
    write_files(tmp_path, {"layer/requirements.txt": text, "layer/limits.txt": "a<2\n"})

    install(tmp_path, "layer/requirements.txt")

    assert installs.options == []


def test_install_folder_is_a_copy_outside_the_project(tmp_path: Path, installs: Installs) -> None:
    write_files(tmp_path, {"src/requirements.txt": f"-e ../lib\na==1 {HASH}\n", "lib/setup.py": ""})

    install(tmp_path, "src/requirements.txt")

    folder, locked = installs.texts[0].splitlines()
    assert folder.endswith("/packages/lib")
    assert str(tmp_path) not in folder
    assert locked == f"a==1 {HASH}"
    assert options(installs) == ["--no-deps"]


def test_install_folder_that_needs_its_place_is_built_there(tmp_path: Path, installs: Installs) -> None:
    installs.failures = [BuildFailedError("no tags")]
    write_files(tmp_path, {"src/requirements.txt": "../lib\n", "lib/setup.py": ""})

    install(tmp_path, "src/requirements.txt")

    assert installs.texts[1] == f"{(tmp_path / 'lib').as_uri()}\n"


def test_install_failed_build_without_a_folder_is_not_repeated(tmp_path: Path, installs: Installs) -> None:
    installs.failures = [BuildFailedError("no compiler")]
    write_files(tmp_path, {"src/requirements.txt": "a\n"})

    with pytest.raises(BuildFailedError, match="no compiler"):
        install(tmp_path, "src/requirements.txt")
    assert len(installs.texts) == 1


def test_install_uv_lock_is_its_export(
    tmp_path: Path, installs: Installs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    exports = {(tmp_path / "src", tmp_path / "src/uv.lock"): f"a==1 {HASH}\n./near\n"}
    monkeypatch.setattr(lock_exports, "export_uv", lambda folder, lock: exports[folder, lock])
    lock = "[[package]]\nname = 'fn'\ndependencies = [{name = 'near'}]\n"
    near = "[[package]]\nname = 'near'\nsource = {editable = 'near'}\n"
    write_files(tmp_path, {"src/uv.lock": lock + near, "src/pyproject.toml": "[project]\nname = 'fn'\n"})
    write_files(tmp_path, {"src/near/setup.py": "", "near/setup.py": ""})

    install(tmp_path, "src/uv.lock")

    assert options(installs) == ["--no-deps", "--no-sources"]
    assert installs.texts[0].startswith(f"a==1 {HASH}\nfile:///")
    assert capsys.readouterr().err == ""


def test_install_uv_lock_that_lacks_requirements_is_a_warning(
    tmp_path: Path, installs: Installs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(lock_exports, "export_uv", lambda folder, lock: f"a==1 {HASH}\n")
    write_files(tmp_path, {"src/uv.lock": "[[package]]\nname = 'fn'\ndependencies = [{name = 'a'}]\n"})
    write_files(tmp_path, {"src/pyproject.toml": "[project]\nname = 'fn'\ndependencies = ['a', 'B.c[d]>=1', 'e']\n"})
    monkeypatch.chdir(tmp_path)

    install(tmp_path, "src/uv.lock")

    advice = "which pyproject.toml requires; run uv lock --directory src"
    assert capsys.readouterr().err == f"warning: src/uv.lock lacks B.c, e, {advice}\n"
    assert len(installs.texts) == 1


def test_install_member_of_a_workspace_starts_paths_there(
    tmp_path: Path, installs: Installs, monkeypatch: pytest.MonkeyPatch
) -> None:
    exports = {(tmp_path / "ws/fn", (tmp_path / "ws/uv.lock").resolve()): "./lib\n"}
    monkeypatch.setattr(lock_exports, "export_uv", lambda folder, lock: exports[folder, lock])
    workspace = "[tool.uv.workspace]\nmembers = ['fn', 'lib']\n"
    write_files(tmp_path, {"ws/uv.lock": "", "ws/pyproject.toml": workspace, "ws/fn/pyproject.toml": ""})
    write_files(tmp_path, {"ws/lib/setup.py": ""})

    install(tmp_path, "ws/fn/pyproject.toml")

    assert installs.texts == [f"{(tmp_path / 'ws/lib').resolve().as_uri()}\n"]


def test_install_poetry_lock_is_its_export(tmp_path: Path, installs: Installs, monkeypatch: pytest.MonkeyPatch) -> None:
    exports = {("src", tmp_path): f"a==1 {HASH}\n"}
    monkeypatch.setattr(lock_exports, "export_poetry", lambda folder, root: exports[folder.name, root])
    write_files(tmp_path, {"src/poetry.lock": ""})

    install(tmp_path, "src/poetry.lock")

    assert (options(installs), installs.texts) == (
        ["--require-hashes", "--no-deps", "--no-sources"],
        [f"a==1 {HASH}\n"],
    )


@pytest.mark.parametrize(("name", "is_warned"), [("pylock.toml", False), ("pyproject.toml", True)])
def test_install_what_uv_reads_itself_is_passed_on(
    tmp_path: Path, installs: Installs, capsys: pytest.CaptureFixture[str], name: str, is_warned: bool
) -> None:
    write_files(tmp_path, {f"src/{name}": "x = 1\n"})

    install(tmp_path, f"src/{name}")

    assert options(installs) == ["--preview-features", "pylock", "--python", "/python3.12"]
    assert installs.options[0][-1] == str(tmp_path / "src" / name)
    problem = "pyproject.toml: is not locked, so tomorrow's build may get other versions"
    warning = f"warning: {tmp_path}/src/{problem}; run uv lock --directory {tmp_path}/src\n"
    assert capsys.readouterr().err == (warning if is_warned else "")


def test_install_failure_of_uv_is_a_tool_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "uv").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "uv").chmod(0o755)
    monkeypatch.setattr(tools, "uv_program", lambda: tmp_path / "uv")
    write_files(tmp_path, {"layer/requirements.txt": f"pkg==1 {HASH}\n"})

    with pytest.raises(ToolError, match=r"requirements\.txt: the requirements could not be installed: "):
        install(tmp_path, "layer/requirements.txt")
