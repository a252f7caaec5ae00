"""Call hooks, one after another. Runs as a process of its own, because it imports the product.

Arguments: the project's root, the file to which one JSON line per hook is appended as soon as it has answered (its
`function`, and `value`, `error` or `unknown`), and the hooks. Their context comes on stdin as JSON, when they are due.
"""

import importlib
import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any


class _UnknownError(Exception):
    """There is no such function; the text says what is missing."""


def find(name: str) -> Callable[[Any], Any]:
    """Import the function `package.module:function`.

    Raises:
        _UnknownError: the module or the function does not exist.
    """
    module_name, _, attribute = name.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as cause:
        # Without this module or one of its packages there is no such hook; a missing import of its own is its fault.
        if f"{module_name}.".startswith(f"{cause.name}."):
            message = f"does not exist: there is no module {cause.name}"
            raise _UnknownError(message) from cause
        raise

    function = getattr(module, attribute, None)
    if not callable(function):
        message = f"does not exist: {module_name} has no function {attribute}"
        raise _UnknownError(message)
    return function  # type: ignore[no-any-return] # callable() does not say what it takes


def answer(name: str, context: Any) -> dict[str, Any]:
    """Call one hook; whatever it raises is its answer, so that the next hook runs too."""
    try:
        value = find(name)(context)
        json.dumps(value)  # a value that is not JSON is this hook's failure
    except _UnknownError as cause:
        return {"function": name, "unknown": str(cause)}
    except Exception as cause:
        return {"function": name, "error": f"{type(cause).__name__}: {cause}"}
    return {"function": name, "value": value}


def load(names: list[str]) -> None:
    """Import the modules of hooks ahead; one that fails is imported again for its hook, whose answer is the failure."""
    for name in names:
        with suppress(Exception, SystemExit):
            importlib.import_module(name.partition(":")[0])


def main(root: str, reply_path: str, *names: str) -> None:
    # The hooks have no input.
    with os.fdopen(os.dup(0), encoding="utf-8") as request, Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
        sys.path.insert(0, root)
        load(list(names))
        text = request.read()
    if not text:
        return  # the deployment ended before it came to the hooks

    with Path(reply_path).open("a") as reply:
        for name in names:
            reply.write(json.dumps(answer(name, json.loads(text))) + "\n")
            reply.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
