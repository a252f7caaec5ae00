"""Import a handler as the managed runtime does, and write what came of it to a file. Run by `bootstrap.py`.

Arguments: the handler as the template names it, the file for the result (JSON), the file for a crash's stack, and the
seconds after which an import that does not end is given up.
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

TYPE_CHECKING = False  # typing is not among what the runtime has imported
if TYPE_CHECKING:
    from typing import Any

# The code to be imported may replace what it likes; these are kept.
_DUMPS, _OPEN, _WRITE, _CLOSE, _RENAME, _END = json.dumps, os.open, os.write, os.close, os.rename, os._exit


def examine(handler: str) -> "dict[str, Any]":
    """Import the handler's module and take the handler out of it."""
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
    found = {"seconds": time.perf_counter() - started, "module": name, "file": getattr(module, "__file__", None) or ""}
    try:
        return {"outcome": "resolved" if callable(getattr(module, attribute)) else "not-callable", **found}
    except AttributeError:
        return {"outcome": "no-attribute", "names": functions_of(module), **found}


def describe(error: BaseException) -> "dict[str, Any]":
    """An exception in values that JSON holds."""
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


def stack_of(found: Iterable[traceback.FrameSummary]) -> list[tuple[str, int]]:
    """File and line of each frame, outermost first, without those of the import system."""
    return [(frame.filename, frame.lineno or 0) for frame in found if not frame.filename.startswith("<")]


def path_of(error: BaseException) -> str:
    """The file that an OSError is about."""
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
    """By each module of these folders that bears a name of the stdlib's: the files of the modules that hold it."""
    ours = {name for name in loaded if name in sys.stdlib_module_names and file_of(loaded[name]).startswith(folders)}
    held: dict[str, list[str]] = {name: [] for name in ours}
    for holder in loaded.values() if ours else ():
        values = [value for value in list(vars(holder).values()) if isinstance(value, ModuleType)]
        for name in ours:
            if loaded[name] in values and file_of(holder):
                held[name].append(file_of(holder))
    return held


def file_of(module: ModuleType) -> str:
    return str(getattr(module, "__file__", None) or "")


def write(path: str, result: "Mapping[str, Any]") -> None:
    file = _OPEN(f"{path}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    _WRITE(file, _DUMPS(result).encode())
    _CLOSE(file)
    _RENAME(f"{path}.new", path)


def main(handler: str, result: str, crash: str, timeout_s: str, *folders: str) -> None:
    attempts: list[str] = globals().get("ATTEMPTS", [])

    def finish(found: "Mapping[str, Any]") -> None:
        write(result, {**found, "attempts": sorted(set(attempts))})

    def end(code: int) -> None:
        finish({"outcome": "ended", "text": f"os._exit({code})", "stack": stack_of(traceback.extract_stack()[:-1])})
        _END(code)

    os._exit = end  # type: ignore[assignment]  # it returns never, through _END
    with open(crash, "w", encoding="utf-8") as file:  # noqa: PTH123 - no more modules than the runtime has imported
        faulthandler.enable(file)
        faulthandler.dump_traceback_later(float(timeout_s), exit=True, file=file)
        found = examine(handler)
        loaded = dict(sys.modules)
        finish({**found, "borrowed": borrowers(loaded, folders)})
        # Threads that the import has started must not keep the process.
        _END(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
