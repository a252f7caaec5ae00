"""The project's message registry, read in a separate process: who sends each message and who consumes it."""

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
# A route is an object or a mapping; a message is a class or a string.
_SCRIPT = """
import importlib, json, sys
root, wanted, *fallbacks = sys.argv[1:]
sys.path[:0] = [root]
sys.path += fallbacks
module, _, name = wanted.partition(":")
def read(route, key, default):
    return route.get(key, default) if isinstance(route, dict) else getattr(route, key, default)
routes = [
    {
        "message": key if isinstance(key, str) else key.__name__,
        "source": read(route, "source", ""),
        "producers": list(read(route, "producers", ())),
        "consumers": list(read(route, "consumers", ())),
        "queued": bool(read(route, "queued", False)),
    }
    for key, route in getattr(importlib.import_module(module), name).items()
]
print("\\n" + json.dumps(routes))
"""


@dataclass(frozen=True, slots=True)
class Route:
    """How one message travels.

    Attributes:
        message: its detail-type on the bus.
        consumers: functions, by logical id, code folder or a part of Handler.
        queued: the message is sent straight to the consumer's queue and needs no rule.
    """

    message: str
    source: str
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    queued: bool


def load(root: Path, name: str, *, fallbacks: "Iterable[Path]" = ()) -> tuple[Route, ...]:
    """Import `package.module:NAME` from a project and return its routes.

    Args:
        fallbacks: folders to import from when the running interpreter lacks a module.

    Raises:
        ConfigurationError: it cannot be imported or is not a registry; the message has the last line of the
            traceback.
    """
    where = "pyproject.toml: [tool.alchemiser] messages"
    argv: list[str | Path] = [sys.executable, "-B", "-c", _SCRIPT, root, name, *fallbacks]
    try:
        finished = processes.run(argv, cwd=root, check=False, timeout_s=_TIMEOUT_S)
    except ToolError as cause:
        raise ConfigurationError(f"{name} cannot be loaded: {cause.message}", where=where) from cause
    if finished.exit_code:
        raise ConfigurationError(f"{name} cannot be loaded: {finished.tail(1)}", where=where)

    # The registry's module may print; the routes are on the last line.
    return tuple(_route(fields) for fields in json.loads(finished.stdout.splitlines()[-1]))


def _route(fields: "dict[str, object]") -> Route:
    return Route(
        message=str(fields["message"]),
        source=str(fields["source"]),
        producers=_names(fields["producers"]),
        consumers=_names(fields["consumers"]),
        queued=fields["queued"] is True,
    )


def _names(values: object) -> tuple[str, ...]:
    return tuple(str(value) for value in values) if isinstance(values, list) else ()
