"""A paper exchange for the product's own tests: a process on loopback, and its clients."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.exchange.control import ExchangeControl
from the_alchemiser.shared.broker.client import Broker
from the_alchemiser.shared.broker.credentials import Credentials
from the_alchemiser.shared.broker.rate_limit import Retries
from the_alchemiser.shared.broker.transport import Timeouts

ROOT = Path(__file__).parents[2]
KEYS = Credentials(key="sandbox-key", secret="sandbox-secret")


@dataclass(frozen=True)
class Paper:
    """A running exchange."""

    url: str
    control: ExchangeControl
    broker: Broker


@contextmanager
def serve_paper(directory: Path) -> Iterator[Paper]:
    """Start an exchange on a free port, and stop it at the end."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "sandbox.exchange", "--port", str(port), "--state", str(directory / "state.json")]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        with ExchangeControl(url) as control, closing(connect(url)) as broker:
            _await_ready(control, process)
            yield Paper(url, control, broker)
    finally:
        process.terminate()
        process.wait(timeout=10)


def connect(url: str, *, keys: Credentials = KEYS, read_s: float = 5.0) -> Broker:
    """Return the product's adapter to this exchange; it retries without a pause."""
    return Broker(url, url, lambda: keys, timeouts=Timeouts(read_s=read_s), retries=Retries(pauses_s=(0.0, 0.0)))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_ready(control: ExchangeControl, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 30
    while not control.is_ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the paper exchange did not start (exit code {process.poll()})")
        time.sleep(0.05)
