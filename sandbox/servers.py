"""Start, recognise and stop servers that outlive the command which starts them.

A record identifies a running server: a file with its pid, its port, and the moment its process started, so that a
pid which now belongs to another program is not mistaken for the server. Linux only: processes are read from /proc.
"""

import json
import os
import signal
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from automation.system import files
from automation.system.errors import ToolError

START_TIMEOUT_S = 30.0
# The emulator saves the state of one service after another; killed in between, it would start without queues or logs.
STOP_TIMEOUT_S = 90.0
_POLL_S = 0.05
_TAIL_LINES = 5


@dataclass(frozen=True, slots=True)
class Server:
    """How to start one server.

    Attributes:
        command: the absolute path of the program, then its arguments.
        environment: all its environment variables; it inherits none.
        port_variable: the environment variable that sets another port.
        ready_path: the path that answers 200 once the server can be used.
        record: the file that identifies its process.
        log: the file that its output is appended to.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    port: int
    port_variable: str
    ready_path: str
    record: Path
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@dataclass(frozen=True, slots=True)
class ServerState:
    """A running server: its pid, the port it listens on, and whether it answers."""

    pid: int
    port: int
    is_ready: bool


def state_of(server: Server) -> ServerState | None:
    """Return the state of the server; None when it does not run. A stale record is removed."""
    process = _recorded_process(server.record)
    if process is None:
        server.record.unlink(missing_ok=True)
        return None
    pid, port = process
    return ServerState(pid, port, is_ready=_is_ready(port, server.ready_path))


def start(server: Server) -> int:
    """Start the server in a session of its own, wait until it answers, and return its pid.

    Raises:
        ToolError: its port is in use, it exited, or it did not answer in time; nothing is left running.
    """
    require_free_port(server)
    pid = _spawn(server)
    try:
        _await_ready(server, pid)
    except BaseException:
        stop(server)
        raise
    return pid


def stop(server: Server) -> bool:
    """Stop the server by SIGTERM, so that it can save its state; return False when it was not running.

    A server that is still running after STOP_TIMEOUT_S is killed.
    """
    process = _recorded_process(server.record)
    if process is not None:
        _terminate(process[0])
    server.record.unlink(missing_ok=True)
    return process is not None


def require_free_port(server: Server) -> None:
    """Check that nothing accepts connections on the server's port.

    Raises:
        ToolError: another program does.
    """
    with socket.socket() as probe:
        probe.settimeout(1)
        is_taken = probe.connect_ex(("127.0.0.1", server.port)) == 0
    if is_taken:
        raise ToolError(
            f"port {server.port} is in use by another program; stop that program, or set {server.port_variable} to a "
            "free port",
            where=server.name,
        )


def _spawn(server: Server) -> int:
    server.log.parent.mkdir(parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    pid = os.posix_spawn(
        server.command[0],
        server.command,
        dict(server.environment),
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(server.log), flags, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )

    record = {"pid": pid, "port": server.port, "began": _start_ticks(pid)}
    files.write_atomically(server.record, json.dumps(record))
    return pid


def _await_ready(server: Server, pid: int) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not _is_ready(server.port, server.ready_path):
        if not _is_alive(pid):
            raise ToolError(f"exited at once: {_last_lines(server.log)} (full log: {server.log})", where=server.name)
        if time.monotonic() > deadline:
            raise ToolError(f"did not answer within {START_TIMEOUT_S:.0f} s; see {server.log}", where=server.name)
        time.sleep(_POLL_S)


def _is_ready(port: int, path: str) -> bool:
    # Not with urllib, which loads the certificates of all authorities first.
    connection = HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _recorded_process(record: Path) -> tuple[int, int] | None:
    try:
        written = json.loads(record.read_text())
        pid, port, began = int(written["pid"]), int(written["port"]), written["began"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return (pid, port) if _is_alive(pid) and _start_ticks(pid) == began else None


def _terminate(pid: int) -> None:
    deadline = time.monotonic() + STOP_TIMEOUT_S
    _send_signal(pid, signal.SIGTERM)
    while _is_alive(pid):
        if time.monotonic() > deadline:
            _send_signal(pid, signal.SIGKILL)
        time.sleep(_POLL_S)


def _send_signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _is_alive(pid: int) -> bool:
    # A server that this process started becomes a zombie when it ends, and would look alive until it is waited for.
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    return _start_ticks(pid) is not None


def _start_ticks(pid: int) -> int | None:
    """Return when a process started, in clock ticks since boot; None when there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # Field 2 is the program's name in parentheses and may contain spaces; field 3 is the state, field 22 the start.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] == "Z" else int(fields[19])


def _last_lines(log: Path) -> str:
    return " ".join(log.read_text(errors="replace").splitlines()[-_TAIL_LINES:])
