"""Deploy to a sandbox of its own, with shorter durations; the session of Nox stops it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.settings import DIRECTORY_VARIABLE, EMULATOR_PORT_VARIABLE, EXCHANGE_PORT_VARIABLE
from tests.chaos.stage import ROOT, Stage, open_stage

_OWN = (DIRECTORY_VARIABLE, EMULATOR_PORT_VARIABLE, EXCHANGE_PORT_VARIABLE)


@contextmanager
def deployed(*, is_slow: bool) -> Iterator[Stage]:
    """Yield a freshly deployed sandbox. It is the one that the environment variables name: everything in it is lost.

    Args:
        is_slow: keep the time-outs of the environment `local`.
    """
    missing = [variable for variable in _OWN if not os.environ.get(variable)]
    if missing:
        sys.exit(f"{', '.join(missing)}: not set; run nox -s chaos, which sets them to a sandbox of its own")

    _inv("sandbox.reset", "deploy", "--env", "local", "--yes")
    with open_stage() as stage:
        if not is_slow:
            stage.shorten()
        stage.watch()
        yield stage


def _inv(*words: str) -> None:
    command = subprocess.run(
        [sys.executable, "-m", "invoke", *words],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if command.returncode:
        sys.exit(f"inv {' '.join(words)} ended with {command.returncode}:\n{command.stdout}{command.stderr}")
