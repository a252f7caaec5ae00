"""SIGTERM arrives like Ctrl-C while a block runs, and as before afterwards."""

import signal
import threading

import pytest

from automation.system import terminations


def test_as_interrupts_sigterm_interrupts_the_block() -> None:
    before = signal.getsignal(signal.SIGTERM)

    with pytest.raises(KeyboardInterrupt) as caught, terminations.as_interrupts():
        signal.raise_signal(signal.SIGTERM)

    assert isinstance(caught.value, terminations.TerminatedError)
    assert signal.getsignal(signal.SIGTERM) == before


def test_as_interrupts_in_a_thread_changes_no_handler() -> None:
    before, seen = signal.getsignal(signal.SIGTERM), list[object]()

    def run() -> None:
        with terminations.as_interrupts():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()

    assert seen == [before]
