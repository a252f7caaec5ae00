"""Call the functions of the scripts for the clean interpreter; test_runtime.py runs them as scripts."""

import ctypes
import importlib.util
import json
import os
import pwd
import shutil
import socket
import sys
import time
import types
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

import pytest

from automation.lambda_runtime import bootstrap
from automation.lambda_runtime.bootstrap import Guard, LoaderWatch
from automation.proof import import_probe

WRITE, READ = 1, 0


@pytest.fixture
def guard(tmp_path: Path) -> Guard:
    """A guard that refuses writes to `code`, a folder inside a writable one."""
    (tmp_path / "code").mkdir()
    return Guard(rules_of(tmp_path), [])


def rules_of(folder: Path) -> dict[str, list[str]]:
    project = folder / "project"
    return {
        "read_only": [str(folder / "code")],
        "writable": [str(folder)],
        "hidden": [str(project)],
        "readable": [str(project / "site"), str(folder / "code")],
        "libraries": ["libc.so.6"],
        "library_folders": [str(folder / "code"), str(folder / "code" / "lib")],
        "mounts": [f"/opt={folder / 'code'}"],
        "network": [],
    }


def module(name: str, file: str, **values: object) -> types.ModuleType:
    new_module = types.ModuleType(name)
    new_module.__file__ = file
    vars(new_module).update(values)
    return new_module


@pytest.mark.parametrize(
    ("event", "arguments"),
    [
        ("os.chmod", ("x", 0, -1)),
        ("os.chown", ("x", 0, 0, -1)),
        ("os.link", ("free", "x", -1, -1)),
        ("os.mkdir", ("x", 0, -1)),
        ("os.remove", ("x", -1)),
        ("os.rename", ("x", "free", -1, -1)),
        ("os.rename", ("free", "x", -1, -1)),
        ("os.rmdir", ("x", -1)),
        ("os.symlink", ("free", "x", -1)),
        ("os.truncate", ("x", 0)),
        ("os.utime", ("x", None, None, -1)),
    ],
)
def test_guard_change_of_the_code_is_refused(
    guard: Guard, tmp_path: Path, event: str, arguments: tuple[object, ...]
) -> None:
    paths = {"x": str(tmp_path / "code" / "x"), "free": str(tmp_path / "y")}

    with pytest.raises(OSError, match="Read-only file system"):
        guard(event, tuple(paths.get(str(argument), argument) for argument in arguments))

    assert guard.attempts == ["write"]


def test_guard_path_relative_to_an_open_folder_is_found(guard: Guard, tmp_path: Path) -> None:
    folder = os.open(tmp_path / "code", os.O_RDONLY)
    try:
        with pytest.raises(OSError, match="Read-only"):
            guard("os.remove", ("x", folder))
    finally:
        os.close(folder)
    shutil.rmtree(tmp_path / "code")


def test_guard_folder_that_exists_is_left_to_the_system(guard: Guard, tmp_path: Path) -> None:
    guard("os.mkdir", (str(tmp_path / "code"), 0, -1))

    assert guard.attempts == []


@pytest.mark.parametrize("event", ["open", "os.mkdir"])
def test_guard_missing_folder_is_left_to_the_system(guard: Guard, event: str) -> None:
    """Lambda answers that the folder does not exist, not that it is read-only."""
    guard(event, ("/home/nobody/at/all", "w" if event == "open" else 0, WRITE if event == "open" else -1))

    assert guard.attempts == []


@pytest.mark.parametrize("name", ["app.py", b"app.py", Path("app.py")])
def test_guard_file_of_the_project_does_not_exist(guard: Guard, tmp_path: Path, name: str | bytes | Path) -> None:
    path = os.path.join(os.fsencode(tmp_path / "project"), os.fsencode(name))  # noqa: PTH118 - bytes

    with pytest.raises(FileNotFoundError) as caught:
        guard("open", (os.fsdecode(path) if isinstance(name, str | Path) else path, "r", READ))

    assert caught.value.filename == str(tmp_path / "project" / "app.py")
    assert guard.attempts == ["outside"]


@pytest.mark.parametrize("event", ["os.listdir", "os.scandir"])
def test_guard_project_cannot_be_listed(guard: Guard, tmp_path: Path, event: str) -> None:
    with pytest.raises(FileNotFoundError):
        guard(event, (str(tmp_path / "project"),))


