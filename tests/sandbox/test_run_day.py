import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from botocore.exceptions import EndpointConnectionError

import sandbox
from automation.system import files
from automation.system.errors import CheckFailedError, ConfigurationError, ToolError, UsageError
from sandbox.day import Surroundings
from sandbox.evidence import DayEvidence
from sandbox.follow import Wall
from sandbox.function_logs import LogError
from sandbox.run_day import Days, Request, run_days, told_plainly
from sandbox.settings import SandboxSettings
from sandbox.trading_dates import Choice
from tests.sandbox.days import DAY, WALL, FastWall, InMemoryCloud, InMemoryExchange, log

ROOT = Path(sandbox.__file__).parent.parent
TODAY = Choice((DAY,), ())


def write_report(days: Sequence[DayEvidence], path: Path) -> Path:
    files.write_atomically(path, ", ".join(day.trading_date.isoformat() for day in days))
    return path


def days_over(cloud: InMemoryCloud, folder: Path, *, as_json: bool = False) -> Days:
    wall = FastWall()
    around = Surroundings(cloud, InMemoryExchange(), Wall(wall.read, wall.sleep), lambda: WALL, lambda _: None)
    return Days(SandboxSettings(folder, folder, 1, 2), around, write_report, Request("local", as_json=as_json))


@pytest.fixture
def own_sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ALCHEMISER_SANDBOX_DIR", str(tmp_path))
    return tmp_path


def asked(request: Request) -> None:
    run_days(ROOT, request, write_report, universe=lambda: ["SPY"])


def test_trade_a_good_day_writes_report_and_mail_and_prints_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    days_over(InMemoryCloud(), tmp_path).trade(TODAY)

    assert (tmp_path / "reports" / "2022-03-16.html").read_text() == "2022-03-16"
    assert (tmp_path / "reports" / "2022-03-16-mail.html").read_text() == "<p>html</p>"
    assert "reports/2022-03-16.html" in "".join(capsys.readouterr().out.split())


def test_trade_a_good_day_as_json_prints_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    days_over(InMemoryCloud(), tmp_path, as_json=True).trade(TODAY)

    (told,) = json.loads(capsys.readouterr().out)
    assert (told["date"], told["ok"]) == ("2022-03-16", True)


def test_trade_a_day_that_does_not_add_up_fails_with_its_findings_after_the_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud = InMemoryCloud()
    cloud.logs["metrics_v2"] = replace(log("metrics_v2"), handled={})

    with pytest.raises(
        CheckFailedError, match="2022-03-16 does not add up: metrics_v2: handled no message that day"
    ) as raised:
        days_over(cloud, tmp_path).trade(TODAY)
    assert [finding.where for finding in raised.value.findings] == ["metrics_v2"]
    assert "COMPLETED" in capsys.readouterr().out
    assert (tmp_path / "reports" / "2022-03-16.html").is_file()


def test_trade_as_json_a_day_that_does_not_add_up_keeps_the_findings_inside_the_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud = InMemoryCloud()
    cloud.logs["metrics_v2"] = replace(log("metrics_v2"), handled={})

    with pytest.raises(CheckFailedError) as raised:
        days_over(cloud, tmp_path, as_json=True).trade(TODAY)
    (told,) = json.loads(capsys.readouterr().out)
    assert (raised.value.findings, told["findings"][0]["where"]) == ((), "metrics_v2")


def test_trade_a_day_that_fails_on_the_way_still_tells_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cloud = InMemoryCloud()
    cloud.reactions["refresh"] = lambda: None
    cloud.logs["data_v2"] = replace(log("data_v2"), errors=(LogError("no"),))

    with pytest.raises(CheckFailedError):
        days_over(cloud, tmp_path, as_json=True).trade(TODAY)
    assert json.loads(capsys.readouterr().out) == []


def test_trade_nothing_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    days_over(InMemoryCloud(), tmp_path).trade(Choice((), (DAY,)))

    assert capsys.readouterr().out == "2022-03-16 has been traded already: nothing traded\n"


def test_trade_nothing_as_json_is_an_empty_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    days_over(InMemoryCloud(), tmp_path, as_json=True).trade(Choice((), (DAY,)))

    assert json.loads(capsys.readouterr().out) == []


@pytest.mark.parametrize("env", ["dev", "prod", "nonsense"])
def test_run_days_elsewhere_than_in_the_sandbox_is_refused(env: str) -> None:
    with pytest.raises(UsageError, match=f"'{env}'|--env {env}"):
        asked(Request(env))


def test_run_days_while_another_is_at_work_is_refused_at_once(own_sandbox: Path) -> None:
    with (
        files.lock(own_sandbox / "day.lock", wait_s=0, doing="trading"),
        pytest.raises(ConfigurationError, match="another command is trading a day") as raised,
    ):
        asked(Request("local"))
    assert raised.value.exit_code == 4


def test_run_days_with_the_sandbox_down_says_how_to_start_it(own_sandbox: Path) -> None:
    with pytest.raises(ToolError, match=r"is not running; run inv sandbox\.up") as raised:
        asked(Request("local"))
    assert raised.value.exit_code == 5


def test_told_plainly_an_emulator_that_goes_away_is_one_paragraph() -> None:
    with pytest.raises(ToolError, match=r"inv sandbox\.status"), told_plainly():
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:4566")
