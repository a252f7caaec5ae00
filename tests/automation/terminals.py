"""A real terminal for a test: what somebody has typed on it is read, and what it shows can be read afterwards."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from automation.system import console

END_OF_INPUT = "\x04"


@contextmanager
def open_terminal(typed: str) -> Iterator[list[str]]:
    """Let stdin and stdout be a terminal on which somebody types; after the context, the list has what it shows."""
    shown: list[str] = []
    person, program = os.openpty()
    os.write(person, typed.encode())
    console._console.cache_clear()  # its width depends on the terminal
    try:
        with (
            os.fdopen(program, closefd=False) as stdin,
            os.fdopen(program, "w") as stdout,
            pytest.MonkeyPatch.context() as patch,
        ):
            patch.setattr(sys, "stdin", stdin)
            patch.setattr(sys, "stdout", stdout)
            yield shown
        with suppress(OSError):  # the end of what a closed terminal has shown
            while text := os.read(person, 65536):
                shown.append(text.decode())
    finally:
        console._console.cache_clear()
        os.close(person)