@pytest.mark.parametrize("path", ["project/site/boto3.py", "code/app.py", "projects/app.py"])
def test_guard_packages_and_other_folders_are_readable(guard: Guard, tmp_path: Path, path: str) -> None:
    guard("open", (str(tmp_path / path), "r", READ))
    guard("os.listdir", (str(tmp_path / path),))
    guard("os.listdir", (None,))
    guard("os.scandir", (3,))

    assert guard.attempts == []


def test_guard_folder_around_the_project_opens_nothing(tmp_path: Path) -> None:
    """A Python below /usr does not make a project in /usr/src readable."""
    guard = Guard({**rules_of(tmp_path), "readable": [str(tmp_path)]}, [])

    with pytest.raises(FileNotFoundError):
        guard("open", (str(tmp_path / "project" / "app.py"), "r", READ))


@pytest.mark.parametrize("name", [None, "libc.so.6", "/usr/lib/libc.so.6", "libown.so", "code/libpart.so", "free.so"])
def test_guard_library_of_the_runtime_or_the_function_loads(guard: Guard, tmp_path: Path, name: str | None) -> None:
    (tmp_path / "code" / "lib").mkdir()
    (tmp_path / "code" / "lib" / "libown.so").touch()
    path = str(tmp_path / name) if name in {"code/libpart.so", "free.so"} else name

    guard("ctypes.dlopen", (path,))

    assert guard.attempts == []


@pytest.mark.parametrize("name", ["libmagic.so.1", "/usr/lib/libmagic.so.1"])
def test_guard_library_of_this_machine_does_not_load(guard: Guard, name: str) -> None:
    with pytest.raises(OSError, match=f"^{name}: cannot open shared object file: No such file or directory$"):
        guard("ctypes.dlopen", (name,))

    assert guard.attempts == ["library:libmagic.so.1"]


BACKEND = """
def load_library(name=None, flags=0):
    return name, flags

class FFI:
    def dlopen(self, name=None, flags=0):
        return name, flags
"""


