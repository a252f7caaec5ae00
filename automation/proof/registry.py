"""The project's own registry of messages, read in a process of its own: who sends what, and who consumes it."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from automation.system import processes
from automation.system.errors import ConfigurationError, ToolError

if TYPE_CHECKING:
    from collections.abc import Iterable

_TIMEOUT_S = 60.0
# A route may be an object or a mapping; a message a class or a text.
_SCRIPT = """
import importlib, json, sys
root, wanted, *fallbacks = sys.argv[1:]
sys.path[:0] = [root]
sys.path += fallbacks
module, _, name = wanted.partition(":")
def read(route, key, default):
    return route.get(key, default) if isinstance(route, dict) else getattr(route, key, default)
found = [
    {
        "message": key if isinstance(key, str) else key.__name__,
        "source": read(route, "source", ""),
        "producers": list(read(route, "producers", ())),
        "consumers": list(read(route, "consumers", ())),
        "queued": bool(read(route, "queued", False)),
    }
    for key, route in getattr(importlib.import_module(module), name).items()
]
print("\\n" + json.dumps(found))
"""


@dataclass(frozen=True, slots=True)
class Route:
    """How one message travels.

    Attributes:
        message: its detail-type on the bus.
        consumers: functions, by logical id, code folder or a part of Handler.
        queued: it is sent straight to the consumer's queue and needs no rule.
    """

    message: str
    source: str
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    queued: bool


def load(root: Path, name: str, *, fallbacks: "Iterable[Path]" = ()) -> tuple[Route, ...]:
    """Import `package.module:NAME` from a project and read it.

    Args:
        fallbacks: folders to import from what the running interpreter has not.

    Raises:
        ConfigurationError: it cannot be imported, or is no registry; the last line of the traceback is in the message.
    """
    where = "pyproject.toml: [tool.alchemiser] messages"
    argv: list[str | Path] = [sys.executable, "-B", "-c", _SCRIPT, root, name, *fallbacks]
    try:
        finished = processes.run(argv, cwd=root, check=False, timeout_s=_TIMEOUT_S)
    except ToolError as cause:
        raise ConfigurationError(f"{name} cannot be loaded: {cause.message}", where=where) from cause
    if finished.exit_code:
        raise ConfigurationError(f"{name} cannot be loaded: {finished.tail(1)}", where=where)
    return tuple(_route(one) for one in json.loads(finished.stdout.splitlines()[-1]))


def _route(found: "dict[str, object]") -> Route:
    return Route(
        message=str(found["message"]),
        source=str(found["source"]),
        producers=_names(found["producers"]),
        consumers=_names(found["consumers"]),
        queued=found["queued"] is True,
    )


def _names(found: object) -> tuple[str, ...]:
    return tuple(str(one) for one in found) if isinstance(found, list) else ()
