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
    made = Server(
        name="a server",
        command=(sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"),
        environment={"PATH": os.defpath},
        port=port,
        port_variable="A_PORT",
        ready_path="/",
        record=tmp_path / "process.json",
        log=tmp_path / "logs" / "server.log",
    )
    yield made
    servers.stop(made)


def test_start_makes_a_server_that_answers_and_is_recognised(server: Server) -> None:
    pid = servers.start(server)

    assert servers.state_of(server) == servers.ServerState(pid, server.port, is_ready=True)


def test_start_leaves_the_server_in_a_session_of_its_own(server: Server) -> None:
    assert os.getsid(servers.start(server)) != os.getsid(0)


def test_start_on_a_taken_port_names_the_port_and_the_variable(server: Server) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", server.port))
        other.listen()

        with pytest.raises(ToolError, match=f"port {server.port} is in use.*set A_PORT") as raised:
            servers.start(server)
    assert raised.value.exit_code == 5


def test_start_of_a_program_that_ends_tells_its_last_words(server: Server) -> None:
    broken = replace(server, command=(sys.executable, "-c", "import sys; sys.exit('no such thing')"))

    with pytest.raises(ToolError, match="ended at once: no such thing"):
        servers.start(broken)
    assert servers.state_of(broken) is None


def test_start_of_a_program_that_never_answers_leaves_nothing_running(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "START_TIMEOUT_S", 0.2)
    mute = replace(server, command=(sys.executable, "-c", "import time; time.sleep(60)"))

    with pytest.raises(ToolError, match="did not answer"):
        servers.start(mute)
    assert not mute.record.exists()


def test_stop_ends_the_server_once(server: Server) -> None:
    servers.start(server)

    assert servers.stop(server)
    assert not servers.stop(server)


def test_stop_of_a_deaf_server_kills_it(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "STOP_TIMEOUT_S", 0.2)
    deaf = f"""
import http.server, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
http.server.HTTPServer(("127.0.0.1", {server.port}), http.server.SimpleHTTPRequestHandler).serve_forever()
"""
    servers.start(replace(server, command=(sys.executable, "-c", deaf)))

    assert servers.stop(server)
    assert servers.state_of(server) is None


def test_state_of_a_server_that_was_killed_is_none_and_its_record_is_gone(server: Server) -> None:
    os.kill(servers.start(server), signal.SIGKILL)
    time.sleep(0.1)

    assert servers.state_of(server) is None
    assert not server.record.exists()


def test_state_of_a_pid_that_belongs_to_another_program_now_is_none(server: Server) -> None:
    server.record.write_text(json.dumps({"pid": os.getpid(), "port": server.port, "began": 1}))

    assert servers.state_of(server) is None


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"pid": "x", "port": 1, "began": 1}'])
def test_state_of_a_damaged_record_is_none(server: Server, text: str) -> None:
    server.record.write_text(text)

    assert servers.state_of(server) is None