def backend(guard: Guard, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Import a stand-in for the compiled part of cffi under the watch."""
    (folder / "_cffi_backend.py").write_text(BACKEND)
    monkeypatch.setattr(sys, "path", [str(folder)])
    return watched("_cffi_backend", guard)


def watched(name: str, guard: Guard, path: object = None) -> Any:
    spec = LoaderWatch(guard).find_spec(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["libcairo.so.2", b"libcairo.so.2"])
def test_watch_library_that_cffi_loads_is_refused(
    guard: Guard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str | bytes
) -> None:
    cffi = backend(guard, tmp_path, monkeypatch)

    for load in (cffi.load_library, cffi.FFI().dlopen):
        with pytest.raises(OSError, match=r"libcairo\.so\.2'?: cannot open shared object file"):
            load(name, 2)

    assert guard.attempts == ["library:libcairo.so.2"] * 2


@pytest.mark.parametrize("name", ["libc.so.6", None, 7])
def test_watch_library_that_lambda_has_is_loaded_through_cffi(
    guard: Guard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: object
) -> None:
    cffi = backend(guard, tmp_path, monkeypatch)

    assert cffi.load_library(name, 2) == (name, 2)
    assert cffi.FFI().dlopen(name, 2) == (name, 2)
    assert cffi.load_library() == (None, 0)


def test_watch_search_finds_only_the_libraries_of_the_runtime(guard: Guard) -> None:
    util = watched("ctypes.util", guard, ctypes.__path__)

    assert [util.find_library(name) for name in ("c", "zbar")] == ["libc.so.6", None]
    assert guard.attempts == ["library:libzbar.so"]


def test_watch_leaves_other_and_missing_modules_alone(
    guard: Guard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])

    assert LoaderWatch(guard).find_spec("json") is None
    assert LoaderWatch(guard).find_spec("_cffi_backend") is None


def test_guard_path_that_only_lambda_mounts_is_noted(guard: Guard, tmp_path: Path) -> None:
    (tmp_path / "code" / "x.json").touch()

    guard("open", ("/opt/x.json", "r", READ))
    guard("open", ("/opt/missing.json", "r", READ))
    guard("open", ("/optional/x.json", "r", READ))

    assert guard.attempts == ["mount:/opt/x.json"]


def test_follow_mounts_finds_modules_below_a_literal_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "mounted_only.py").touch()
    monkeypatch.setattr(sys, "path_hooks", list(sys.path_hooks))
    bootstrap.follow_mounts({"/opt": str(tmp_path)}, ["/opt/python3"])

    spec = PathFinder.find_spec("mounted_only", ["/opt/python3", "/opt/lib"])

    assert spec is not None
    assert spec.origin == str(tmp_path / "lib" / "mounted_only.py")
    assert sys.path_importer_cache.pop("/opt/lib").path == str(tmp_path / "lib")  # type: ignore[union-attr]
    python = sys.path_importer_cache.pop("/opt/python3")
    assert getattr(python, "path", None) != str(tmp_path / "python3")


def test_clock_leaves_out_the_wait_for_a_processor(tmp_path: Path) -> None:
    (tmp_path / "schedstat").write_bytes(b"7000000000 2000000000 99\n")

    before = time.perf_counter()
    seconds = bootstrap.clock(str(tmp_path / "schedstat"))

    assert before - 2 <= seconds <= time.perf_counter() - 2


def test_clock_without_the_kernels_count_is_the_plain_one(tmp_path: Path) -> None:
    before = time.perf_counter()

    assert before <= bootstrap.clock(str(tmp_path / "none")) <= time.perf_counter()


def test_live_as_lambda_user_changes_only_the_own_home(monkeypatch: pytest.MonkeyPatch) -> None:
    known = pwd.getpwuid
    monkeypatch.setattr(pwd, "getpwuid", known)
    other = next(entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid != os.getuid())

    bootstrap.live_as_lambda_user()

    own = pwd.getpwuid(os.getuid())
    assert (own.pw_name, own.pw_dir) == ("sbx_user1051", "/home/sbx_user1051")
    assert pwd.getpwuid(other) == known(other)


def test_guard_move_out_of_the_writable_folder_is_refused(guard: Guard, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="Read-only file system: '/var/x'"):
        guard("os.rename", (str(tmp_path / "x"), "/var/x", -1, -1))


def test_guard_reads_and_writes_to_the_writable_folder_pass(guard: Guard, tmp_path: Path) -> None:
    guard("open", (str(tmp_path / "code" / "x"), "r", READ))
    guard("open", (str(tmp_path / "x"), "w", WRITE))
    guard("open", (3, "w", WRITE))
    guard("import", ("os",))

    assert guard.attempts == []


def test_guard_new_database_beside_the_code_is_refused(guard: Guard, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="Read-only"):
        guard("sqlite3.connect", (str(tmp_path / "code" / "x.db"),))


@pytest.mark.parametrize("name", ["", ":memory:", "file:x.db?mode=ro", "code/old.db", "new.db"])
def test_guard_other_databases_are_opened(guard: Guard, tmp_path: Path, name: str) -> None:
    (tmp_path / "code" / "old.db").touch()

    guard("sqlite3.connect", (str(tmp_path / name) if name.endswith(".db") else name,))

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


def test_users_of_ctypes_are_files_of_the_trees_with_a_loader() -> None:
    loaded = {
        "magic": module("magic", "/task/magic.py", find_library=len),
        "clib": module("clib", "/task/clib.py", CDLL=len),
        "uuid": module("uuid", "/lib/uuid.py", ctypes=3),
        "app": module("app", "/task/app.py"),
        "sound": module("sound", "/task/sound.py", ffi=len),
        "noise": module("noise", "/task/noise.py", _ffi=len),
    }

    assert import_probe.users_of_ctypes(loaded, ("/task",)) == [
        "/task/clib.py",
        "/task/magic.py",
        "/task/noise.py",
        "/task/sound.py",
    ]


def test_write_result_is_whole(tmp_path: Path) -> None:
    import_probe.write(str(tmp_path / "result"), {"outcome": "resolved"})

    assert json.loads((tmp_path / "result").read_text()) == {"outcome": "resolved"}
    assert [path.name for path in tmp_path.iterdir()] == ["result"]
