"""Import a handler as the managed runtime does, and write the result to a file. Run by `bootstrap.py`.

Arguments: the handler as the template names it, the file for the result (JSON), the file for a crash's stack, and the
seconds after which an import that does not end is stopped.
"""

import faulthandler
import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Iterable, Mapping
from types import ModuleType

TYPE_CHECKING = False  # the runtime has not imported typing, so the probe must not either
if TYPE_CHECKING:
    from typing import Any

# The imported code may replace any of these functions; the probe keeps the originals.
_DUMPS, _OPEN, _WRITE, _CLOSE, _RENAME, _END = json.dumps, os.open, os.write, os.close, os.rename, os._exit


def examine(handler: str) -> "dict[str, Any]":
    """Import the handler's module and look up the handler in it."""
    name, dot, attribute = handler.rpartition(".")
    name = name.replace("/", ".")
    if not dot or not name or not attribute:
        return {"outcome": "malformed"}
    if name.partition(".")[0] in sys.builtin_module_names:
        return {"outcome": "built-in"}

    started = time.perf_counter()
    try:
        module = importlib.import_module(name)
    except BaseException as error:
        return {"outcome": "failed", "module": name, **describe(error)}

    seconds = time.perf_counter() - started
    facts = {"seconds": seconds, "module": name, "file": getattr(module, "__file__", None) or ""}
    try:
        return {"outcome": "resolved" if callable(getattr(module, attribute)) else "not-callable", **facts}
    except AttributeError:
        return {"outcome": "no-attribute", "names": functions_of(module), **facts}


def describe(error: BaseException) -> "dict[str, Any]":
    """Return an exception as values that JSON can hold."""
    stack = stack_of(traceback.extract_tb(error.__traceback__))
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


def stack_of(frames: Iterable[traceback.FrameSummary]) -> list[tuple[str, int]]:
    """Return the file and line of each frame, outermost first, without those of the import system."""
    return [(frame.filename, frame.lineno or 0) for frame in frames if not frame.filename.startswith("<")]


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


def file_of(module: ModuleType) -> str:
    return str(getattr(module, "__file__", None) or "")


def write(path: str, result: "Mapping[str, Any]") -> None:
    """Write the result under a temporary name, then rename it: a reader never sees half of it."""
    file = _OPEN(f"{path}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    _WRITE(file, _DUMPS(result).encode())
    _CLOSE(file)
    _RENAME(f"{path}.new", path)


def main(handler: str, result: str, crash: str, timeout_s: str, *folders: str) -> None:
    attempts: list[str] = globals().get("ATTEMPTS", [])

    def finish(fields: "Mapping[str, Any]") -> None:
        write(result, {**fields, "attempts": sorted(set(attempts))})

    def end(code: int) -> None:
        finish({"outcome": "ended", "text": f"os._exit({code})", "stack": stack_of(traceback.extract_stack()[:-1])})
        _END(code)

    os._exit = end  # type: ignore[assignment]  # it never returns, because _END does not
    with open(crash, "w", encoding="utf-8") as file:  # noqa: PTH123 - import no more modules than the runtime has
        faulthandler.enable(file)
        faulthandler.dump_traceback_later(float(timeout_s), exit=True, file=file)
        examined = examine(handler)
        loaded = dict(sys.modules)
        finish({**examined, "borrowed": borrowers(loaded, folders)})
        # A thread that the import started must not keep the process alive.
        _END(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
