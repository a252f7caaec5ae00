import json
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from automation.system.errors import ToolError
from sandbox import servers
from sandbox.servers import Server

pytestmark = pytest.mark.enable_socket


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    port = free_port()
    server = Server(
        name="a server",
        command=(sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"),
        environment={"PATH": os.defpath},
        port=port,
        port_variable="A_PORT",
        ready_path="/",
        record=tmp_path / "process.json",
        log=tmp_path / "logs" / "server.log",
    )

    yield server

    servers.stop(server)


def test_start_returns_when_the_server_answers(server: Server) -> None:
    pid = servers.start(server)

    assert servers.state_of(server) == servers.ServerState(pid, server.port, is_ready=True)


def test_start_puts_the_server_into_its_own_session(server: Server) -> None:
    assert os.getsid(servers.start(server)) != os.getsid(0)


def test_start_on_a_taken_port_names_port_and_variable(server: Server) -> None:
    with socket.socket() as blocker:
        blocker.bind(("127.0.0.1", server.port))
        blocker.listen()

        with pytest.raises(ToolError, match=f"port {server.port} is in use.*set A_PORT") as raised:
            servers.start(server)
    assert raised.value.exit_code == 5


def test_start_of_a_program_that_exits_shows_its_output(server: Server) -> None:
    broken = replace(server, command=(sys.executable, "-c", "import sys; sys.exit('no such thing')"))

    with pytest.raises(ToolError, match="exited at once: no such thing"):
        servers.start(broken)
    assert servers.state_of(broken) is None


def test_start_without_an_answer_leaves_nothing_running(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "START_TIMEOUT_S", 0.2)
    mute = replace(server, command=(sys.executable, "-c", "import time; time.sleep(60)"))

    with pytest.raises(ToolError, match="did not answer"):
        servers.start(mute)
    assert not mute.record.exists()


def test_stop_of_a_stopped_server_returns_false(server: Server) -> None:
    servers.start(server)

    assert servers.stop(server)
    assert not servers.stop(server)


def test_stop_of_a_server_that_ignores_sigterm_kills_it(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "STOP_TIMEOUT_S", 0.2)
    deaf = f"""
import http.server, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
http.server.HTTPServer(("127.0.0.1", {server.port}), http.server.SimpleHTTPRequestHandler).serve_forever()
"""
    servers.start(replace(server, command=(sys.executable, "-c", deaf)))

    assert servers.stop(server)
    assert servers.state_of(server) is None


def test_state_of_a_killed_server_removes_its_record(server: Server) -> None:
    os.kill(servers.start(server), signal.SIGKILL)
    time.sleep(0.1)

    assert servers.state_of(server) is None
    assert not server.record.exists()


def test_state_of_a_pid_of_another_program_is_none(server: Server) -> None:
    server.record.write_text(json.dumps({"pid": os.getpid(), "port": server.port, "began": 1}))

    assert servers.state_of(server) is None


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"pid": "x", "port": 1, "began": 1}'])
def test_state_of_a_damaged_record_is_none(server: Server, text: str) -> None:
    server.record.write_text(text)

    assert servers.state_of(server) is None
