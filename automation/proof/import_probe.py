"""Import a handler as the managed runtime does, and write the result to a file. Run by `bootstrap.py`.

Arguments: the handler as the template names it, the file for the result (JSON), the file for a crash's stack, and the
folders of the function. SIGXCPU, which ends an import that takes too long, writes the stack first.
"""

import faulthandler
import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from types import FrameType, ModuleType

TYPE_CHECKING = False  # the runtime has not imported typing, so the probe must not either
if TYPE_CHECKING:
    from typing import Any

_SIGXCPU = 24  # on x86 and ARM; the module signal would hide one of that name
_LOADERS = frozenset({"ctypes", "CDLL", "cdll", "find_library", "cffi", "FFI", "ffi", "_ffi"})
# The imported code may replace any of these functions; the probe keeps the originals.
_DUMPS, _OPEN, _WRITE, _CLOSE, _RENAME, _END = json.dumps, os.open, os.write, os.close, os.rename, os._exit


def examine(handler: str, clock: "Callable[[], float]" = time.perf_counter) -> "dict[str, Any]":
    """Import the handler's module and look up the handler in it.

    Args:
        clock: returns seconds since any moment.
    """
    name, dot, attribute = handler.rpartition(".")
    name = name.replace("/", ".")
    if not dot or not name or not attribute:
        return {"outcome": "malformed"}
    if name.partition(".")[0] in sys.builtin_module_names:
        return {"outcome": "built-in"}

    started = clock()
    try:
        module = importlib.import_module(name)
    except BaseException as error:
        return {"outcome": "failed", "module": name, **describe(error)}

    # The kernel counts waits by a clock of its own, so a very short import could come out as less than nothing.
    seconds = max(0.0, clock() - started)
    facts = {"seconds": seconds, "module": name, "file": getattr(module, "__file__", None) or ""}
    try:
        return {"outcome": "resolved" if callable(getattr(module, attribute)) else "not-callable", **facts}
    except AttributeError:
        return {"outcome": "no-attribute", "names": functions_of(module), **facts}


def describe(error: BaseException) -> "dict[str, Any]":
    """Return an exception as values that JSON can hold."""
    stack = stack_of(traceback.walk_tb(error.__traceback__))
    if isinstance(error, SyntaxError) and error.filename:
        stack.append((error.filename, error.lineno or 0))

    return {
        "kinds": [kind.__name__ for kind in type(error).__mro__],
        "text": text_of(error),
        "name": str(getattr(error, "name", "") or ""),
        "key": str(error.args[0]) if isinstance(error, KeyError) and error.args else "",
        "path": path_of(error),
        "stack": stack,
    }


def stack_of(frames: "Iterable[tuple[FrameType, int]]") -> list[tuple[str, int]]:
    """Return the file and line of each frame, in their order, without those of the import system.

    Unlike a traceback's summary it opens no file, which the guard would note as an attempt of the code.
    """
    named = [(frame.f_code.co_filename, line) for frame, line in frames]
    return [(file, line or 0) for file, line in named if not file.startswith("<")]


def path_of(error: BaseException) -> str:
    """Return the file that an OSError is about; empty for any other exception."""
    name = error.filename if isinstance(error, OSError) else None
    return os.fsdecode(name) if isinstance(name, str | bytes) else ""


def text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return ""


def functions_of(module: ModuleType) -> list[str]:
    return sorted(name for name, value in vars(module).items() if callable(value) and not name.startswith("__"))


def borrowers(loaded: Mapping[str, ModuleType], folders: tuple[str, ...]) -> dict[str, list[str]]:
    """Return which files use each module of these folders that has the name of a stdlib module."""
    ours = {name for name in loaded if name in sys.stdlib_module_names and file_of(loaded[name]).startswith(folders)}
    files: dict[str, list[str]] = {name: [] for name in ours}

    for holder in loaded.values() if ours else ():
        values = [value for value in list(vars(holder).values()) if isinstance(value, ModuleType)]
        for name in ours:
            if loaded[name] in values and file_of(holder):
                files[name].append(file_of(holder))
    return files


def users_of_ctypes(loaded: Mapping[str, ModuleType], folders: tuple[str, ...]) -> list[str]:
    """Return the files of these folders whose modules may load a shared library by its name."""
    files = [file_of(module) for module in list(loaded.values()) if not _LOADERS.isdisjoint(vars(module))]
    return sorted(file for file in files if file.startswith(folders))


def file_of(module: ModuleType) -> str:
    return str(getattr(module, "__file__", None) or "")


def write(path: str, result: "Mapping[str, Any]") -> None:
    """Write the result under a temporary name, then rename it: a reader never sees half of it."""
    file = _OPEN(f"{path}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    _WRITE(file, _DUMPS(result).encode())
    _CLOSE(file)
    _RENAME(f"{path}.new", path)


def main(handler: str, result: str, crash: str, *folders: str) -> None:
    attempts: list[str] = globals().get("ATTEMPTS", [])

    def finish(fields: "Mapping[str, Any]") -> None:
        python = ".".join(map(str, sys.version_info[:3]))
        write(result, {**fields, "python": python, "attempts": sorted(set(attempts))})

    def end(code: int) -> None:
        finish(
            {"outcome": "ended", "text": f"os._exit({code})", "stack": stack_of(traceback.walk_stack(None))[::-1][:-1]}
        )
        _END(code)

    os._exit = end  # type: ignore[assignment]  # it never returns, because _END does not
    with open(crash, "w", encoding="utf-8") as file:  # noqa: PTH123 - import no more modules than the runtime has
        faulthandler.enable(file)
        # With chain, the signal ends the process after the stack is written.
        faulthandler.register(_SIGXCPU, file, chain=True)
        examined = examine(handler, globals().get("CLOCK", time.perf_counter))
        loaded = dict(sys.modules)
        facts = {"borrowed": borrowers(loaded, folders), "foreign": users_of_ctypes(loaded, folders)}
        finish({**examined, **facts, "loaded": sorted({name.partition(".")[0] for name in loaded})})
        # A thread that the import started must not keep the process alive.
        _END(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
