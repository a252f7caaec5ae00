"""Do what the managed runtime does before it imports a handler, then run a script. Imports nothing of `automation`.

Arguments: the JSON that `runtime.run` writes, the script to run, and that script's arguments. The global `ATTEMPTS` of
the script lists what was refused: `write` because Lambda's file system is read-only, `network` because nothing may
leave this machine, `outside` because the function has no other file of the project, `library:<name>` because Lambda has
no such shared library, `semaphore` because it has no shared memory. `mount:<path>` is a literal path such as /opt/x,
which exists only on Lambda, `variable:<name>` a variable with a placeholder that was read, and `program` a program that
was started and may read any. The global `CLOCK` is a clock that stands still while the process waits for a processor.

It runs on every Python of Lambda, so it uses no newer syntax than that of 3.10.
"""

import __future__

import decimal
import errno
import json
import logging
import math
import os
import site
import sys
import time
import traceback
from collections.abc import Mapping, Sequence

TYPE_CHECKING = False  # the runtime does not import typing either
if TYPE_CHECKING:
    from typing import Any

# Lambda's runtime client, awslambdaric 4.2.2 with simplejson, has imported these already, so a handler's module of the
# same name is never used, and their imports are not measured. This script imports as little as possible beyond
# them, because each import would hide a module of that name.
PRELOADED = (__future__, decimal, logging, math, time, traceback)

# The user that runs every function; its home does not exist. Sources, read 2026-11-29: the public reports
# youtype/awscliv2#45 of 2024-08-19 and gkrizek/bash-lambda-layer#42 of 2019-10-14 ("HOME is an unbound variable").
LAMBDA_USER = ("sbx_user1051", "x", 993, 990, "", "/home/sbx_user1051", "/sbin/nologin")

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# The audit events that change a path: the positions of each changed path and of the folder it is relative to.
_CHANGES = {
    "os.chmod": ((0, 2),),
    "os.chown": ((0, 3),),
    "os.link": ((1, 3),),
    "os.mkdir": ((0, 2),),
    "os.remove": ((0, 1),),
    "os.rename": ((0, 2), (1, 3)),
    "os.rmdir": ((0, 1),),
    "os.symlink": ((1, 2),),
    "os.truncate": ((0, None),),
    "os.utime": ((0, 3),),
}
_GRACE_S = 5
# The functions that go through all variables for those of proxies, or of the SDK.
_COPYING = frozenset({("urllib.request", "getproxies_environment"), ("botocore.utils", "__init__")})
_LISTING = frozenset({"os.listdir", "os.scandir"})
_STARTING = frozenset({"os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.system", "subprocess.Popen"})
_NETWORK = frozenset({"socket.connect", "socket.getaddrinfo", "socket.gethostbyname"})


