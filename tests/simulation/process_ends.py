"""What a history replaces in its process beside clock and network: threads, logs, and two slow readers."""

import gc
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from functools import lru_cache
from itertools import count
from typing import Any, NamedTuple

from arro3.io import read_parquet
from boto3.dynamodb.types import TypeSerializer

from tests.simulation.world import World

_FROZEN_EVERY = 50
_HISTORIES = count(1)


class Sequential:
    """ThreadPoolExecutor without threads: a greenlet cannot be switched from another thread."""

    def __init__(self, max_workers: int | None = None) -> None:
        """Ignore the number of workers."""

    def __enter__(self) -> "Sequential":
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing."""

    def map(self, function: Callable[[Any], Any], *iterables: Iterable[Any]) -> Iterator[Any]:
        return iter([function(*arguments) for arguments in zip(*iterables, strict=True)])


class FastDeserializer:
    """boto3's TypeDeserializer for the types that the product stores, several times as fast."""

    def deserialize(self, value: Mapping[str, Any]) -> Any:
        """Return the plain value."""
        if "S" in value:
            return value["S"]
        ((kind, content),) = value.items()
        match kind:
            case "BOOL":
                return content
            case "N":
                return Decimal(content)
            case "L":
                return [self.deserialize(item) for item in content]
            case "M":
                return {name: self.deserialize(item) for name, item in content.items()}
            case "SS":
                return set(content)
            case "NULL":
                return None
        raise TypeError(f"type {kind} is not simulated")


class FastSerializer:
    """boto3's TypeSerializer, with a short way for the types that most attributes have."""

    def __init__(self) -> None:
        self._boto3 = TypeSerializer()

    def serialize(self, value: Any) -> Any:
        """Return the typed value.

        Raises:
            TypeError: DynamoDB has no such type.
        """
        kind = type(value)
        if kind is str:
            return {"S": value}
        if kind is bool:
            return {"BOOL": value}
        if kind is list:
            return {"L": [self.serialize(item) for item in value]}
        if kind is dict:
            return {"M": {name: self.serialize(item) for name, item in value.items()}}
        return self._boto3.serialize(value)


_DESERIALIZER, _SERIALIZER = FastDeserializer(), FastSerializer()


def fast_deserializer() -> FastDeserializer:
    """Return the deserializer; the product asks for it at every item."""
    return _DESERIALIZER


def fast_serializer() -> FastSerializer:
    """Return the serializer; the product asks for it at every item."""
    return _SERIALIZER


class _Parsed(NamedTuple):
    """The reader of a parquet file that was read before."""

    table: Any

    def read_all(self) -> Any:
        return self.table


@lru_cache(maxsize=4096)
def read_parquet_once(body: bytes, **options: Any) -> Any:
    """Read a file once per process: every history reads the same prepared lake."""
    return _Parsed(read_parquet(body, **options).read_all())


class _Capture(logging.Handler):
    """Writes each record as one line: virtual time, function, level, message, and what was attached to it."""

    def __init__(self, world: World, lines: list[str]) -> None:
        super().__init__()
        self._world = world
        self._lines = lines
        self._known = frozenset(vars(logging.makeLogRecord({}))) | {"message", "module"}

    def emit(self, record: logging.LogRecord) -> None:
        invocation = self._world.current
        who = "" if invocation is None else f"{invocation.module} {invocation.name}"
        extra = {name: value for name, value in vars(record).items() if name not in self._known}
        error = f" {record.exc_info[1]!r}" if record.exc_info else ""
        self._lines.append(
            f"{self._world.at.isoformat()} {who} {record.levelname} {record.getMessage()} {extra}{error}"
        )


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep the garbage collector, a sixth of the time, out of a history; at its end it looks at what that has left."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.collect()
        if next(_HISTORIES) % _FROZEN_EVERY == 1:
            # What lives on, modules and caches, is not looked at again.
            gc.freeze()
        if was_enabled:
            gc.enable()


@contextmanager
def captured(world: World, lines: list[str] | None) -> Iterator[None]:
    """Let the functions log into `lines`, and nowhere else; with None they log nothing."""
    own = [log for log in _loggers() if log.handlers]
    before = [(log, log.handlers) for log in (logging.root, *own)]
    disabled = logging.root.manager.disable
    if lines is None:
        logging.disable(logging.CRITICAL)
    else:
        for log in own:
            log.handlers = [logging.NullHandler()]  # one without a handler would get that of a function
        logging.root.handlers = [_Capture(world, lines)]
    try:
        yield
    finally:
        logging.disable(disabled)
        for log, handlers in before:
            log.handlers = handlers


def _loggers() -> list[logging.Logger]:
    return [log for log in logging.root.manager.loggerDict.values() if isinstance(log, logging.Logger)]
