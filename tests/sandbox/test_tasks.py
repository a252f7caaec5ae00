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


def test_status_of_a_sandbox_that_is_down_tells_it_of_both(capsys: pytest.CaptureFixture[str]) -> None:
    tasks.status(Context())

    assert capsys.readouterr().out.count(" down ") == 2


def test_status_as_json_is_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    tasks.status(Context(), json=True)

    assert [(one["pid"], one["state"]) for one in json.loads(capsys.readouterr().out)] == [(None, "down")] * 2


def test_down_of_a_sandbox_that_is_down_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    tasks.down(Context())

    assert capsys.readouterr().out == "neither ran\n"


def test_reset_of_a_sandbox_that_is_down_starts_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    tasks.reset(Context())

    assert capsys.readouterr().out == "everything is forgotten; neither ran\n"


def test_deploy_to_an_environment_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="nonsense"):
        tasks.deploy(Context(), env="nonsense")


def test_run_day_is_named_so_and_refuses_other_environments() -> None:
    run_day = tasks.run_day_task(lambda: lambda _days, path: path)

    assert run_day.name == "run-day"
    with pytest.raises(UsageError, match="--env dev"):
        run_day(Context(), env="dev")