class Guard:
    """An audit hook that refuses what fails on Lambda.

    Args:
        rules: `writable` folders, and `read_only` ones inside them; `hidden` folders, which Lambda does not have, and
            `readable` ones inside them; the names of the `libraries` of the runtime, and the `library_folders` in which
            the loader looks for others; `mounts`, as `/opt=<folder>`, which are not mounted here; `network`, which is
            empty when the function may not connect to anything.
    """

    def __init__(self, rules: Mapping[str, Sequence[str]], attempts: list[str]) -> None:
        self.read_only, self.writable = _prefixes(rules["read_only"]), _prefixes(rules["writable"])
        self.hidden, self.trees = _prefixes(rules["hidden"]), _prefixes(rules["readable"])
        self.readable = tuple(folder for folder in self.trees if folder.startswith(self.hidden))
        self.libraries, self.library_folders = frozenset(rules["libraries"]), rules["library_folders"]
        self.mounts = _mounts(rules["mounts"])
        self.has_network = bool(rules["network"])
        self.attempts = attempts

    def __call__(self, event: str, arguments: "tuple[Any, ...]") -> None:
        if event == "open":
            path, _, flags = arguments
            if isinstance(path, (str, bytes, os.PathLike)):
                self.note_mounted(os.fsdecode(path))
                self.refuse_hidden(path)
                if flags & _WRITING:
                    self.refuse_writing(path)
        elif event in _LISTING:
            self.refuse_hidden(arguments[0])
        elif event in _CHANGES:
            self.refuse_change(event, arguments)
        elif event == "sqlite3.connect":
            self.refuse_database(os.fsdecode(arguments[0]))
        elif event == "ctypes.dlopen":
            self.refuse_library(arguments[0])
        elif event in _STARTING:
            self.attempts.append("program")
        elif event in _NETWORK and not self.has_network:
            self.attempts.append("network")
            raise OSError(errno.ENETUNREACH, "no network here")

    def refuse_change(self, event: str, arguments: "tuple[Any, ...]") -> None:
        for position, folder_position in _CHANGES[event]:
            path = arguments[position]
            if isinstance(path, int):
                continue
            if folder_position is not None and arguments[folder_position] != -1:
                # shutil.rmtree names files relative to an open folder.
                path = os.path.join(os.readlink(f"/proc/self/fd/{arguments[folder_position]}"), os.fsdecode(path))  # noqa: PTH115, PTH118
            # A folder that exists is an answer of its own (EEXIST), on Lambda too.
            if event != "os.mkdir" or not os.path.lexists(path):
                self.refuse_writing(path)

    def refuse_writing(self, path: "Any") -> None:
        real = os.path.realpath(os.fsdecode(path)) + os.sep
        if real.startswith(self.read_only) or not real.startswith(self.writable):
            # Where even the folder is missing, the answer is ENOENT, on Lambda too.
            if not os.path.isdir(os.path.dirname(real[:-1])):  # noqa: PTH112, PTH120 - the runtime imports no pathlib
                return
            self.attempts.append("write")
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), os.fsdecode(path))

    def refuse_database(self, path: str) -> None:
        # SQLite creates a file that does not exist yet, and opens it only for reading where it cannot write.
        if path not in {"", ":memory:"} and not path.startswith("file:") and not os.path.exists(path):  # noqa: PTH110
            self.refuse_writing(path)

    def refuse_hidden(self, path: "Any") -> None:
        if isinstance(path, int) or path is None:
            return
        # No realpath: this runs for every file that is opened, and a place has no links to the project.
        text = os.fsdecode(path) + os.sep
        if text.startswith(self.hidden) and not text.startswith(self.readable):
            self.attempts.append("outside")
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), os.fsdecode(path))

    def note_mounted(self, path: str) -> None:
        for mount_point, folder in self.mounts.items():
            # What Lambda does not have either is reported by the system.
            if path.startswith(mount_point + os.sep) and os.path.lexists(folder + path[len(mount_point) :]):
                self.attempts.append(f"mount:{path}")

    def refuse_library(self, path: "Any") -> None:
        """Refuse a library that neither the runtime nor the function has: this machine's own do not help."""
        name = os.path.basename(os.fsdecode(path or ""))  # noqa: PTH119 - the runtime imports no pathlib
        if not name or name in self.libraries:
            return

        text = os.fsdecode(path)
        self.note_mounted(text)
        if os.sep in text:
            is_there = (os.path.realpath(text) + os.sep).startswith((*self.trees, *self.writable))
        else:
            is_there = any(os.path.exists(f"{folder}/{text}") for folder in self.library_folders)  # noqa: PTH110
        if not is_there:
            self.attempts.append(f"library:{name}")
            raise OSError(f"{text}: cannot open shared object file: No such file or directory")


class LoaderWatch:
    """A finder of modules that guards what no audit event names: what cffi loads, and what `find_library` looks for."""

    def __init__(self, guard: Guard) -> None:
        self.guard, self.finders = guard, tuple(sys.meta_path)
        self.changes = {"_cffi_backend": self.watch_cffi, "ctypes.util": self.watch_search}

    def find_spec(self, name: str, path: "Any" = None, target: "Any" = None) -> "Any":
        if name not in self.changes:
            return None
        specs = (finder.find_spec(name, path, target) for finder in self.finders)
        spec: Any = next((spec for spec in specs if spec is not None), None)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_and_watch(module: "Any") -> None:
                execute(module)
                self.changes[name](module)

            spec.loader.exec_module = execute_and_watch
        return spec

    def watch_cffi(self, backend: "Any") -> None:
        refuse, load = self.guard.refuse_library, backend.load_library

        def load_library(name: "Any" = None, *flags: int) -> "Any":
            if isinstance(name, (str, bytes)):
                refuse(name)
            return load(name, *flags)

        class FFI(backend.FFI):  # type: ignore[misc]  # its base has no stubs
            def dlopen(self, name: "Any" = None, *flags: int) -> "Any":
                if isinstance(name, (str, bytes)):
                    refuse(name)
                return super().dlopen(name, *flags)

        backend.load_library, backend.FFI = load_library, FFI

    def watch_search(self, util: "Any") -> None:
        """Find what Lambda finds: it has no compiler and no linker, so only the libraries of the system count."""

        def find_library(name: str) -> "str | None":
            named = sorted(library for library in self.guard.libraries if library.startswith(f"lib{name}.so"))
            if not named:
                self.guard.attempts.append(f"library:lib{name}.so")
            return named[0] if named else None

        util.find_library = find_library


def _prefixes(folders: Sequence[str]) -> "tuple[str, ...]":
    """Return the folders as they are named and as they are without links, each with a separator at its end."""
    named = [*folders, *(os.path.realpath(folder) for folder in folders)]
    return tuple(folder + os.sep for folder in dict.fromkeys(named))


def _mounts(texts: Sequence[str]) -> "dict[str, str]":
    return dict(text.split("=", 1) for text in texts)


def follow_mounts(mounts: Mapping[str, str], python: Sequence[str]) -> None:
    """Let folders of sys.path such as /opt/lib mean the folders of this function; those of Python stay as they are."""
    standard, own = sys.path_hooks[-1], _prefixes(python)

    def find_in_mount(path: str) -> "Any":
        for mount_point, folder in mounts.items():
            whole = path + os.sep
            if whole.startswith(mount_point + os.sep) and not whole.startswith(own):
                return standard(folder + path[len(mount_point) :])
        raise ImportError(path)

    sys.path_hooks.insert(0, find_in_mount)


