import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from invoke.context import Context
from invoke.program import Program

from automation import bootstrap, bootstrap_tasks, commands, deploy
from automation import tasks as automation_tasks
from automation.system.errors import UsageError
from sandbox import lifecycle, tasks


@pytest.fixture(autouse=True)
def own_sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALCHEMISER_SANDBOX_DIR", str(tmp_path))


def test_collection_has_the_five_tasks() -> None:
    assert sorted(tasks.collection().task_names) == ["down", "plant", "reset", "status", "transfer", "up"]


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


def inv(*words: str) -> int:
    """Run a command line of the sandbox's own deploy; return its exit code."""
    with pytest.raises(SystemExit) as ended:
        Program(namespace=commands.assemble(tasks=(tasks.deploy,)), name="inv").run(["inv", *words])
    return int(ended.value.code or 0)


def test_deploy_to_an_unknown_environment_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert inv("deploy", "--env", "nonsense") == 2
    assert "nonsense" in capsys.readouterr().err


@pytest.mark.parametrize(("env", "started"), [("local", ["up"]), ("prod", [])])
def test_deploy_starts_the_sandbox_for_local_only(
    env: str, started: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[str] = []
    taken: list[object] = []

    def up(_root: Path) -> tuple[str, ...]:
        calls.append("up")
        return ("emulator",)

    def take(root: Path, name: str, *, options: object, start_target: Callable[[], None], **_variables: object) -> None:
        start_target()
        taken.extend([root, name, options])

    monkeypatch.setattr(lifecycle, "up_with_account", up)
    monkeypatch.setattr(deploy, "deploy", take)

    words = (["replace:Ledger"], ["Runs=new"], ["MailTo=a@fund.test"])
    tasks.deploy(Context(), *words, env=env, yes=True, plan="p.json", dry_run=True, ttl="2d")

    decided = (("Runs=new",), ("MailTo=a@fund.test",), "2d")
    options = deploy.Options(True, ("replace:Ledger",), "p.json", True, *decided)
    assert (calls, taken) == (started, [tasks.ROOT, env, options])
    assert capsys.readouterr().out == "".join("emulator: started\n" for _ in started)


@pytest.mark.parametrize(("env", "started"), [("local", ["up"]), ("prod", [])])
def test_bootstrap_starts_the_sandbox_for_local_only(
    env: str, started: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    taken: list[object] = []

    def up(_root: Path) -> tuple[str, ...]:
        calls.append("up")
        return ()

    def take(root: Path, name: str, *, options: object, start_target: Callable[[], None], **_variables: object) -> int:
        start_target()
        taken.extend([root, name, options])
        return 0

    monkeypatch.setattr(lifecycle, "up_with_account", up)
    monkeypatch.setattr(bootstrap, "bootstrap", take)

    words = (["delete:A"], ["MailTo=a@fund.test"])
    tasks.bootstrap(Context(), *words, env=env, repository="a/b", alerts="c@fund.test", yes=True, dry_run=True)

    options = bootstrap.Options("a/b", "c@fund.test", ("MailTo=a@fund.test",), ("delete:A",), yes=True, dry_run=True)
    assert (calls, taken) == (started, [tasks.ROOT, env, options])


@pytest.mark.parametrize(
    ("task", "original"),
    [(tasks.deploy, automation_tasks.deploy), (tasks.bootstrap, bootstrap_tasks.bootstrap)],
    ids=["deploy", "bootstrap"],
)
def test_task_has_the_options_of_the_automation(task: Any, original: Any) -> None:
    assert [argument.name for argument in task.get_arguments()] == [
        argument.name for argument in original.get_arguments()
    ]


def test_run_day_in_another_environment_fails() -> None:
    run_day = tasks.run_day_task(lambda: lambda _days, path: path)

    assert run_day.name == "run-day"
    with pytest.raises(UsageError, match="--env dev"):
        run_day(Context(), env="dev")
