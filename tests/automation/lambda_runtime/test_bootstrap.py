"""Call the functions of the scripts for the clean interpreter; test_runtime.py runs them as scripts."""

import json
import socket
import sys
import types
from pathlib import Path

import pytest

from automation.lambda_runtime import bootstrap
from automation.lambda_runtime.bootstrap import Guard
from automation.proof import import_probe

WRITE, READ = 1, 0


@pytest.fixture
def guard(tmp_path: Path) -> Guard:
    """A guard that refuses writes to `code`, a folder inside a writable one."""
    (tmp_path / "code").mkdir()
    return Guard([str(tmp_path / "code")], [str(tmp_path)], [])


def module(name: str, file: str, **values: object) -> types.ModuleType:
    new_module = types.ModuleType(name)
    new_module.__file__ = file
    vars(new_module).update(values)
    return new_module


@pytest.mark.parametrize("event", ["os.mkdir", "os.remove", "os.rmdir"])
def test_guard_change_of_the_code_is_refused(guard: Guard, tmp_path: Path, event: str) -> None:
    with pytest.raises(OSError, match="Read-only file system"):
        guard(event, (str(tmp_path / "code" / "x"), 0, 0))

    assert guard.attempts == ["write"]


def test_guard_move_out_of_the_writable_folder_is_refused(guard: Guard, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="Read-only"):
        guard("os.rename", (str(tmp_path / "x"), "/var/x", -1, -1))


def test_guard_reads_and_writes_to_the_writable_folder_pass(guard: Guard, tmp_path: Path) -> None:
    guard("open", (str(tmp_path / "code" / "x"), "r", READ))
    guard("open", (str(tmp_path / "x"), "w", WRITE))
    guard("open", (3, "w", WRITE))
    guard("import", ("os",))

    assert guard.attempts == []


def test_guard_link_out_of_the_writable_folder_is_followed(guard: Guard, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "code")

    with pytest.raises(OSError, match="Read-only"):
        guard("open", (str(tmp_path / "link" / "x"), "w", WRITE))


def test_guard_connection_is_refused(guard: Guard) -> None:
    with pytest.raises(OSError, match="no network"):
        guard("socket.connect", (socket.socket, ("127.0.0.1", 1)))

    assert guard.attempts == ["network"]


def test_prepare_puts_the_folders_first_and_reads_path_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", ["stdlib"])
    (tmp_path / "vendor").mkdir()
    (tmp_path / "x.pth").write_text("vendor\n")

    bootstrap.prepare(["task", "opt"], [str(tmp_path), str(tmp_path / "none")])

    assert sys.path == ["task", "opt", "stdlib", str(tmp_path), str(tmp_path / "vendor")]


@pytest.mark.parametrize(
    ("handler", "outcome"),
    [
        ("json.dumps", "resolved"),
        ("json/decoder.JSONDecoder", "resolved"),
        ("json.__all__", "not-callable"),
        ("json.dump_all", "no-attribute"),
        ("nowhere.at_all", "failed"),
        ("time.sleep", "built-in"),
        ("handler", "malformed"),
        ("json.", "malformed"),
    ],
)
def test_examine_handler_has_an_outcome(handler: str, outcome: str) -> None:
    assert import_probe.examine(handler)["outcome"] == outcome


def test_describe_syntax_error_ends_at_its_line() -> None:
    error = SyntaxError("bad", ("/x/a.py", 7, 1, "text"))

    assert import_probe.describe(error)["stack"] == [("/x/a.py", 7)]


def test_describe_os_error_names_its_file() -> None:
    assert import_probe.describe(FileNotFoundError(2, "missing", b"/x/a"))["path"] == "/x/a"


def test_describe_exception_whose_text_fails_has_none() -> None:
    class Mute(Exception):  # noqa: N818 - a stranger's
        def __str__(self) -> str:
            raise ValueError

    assert import_probe.describe(Mute())["text"] == ""


def test_borrowers_are_the_modules_that_hold_a_stand_in() -> None:
    queue = module("queue", "/task/queue.py")
    loaded = {
        "queue": queue,
        "json": module("json", "/lib/json.py"),
        "pool": module("pool", "/site/pool.py", queue=queue),
        "app": module("app", "/task/app.py", other=3),
    }

    assert import_probe.borrowers(loaded, ("/task",)) == {"queue": ["/site/pool.py"]}


def test_write_result_is_whole(tmp_path: Path) -> None:
    import_probe.write(str(tmp_path / "result"), {"outcome": "resolved"})

    assert json.loads((tmp_path / "result").read_text()) == {"outcome": "resolved"}
    assert [path.name for path in tmp_path.iterdir()] == ["result"]
