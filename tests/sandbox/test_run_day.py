import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from botocore.exceptions import EndpointConnectionError

import sandbox
from automation.system import files
from automation.system.errors import CheckFailedError, ConfigurationError, ToolError, UsageError
from sandbox.day import DayContext
from sandbox.evidence import DayEvidence
from sandbox.function_logs import LogError
from sandbox.run_day import DayRequest, DayRunner, run_days, translate_sandbox_errors
from sandbox.settings import SandboxSettings
from sandbox.trading_dates import ChosenDates
from sandbox.watch import WallClock
from tests.sandbox.days import DAY, WALL, FastWall, InMemoryCloud, InMemoryExchange, log

ROOT = Path(sandbox.__file__).parent.parent
TODAY = ChosenDates((DAY,), ())


def write_report(days: Sequence[DayEvidence], path: Path) -> Path:
    files.write_atomically(path, ", ".join(day.trading_date.isoformat() for day in days))
    return path


def runner_for(cloud: InMemoryCloud, folder: Path, *, as_json: bool = False) -> DayRunner:
    wall = FastWall()
    context = DayContext(cloud, InMemoryExchange(), WallClock(wall.read, wall.sleep), lambda: WALL, lambda _: None)
    return DayRunner(SandboxSettings(folder, folder, 1, 2), context, write_report, DayRequest("local", as_json=as_json))


@pytest.fixture
def own_sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ALCHEMISER_SANDBOX_DIR", str(tmp_path))
    return tmp_path


def run(request: DayRequest) -> None:
    run_days(ROOT, request, write_report, universe=lambda: ["SPY"])


def test_trade_a_good_day_writes_report_and_mail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runner_for(InMemoryCloud(), tmp_path).trade(TODAY)

    assert (tmp_path / "reports" / "2022-03-16.html").read_text() == "2022-03-16"
    assert (tmp_path / "reports" / "2022-03-16-mail.html").read_text() == "<p>html</p>"
    assert "reports/2022-03-16.html" in "".join(capsys.readouterr().out.split())


def test_trade_as_json_prints_only_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runner_for(InMemoryCloud(), tmp_path, as_json=True).trade(TODAY)

    (summary,) = json.loads(capsys.readouterr().out)
    assert (summary["date"], summary["ok"]) == ("2022-03-16", True)


def test_trade_with_findings_fails_after_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cloud = InMemoryCloud()
    cloud.logs["metrics_v2"] = replace(log("metrics_v2"), handled={})

    with pytest.raises(
        CheckFailedError, match="2022-03-16 failed its checks: metrics_v2: handled no message that day"
    ) as raised:
        runner_for(cloud, tmp_path).trade(TODAY)
    assert [finding.where for finding in raised.value.findings] == ["metrics_v2"]
    assert "COMPLETED" in capsys.readouterr().out
    assert (tmp_path / "reports" / "2022-03-16.html").is_file()


def test_trade_as_json_with_findings_has_them_in_the_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cloud = InMemoryCloud()
    cloud.logs["metrics_v2"] = replace(log("metrics_v2"), handled={})

    with pytest.raises(CheckFailedError) as raised:
        runner_for(cloud, tmp_path, as_json=True).trade(TODAY)
    (summary,) = json.loads(capsys.readouterr().out)
    assert (raised.value.findings, summary["findings"][0]["where"]) == ((), "metrics_v2")


def test_trade_as_json_with_a_failed_day_prints_a_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cloud = InMemoryCloud()
    cloud.reactions["refresh"] = lambda: None
    cloud.logs["data_v2"] = replace(log("data_v2"), errors=(LogError("no"),))

    with pytest.raises(CheckFailedError):
        runner_for(cloud, tmp_path, as_json=True).trade(TODAY)
    assert json.loads(capsys.readouterr().out) == []


def test_trade_without_dates_says_nothing_traded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runner_for(InMemoryCloud(), tmp_path).trade(ChosenDates((), (DAY,)))

    assert capsys.readouterr().out == "nothing traded: 2022-03-16 was already traded\n"


def test_trade_as_json_without_dates_prints_an_empty_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runner_for(InMemoryCloud(), tmp_path, as_json=True).trade(ChosenDates((), (DAY,)))

    assert json.loads(capsys.readouterr().out) == []


@pytest.mark.parametrize("env", ["dev", "prod", "nonsense"])
def test_run_days_in_another_environment_fails(env: str) -> None:
    with pytest.raises(UsageError, match=f"'{env}'|--env {env}"):
        run(DayRequest(env))


def test_run_days_while_another_runs_fails_at_once(own_sandbox: Path) -> None:
    with (
        files.lock(own_sandbox / "day.lock", wait_s=0, doing="trading"),
        pytest.raises(ConfigurationError, match="another command is trading a day") as raised,
    ):
        run(DayRequest("local"))
    assert raised.value.exit_code == 4


def test_run_days_with_the_sandbox_down_says_up(own_sandbox: Path) -> None:
    with pytest.raises(ToolError, match=r"is not running; run inv sandbox\.up") as raised:
        run(DayRequest("local"))
    assert raised.value.exit_code == 5


def test_translate_sandbox_errors_makes_a_tool_error() -> None:
    with pytest.raises(ToolError, match=r"inv sandbox\.status"), translate_sandbox_errors():
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:4566")
