"""Time `inv watch`: from the write of a file to the first answer of the new code, on the emulator.

A client invokes the function again and again, also while it is updated, so its load is part of the figure.
"""

import statistics
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import timing
from benchmarks.checkout import ROOT
from benchmarks.timing import Result
from tests.e2e.conftest import Sandbox
from tests.e2e.edits import replaced
from tests.e2e.production import copy_project
from tests.e2e.watching import Watching, module_of, watching
from tests.sandbox.test_servers import free_port

_LIMIT_S, _SHARED_LIMIT_S = 1.0, 2.0
_PAUSE_S = 1.0  # between two edits: Lambda finishes the last update
_TIMEOUT_S = 60.0
_STACK, _FUNCTION, _MODULE = "alchemiser-local", "StrategyAggregatorFunction", "aggregator_v2"
_INV = Path(sys.executable).parent / "inv"


@dataclass(frozen=True, slots=True)
class _Edit:
    """A file of which one text is replaced by a text with a number, and what the function then answers."""

    path: str
    old: str
    new: str
    answer: str

    def apply(self, root: Path, original: str, number: int) -> str:
        """Write the edit, and return the answer that shows it."""
        (root / self.path).write_text(replaced(self.old, self.new.format(number=number))(original))
        return self.answer.format(number=number)


_OWN = _Edit(
    "the_alchemiser/aggregator_v2/lambda_handler.py",
    "module=MODULE,",
    'module=f"{{MODULE}} own {number}",',
    f"{_MODULE} own {{number}}",
)
_SHARED = _Edit(
    "the_alchemiser/shared/messaging/health.py",
    '"module": inbox.module,',
    '"module": f"{{inbox.module}} shared {number}",',
    f"{_MODULE} shared {{number}}",
)


def run(*, quick: bool) -> Iterator[Result]:
    """Edit one function's own file twenty times, then a file of the shared layer."""
    times = 5 if quick else 20
    with TemporaryDirectory(prefix="watch-") as folder, _deployed(Path(folder)) as (root, sandbox, variables):
        name = sandbox.resources(_STACK)[_FUNCTION]
        with watching(root, variables=variables) as watch:
            own = _time_edits(_OWN, root, sandbox, name, watch, times=times)
            shared = _time_edits(_SHARED, root, sandbox, name, watch, times=max(1, times // 4))

        yield timing.check_limit("edit of one function, to the first answer of the new code", own, limit_s=_LIMIT_S)
        slow = f"{statistics.quantiles(own, n=20)[-1]:.2f} s"
        yield Result("the same, 95th percentile", slow, "no target", is_met=True)
        what = "edit of the shared layer, ten functions, to the first answer of one"
        yield timing.check_limit(what, shared, limit_s=_SHARED_LIMIT_S)


@contextmanager
def _deployed(folder: Path) -> Iterator[tuple[Path, Sandbox, Mapping[str, str]]]:
    """Deploy a copy of the project to a sandbox on free ports; stop the sandbox in the end."""
    emulator, exchange = free_port(), free_port()
    variables = {
        "ALCHEMISER_SANDBOX_DIR": str(folder / "sandbox"),
        "ALCHEMISER_EMULATOR_PORT": str(emulator),
        "ALCHEMISER_EXCHANGE_PORT": str(exchange),
    }
    timing.run_command([_INV, "build"], cwd=ROOT)
    sandbox = Sandbox(f"http://127.0.0.1:{emulator}", f"http://127.0.0.1:{exchange}")
    root = copy_project(folder, sandbox.exchange_url)
    try:
        timing.run_command([_INV, "deploy", "--env", "local"], cwd=root, variables=variables)
        yield root, sandbox, variables
    finally:
        timing.run_command([_INV, "sandbox.down"], cwd=root, variables=variables)


def _time_edits(edit: _Edit, root: Path, sandbox: Sandbox, name: str, watch: Watching, *, times: int) -> list[float]:
    """Return the seconds of each edit; the last one is taken back."""
    original, seconds = (root / edit.path).read_text(), []
    for number in range(times):
        seen = len(watch.lines)
        started = time.perf_counter()
        answer = edit.apply(root, original, number)
        while module_of(sandbox, name) != answer:
            if time.perf_counter() - started > _TIMEOUT_S:
                raise RuntimeError(f"{answer} never came:\n{''.join(watch.lines)}")
        seconds.append(time.perf_counter() - started)
        watch.wait_for("updated, proven first", since=seen)
        time.sleep(_PAUSE_S)
    seen = len(watch.lines)
    (root / edit.path).write_text(original)
    watch.wait_for("updated, proven first", since=seen)
    return seconds
