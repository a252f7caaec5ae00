"""The state on disk: one JSON file, written beside, flushed and renamed, so that a crash leaves the old or the new."""

import os
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, TypeAdapter, ValidationError

from sandbox.exchange.exchange import State

_STATE = TypeAdapter(State)


class DamagedStateError(Exception):
    """The state file exists and cannot be used; it is left as it is."""


class _Document(BaseModel):
    version: Literal[1]
    state: State


class StateFile:
    """Where the state of one server lives."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> State | None:
        """The state last saved, None when there is none.

        Raises:
            DamagedStateError: the file is not a state of this version.
        """
        try:
            text = self._path.read_bytes()
        except FileNotFoundError:
            return None
        try:
            return _Document.model_validate_json(text).state
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the file"
            raise DamagedStateError(
                f"{self._path}: not a usable exchange state ({where}: {first['msg']}); "
                "restore the file, or delete it to start with a new account"
            ) from error

    def save(self, state: State) -> None:
        """Replace the file; returns when the bytes are on disk."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside = self._path.with_name(self._path.name + ".new")
        with beside.open("wb") as file:
            file.write(b'{"version":1,"state":' + _STATE.dump_json(state) + b"}")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path)
