"""Time the import of a handler's module and write it to a file. `bootstrap.py` runs this in a fresh interpreter.

Arguments: the handler as the template names it, the file for the result (JSON), `with` or `without` bytecode, and the
folders whose bytecode `without` hides. MARK on stderr separates the imports of this script from the handler's.
"""

import importlib
import importlib._bootstrap_external as external
import json
import os
import sys
import time

TYPE_CHECKING = False  # the runtime has not imported typing, so its import belongs to what is measured
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MARK = "== the handler's module ==\n"
# Bound here, because the imported code may replace these functions.
_DUMPS, _OPEN, _WRITE, _END = json.dumps, os.open, os.write, os._exit


def hide_bytecode(folders: tuple[str, ...]) -> None:
    """Make Python compile the modules of these folders, as if they had no bytecode; all other modules keep theirs."""
    known = external.cache_from_source

    def cache_from_source(path: "Any", *arguments: "Any", **options: "Any") -> str:
        if str(path).startswith(folders):
            raise NotImplementedError  # the import system then compiles the source and caches nothing
        return str(known(path, *arguments, **options))

    external.cache_from_source = cache_from_source  # the import system looks it up here


def measure(handler: str, clock: "Callable[[], float]" = time.perf_counter) -> "dict[str, Any]":
    """Import the handler's module; return its `seconds`, or the `error` that it raised."""
    name = handler.rpartition(".")[0].replace("/", ".")
    started = clock()
    try:
        importlib.import_module(name)
    except BaseException as error:
        return {"error": f"{type(error).__name__}: {error}"}
    return {"seconds": clock() - started}


def main(handler: str, result: str, bytecode: str, *folders: str) -> None:
    if bytecode == "without":
        hide_bytecode(tuple(f"{folder}{os.sep}" for folder in folders))
    os.write(2, MARK.encode())
    measured = measure(handler, globals().get("CLOCK", time.perf_counter))
    _WRITE(_OPEN(result, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), _DUMPS(measured).encode())
    # Threads that the import has started must not keep the process alive.
    _END(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
