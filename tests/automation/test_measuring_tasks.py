"""The options of `inv size` and `inv coldstart` that look at an environment reach the right command."""

from collections.abc import Callable
from typing import Any

import pytest

from automation import coldstart_logs, measuring_tasks, size_history, snapstart
from automation.coldstart_logs import Options
from automation.deploying.releases.cold_starts import Durations
from automation.project.model import Project
from automation.snapstart import Trial
from tests.automation.test_tasks import inv

TRIAL = Trial("shop-till", 512, Durations((900.0,)), None)


@pytest.fixture(autouse=True)
def _here(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring_tasks, "ROOT", shop.root)


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return the arguments of each command that the tasks call instead of the real one."""
    calls: list[Any] = []

    def taking(answer: object) -> Callable[..., object]:
        def take(root: object, *words: str, variables: object, **options: Any) -> object:
            assert root == measuring_tasks.ROOT
            calls.append((*words, options))
            return answer

        return take

    monkeypatch.setattr(size_history, "report", taking(None))
    monkeypatch.setattr(coldstart_logs, "report", taking(None))
    monkeypatch.setattr(snapstart, "compare", taking(TRIAL))
    return calls


def test_size_history_options_arrive(taken: list[Any]) -> None:
    assert inv("size", "Till", "--history", "--env", "live", "--json") == 0
    assert inv("size", "--history", "--env", "live", "--html=a.html") == 0

    assert taken == [
        ("live", {"names": ["Till"], "json": True, "html": ""}),
        ("live", {"names": [], "json": False, "html": "a.html"}),
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--env", "live"], "--env is only for --history"),
        (["--history", "--env", "live", "--baseline", "main"], "--history and --baseline exclude each other"),
        (["--history", "--env", "live", "--markdown"], "--history and --markdown exclude each other"),
    ],
)
def test_size_inconsistent_options_exit_2(
    words: list[str], message: str, taken: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert inv("size", *words) == 2

    assert message in capsys.readouterr().err
    assert taken == []


def test_coldstart_of_an_environment_reads_logs(taken: list[Any]) -> None:
    assert inv("coldstart", "Till", "--env", "live", "--days", "3", "--json") == 0
    assert inv("coldstart", "--env", "live") == 0

    assert taken == [
        ("live", {"options": Options(names=("Till",), days=3), "json": True}),
        ("live", {"options": Options(), "json": False}),
    ]


@pytest.mark.parametrize(("json", "start"), [([], "shop-till "), (["--json"], "{")])
def test_coldstart_snapstart_prints_the_trial(
    json: list[str], start: str, taken: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert inv("coldstart", "--env", "live", "--snapstart", "Till", "--runs", "7", "--yes", *json) == 0

    assert taken == [("live", "Till", {"runs": 7, "yes": True})]
    assert capsys.readouterr().out.startswith(start)


@pytest.mark.parametrize("words", [["--days", "3"], ["--snapstart", "Till"], ["--yes"]])
def test_coldstart_options_for_aws_without_an_environment_exit_2(words: list[str], taken: list[Any]) -> None:
    assert inv("coldstart", *words) == 2
    assert taken == []
