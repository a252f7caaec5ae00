"""Start, stop, reset and inspect the emulator and the exchange together.

Every command is idempotent, and a lock keeps two commands from running at once.
"""

import os
import platform
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from automation.system import files
from automation.system.errors import ConfigurationError, ToolError
from sandbox import emulator, servers
from sandbox.aws_account import prepare_account
from sandbox.local_environment import read_local_environment
from sandbox.servers import Server
from sandbox.settings import EXCHANGE_PORT_VARIABLE, SandboxSettings, read_settings

EXCHANGE = "paper exchange"
_LOCK_WAIT_S = 120.0


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """The state of one server; `pid` is None when it is down."""

    name: str
    url: str
    pid: int | None
    is_ready: bool
    log: Path

    @property
    def state(self) -> str:
        """Return `down`, `ready`, or `does not answer`."""
        if self.pid is None:
            return "down"
        return "ready" if self.is_ready else "does not answer"


@dataclass(frozen=True, slots=True)
class _ManagedServer:
    """One of the two servers, with the functions that start it, stop it, and delete its state."""

    server: Server
    start: Callable[[], int]
    stop: Callable[[], bool]
    delete_state: Callable[[], None]


def up(root: Path) -> tuple[str, ...]:
    """Start the servers that do not run; return their names.

    If a server cannot be started, those that this call started are stopped again.

    Raises:
        ToolError: a port is in use, a server did not start, or this is not Linux.
        ConfigurationError: a server already runs on another port than the configured one.
    """
    with _locked_settings(root) as settings:
        return _start(managed for managed in _managed_servers(settings) if not _is_running(managed.server))


def down(root: Path) -> tuple[str, ...]:
    """Stop the servers that run, and keep their state; return their names."""
    with _locked_settings(root) as settings:
        return tuple(managed.server.name for managed in reversed(_managed_servers(settings)) if managed.stop())


def reset(root: Path) -> tuple[str, ...]:
    """Delete the state of both servers: stacks, data, orders, mails, reports. Restart those that ran.

    Returns:
        The names of the restarted servers.
    """
    with _locked_settings(root) as settings:
        servers_to_reset = _managed_servers(settings)
        # Stopped before their files are deleted: a running server would write its old state back.
        running = [managed for managed in servers_to_reset if managed.stop()]
        for managed in servers_to_reset:
            managed.delete_state()
        files.remove(settings.directory / "reports")
        return _start(running)


def status(root: Path) -> tuple[ServerStatus, ...]:
    """Return the state of both servers."""
    return tuple(_status(managed.server) for managed in _managed_servers(read_settings(root, os.environ)))


def up_with_account(root: Path) -> tuple[str, ...]:
    """Start what `up` starts, then create the resources that the stacks expect in the account."""
    started = up(root)
    prepare_account(read_local_environment(root).target)
    return started


def status_row(server: ServerStatus) -> tuple[str, ...]:
    """Return the table row of a server: name, state, pid, URL, log."""
    return server.name, server.state, str(server.pid or ""), server.url, str(server.log)


def status_as_json(server: ServerStatus) -> Mapping[str, object]:
    """Return the state of a server for a program; `pid` is null when it is down."""
    return {
        "name": server.name,
        "state": server.state,
        "pid": server.pid,
        "url": server.url,
        "log": str(server.log),
    }


def exchange_server(settings: SandboxSettings) -> Server:
    """Return the paper exchange as a server; it runs with this interpreter's packages."""
    home = settings.directory / "exchange"
    history = Path(__file__).parent / "history"
    options = ("--port", str(settings.exchange_port), "--state", str(home / "state.json"), "--history", str(history))

    return Server(
        name=EXCHANGE,
        command=(sys.executable, "-m", "sandbox.exchange", *options),
        environment={
            "PATH": os.defpath,
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(Path(__file__).parent.parent),
        },
        port=settings.exchange_port,
        port_variable=EXCHANGE_PORT_VARIABLE,
        ready_path="/_control/ready",
        record=home / "process.json",
        log=settings.directory / "logs" / "exchange.log",
    )


@contextmanager
def _locked_settings(root: Path) -> Iterator[SandboxSettings]:
    require_linux(platform.system())
    settings = read_settings(root, os.environ)
    with files.lock(settings.directory / "sandbox.lock", wait_s=_LOCK_WAIT_S, doing="starting or stopping the sandbox"):
        yield settings


def require_linux(system: str) -> None:
    """Check that the operating system is Linux.

    Raises:
        ToolError: it is another one.
    """
    if system != "Linux":
        raise ToolError(f"the sandbox only runs on Linux, and this is {system}; use a Linux machine or --env dev")


def _managed_servers(settings: SandboxSettings) -> tuple[_ManagedServer, ...]:
    exchange = exchange_server(settings)
    return (
        _ManagedServer(
            exchange,
            start=lambda: servers.start(exchange),
            stop=lambda: servers.stop(exchange),
            delete_state=lambda: files.remove(settings.directory / "exchange"),
        ),
        _ManagedServer(
            emulator.emulator_server(settings),
            start=lambda: emulator.start(settings),
            stop=lambda: emulator.stop(settings),
            delete_state=lambda: emulator.delete_state(settings),
        ),
    )


def _start(to_start: Iterable[_ManagedServer]) -> tuple[str, ...]:
    started: list[_ManagedServer] = []
    try:
        for managed in to_start:
            managed.start()
            started.append(managed)
    except BaseException:
        for managed in reversed(started):
            managed.stop()
        raise
    return tuple(managed.server.name for managed in started)


def _is_running(server: Server) -> bool:
    state = servers.state_of(server)
    if state is None:
        return False
    if state.port != server.port:
        raise ConfigurationError(
            f"runs on port {state.port}, not on {server.port} ({server.port_variable}); run inv sandbox.down first",
            where=server.name,
        )
    if not state.is_ready:
        # It hangs: stop it, so that it can be started again.
        servers.stop(server)
    return state.is_ready


def _status(server: Server) -> ServerStatus:
    state = servers.state_of(server)
    port = state.port if state else server.port
    url = f"http://127.0.0.1:{port}"
    return ServerStatus(server.name, url, state.pid if state else None, bool(state and state.is_ready), server.log)
