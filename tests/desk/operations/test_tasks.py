"""The tasks of the person on duty, called through the command line."""

from collections.abc import Sequence

import pytest
from invoke.program import Program

from automation import commands
from desk.data import tasks as data
from desk.operations import tasks

Out = pytest.CaptureFixture[str]


def inv(words: Sequence[str]) -> int:
    """Return the exit code of `inv` with these words."""
    collections = (tasks.trading_collection(data.refresh), tasks.run_collection())
    program = Program(namespace=commands.assemble(*collections, tasks=(tasks.reconcile,)))
    with pytest.raises(SystemExit) as caught:
        program.run(["inv", *words])
    return int(caught.value.code or 0)


def test_collections_have_these_tasks() -> None:
    assert sorted(tasks.trading_collection(data.refresh).task_names) == [
        "pause",
        "refresh",
        "resume",
        "status",
        "sweep",
    ]
    assert sorted(tasks.run_collection().task_names) == ["show", "start"]


@pytest.mark.parametrize(
    "words",
    [
        ["trading.status", "--json"],
        ["trading.pause", "--cancel-open"],
        ["trading.resume", "--yes"],
        ["trading.sweep"],
        ["trading.refresh", "SPY"],
        ["run.start", "--replaces", "nope-2022-11-28", "--yes"],
        ["run.show", "latest", "--json"],
        ["reconcile", "--accept", "--yes", "--json"],
    ],
)
def test_task_of_an_unknown_environment_lists_those_that_exist(words: list[str], capsys: Out) -> None:
    assert inv([*words, "--env", "nope"]) == 2
    assert (
        "there is no environment 'nope'; the environments are: local, dev, pr-*, staging, prod"
        in capsys.readouterr().err
    )


def test_task_without_an_environment_asks_for_one(capsys: Out) -> None:
    assert inv(["trading.pause"]) == 2
    assert "name an environment" in capsys.readouterr().err


def test_show_without_a_run_says_what_to_name(capsys: Out) -> None:
    assert inv(["run.show", "--env", "prod"]) == 2
    assert "name one run, its date, or latest" in capsys.readouterr().err
