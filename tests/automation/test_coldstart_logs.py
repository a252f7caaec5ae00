"""`inv coldstart --env`: cold starts by function and release. Every log line is composed; none is from an account."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from automation import coldstart_logs
from automation.coldstart_logs import Options, Sources
from automation.deploying.releases import records as releases
from automation.deploying.releases.records import Release, ReleasedStack
from automation.deploying.scope import Scope
from automation.lambda_runtime import local_coldstarts
from automation.system import aws
from automation.system.errors import UsageError
from automation.system.function_logs import FunctionLogs
from automation.system.log_lines import LogLine
from automation.system.release_table import ReleaseTable
from automation.system.stacks import NoSuchStackError
from tests.automation.projects import make_shop
from tests.automation.release_tables import FakeReleaseTable

NOW = datetime(2026, 1, 20, 12, tzinfo=UTC)
FUNCTIONS = {"shop-live-base": {"Stock": "shop-stock"}, "shop-live": {"Till": "shop-till", "Ledger": "shop-ledger"}}
PERCENTILES = (
    "note: milliseconds; percentiles by linear interpolation between the measured values "
    "(statistics.quantiles, inclusive); p95 of 5 or more"
)
LOCAL = "note: local import: the median of the import alone on this machine; inv coldstart measures it"
EMULATOR = "note: the reports of an emulator have no Init Duration; measure in an environment on AWS"

type Report = Callable[..., None]


@dataclass
class FakeCloud:
    stacks: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: FUNCTIONS)

    def functions(self, stack_name: str) -> Mapping[str, str]:
        if stack_name not in self.stacks:
            raise NoSuchStackError("there is no such stack", where=stack_name)
        return self.stacks[stack_name]


@dataclass
class FakeLogs:
    """The logs of functions: the lines by physical name, and what was asked for."""

    lines: dict[str, tuple[LogLine, ...]] = field(default_factory=dict)
    asked: list[tuple[str, str, datetime, datetime]] = field(default_factory=list)

    def log_group(self, function: str) -> str:
        return f"/logs/{function}"

    def reports(self, group: str, function: str, *, since: datetime, until: datetime) -> tuple[LogLine, ...]:
        self.asked.append((group, function, since, until))
        return self.lines.get(function, ())


def cold(day: int, duration_ms: float, *, restored: bool = False) -> LogLine:
    kind = "Restore" if restored else "Init"
    text = f"REPORT RequestId: {day}-{duration_ms}\tDuration: 2.00 ms\t{kind} Duration: {duration_ms} ms\t"
    return LogLine(datetime(2026, 1, day, 10, tzinfo=UTC), f"{day}", text)


def warm(day: int) -> LogLine:
    return LogLine(datetime(2026, 1, day, 11, tzinfo=UTC), f"{day}", f"REPORT RequestId: {day}\tDuration: 2.00 ms\t")


@pytest.fixture
def logs() -> FakeLogs:
    return FakeLogs()


@pytest.fixture
def table() -> FakeReleaseTable:
    """Return a table with release r1 of January 7 and r2 of January 10."""
    table = FakeReleaseTable()
    for day in (7, 10):
        stacks = (ReleasedStack("base"), ReleasedStack("app"))
        releases.add(table, Release(created_at=f"2026-01-{day:02d}T00:00:00+00:00", stacks=stacks))
    return table


@pytest.fixture
def report(tmp_path: Path, logs: FakeLogs, table: FakeReleaseTable) -> Report:
    root = make_shop(tmp_path)

    def run(cloud: FakeCloud | None = None, *, variables: Mapping[str, str] | None = None, **options: Any) -> None:
        sources = Sources(cloud or FakeCloud(), logs, table)
        json = options.pop("json", False)
        coldstart_logs.report(
            root,
            "live",
            variables=variables or {},
            options=Options(**options),
            json=json,
            now=NOW,
            connect=lambda _: sources,
        )

    return run


def printed(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def test_report_has_a_row_per_function_and_release(
    report: Report, logs: FakeLogs, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.lines["shop-till"] = (
        cold(8, 800),
        cold(9, 900),
        *(cold(11, duration) for duration in (700, 710, 720, 730, 800)),
    )
    logs.lines["shop-stock"] = (cold(6, 500), cold(12, 300, restored=True), warm(12))
    local_coldstarts.write(tmp_path, {("app", "Till"): 401.4})

    report()

    assert printed(capsys) == [
        "cold starts of live since 2026-01-06 12:00 UTC",
        "function release start cold starts p50 p95 max change of p50 local import",
        "Stock r2 restore 1 300 300",
        "before init 1 500 500",
        "Till r2 init 5 720 786 800 -130 (-15 %) 401",
        "r1 init 2 850 900",
        "Ledger: no cold start in 14 days: no invocation in /logs/shop-ledger",
        PERCENTILES,
        LOCAL,
    ]


def test_report_function_without_cold_starts_has_no_figure(
    report: Report, logs: FakeLogs, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.lines["shop-till"] = (warm(8), warm(9))

    report(names=("till",), days=3)

    assert printed(capsys) == ["Till: no cold start in 3 days: none of its 2 invocations reported one"]


def test_report_asks_for_the_days_before_now(report: Report, logs: FakeLogs) -> None:
    report(names=("Till",))
    report(names=("Till",), days=1)

    day = timedelta(days=1)
    assert logs.asked == [
        ("/logs/shop-till", "shop-till", NOW - 14 * day, NOW),
        ("/logs/shop-till", "shop-till", NOW - day, NOW),
    ]


def test_report_from_an_emulator_says_that_it_reports_no_starts(
    report: Report, logs: FakeLogs, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.lines["shop-till"] = (warm(8),)

    report(names=("Till",), variables={"AWS_ENDPOINT_URL": "http://127.0.0.1:1"})

    assert printed(capsys) == ["Till: no cold start in 14 days: none of its 1 invocations reported one", EMULATOR]


def test_report_not_deployed_says_how(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    report(FakeCloud({}))

    assert printed(capsys) == ["live is not deployed; deploy it first: inv deploy --env live"]


def test_report_stack_that_is_missing_is_left_out(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    report(FakeCloud({"shop-live-base": {"Stock": "shop-stock"}}))

    assert printed(capsys) == ["Stock: no cold start in 14 days: no invocation in /logs/shop-stock"]


def test_report_json_has_what_was_measured(
    report: Report, logs: FakeLogs, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.lines["shop-till"] = (cold(8, 800), cold(11, 700), warm(12))
    local_coldstarts.write(tmp_path, {("app", "Till"): 401.4})

    report(names=("Till", "Ledger"), days=13, json=True)

    assert json.loads(capsys.readouterr().out) == {
        "format": 1,
        "environment": "live",
        "since": "2026-01-07T12:00:00+00:00",
        "days": 13,
        "functions": [
            {
                "stack": "app",
                "name": "Ledger",
                "log_group": "/logs/shop-ledger",
                "invocations": 0,
                "local_import_ms": None,
                "releases": [],
            },
            {
                "stack": "app",
                "name": "Till",
                "log_group": "/logs/shop-till",
                "invocations": 3,
                "local_import_ms": 401.4,
                "releases": [
                    {
                        "release": "r2",
                        "start": "init",
                        "cold_starts": 1,
                        "p50_ms": 700.0,
                        "p95_ms": None,
                        "max_ms": 700.0,
                        "change_ms": -100.0,
                    },
                    {
                        "release": "r1",
                        "start": "init",
                        "cold_starts": 1,
                        "p50_ms": 800.0,
                        "p95_ms": None,
                        "max_ms": 800.0,
                        "change_ms": None,
                    },
                ],
            },
        ],
        "notes": [PERCENTILES.removeprefix("note: "), LOCAL.removeprefix("note: ")],
    }


def test_report_unknown_function_is_refused(report: Report) -> None:
    with pytest.raises(UsageError, match=r"^coldstart: live has no function 'A'; its functions are: Ledger, Stock"):
        report(names=("Till", "B", "A"))


def test_report_unknown_function_before_the_first_deployment_says_so(report: Report) -> None:
    with pytest.raises(UsageError, match="live has no function 'Till'; deploy first: inv deploy --env live"):
        report(FakeCloud({}), names=("Till",))


def test_report_negative_days_are_refused(report: Report) -> None:
    with pytest.raises(UsageError, match=r"^coldstart: --days must be at least 1, got -1"):
        report(days=-1)


def test_report_unknown_environment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="here, live"):
        coldstart_logs.report(make_shop(tmp_path), "nonsense", variables={})


def test_report_without_a_time_ends_now(tmp_path: Path, logs: FakeLogs, table: FakeReleaseTable) -> None:
    before = datetime.now(UTC)

    coldstart_logs.report(
        make_shop(tmp_path), "live", variables={}, connect=lambda _: Sources(FakeCloud(), logs, table)
    )

    assert before <= logs.asked[0][3] <= datetime.now(UTC)


def test_connect_opens_logs_functions_and_the_table(tmp_path: Path) -> None:
    seen: list[Scope] = []

    def keep(scope: Scope) -> Sources:
        seen.append(scope)
        return Sources(FakeCloud({}), FakeLogs(), FakeReleaseTable())

    coldstart_logs.report(make_shop(tmp_path), "live", variables={}, connect=keep)

    (scope,) = seen
    table = ReleaseTable(scope.target, "shop-live-releases")
    assert coldstart_logs.connect(scope) == Sources(aws.Cloud(scope.target), FunctionLogs(scope.target), table)


# --- options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (Options(days=3), "--days is for functions on AWS; add --env ENV"),
        (Options(snapstart="Till"), "--snapstart is for functions on AWS; add --env ENV"),
        (Options(yes=True), "--yes is for functions on AWS; add --env ENV"),
    ],
)
def test_require_consistent_options_for_aws_need_an_environment(options: Options, message: str) -> None:
    with pytest.raises(UsageError, match=f"coldstart: {message}"):
        coldstart_logs.require_consistent("", options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (Options(without_bytecode=True), "--without-bytecode measures on this machine; leave --env out"),
        (Options(snapstart="Till", days=3), "--snapstart measures one function; leave --days and other names out"),
        (Options(snapstart="Till", names=("Desk",)), "--snapstart measures one function; leave --days"),
        (Options(yes=True), "--yes confirms --snapstart, which creates a function; leave it out"),
    ],
)
def test_require_consistent_options_that_exclude_each_other(options: Options, message: str) -> None:
    with pytest.raises(UsageError, match=f"coldstart: {message}"):
        coldstart_logs.require_consistent("live", options)


@pytest.mark.parametrize("options", [Options(), Options(days=3, names=("Till",)), Options(snapstart="Till", yes=True)])
def test_require_consistent_accepts_the_others(options: Options) -> None:
    coldstart_logs.require_consistent("live", options)


def test_require_consistent_on_this_machine_needs_no_environment() -> None:
    coldstart_logs.require_consistent("", replace(Options(), names=("Till",)))
