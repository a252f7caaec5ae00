"""The state on disk: one JSON file, written beside, flushed and renamed, so that a crash leaves the old or the new."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, TypeAdapter, ValidationError

from sandbox.exchange.account import Account
from sandbox.exchange.clock import SimulatedClock
from sandbox.exchange.exchange import State
from sandbox.exchange.orders import Fill, Order

_CLOCK = TypeAdapter(SimulatedClock)
_ACCOUNT = TypeAdapter(Account)


class DamagedStateError(Exception):
    """The state file exists and cannot be used; it is left as it is."""


class _Document(BaseModel):
    """The file. Orders and fills stand beside the account: most never change again, and are encoded once."""

    version: Literal[1]
    clock: SimulatedClock
    account: Account
    orders: tuple[Order, ...]
    fills: tuple[Fill, ...]


class StateFile:
    """Where the state of one server lives."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._orders = _Encoded(TypeAdapter(Order))
        self._fills = _Encoded(TypeAdapter(Fill))

    def load(self) -> State | None:
        """The state last saved, None when there is none.

        Raises:
            DamagedStateError: the file is not a state of this version.
        """
        try:
            document = _Document.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the file"
            raise DamagedStateError(
                f"{self._path}: not a usable exchange state ({where}: {first['msg']}); "
                "restore the file, or delete it to start with a new account"
            ) from error
        orders = {order.id: order for order in document.orders}
        return State(document.clock, replace(document.account, orders=orders, fills=list(document.fills)))

    def save(self, state: State) -> None:
        """Replace the file; returns when the bytes are on disk."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside = self._path.with_name(self._path.name + ".new")
        with beside.open("wb") as file:
            file.writelines(self._text(state))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path)

    def _text(self, state: State) -> Iterable[bytes]:
        yield b'{"version":1,"clock":' + _CLOCK.dump_json(state.clock)
        yield b',"account":' + _ACCOUNT.dump_json(replace(state.account, orders={}, fills=[]))
        yield b',"orders":[' + b",".join(self._orders.of(list(state.account.orders.values())))
        yield b'],"fills":[' + b",".join(self._fills.of(state.account.fills)) + b"]}\n"


class _Encoded[T]:
    """The JSON of a sequence of frozen values, each encoded again only when another value stands in its place."""

    def __init__(self, adapter: TypeAdapter[T]) -> None:
        self._adapter = adapter
        self._known: list[tuple[T, bytes]] = []

    def of(self, values: Sequence[T]) -> list[bytes]:
        known = self._known[: len(values)]
        for index, value in enumerate(values):
            if index >= len(known):
                known.append((value, self._adapter.dump_json(value)))
            elif known[index][0] is not value:
                known[index] = (value, self._adapter.dump_json(value))
        self._known = known
        return [text for _, text in known]
