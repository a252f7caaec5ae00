"""The desk's tasks, called through the command line."""

from collections.abc import Sequence

import pytest
from invoke.program import Program

from automation import commands
from desk import tasks

Out = pytest.CaptureFixture[str]


def inv(words: Sequence[str]) -> int:
    """Return the exit code of `inv` with these words."""
    program = Program(namespace=commands.assemble(tasks.collection(), tasks=(tasks.backtest,)))
    with pytest.raises(SystemExit) as caught:
        program.run(["inv", *words])
    return int(caught.value.code or 0)


def test_collection_has_six_tasks() -> None:
    assert sorted(tasks.collection().task_names) == ["add", "check", "evaluate", "explain", "import", "list"]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["strategies.check", "gone.clj"], 2, "no such file: gone.clj"),
        (["strategies.evaluate", "pulse"], 2, "--date is missing"),
        (["strategies.evaluate", "pulse", "--date", "2020-01-06"], 3, "pulse: SPY: 3 bars"),
        (["strategies.explain", "nope", "--date", "2022-03-15"], 2, "no strategy 'nope'"),
        (["strategies.add", "gone.clj", "--allocation", "0.1"], 2, "no such file: gone.clj"),
        (["strategies.import", "gone.json", "--output", "x.clj"], 2, "no such file: gone.json"),
        (["strategies.import", "README.md", "--at", "$.a", "--force", "--json"], 3, "README.md is not JSON"),
    ],
)
def test_task_failure_prints_message_and_exit_code(words: list[str], code: int, message: str, capsys: Out) -> None:
    assert inv(words) == code
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["strategies.list"], "10 strategies, 1.00 of the account"),
        (["strategies.check", "the_alchemiser/shared/strategies/pulse.clj"], "pulse"),
        (
            ["strategies.evaluate", "pulse", "--date", "2022-03-15", "--rsi", "cutler", "--ddof", "0"],
            "pulse at the close",
        ),
        (["strategies.explain", "pulse", "--date", "2022-03-15", "--fragile", "2", "--json"], '"steps"'),
    ],
)
def test_task_success_prints_result(words: list[str], message: str, capsys: Out) -> None:
    program = Program(namespace=commands.assemble(tasks.collection()))

    program.run(["inv", *words], exit=False)
    assert message in capsys.readouterr().out
