"""The command counts, replays and shortens; its exit code says whether an invariant was violated."""

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.simulation import command, report
from tests.simulation.command import main, many, replay
from tests.simulation.drawing import draw_scenario
from tests.simulation.end_state import AccountView, EndState
from tests.simulation.healthy import history
from tests.simulation.scenario import ActKind, Scenario


def healthy(scenario: Scenario) -> EndState:
    return replace(history(), scenario=replace(history().scenario, seed=scenario.seed))


def broken(scenario: Scenario) -> EndState:
    return replace(healthy(scenario), is_quiet=False)


def test_many_healthy_histories_exit_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert many(range(3, 33), jobs=1, trial=healthy) == 0
    assert "30 histories, 0 with violations" in capsys.readouterr().out


def test_many_with_a_violation_exit_with_1_and_name_the_seed(capsys: pytest.CaptureFixture[str]) -> None:
    assert many(range(3, 5), jobs=1, trial=broken) == 1
    captured = capsys.readouterr()
    assert "seed 3: messages or invocations were left" in captured.out
    assert [line.partition(":")[0] for line in captured.err.splitlines()] == ["seed 3", "seed 4"]


def test_many_without_enough_tried_exit_with_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "JUDGED_FROM", 50)
    monkeypatch.setattr(command, "PROGRESS", 25)
    assert many(range(50), jobs=1, trial=healthy) == 1
    captured = capsys.readouterr()
    assert "not enough tried: the median is 2 trades per history" in captured.out
    assert captured.err.splitlines() == [
        "25 of 50 histories, 0 with violations",
        "50 of 50 histories, 0 with violations",
    ]


def test_failure_of_the_simulator_is_reported_with_its_seed(capsys: pytest.CaptureFixture[str]) -> None:
    def failing(scenario: Scenario) -> EndState:
        raise KeyError(scenario.seed)

    assert many(range(7, 8), jobs=1, trial=failing) == 1
    assert "seed 7: KeyError: 7 (failing, line" in capsys.readouterr().out


def test_replay_of_a_healthy_history_shows_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert replay(4, shorten=True, trial=healthy) == 0
    assert capsys.readouterr().out.startswith("seed 4: normal day, 2022-06-15\n")


def test_replay_of_a_violation_shows_it_last(capsys: pytest.CaptureFixture[str]) -> None:
    assert replay(4, shorten=False, trial=broken) == 1
    expected = "violated: history_ends: messages or invocations were left when the history ended\n"
    assert capsys.readouterr().out.endswith(expected)


def test_replay_shortens_the_scenario_to_what_the_violation_needs(capsys: pytest.CaptureFixture[str]) -> None:
    """The violation needs any forced start, and nothing else of the scenario."""

    def fails_when_forced(scenario: Scenario) -> EndState:
        is_forced = any(act.kind is ActKind.FORCE for act in scenario.acts)
        opening = AccountView(Decimal(0), {"AAA": Decimal(10), **scenario.account.opened_by_owner})
        return replace(history(), scenario=scenario, opening=opening, is_quiet=not is_forced)

    seed = next(seed for seed in range(100) if not fails_when_forced(draw_scenario(seed)).is_quiet)
    assert replay(seed, shorten=True, trial=fails_when_forced) == 1
    text = capsys.readouterr().out
    assert text.count("people") == text.count("forced rerun") == 1
    assert "market:" not in text


def test_unknown_option_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--unknown"])
    assert "nox -s simulate --" in capsys.readouterr().err
