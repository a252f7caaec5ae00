import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

import sandbox
from automation.system.errors import ConfigurationError, ToolError
from sandbox import lifecycle, servers
from sandbox.settings import read_settings
from tests.sandbox.test_servers import free_port

ROOT = Path(sandbox.__file__).parent.parent


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the project's root, with a separate sandbox for the test."""
    monkeypatch.setenv("ALCHEMISER_SANDBOX_DIR", str(tmp_path))
    monkeypatch.setenv("ALCHEMISER_EMULATOR_PORT", str(free_port()))
    monkeypatch.setenv("ALCHEMISER_EXCHANGE_PORT", str(free_port()))
    yield ROOT
    lifecycle.down(ROOT)


def states(root: Path) -> dict[str, bool]:
    return {server.name: server.is_ready for server in lifecycle.status(root)}


@pytest.mark.enable_socket
def test_up_reset_and_down_are_idempotent(root: Path, tmp_path: Path) -> None:
    assert lifecycle.up(root) == ("paper exchange", "AWS emulator")
    assert lifecycle.up(root) == ()
    assert states(root) == {"paper exchange": True, "AWS emulator": True}

    (tmp_path / "reports").mkdir()
    assert set(lifecycle.reset(root)) == {"paper exchange", "AWS emulator"}
    assert states(root) == {"paper exchange": True, "AWS emulator": True}
    assert not (tmp_path / "reports").exists()

    assert lifecycle.down(root) == ("AWS emulator", "paper exchange")
    assert lifecycle.down(root) == ()
    assert not (tmp_path / "emulator" / "tmp").exists()


@pytest.mark.enable_socket
def test_up_with_one_failure_stops_the_other_server(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as blocker:
        blocker.bind(("127.0.0.1", 0))
        blocker.listen()
        monkeypatch.setenv("ALCHEMISER_EMULATOR_PORT", str(blocker.getsockname()[1]))

        with pytest.raises(ToolError, match="set ALCHEMISER_EMULATOR_PORT"):
            lifecycle.up(root)
    assert states(root) == {"paper exchange": False, "AWS emulator": False}


@pytest.mark.enable_socket
def test_up_on_another_port_asks_for_down_first(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    servers.start(lifecycle.exchange_server(read_settings(root, os.environ)))
    monkeypatch.setenv("ALCHEMISER_EXCHANGE_PORT", str(free_port()))

    with pytest.raises(ConfigurationError, match=r"run inv sandbox\.down first"):
        lifecycle.up(root)


@pytest.mark.parametrize("system", ["Darwin", "Windows"])
def test_require_linux_elsewhere_fails_with_exit_code_5(system: str) -> None:
    with pytest.raises(ToolError, match=f"only runs on Linux, and this is {system}") as raised:
        lifecycle.require_linux(system)
    assert raised.value.exit_code == 5


@pytest.mark.parametrize(
    ("pid", "is_ready", "state"), [(None, False, "down"), (7, True, "ready"), (7, False, "does not answer")]
)
def test_status_row_and_json_have_the_state(pid: int | None, is_ready: bool, state: str) -> None:
    server = lifecycle.ServerStatus("a server", "http://127.0.0.1:1", pid, is_ready, Path("/a.log"))

    assert lifecycle.status_row(server)[1] == state
    assert lifecycle.status_as_json(server)["state"] == state
