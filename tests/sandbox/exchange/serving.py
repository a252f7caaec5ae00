"""Serve an exchange for the contract tests: on loopback, on a free port, in a thread."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

from sandbox.exchange.__main__ import make_server
from sandbox.exchange.exchange import AccountTerms, Exchange, opening_state
from sandbox.exchange.listening import listen
from sandbox.exchange.service import Venue
from sandbox.exchange.store import StateFile
from tests.sandbox.exchange.worlds import real_market


def real_venue(state: Path) -> Venue:
    market = real_market()
    return Venue(Exchange(market, opening_state(market, AccountTerms(Decimal(100_000)))), StateFile(state))


@contextmanager
def served(venue: Venue) -> Iterator[str]:
    """Yield the URL of a server that stops when the block ends."""
    with listen("127.0.0.1", 0) as listener:
        server = make_server(venue)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started:
                time.sleep(0.005)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(timeout=5)
