import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from botocore.exceptions import EndpointConnectionError

import sandbox
from automation.system import files
from automation.system.errors import CheckFailedError, ConfigurationError, ToolError, UsageError
from sandbox import lifecycle, servers
from sandbox.day import DayContext
from sandbox.evidence import DayEvidence
from sandbox.function_logs import LogFailure
from sandbox.outages import WallClock
from sandbox.run_day import DayRequest, DayRunner, run_days, translate_sandbox_errors
from sandbox.settings import SandboxSettings
from sandbox.trading_dates import ChosenDates
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
    printed = capsys.readouterr().out
    assert "reports/2022-03-16.html" in "".join(printed.split())
    assert printed.endswith("next    inv run-day trades the next session\n")


def test_trade_as_json_prints_only_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runner_for(InMemoryCloud(), tmp_path, as_json=True).trade(TODAY)

    (summary,) = json.loads(capsys.readouterr().out)
    assert (summary["date"], summary["ok"]) == ("2022-03-16", True)


def test_trade_a_day_with_survived_faults_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cloud = InMemoryCloud()
    cloud.logs["execution_v2"] = replace(log("execution_v2"), failures=(LogFailure("no", is_survived=True),))

    runner_for(cloud, tmp_path).trade(TODAY)

    assert "survived  1 retry of execution_v2" in capsys.readouterr().out


def test_trade_with_findings_fails_after_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cloud = InMemoryCloud()
    cloud.are_metrics_stored = False

    with pytest.raises(
        CheckFailedError,
        match=r"2022-03-16 failed its checks: metrics_v2: stored no performance .*; read .*2022-03-16\.html, "
        "fix the cause, then run inv run-day: it trades the next session",
    ) as raised:
        runner_for(cloud, tmp_path).trade(TODAY)
    assert [finding.where for finding in raised.value.findings] == ["metrics_v2"]
    assert "COMPLETED" in capsys.readouterr().out
    assert (tmp_path / "reports" / "2022-03-16.html").is_file()


def test_trade_as_json_with_findings_has_them_in_the_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cloud = InMemoryCloud()
    cloud.are_metrics_stored = False

    with pytest.raises(CheckFailedError) as raised:
        runner_for(cloud, tmp_path, as_json=True).trade(TODAY)
    (summary,) = json.loads(capsys.readouterr().out)
    assert (raised.value.findings, summary["findings"][0]["where"]) == ((), "metrics_v2")


def test_trade_as_json_with_a_failed_day_prints_a_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cloud = InMemoryCloud()
    cloud.reactions["refresh"] = lambda: None
    cloud.logs["data_v2"] = replace(log("data_v2"), failures=(LogFailure("no"),))

    with pytest.raises(CheckFailedError) as raised:
        runner_for(cloud, tmp_path, as_json=True).trade(TODAY)
    assert json.loads(capsys.readouterr().out) == []
    assert [finding.what for finding in raised.value.findings] == ["stack-data_v2: no"]


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


@pytest.mark.parametrize(("pid", "text"), [(7, "does not answer; see exchange.log; "), (None, "is not running; ")])
def test_run_days_waits_only_for_a_server_that_runs(
    own_sandbox: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], pid: int | None, text: str
) -> None:
    mute = lifecycle.ServerStatus("paper exchange", "http://x", pid, is_ready=False, log=Path("exchange.log"))
    monkeypatch.setattr(lifecycle, "status", lambda _: (mute,))
    monkeypatch.setattr(servers, "START_TIMEOUT_S", 0.1)

    with pytest.raises(ToolError, match=r"^paper exchange: " + text + r"run inv sandbox\.up"):
        run(DayRequest("local"))

    waited = "the sandbox does not answer; waiting up to 0 s for it\n"
    assert capsys.readouterr().err == ("" if pid is None else waited)


def test_translate_sandbox_errors_makes_a_tool_error() -> None:
    with pytest.raises(ToolError, match=r"inv sandbox\.status"), translate_sandbox_errors():
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:4566")
