"""A desk with invented values, served on loopback."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from desk.page.app import Desk, make_app
from desk.page.command import make_server
from desk.page.redaction import Redaction
from sandbox.exchange.listening import listen
from tests.desk.page.desks import Values, desk_of


@contextmanager
def served(values: Values, *, now: Callable[[], float] = lambda: 0.0) -> Iterator[str]:
    """Yield the URL of a desk whose feeds read these values; `now` is their clock."""
    with serving(desk_of(values, now=now)) as url:
        yield url


@contextmanager
def serving(desk: Desk) -> Iterator[str]:
    """Yield the URL of a desk."""
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        server = make_server(make_app(desk, port, redact=Redaction((), ())))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started:
                time.sleep(0.005)
            yield f"http://127.0.0.1:{port}/"
        finally:
            server.should_exit = True
            thread.join(timeout=5)
