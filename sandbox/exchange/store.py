"""The state on disk: one JSON file that is replaced atomically, so that a crash leaves the old state or the new one."""

import os
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from sandbox.exchange.account import Account, AccountMode, EquityMark
from sandbox.exchange.activities import Activity
from sandbox.exchange.bar_faults import BarFault
from sandbox.exchange.clock import SimulatedClock
from sandbox.exchange.exchange import State
from sandbox.exchange.order_book import OrderBook
from sandbox.exchange.orders import Fill, Order
from sandbox.exchange.positions import Adjustment, Position

_CLOCK = TypeAdapter(SimulatedClock)
_BAR_FAULTS = TypeAdapter(tuple[BarFault, ...])


class DamagedStateError(Exception):
    """The state file exists but cannot be used; it was not changed."""


class Store(Protocol):
    """What a venue needs of its storage."""

    def save(self, state: State) -> None:
        """Keep a state; return when it is safe.

        Raises:
            OSError: the state cannot be written.
        """
        ...


class NoStore:
    """A store that keeps nothing, for an exchange that lives in one process."""

    def save(self, state: State) -> None:
        pass


class _AccountRecord(BaseModel):
    """The account in the file, without its orders and fills: most never change again, and are encoded only once."""

    model_config = ConfigDict(from_attributes=True)

    generation: int
    mode: AccountMode
    opening_cash: Decimal
    cash: Decimal
    opened_at: datetime
    whole_shares: frozenset[str] = frozenset()
    fractional_shorts: bool = False
    positions: dict[str, Position] = {}
    adjustments: tuple[Adjustment, ...] = ()
    marks: tuple[EquityMark, ...] = ()
    activities: tuple[Activity, ...] = ()


class _Document(BaseModel):
    """The file."""

    version: Literal[1]
    clock: SimulatedClock
    account: _AccountRecord
    orders: tuple[Order, ...]
    fills: tuple[Fill, ...]
    bar_faults: tuple[BarFault, ...] = ()

    def state(self) -> State:
        fields = {name: getattr(self.account, name) for name in _AccountRecord.model_fields}
        account = Account(**fields, orders=OrderBook(self.orders), fills=list(self.fills))
        return State(self.clock, account, self.bar_faults)


class StateFile:
    """The file that stores the state of one server."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._orders = _Encoder(TypeAdapter(Order))
        self._fills = _Encoder(TypeAdapter(Fill))

    def load(self) -> State | None:
        """Return the state saved last; None when there is none.

        Raises:
            DamagedStateError: the file is not a state of this version.
            OSError: the file cannot be read.
        """
        try:
            document = _Document.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"]) or "the file"
            raise DamagedStateError(
                f"{self._path}: not a usable exchange state ({field}: {first['msg']}); "
                "restore the file, or delete it to start with a new account"
            ) from error

        return document.state()

    def save(self, state: State) -> None:
        """Replace the file; return when the bytes are on disk.

        Raises:
            OSError: the file cannot be written; the old one is still complete.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        staged = self._path.with_name(self._path.name + ".new")
        with staged.open("wb") as file:
            file.writelines(self._text(state))
            file.flush()
            # Synced before the rename: otherwise a crash could leave the new name on bytes that never reached the disk.
            os.fsync(file.fileno())
        staged.replace(self._path)

    def _text(self, state: State) -> Iterable[bytes]:
        yield b'{"version":1,"clock":' + _CLOCK.dump_json(state.clock)
        yield b',"account":' + _AccountRecord.model_validate(state.account).model_dump_json().encode()
        yield b',"bar_faults":' + _BAR_FAULTS.dump_json(state.bar_faults)
        yield b',"orders":[' + b",".join(self._orders.encode(list(state.account.orders.values())))
        yield b'],"fills":[' + b",".join(self._fills.encode(state.account.fills)) + b"]}\n"


class _Encoder[T]:
    """Encodes sequences of frozen values as JSON; encodes a value again only when another object takes its place."""

    def __init__(self, adapter: TypeAdapter[T]) -> None:
        self._adapter = adapter
        self._encoded: list[tuple[T, bytes]] = []

    def encode(self, values: Sequence[T]) -> list[bytes]:
        encoded = self._encoded[: len(values)]
        for index, value in enumerate(values):
            if index >= len(encoded):
                encoded.append((value, self._adapter.dump_json(value)))
            elif encoded[index][0] is not value:
                encoded[index] = (value, self._adapter.dump_json(value))
        self._encoded = encoded
        return [text for _, text in encoded]
