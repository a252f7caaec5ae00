import json
from pathlib import Path

import pytest
from invoke.context import Context

from automation.system.errors import UsageError
from sandbox import tasks


@pytest.fixture(autouse=True)
def own_sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALCHEMISER_SANDBOX_DIR", str(tmp_path))


def test_collection_has_the_four_tasks() -> None:
    assert sorted(tasks.collection().task_names) == ["down", "reset", "status", "up"]


def test_status_of_a_stopped_sandbox_shows_both_down(capsys: pytest.CaptureFixture[str]) -> None:
    tasks.status(Context())

    assert capsys.readouterr().out.count(" down ") == 2


def test_status_as_json_has_pid_and_state(capsys: pytest.CaptureFixture[str]) -> None:
    tasks.status(Context(), json=True)

    assert [(server["pid"], server["state"]) for server in json.loads(capsys.readouterr().out)] == [(None, "down")] * 2


def test_down_of_a_stopped_sandbox_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    tasks.down(Context())

    assert capsys.readouterr().out == "emulator and exchange were not running\n"


def test_reset_of_a_stopped_sandbox_starts_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    tasks.reset(Context())

    assert capsys.readouterr().out == "deleted all state; emulator and exchange are down\n"


def test_deploy_to_an_unknown_environment_fails() -> None:
    with pytest.raises(UsageError, match="nonsense"):
        tasks.deploy(Context(), env="nonsense")


def test_run_day_in_another_environment_fails() -> None:
    run_day = tasks.run_day_task(lambda: lambda _days, path: path)

    assert run_day.name == "run-day"
    with pytest.raises(UsageError, match="--env dev"):
        run_day(Context(), env="dev")
