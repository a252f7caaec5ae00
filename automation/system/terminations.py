"""Treat SIGTERM, which a build server sends to stop a job, like Ctrl-C."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class TerminatedError(KeyboardInterrupt):
    """SIGTERM was received. It is a KeyboardInterrupt, so that whatever handles Ctrl-C handles it too."""


@contextmanager
def as_interrupts() -> Iterator[None]:
    """Raise TerminatedError for a SIGTERM that is received while the block runs. Only the main thread receives it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def terminate(_number: int, _frame: object) -> None:
        raise TerminatedError

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
