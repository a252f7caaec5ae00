"""`inv desk`: options, the port, and a server that answers on loopback."""

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from invoke.program import Program

from automation import commands
from automation.deploying import scope as scopes
from automation.system.errors import ConfigurationError, ToolError, UsageError
from desk.page import command, tasks
from desk.page.app import make_app
from desk.page.parts import PARTS
from sandbox.exchange.listening import listen
from tests.desk.operations.duty import ROOT, scope_of

Out = pytest.CaptureFixture[str]


def inv(words: Sequence[str]) -> int:
    program = Program(namespace=commands.assemble(tasks=(tasks.desk,)))
    with pytest.raises(SystemExit) as caught:
        program.run(["inv", *words])
    return int(caught.value.code or 0)


def not_deployed(root: Path, name: str) -> Any:
    assert (root, name) == (ROOT, "local")
    raise ConfigurationError("is not deployed; run inv deploy --env local", where=name)


@contextmanager
def served(name: str) -> Iterator[str]:
    """Yield the URL of the desk of an environment in an account without stacks."""
    scope = scopes.read(ROOT, name, variables={})
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        desk = command.desk_of(ROOT, scope, connect=not_deployed)
        server = command.make_server(make_app(desk, port, redact=command.redaction_of(scope)))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started:
                time.sleep(0.005)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join(timeout=5)


def test_desk_of_an_unknown_environment_lists_those_that_exist(capsys: Out) -> None:
    assert inv(["desk", "--env", "nope"]) == 2
    assert "the environments are: local, dev, pr-*, staging, prod" in capsys.readouterr().err


def test_desk_without_an_environment_asks_for_one(capsys: Out) -> None:
    assert inv(["desk"]) == 2
    assert "name an environment" in capsys.readouterr().err


@pytest.mark.parametrize(("text", "port"), [("0", 0), ("8642", 8642), ("65535", 65535)])
def test_parse_port_takes_a_port(text: str, port: int) -> None:
    assert command.parse_port(text) == port


@pytest.mark.parametrize("text", ["-1", "65536", "80a", "\N{ARABIC-INDIC DIGIT EIGHT}"])
def test_parse_port_refuses_what_is_not_one(text: str) -> None:
    with pytest.raises(UsageError, match="--port must be a number from 0 to 65535, got"):
        command.parse_port(text)


def test_default_port_is_the_documented_one() -> None:
    assert command.parse_port("") == 8642
    assert "http://127.0.0.1:8642" in (ROOT / "docs" / "desk.md").read_text(encoding="utf-8")


@pytest.mark.enable_socket
def test_serve_on_a_port_that_is_in_use_says_what_to_type() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        message = f"desk: port {port} is in use; choose another one with --port, or any free one with --port 0"
        with pytest.raises(ToolError, match=message):
            command.serve(ROOT, "local", port=str(port))


@pytest.mark.enable_socket
def test_server_answers_at_once_and_says_in_each_part_what_to_type() -> None:
    with served("local") as url, httpx.Client(base_url=url, trust_env=False) as client:
        page = client.get("/")
        assert page.status_code == 200
        assert "server" not in page.headers

        for part in PARTS:
            while "Reading" in (html := client.get(f"/parts/{part.name}").text):
                time.sleep(0.01)
            assert "local: is not deployed; run inv deploy --env local" in html
        assert client.get("/", headers={"Host": "evil.example"}).status_code == 403


def test_desk_trades_on_the_sandbox_alone() -> None:
    sandbox, prod = (command.desk_of(ROOT, scope_of(name)) for name in ("local", "prod"))

    assert sandbox.next_session is not None
    assert prod.next_session is None
    assert set(prod.feeds) == {part.feed for part in PARTS}
    assert sandbox.token != prod.token


def test_redaction_knows_the_account_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANTED_API_KEY", "planted-secret")

    redact = command.redaction_of(scope_of("prod"))

    assert redact(b"planted-secret 123456789012").decode() == "(hidden) …9012"
