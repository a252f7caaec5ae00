"""`inv desk`: serve the page of one environment on loopback until Ctrl-C."""

import errno
import os
import socket
import time
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn

from automation.deploying import scope as scopes
from automation.deploying.scope import Scope
from automation.system import console
from automation.system.errors import ToolError, UsageError
from desk.operations.environment import Environment, connect
from desk.page import account, market_data, next_session, stack, trading
from desk.page.app import Desk, make_app
from desk.page.feeds import Feed
from desk.page.live import Connection, LiveEnvironment
from desk.page.next_session import NextSession
from desk.page.queues import QueueReader
from desk.page.redaction import Redaction, secret_values
from sandbox.exchange.listening import listen

_DEFAULT_PORT = 8642
_HOST = "127.0.0.1"
# Seconds between readings. In the sandbox they cost nothing, and a day lasts seconds.
_EVERY_S = {"trading": 10.0, "account": 15.0, "equity": 60.0, "data": 60.0, "queues": 30.0, "stacks": 60.0}
_SANDBOX_EVERY_S = {"trading": 1.0, "account": 2.0, "equity": 5.0, "data": 5.0, "queues": 5.0, "stacks": 15.0}


def serve(root: Path, name: str, *, port: str = "", is_opened: bool = False) -> None:
    """Serve the page of the environment `name`.

    Args:
        port: of loopback, as typed; empty for the default.
        is_opened: also open the page in the browser.

    Raises:
        UsageError: the environment does not exist, or the port is not valid.
        ConfigurationError: the settings are incomplete or wrong.
        ToolError: another program uses the port.
    """
    scope = scopes.read(root, name, variables=os.environ)
    number = parse_port(port)
    with _listener(number) as listener:
        url = f"http://{_HOST}:{listener.getsockname()[1]}/"
        app = make_app(desk_of(root, scope), listener.getsockname()[1], redact=redaction_of(scope))
        console.result(f"the desk of {name} is at {url}; Ctrl-C stops it")
        console.flush()
        if is_opened:
            webbrowser.open(url)
        make_server(app).run(sockets=[listener])


def desk_of(
    root: Path,
    scope: Scope,
    *,
    connect: Callable[[Path, str], Environment] = connect,
    now: Callable[[], float] = time.monotonic,
) -> Desk:
    """Return the desk of an environment; nothing is called before somebody looks at it."""
    name, is_sandbox = scope.environment.name, scope.environment.is_sandbox
    live = LiveEnvironment(lambda: connect(root, name))
    readers: dict[str, Callable[[Connection], Any]] = {
        "trading": trading.gather,
        "account": account.holdings,
        "equity": account.equity,
        "data": market_data.gather,
        "queues": QueueReader().read,
        "stacks": stack.gather,
    }
    every_s = _SANDBOX_EVERY_S if is_sandbox else _EVERY_S
    feeds = {feed: Feed(_reading(live, read), every_s=every_s[feed], now=now) for feed, read in readers.items()}

    def refresh() -> None:
        for feed in feeds.values():
            feed.expire()

    session = NextSession(next_session.run_day(root), on_end=refresh) if is_sandbox else None
    return Desk(name, scope.target_text, feeds, session)


def redaction_of(scope: Scope) -> Redaction:
    """Return what hides the secrets of this process and the number of the environment's account."""
    return Redaction(secret_values(os.environ), (scope.environment.account,))


def make_server(app: Any) -> uvicorn.Server:
    """Return a server that runs until SIGTERM or SIGINT, and does not wait for open pages."""
    config = uvicorn.Config(
        app,
        access_log=False,
        log_level="error",
        lifespan="off",
        timeout_graceful_shutdown=1,
        ws="none",
        server_header=False,
        proxy_headers=False,
    )
    return uvicorn.Server(config)


def parse_port(text: str) -> int:
    """Return the port, the default one for empty text; 0 lets the system choose one.

    Raises:
        UsageError: it is not a port.
    """
    if not text:
        return _DEFAULT_PORT
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise UsageError(f"--port must be a number from 0 to 65535, got {text!r}", where="desk")
    return int(text)


def _listener(port: int) -> socket.socket:
    try:
        return listen(_HOST, port)
    except OSError as cause:
        is_taken = cause.errno == errno.EADDRINUSE
        what = f"port {port} is in use" if is_taken else f"port {port} cannot be used: {cause.strerror}"
        message = f"{what}; choose another one with --port, or any free one with --port 0"
        raise ToolError(message, where="desk") from cause


def _reading(live: LiveEnvironment, read: Callable[[Connection], Any]) -> Callable[[], Any]:
    def reading() -> Any:
        with live.connected() as connection:
            return read(connection)

    return reading
