"""Planted kills: which request of which worker they hit, and what the server does with it."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pytest

from sandbox.kills import PATH, Kill, KillPlan, Moment, Worker, find_worker, killing

FUNCTION, PID = "local-Execution", 4711
SERVED = [{"type": "http.response.start", "status": 200}, {"type": "http.response.body", "body": b"served"}]


class Server:
    """A wrapped application that records what it served, whom it killed, and in which order."""

    def __init__(self, *workers: Worker | None) -> None:
        self.events: list[str] = []
        self.asked: list[tuple[int, int, frozenset[str]]] = []
        self._workers = list(workers)
        self.app = killing(self._serve, find=self._find, kill=lambda pid: self.events.append(f"kill {pid}"))

    def request(self, method: str = "POST", path: str = "/v2/orders", body: bytes = b"") -> tuple[int, bytes]:
        """Send a request in two parts, and return status and body of the answer."""
        parts = [{"body": body[:3], "more_body": True}, {"body": body[3:], "more_body": False}]
        sent: list[Any] = []

        async def receive() -> Any:
            return parts.pop(0)

        async def send(message: Any) -> None:
            self.events.append(f"sent {message['type'].rpartition('.')[2]}")
            sent.append(message)

        scope = {"type": "http", "method": method, "path": path, "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2)}
        asyncio.run(self.app(scope, receive, send))  # type: ignore[arg-type] # a coroutine, as every app returns
        return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)

    def plan(self) -> Mapping[str, Any]:
        """Return the plan as the server shows it."""
        plan: Mapping[str, Any] = json.loads(self.request("GET", PATH)[1])
        self.events.clear()
        return plan

    def plant(self, **changes: Any) -> tuple[int, bytes]:
        """Plant a kill before the first request of the function."""
        body = {"function": FUNCTION, "number": 1, "moment": "before", **changes}
        answer = self.request("POST", PATH, json.dumps(body).encode())
        self.events.clear()
        return answer

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        self.events.append("served")
        for message in SERVED:
            await send(message)

    def _find(self, client_port: int, server_port: int, functions: Collection[str]) -> Worker | None:
        self.asked.append((client_port, server_port, frozenset(functions)))
        return self._workers.pop(0)


WORKER = Worker(PID, FUNCTION)
PASSED = ["served", "sent start", "sent body"]


def test_request_without_a_plan_passes_and_nobody_is_looked_for() -> None:
    server = Server()

    assert server.request() == (200, b"served")
    assert (server.events, server.asked) == (PASSED, [])


def test_kill_before_ends_the_worker_and_serves_nothing() -> None:
    server = Server(WORKER)
    server.plant()

    assert server.request() == (503, b"{}")
    assert server.events == [f"kill {PID}", "sent start", "sent body"]
    assert server.asked == [(1, 2, frozenset({FUNCTION}))]


def test_kill_after_serves_and_ends_the_worker_once_before_the_answer_leaves() -> None:
    server = Server(WORKER)
    server.plant(moment="after")

    server.request()

    assert server.events == ["served", f"kill {PID}", "sent start", "sent body"]


def test_kill_happens_at_its_number_and_once() -> None:
    server = Server(WORKER, WORKER, WORKER)
    server.plant(number=2)

    kinds = []
    for _ in range(3):
        server.events.clear()
        server.request()
        kinds.append(server.events[0])

    assert kinds == ["served", f"kill {PID}", "served"]


def test_requests_of_others_are_not_counted() -> None:
    server = Server(None, Worker(1, "another"), WORKER)
    server.plant(number=1)

    statuses = [server.request()[0] for _ in range(3)]

    assert statuses == [200, 200, 503]


def test_plan_lists_what_is_planted_and_what_was_done() -> None:
    server = Server(WORKER)
    server.plant(number=1)
    server.plant(number=5, moment="after")
    server.request("GET", "/v2/clock")

    first = {"function": FUNCTION, "number": 1, "moment": "before", "pid": PID, "request": "GET /v2/clock"}
    later = {"function": FUNCTION, "number": 5, "moment": "after"}
    assert server.plan() == {"planted": [later], "done": [first], "requests": {FUNCTION: 1}}


def test_cleared_plan_is_empty_and_counts_anew() -> None:
    server = Server(WORKER, WORKER)
    server.plant(number=2)
    server.request()
    server.request("DELETE", PATH)
    assert server.plan() == {"planted": [], "done": [], "requests": {}}

    server.plant(number=2)
    assert server.request()[0] == 200


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"number": 0}, "number must be at least 1, got 0"), ({"moment": "later"}, "later"), ({"number": "x"}, "'x'")],
)
def test_kill_that_cannot_be_parsed_is_refused(changes: Any, message: str) -> None:
    server = Server()

    status, body = server.plant(**changes)

    assert status == 422
    assert message in json.loads(body)["message"]
    assert server.plan()["planted"] == []


def test_body_that_is_not_json_is_refused() -> None:
    assert Server().request("POST", PATH, b"not json")[0] == 422


def test_other_protocols_pass() -> None:
    server = Server()

    async def nothing(*_: Any) -> None:
        server.events.append("sent")

    asyncio.run(server.app({"type": "lifespan"}, nothing, nothing))  # type: ignore[arg-type]

    assert server.events == ["served", "sent", "sent"]


def test_take_returns_the_kill_of_this_function_only() -> None:
    plan = KillPlan()
    plan.plant(Kill("another", 1, Moment.BEFORE))

    assert plan.take(WORKER, "GET /") is None
    assert plan.functions == frozenset({"another"})


# --- finding the worker -----------------------------------------------------------------------------------------------


def process(proc: Path, pid: int, *, function: str | None, inodes: Collection[int]) -> None:
    """Write what /proc shows of a process."""
    folder = proc / str(pid)
    (folder / "fd").mkdir(parents=True)
    name = "" if function is None else f"AWS_LAMBDA_FUNCTION_NAME={function}"
    (folder / "environ").write_bytes(f"PATH=/bin\0{name}\0HOME=/".encode())
    for number, inode in enumerate(inodes):
        (folder / "fd" / str(number)).symlink_to(f"socket:[{inode}]")


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """Return a folder like /proc with both ends of one connection: port 4660 of a client, port 22136 of a server."""
    (tmp_path / "net").mkdir()
    rows = (
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
        "   0: 0100007F:5678 0100007F:1234 01 00000000:00000000 00:00000000 00000000     0        0 100 1 0 20",
        "   1: 0100007F:1234 0100007F:5678 01 00000000:00000000 00:00000000 00000000     0        0 200 1 0 20",
    )
    (tmp_path / "net" / "tcp").write_text("\n".join(rows))
    (tmp_path / "self").mkdir()
    return tmp_path


def test_find_worker_returns_the_process_at_the_clients_end(proc: Path) -> None:
    process(proc, 1, function=None, inodes=(200,))
    process(proc, 2, function=FUNCTION, inodes=(100, 300))
    process(proc, 3, function=FUNCTION, inodes=(300, 200))
    process(proc, 4, function="another", inodes=(200,))

    assert find_worker(0x1234, 0x5678, {FUNCTION}, proc) == Worker(3, FUNCTION)


def test_find_worker_of_another_function_returns_none(proc: Path) -> None:
    process(proc, 3, function=FUNCTION, inodes=(200,))

    assert find_worker(0x1234, 0x5678, {"another"}, proc) is None


def test_find_worker_of_an_unknown_connection_returns_none(proc: Path) -> None:
    process(proc, 3, function=FUNCTION, inodes=(200,))

    assert find_worker(0x1234, 0x5679, {FUNCTION}, proc) is None


def test_find_worker_passes_over_processes_that_end_meanwhile(proc: Path) -> None:
    (proc / "9").mkdir()
    (proc / "8" / "fd").mkdir(parents=True)
    process(proc, 7, function=FUNCTION, inodes=())
    (proc / "7" / "fd").rmdir()
    process(proc, 3, function=FUNCTION, inodes=(200,))

    assert find_worker(0x1234, 0x5678, {FUNCTION}, proc) == Worker(3, FUNCTION)


@pytest.mark.enable_socket
def test_find_worker_finds_a_real_process() -> None:
    connect = "import socket, sys; c = socket.create_connection(('127.0.0.1', int(sys.argv[1]))); sys.stdin.read()"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        environment = {**os.environ, "AWS_LAMBDA_FUNCTION_NAME": FUNCTION}
        command = [sys.executable, "-c", connect, str(port)]
        with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE) as client:
            connection, (_, client_port) = listener.accept()
            with connection:
                worker = find_worker(client_port, port, {FUNCTION})
            assert client.stdin is not None
            client.stdin.close()

    assert worker == Worker(client.pid, FUNCTION)
