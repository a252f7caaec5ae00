import sys
from pathlib import Path

import pytest

from automation.building import lock_exports
from automation.system import tools
from automation.system.errors import ConfigurationError, ToolError
from automation.system.tools import ToolEnvironment
from tests.automation.projects import write_files

LOCK = """version = 1
requires-python = ">=3.12"

[[package]]
name = "acme"
version = "0"
source = { virtual = "." }
dependencies = [{ name = "idna" }, { name = "near" }]

[package.dev-dependencies]
dev = [{ name = "iniconfig" }]

[[package]]
name = "near"
version = "1"
source = { editable = "../near" }

[[package]]
name = "idna"
version = "3.7"
source = { registry = "https://pypi.org/of/uv" }
sdist = { url = "https://x.y/idna-3.7.tar.gz", hash = "sha256:0000", size = 1 }

[[package]]
name = "iniconfig"
version = "2.0.0"
source = { registry = "https://pypi.org/of/uv" }
sdist = { url = "https://x.y/iniconfig-2.0.0.tar.gz", hash = "sha256:1111", size = 1 }
""".replace("0000", "0" * 64).replace("1111", "1" * 64)
EXPORTED = f"../near\nidna==3.7 \\\n    --hash=sha256:{'0' * 64}\n"
PYPROJECT = """[project]
name = "acme"
version = "0"
requires-python = ">=3.12"
dependencies = ["idna", "near"]
[dependency-groups]
dev = ["iniconfig"]
[tool.uv.sources]
near = { path = "../near", editable = true }
"""


def fake_program(root: Path, name: str, script: str) -> Path:
    write_files(root, {f"bin/{name}": f"#!/bin/sh\n{script}\n"})
    (root / "bin" / name).chmod(0o755)
    return root / "bin" / name


def fake_poetry(root: Path, script: str) -> ToolEnvironment:
    program = fake_program(root, "poetry", script)
    return ToolEnvironment(root, Path(sys.executable), program.parent, root)


def test_export_uv_has_hashes_and_neither_groups_nor_the_project(tmp_path: Path) -> None:
    write_files(tmp_path, {"src/uv.lock": LOCK, "src/pyproject.toml": PYPROJECT})

    assert lock_exports.export_uv(tmp_path / "src", tmp_path / "src/uv.lock") == EXPORTED


def test_export_uv_names_the_indexes_of_the_lock(tmp_path: Path) -> None:
    private = LOCK.replace("https://pypi.org/of/uv", "https://x.y/simple", 1).replace("https://pypi.org/of/uv", "../w")
    write_files(tmp_path, {"src/uv.lock": private, "src/pyproject.toml": PYPROJECT})

    exported = lock_exports.export_uv(tmp_path / "src", tmp_path / "src/uv.lock")

    assert exported == f"--find-links ../w\n--extra-index-url https://x.y/simple\n{EXPORTED}"


def test_export_uv_ignores_the_environment_of_another_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = fake_program(tmp_path, "uv", 'echo "$PWD <$VIRTUAL_ENV$UV_PROJECT$UV_WORKING_DIRECTORY> $*"')
    monkeypatch.setattr(tools, "uv_program", lambda: program)
    for name in ("VIRTUAL_ENV", "UV_PROJECT", "UV_WORKING_DIRECTORY"):
        monkeypatch.setenv(name, "elsewhere")
    write_files(tmp_path, {"src/app.py": "", "uv.lock": ""})

    exported = lock_exports.export_uv(tmp_path / "src", tmp_path / "uv.lock")

    assert exported.startswith(f"{tmp_path / 'src'} <> export --frozen --offline --no-python-downloads --quiet ")
    assert exported.endswith(f" --format requirements.txt --python {sys.executable}\n")


def test_export_uv_lock_that_uv_refuses_says_how_to_write_it_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = fake_program(tmp_path, "uv", "printf 'error: The lock\\n  is broken.\\n' >&2; exit 2")
    monkeypatch.setattr(tools, "uv_program", lambda: program)

    with pytest.raises(ToolError) as raised:
        lock_exports.export_uv(tmp_path, tmp_path / "uv.lock")

    message = f"uv cannot export the lock: The lock is broken; run uv lock --directory {tmp_path}"
    assert str(raised.value) == f"{tmp_path}: {message}"


def test_export_poetry_prints_requirements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = fake_poetry(tmp_path, 'echo "$VIRTUAL_ENV$POETRY_VIRTUALENVS_CREATE $PWD $*"; echo x >&2')
    monkeypatch.setenv("VIRTUAL_ENV", "elsewhere")
    monkeypatch.setattr(
        tools, "ensure", lambda name, root: environment if (name, root) == ("poetry", tmp_path) else None
    )
    write_files(tmp_path, {"src/app.py": "", "locks/poetry.txt": ""})

    exported = lock_exports.export_poetry(tmp_path / "src", tmp_path)

    assert exported == f"false {tmp_path / 'src'} export --format requirements.txt --no-interaction --no-ansi\n"


def test_export_poetry_refusal_says_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = fake_poetry(tmp_path, "echo 'Error: it  changed.' >&2; exit 1")
    monkeypatch.setattr(tools, "ensure", lambda name, root: environment)
    write_files(tmp_path, {"locks/poetry.txt": ""})

    with pytest.raises(ToolError) as raised:
        lock_exports.export_poetry(tmp_path, tmp_path)

    message = f"poetry cannot export the lock: Error: it changed; run poetry lock -C {tmp_path}"
    assert str(raised.value) == f"{tmp_path}/poetry.lock: {message}"


def test_export_poetry_without_its_lock_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as raised:
        lock_exports.export_poetry(tmp_path, tmp_path)

    message = "copy locks/poetry.txt from where automation/ came, or run poetry export --output requirements.txt -C"
    assert str(raised.value) == f"{tmp_path}/poetry.lock: {message} {tmp_path}"
