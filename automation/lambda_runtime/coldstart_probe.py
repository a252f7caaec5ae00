"""Time the import of a handler's module and write it to a file. Run by `proof/bootstrap.py` in a fresh interpreter.

Arguments: the handler as the template names it, the file for the result (JSON), `with` or `without` bytecode, and the
folders whose bytecode that is about. What was imported before is told apart on stderr by a line of its own.
"""

import importlib
import importlib._bootstrap_external as external
import json
import os
import sys
import time
from typing import Any

MARK = "== the handler's module ==\n"
# The code to be imported may replace what it likes; these are kept.
_DUMPS, _OPEN, _WRITE, _END = json.dumps, os.open, os.write, os._exit


def hide_bytecode(folders: tuple[str, ...]) -> None:
    """Make the modules of these folders look as if no bytecode had been made of them; all others keep theirs."""
    known = external.cache_from_source

    def cache_from_source(path: Any, *arguments: Any, **options: Any) -> str:
        if str(path).startswith(folders):
            raise NotImplementedError
        return str(known(path, *arguments, **options))

    external.cache_from_source = cache_from_source  # as the import system looks it up


def measure(handler: str) -> dict[str, Any]:
    """Import the module; an exception is a result, too."""
    name = handler.rpartition(".")[0].replace("/", ".")
    started = time.perf_counter()
    try:
        importlib.import_module(name)
    except BaseException as error:
        return {"error": f"{type(error).__name__}: {error}"}
    return {"seconds": time.perf_counter() - started}


def main(handler: str, result: str, bytecode: str, *folders: str) -> None:
    if bytecode == "without":
        hide_bytecode(tuple(f"{folder}{os.sep}" for folder in folders))
    os.write(2, MARK.encode())
    found = measure(handler)
    _WRITE(_OPEN(result, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), _DUMPS(found).encode())
    # Threads that the import has started must not keep the process.
    _END(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
