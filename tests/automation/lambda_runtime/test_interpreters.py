"""uv is a program of the test's own, which says what it was asked and does what the test wants."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from automation.lambda_runtime import interpreters
from automation.lambda_runtime.interpreters import Interpreter
from automation.system import tools

FOUND = 'mkdir -p "$7/bin" && touch "$7/bin/python"'
MISSING = 'echo "error: No interpreter found for CPython 3.99." >&2; exit 2'


class Uv:
    """A program in place of uv; `calls` are the words of each call, after the settings that it got."""

    def __init__(self, folder: Path) -> None:
        self.path, self._log = folder / "uv", folder / "calls"

    def does(self, script: str) -> None:
        note = f'echo "$VIRTUAL_ENV$PYENV_VERSION $UV_PYTHON_DOWNLOADS $UV_HTTP_RETRIES $@" >> {self._log}'
        self.path.write_text(f"#!/bin/sh\n{note}\n{script}\n")
        self.path.chmod(0o755)

    @property
    def calls(self) -> list[str]:
        return self._log.read_text().splitlines() if self._log.is_file() else []


@pytest.fixture
def uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Uv:
    program = Uv(tmp_path)
    monkeypatch.setattr(tools, "uv_program", lambda: program.path)
    monkeypatch.delenv("UV_PYTHON_DOWNLOADS", raising=False)
    monkeypatch.setenv("VIRTUAL_ENV", "an environment that is active")
    return program


def find(root: Path) -> Interpreter:
    return interpreters.find_anew("python3.99", root)


def test_find_own_python_is_that_of_the_stand_in(uv: Uv, tmp_path: Path) -> None:
    uv.does(MISSING)

    own = f"python{sys.version_info.major}.{sys.version_info.minor}"

    assert interpreters.find(own, tmp_path) == Interpreter(None)
    assert uv.calls == []


def test_find_other_language_has_a_reason(tmp_path: Path) -> None:
    why = f"its runtime is nodejs22.x, this interpreter is python{tools.own_python_version()}"

    assert interpreters.find("nodejs22.x", tmp_path) == Interpreter(None, why)


def test_find_python_before_the_sdk_is_not_looked_for(uv: Uv, tmp_path: Path) -> None:
    uv.does(FOUND)

    assert interpreters.find("python3.9", tmp_path) == Interpreter(
        None, "the SDK no longer runs on its runtime python3.9"
    )
    assert interpreters.find("python3.10", tmp_path).why == ""
    assert len(uv.calls) == 1


def test_find_environment_is_created_once(uv: Uv, tmp_path: Path) -> None:
    uv.does(FOUND)
    environment = tmp_path / ".alchemiser" / "python3.99"

    first, second = find(tmp_path), find(tmp_path)

    assert first == second == Interpreter(environment / "bin" / "python")
    assert uv.calls == [f"3.99  0 venv --quiet --clear --no-project --python cpython-3.99 {environment}"]


def test_find_asks_once_in_a_process(uv: Uv, tmp_path: Path) -> None:
    uv.does(MISSING)

    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: interpreters.find("python3.99", tmp_path), range(6)))

    assert len(set(answers)) == 1
    assert len(uv.calls) == 1


def test_find_says_what_may_take_long(uv: Uv, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    uv.does(MISSING)
    find(tmp_path)
    find(tmp_path)

    assert capsys.readouterr().err == "looking for Python 3.99 with uv, which may download it\n"


def test_find_missing_python_has_a_reason_and_the_next_step(uv: Uv, tmp_path: Path) -> None:
    uv.does(MISSING)

    why = "uv finds no Python 3.99; for a real import run: uv python install 3.99"
    assert find(tmp_path) == Interpreter(None, why)
    assert "No interpreter found" in (tmp_path / ".alchemiser" / "python3.99.missing").read_text()


def test_find_after_a_failure_downloads_again_only_an_hour_later(uv: Uv, tmp_path: Path) -> None:
    uv.does(MISSING)
    find(tmp_path)
    find(tmp_path)
    missing = tmp_path / ".alchemiser" / "python3.99.missing"
    hour_ago = missing.stat().st_mtime - 3601
    os.utime(missing, (hour_ago, hour_ago))
    find(tmp_path)

    assert [call.split(" ")[1] for call in uv.calls] == ["", "never", ""]


def test_find_python_installed_since_a_failure_is_found(uv: Uv, tmp_path: Path) -> None:
    uv.does(MISSING)
    find(tmp_path)
    uv.does(FOUND)

    assert find(tmp_path).path == tmp_path / ".alchemiser" / "python3.99" / "bin" / "python"
