"""The tasks of market data, called through the command line."""

from collections.abc import Sequence

import pytest
from invoke.program import Program

from automation import commands
from desk.data import tasks

Out = pytest.CaptureFixture[str]


def inv(words: Sequence[str]) -> int:
    """Return the exit code of `inv` with these words."""
    program = Program(namespace=commands.assemble(tasks.data_collection()))
    with pytest.raises(SystemExit) as caught:
        program.run(["inv", *words])
    return int(caught.value.code or 0)


def test_collection_has_these_tasks() -> None:
    assert {"accept", "export", "get", "refresh", "status"} <= set(tasks.data_collection().task_names)


@pytest.mark.parametrize(
    "words",
    [
        ["data.refresh", "SPY", "TLT", "--json"],
        ["data.status", "--json"],
        ["data.get", "SPY", "--start", "2022-01-03", "--end", "2022-01-04", "--csv"],
        ["data.export", "SPY", "--to", "somewhere-new", "--csv"],
        ["data.accept", "SPY", "--reason", "seen", "--day", "2022-03-15", "--withdraw", "--yes"],
    ],
)
def test_task_of_an_unknown_environment_lists_those_that_exist(words: list[str], capsys: Out) -> None:
    assert inv([*words, "--env", "nope"]) == 2
    assert (
        "there is no environment 'nope'; the environments are: local, dev, pr-*, staging, prod"
        in capsys.readouterr().err
    )


def test_task_without_an_environment_asks_for_one(capsys: Out) -> None:
    assert inv(["data.status"]) == 2
    assert "name an environment" in capsys.readouterr().err


def test_get_without_a_symbol_asks_for_one(capsys: Out) -> None:
    assert inv(["data.get", "--env", "prod"]) == 2
    assert "expected one symbol, got 0" in capsys.readouterr().err


def test_export_without_a_folder_asks_for_one(capsys: Out) -> None:
    assert inv(["data.export", "--env", "prod"]) == 2
    assert "name a folder" in capsys.readouterr().err
