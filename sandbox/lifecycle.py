"""Emulator and exchange together: up, down, status, reset. Every one of them converges, and none races another."""

import os
import platform
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from automation.system import files
from automation.system.errors import ConfigurationError, ToolError
from sandbox import emulator, servers
from sandbox.account import prepare_account
from sandbox.local import read_local
from sandbox.servers import Server
from sandbox.settings import EXCHANGE_PORT_VARIABLE, SandboxSettings, read_settings

EXCHANGE = "paper exchange"
_LOCK_WAIT_S = 120.0


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """One server as a person asks after it; pid is None when it is down."""

    name: str
    url: str
    pid: int | None
    is_ready: bool
    log: Path

    @property
    def state(self) -> str:
        """`down`, `ready`, or `does not answer`."""
        if self.pid is None:
            return "down"
        return "ready" if self.is_ready else "does not answer"


@dataclass(frozen=True, slots=True)
class _Part:
    """One of the two servers: how it is started, stopped, and how its state is thrown away."""

    server: Server
    start: Callable[[], int]
    stop: Callable[[], bool]
    forget: Callable[[], None]


def up(root: Path) -> tuple[str, ...]:
    """Start what does not run; return the names of what was started.

    When one of them cannot be started, what this call started before is stopped again.

    Raises:
        ToolError: a port is taken, a server did not start, or this is not Linux.
        ConfigurationError: a server runs already, on another port than the one asked for.
    """
    with _alone(root) as settings:
        return _start(part for part in _parts(settings) if not _is_running(part.server))


def down(root: Path) -> tuple[str, ...]:
    """Stop what runs, each with its state saved; return the names of what was stopped."""
    with _alone(root) as settings:
        return tuple(part.server.name for part in reversed(_parts(settings)) if part.stop())


def reset(root: Path) -> tuple[str, ...]:
    """Forget everything of both: stacks, data, orders, mail. What ran runs again, empty; its names are returned."""
    with _alone(root) as settings:
        parts = _parts(settings)
        running = [part for part in parts if part.stop()]
        for part in parts:
            part.forget()
        files.remove(settings.directory / "reports")
        return _start(running)


def status(root: Path) -> tuple[ServerStatus, ...]:
    """Both servers as they are now."""
    return tuple(_status(part.server) for part in _parts(read_settings(root, os.environ)))


def prepare(root: Path) -> tuple[str, ...]:
    """As `up`, then put in place what the stacks expect of the account."""
    started = up(root)
    prepare_account(read_local(root).target)
    return started


def row(server: ServerStatus) -> tuple[str, ...]:
    """A line for people."""
    return server.name, server.state, str(server.pid or ""), server.url, str(server.log)


def as_json(server: ServerStatus) -> Mapping[str, object]:
    """The same for a program; pid is null when it is down."""
    told = {"name": server.name, "state": server.state, "pid": server.pid, "url": server.url}
    return {**told, "log": str(server.log)}


def exchange(settings: SandboxSettings) -> Server:
    """The paper exchange as a server; it needs this interpreter's packages."""
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
def _alone(root: Path) -> Iterator[SandboxSettings]:
    require_linux(platform.system())
    settings = read_settings(root, os.environ)
    with files.lock(settings.directory / "sandbox.lock", wait_s=_LOCK_WAIT_S, doing="starting or stopping the sandbox"):
        yield settings


def require_linux(system: str) -> None:
    """Raise ToolError anywhere else."""
    if system != "Linux":
        raise ToolError(f"the sandbox runs on Linux alone, and this is {system}; use a Linux machine or --env dev")


def _parts(settings: SandboxSettings) -> tuple[_Part, ...]:
    paper = exchange(settings)
    return (
        _Part(
            paper,
            start=lambda: servers.start(paper),
            stop=lambda: servers.stop(paper),
            forget=lambda: files.remove(settings.directory / "exchange"),
        ),
        _Part(
            emulator.emulator(settings),
            start=lambda: emulator.start(settings),
            stop=lambda: emulator.stop(settings),
            forget=lambda: emulator.forget(settings),
        ),
    )


def _start(parts: Iterator[_Part] | list[_Part]) -> tuple[str, ...]:
    started: list[_Part] = []
    try:
        for part in parts:
            part.start()
            started.append(part)
    except BaseException:
        for part in reversed(started):
            part.stop()
        raise
    return tuple(part.server.name for part in started)


def _is_running(server: Server) -> bool:
    state = servers.state_of(server)
    if state is None:
        return False
    if state.port != server.port:
        raise ConfigurationError(
            f"runs on port {state.port}, but {server.port_variable} asks for {server.port}; run inv sandbox.down first",
            where=server.name,
        )
    if not state.is_ready:
        servers.stop(server)
    return state.is_ready


def _status(server: Server) -> ServerStatus:
    state = servers.state_of(server)
    port = state.port if state else server.port
    url = f"http://127.0.0.1:{port}"
    return ServerStatus(server.name, url, state.pid if state else None, bool(state and state.is_ready), server.log)
