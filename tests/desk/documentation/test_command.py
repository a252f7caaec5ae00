"""`inv docs --serve`: a server on loopback."""

import threading
from pathlib import Path

import httpx
import pytest

from automation.system.errors import ToolError, UsageError
from desk.documentation import command
from tests.automation.projects import write_files


@pytest.mark.enable_socket
def test_make_server_serves_the_folder_on_loopback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_files(tmp_path, {"index.html": "<p>first</p>", "b/c.html": "<p>other</p>"})

    with command.make_server(tmp_path, 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_port}"
            texts = [httpx.get(f"{url}/{name}").text for name in ("", "b/c.html")]
        finally:
            server.shutdown()
            thread.join()

    assert server.server_address[0] == "127.0.0.1"
    assert texts == ["<p>first</p>", "<p>other</p>"]
    assert capsys.readouterr().err == ""


@pytest.mark.enable_socket
def test_make_server_refuses_a_port_in_use(tmp_path: Path) -> None:
    with (
        command.make_server(tmp_path, 0) as server,
        pytest.raises(ToolError, match=rf"docs: port {server.server_port} is in use; choose another one with --port"),
    ):
        command.make_server(tmp_path, server.server_port)


@pytest.mark.enable_socket
@pytest.mark.parametrize("port", [-1, 65536])
def test_make_server_refuses_what_is_no_port(port: int, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=rf"docs: --port must be a number from 0 to 65535, got {port}"):
        command.make_server(tmp_path, port)
