import os
import subprocess

import pytest

from automation.system import deployers


def test_this_process_names_person_and_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ann")
    monkeypatch.setattr("platform.node", lambda: "desk")

    deployer = deployers.this_process("arn:x")

    assert (deployer.arn, deployer.person, deployer.process_id) == ("arn:x", "ann@desk", os.getpid())
    assert str(deployer) == "ann@desk (arn:x)"


@pytest.mark.parametrize("error", [KeyError("uid"), OSError("uid"), ModuleNotFoundError("pwd")])
def test_this_process_of_a_nameless_user_has_its_id(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def refuse() -> str:
        raise error

    monkeypatch.setattr("getpass.getuser", refuse)
    monkeypatch.setattr("platform.node", lambda: "desk")

    assert deployers.this_process("arn:x").person == f"uid{os.getuid()}@desk"


def test_this_process_without_user_ids_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> str:
        raise ModuleNotFoundError

    monkeypatch.setattr("getpass.getuser", refuse)
    monkeypatch.setattr("platform.node", lambda: "desk")
    monkeypatch.delattr(os, "getuid")

    assert deployers.this_process("arn:x").person == "unknown@desk"


def test_is_running_on_windows_sends_no_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(process_id: int, signal: int) -> None:
        raise ProcessLookupError

    monkeypatch.setattr("os.kill", refuse)

    assert deployers.is_running(1, system="win32") is True
    assert deployers.is_running(1, system="darwin") is False


def test_is_running_of_a_live_process_is_true() -> None:
    assert deployers.is_running(os.getpid())


def test_is_running_of_an_ended_process_is_false() -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()

    assert deployers.is_running(ended.pid) is False


def test_is_running_of_another_users_process_is_true(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(process_id: int, signal: int) -> None:
        raise PermissionError

    monkeypatch.setattr("os.kill", refuse)

    assert deployers.is_running(1)