def live_as_lambda_user() -> None:
    """Make the user of this process that of Lambda, so that `~` is a folder that does not exist."""
    import pwd  # noqa: PLC0415 - not on every system, and built in where it exists

    known, own = pwd.getpwuid, os.getuid()

    def getpwuid(uid: int, /) -> pwd.struct_passwd:
        return pwd.struct_passwd(LAMBDA_USER) if uid == own else known(uid)

    pwd.getpwuid = getpwuid


def refuse_semaphores(attempts: list[str]) -> None:
    """Let the locks, queues and pools of multiprocessing fail, because Lambda has no /dev/shm.

    Sources, read 2026-11-29: the public reports nalepae/pandarallel#128 of 2021-01-06, piskvorky/smart_open#672 of
    2021-12-01.
    """
    multiprocessing: Any = __import__("_multiprocessing")

    class SemLock(multiprocessing.SemLock):  # type: ignore[misc]  # its base has no stubs
        def __new__(cls, *_: "Any", **__: "Any") -> "SemLock":
            attempts.append("semaphore")
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    multiprocessing.SemLock = SemLock


def watch_variables(names: Sequence[str], attempts: list[str]) -> None:
    """Note which of these environment variables are read."""
    environment: Any = type(os.environ)
    read = environment.__getitem__

    def read_and_note(self: "Any", key: "Any") -> "Any":
        name = os.fsdecode(key) if isinstance(key, (str, bytes)) else ""
        if name in names and not _copies_all(sys._getframe(1)):
            attempts.append(f"variable:{name}")
        return read(self, key)

    environment.__getitem__ = read_and_note


def _copies_all(frame: "Any") -> bool:
    """Return whether a read of a variable is one of a library that goes through all of them for a few of its own."""
    callers = [caller for caller in (frame, frame.f_back) if caller is not None]
    names = {(caller.f_globals.get("__name__"), caller.f_code.co_name) for caller in callers}
    return not names.isdisjoint(_COPYING)


def limit_cpu(seconds: int) -> None:
    """Let the kernel send SIGXCPU to this process when it has used so much CPU time, and end it soon after."""
    import resource  # noqa: PLC0415 - not on every system

    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + _GRACE_S))
    del sys.modules["resource"]  # a handler may have a module of that name


def clock(waits: str = "/proc/self/schedstat") -> float:
    """Return seconds since any moment, without the time in which other processes had the processor.

    Source: the kernel's Documentation/scheduler/sched-stats: the second number is the time on a run queue, in ns.
    """
    waited_ns, now = _waited_ns(waits), time.perf_counter()
    # A wait between the two readings would count in one of them only.
    while (again_ns := _waited_ns(waits)) != waited_ns:
        waited_ns, now = again_ns, time.perf_counter()
    return now - waited_ns / 1e9


def _waited_ns(path: str) -> int:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - the runtime imports no pathlib
            return int(file.read().split()[1])
    except OSError:
        return 0


def wait_for_debugger(site: str, port: int) -> None:
    """Wait until a debugger is connected to a port of this machine; `site` is the folder of debugpy."""
    sys.path.append(site)
    debugpy: Any = __import__("debugpy")
    debugpy.listen(("127.0.0.1", port))
    debugpy.wait_for_client()
    sys.path.remove(site)


def prepare(folders: Sequence[str], sites: Sequence[str]) -> None:
    """Put `folders` before the standard library on sys.path, and read the .pth files of `sites`."""
    site.setquit()
    sys.path[:] = [*folders, *sys.path]
    for folder in sites:
        if os.path.isdir(folder):  # noqa: PTH112 - the runtime does not import pathlib
            site.addsitedir(folder)


def main(spec: str, script: str, *arguments: str) -> None:
    """Arrange sys.path as the runtime does, then run the script under the guard."""
    folders = json.loads(spec)
    attempts: list[str] = []
    python = [*sys.path, sys.base_prefix]
    prepare(folders["path"], folders["sites"])
    follow_mounts(_mounts(folders["mounts"]), python)
    live_as_lambda_user()
    refuse_semaphores(attempts)
    watch_variables(folders["placeholders"], attempts)
    limit_cpu(int(folders["cpu_s"][0]))
    sys.argv = [script, *arguments]
    if folders["debugger"]:
        wait_for_debugger(folders["debugger"][0], int(folders["debugger"][1]))

    with open(script, "rb") as file:  # noqa: PTH123 - the runtime does not import pathlib
        code = compile(file.read(), script, "exec")
    # Last: a hook cannot be removed, and it would refuse what the lines above do.
    guard = Guard({**folders, "readable": [*folders["readable"], *python]}, attempts)
    sys.meta_path.insert(0, LoaderWatch(guard))
    sys.addaudithook(guard)
    exec(code, {"__name__": "__main__", "__file__": script, "ATTEMPTS": attempts, "CLOCK": clock})  # noqa: S102 - a script of ours


if __name__ == "__main__":
    main(*sys.argv[1:])
