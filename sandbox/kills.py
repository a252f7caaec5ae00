"""Kill the process of a function at one of its requests, when a plan says so. Both servers of the sandbox use it.

A server wraps its application with `killing`. Plans arrive at PATH: POST plants a kill, GET lists what is planted and
what was done, DELETE removes the plan. Without a plan, requests pass untouched. A request belongs to a function when
the process at the other end of its connection has the function's name in its environment, as Lambda sets it. Linux
only.

It also runs inside the emulator's process, so this module imports only the standard library.
"""

import json
import os
import signal
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, MutableMapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

PATH = "/_sandbox/kills"
PROC = Path("/proc")
_FUNCTION = b"AWS_LAMBDA_FUNCTION_NAME="
_OK, _UNPROCESSABLE, _UNANSWERED = 200, 422, 503

type Scope = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
type Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
type App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Moment(StrEnum):
    """When the process dies: before its request is served, or after, so that only the answer is lost."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Kill:
    """One planted kill.

    Attributes:
        function: the name of the deployed function.
        number: at which of the function's requests to this server; 1 is the first after the planting.
    """

    function: str
    number: int
    moment: Moment

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> "Kill":
        """Parse the body of a request.

        Raises:
            ValueError, KeyError, TypeError: a field is missing or cannot be parsed.
        """
        kill = cls(str(body["function"]), int(body["number"]), Moment(body["moment"]))
        if kill.number < 1:
            raise ValueError(f"number must be at least 1, got {kill.number}")
        return kill


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that runs a function."""

    pid: int
    function: str


type Find = Callable[[int, int, Collection[str]], Worker | None]


@dataclass(slots=True)
class KillPlan:
    """The kills to come, and those that were done, with pid and request."""

    planted: list[Kill] = field(default_factory=list)
    done: list[Mapping[str, Any]] = field(default_factory=list)
    requests: Counter[str] = field(default_factory=Counter)

    @property
    def functions(self) -> frozenset[str]:
        return frozenset(kill.function for kill in self.planted)

    def plant(self, kill: Kill) -> None:
        """Add a kill; from now on, the requests of its function are counted."""
        self.planted.append(kill)

    def clear(self) -> None:
        """Forget everything."""
        self.planted.clear()
        self.done.clear()
        self.requests.clear()

    def take(self, worker: Worker, request: str) -> Kill | None:
        """Count a request of a worker, and return the kill that is due at it; None without one."""
        self.requests[worker.function] += 1
        number = self.requests[worker.function]
        due = next((kill for kill in self.planted if (kill.function, kill.number) == (worker.function, number)), None)
        if due is not None:
            self.planted.remove(due)
            self.done.append({**asdict(due), "pid": worker.pid, "request": request})
        return due

    def as_json(self) -> Mapping[str, Any]:
        """Return the plan for a program."""
        return {"planted": [asdict(kill) for kill in self.planted], "done": self.done, "requests": dict(self.requests)}


def killing(app: App, *, find: Find | None = None, kill: Callable[[int], None] | None = None) -> App:
    """Wrap an ASGI application: it kills workers as planned.

    Args:
        find: returns the worker at the other end of a connection, by the client's port and the server's.
        kill: ends a process by its pid.
    """
    plan, find_worker_of, end = KillPlan(), find or find_worker, kill or _kill

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == PATH:
            await _control(plan, scope["method"], receive, send)
            return

        worker = None
        if scope["type"] == "http" and plan.planted:
            worker = find_worker_of(scope["client"][1], scope["server"][1], plan.functions)
        due = None if worker is None else plan.take(worker, f"{scope['method']} {scope['path']}")
        if worker is None or due is None:
            await app(scope, receive, send)
        elif due.moment is Moment.BEFORE:
            end(worker.pid)
            await _answer(send, _UNANSWERED, {})
        else:
            await app(scope, receive, _killing_first(send, lambda: end(worker.pid)))

    return wrapped


def _killing_first(send: Send, end: Callable[[], None]) -> Send:
    """Return a `send` that kills before the first byte of the answer leaves; what follows reaches nobody."""
    is_over = False

    async def send_after_kill(message: MutableMapping[str, Any]) -> None:
        nonlocal is_over
        if not is_over:
            is_over = True
            end()
        await send(message)

    return send_after_kill


async def _control(plan: KillPlan, method: str, receive: Receive, send: Send) -> None:
    try:
        if method == "POST":
            plan.plant(Kill.of(json.loads(await _body(receive))))
        elif method == "DELETE":
            plan.clear()
    except (ValueError, KeyError, TypeError) as error:
        await _answer(send, _UNPROCESSABLE, {"message": f"cannot plant this kill: {error!r}"})
        return
    await _answer(send, _OK, plan.as_json())


async def _body(receive: Receive) -> bytes:
    body, has_more = b"", True
    while has_more:
        message = await receive()
        body += message.get("body", b"")
        has_more = message.get("more_body", False)
    return body


async def _answer(send: Send, status: int, content: Mapping[str, Any]) -> None:
    body = json.dumps(content).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def find_worker(client_port: int, server_port: int, functions: Collection[str], proc: Path = PROC) -> Worker | None:
    """Return the worker that holds a connection on loopback; None when no process of these functions does."""
    inode = _inode(client_port, server_port, proc)
    if inode is None:
        return None
    for worker in _workers(proc):
        if worker.function in functions and f"socket:[{inode}]" in _descriptors(proc / str(worker.pid)):
            return worker
    return None


def _inode(client_port: int, server_port: int, proc: Path) -> str | None:
    """Return the inode of the client's end of a connection."""
    for line in (proc / "net" / "tcp").read_text().splitlines()[1:]:
        fields = line.split()
        ports = tuple(int(address.rpartition(":")[2], 16) for address in fields[1:3])
        if ports == (client_port, server_port):
            return fields[9]
    return None


def _workers(proc: Path) -> Iterator[Worker]:
    """Yield the processes that Lambda's variables name as workers of a function."""
    for folder in proc.iterdir():
        if not folder.name.isdigit():
            continue
        # A process may end while it is looked at; the environment of other users' processes cannot be read.
        with suppress(OSError):
            for variable in (folder / "environ").read_bytes().split(b"\0"):
                if variable.startswith(_FUNCTION):
                    yield Worker(int(folder.name), variable.removeprefix(_FUNCTION).decode())


def _descriptors(process: Path) -> frozenset[str]:
    """Return what the open files of a process are; empty when it has ended."""
    try:
        return frozenset(str(descriptor.readlink()) for descriptor in (process / "fd").iterdir())
    except OSError:
        return frozenset()


def _kill(pid: int) -> None:
    # It may have ended by itself in between.
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
