"""`inv status` shows an environment; exit 0 when all is well, 3 with findings when something needs a person."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from automation import status as front
from automation.deploying import scope as scopes
from automation.deploying.checks.hooks import Context
from automation.deploying.releases import records as releases
from automation.deploying.releases.records import Release, ReleasedStack, Smoke, Status
from automation.deploying.remarks import Level, Remark
from automation.status import Sources
from automation.system import account_checks
from automation.system.accounts import Subscribers
from automation.system.cloudformation import CloudFormation
from automation.system.digests import base64_of
from automation.system.errors import CheckFailedError, Finding, UsageError
from automation.system.invocations import RunningCode
from automation.system.overviews import Alarm, Drift, Queue
from automation.system.release_table import ReleaseTable
from automation.system.stack_overview import StackOverview
from automation.system.stacks import StackDescription, StackResource, StackState, Stage
from tests.automation.deploying import fake_accounts
from tests.automation.fake_code import FakeCode
from tests.automation.fake_stacks import FakeStacks
from tests.automation.projects import PYPROJECT, make_shop
from tests.automation.release_tables import LOCK, NOW, FakeReleaseTable

BASE = StackState("shop-live-base", "CREATE_COMPLETE", "arn:base", "2026-01-01T00:00:00+00:00")
APP = StackState("shop-live", "UPDATE_COMPLETE", "arn:app", "2026-01-01T00:01:00+00:00")
RESOURCES = {
    "shop-live-base": (StackResource("Inbox", "https://sqs/inbox", "AWS::SQS::Queue"),),
    "shop-live": (
        StackResource("Dead", "https://sqs/dead", "AWS::SQS::Queue"),
        StackResource("DeadAlarm", "alarm-2", "AWS::CloudWatch::Alarm"),
        StackResource("Alarm", "alarm-1", "AWS::CloudWatch::Alarm"),
        StackResource("Till", "shop-till", "AWS::Lambda::Function"),
        StackResource("Orders", "shop-orders", "AWS::Lambda::Function"),
    ),
}


@dataclass
class FakeAccount(FakeCode):
    """The stacks of an account, and everything else that is asked about them.

    Attributes:
        replaced_functions: those that run the code of inv watch; None when nobody may ask for it.
    """

    cloud: FakeStacks = field(default_factory=lambda: FakeStacks(lambda _: b""))
    replaced_functions: tuple[str, ...] | None = None
    states: dict[str, StackState] = field(default_factory=lambda: {BASE.name: BASE, APP.name: APP})
    alarms: tuple[Alarm, ...] = ()
    depths: Mapping[str, Queue] = field(default_factory=dict)
    detected: list[str] = field(default_factory=list)
    asked: list[tuple[str, ...]] = field(default_factory=list)
    contexts: list[Context] = field(default_factory=list)
    lines: tuple[Remark, ...] = ()
    setup: fake_accounts.FakeAccount = field(default_factory=fake_accounts.FakeAccount)

    def describe(self, stack: str) -> StackDescription:
        parameters = {"Colour": "blue", "Key": "****"} if stack == "shop-live" else {}
        return StackDescription(self.states[stack], parameters, outputs={f"{stack}-url": "u"}, is_protected=True)

    def resources(self, stack: str) -> tuple[StackResource, ...]:
        return RESOURCES[stack]

    def template(self, stack: str, stage: Stage, *, change_set: str = "") -> Mapping[str, Any]:
        functions = [resource.logical_id for resource in RESOURCES[stack] if resource.type.endswith("Function")]
        code = {"S3Bucket": "artifacts", "S3Key": f"alchemiser/{'0' * 64}.zip"}
        resource = {"Type": "AWS::Lambda::Function", "Properties": {"Code": code}}
        return {"Resources": dict.fromkeys(functions, resource)}

    def exports(self) -> Mapping[str, str]:
        return {}

    def running(self, function: str) -> RunningCode:
        assert self.replaced_functions is not None
        return RunningCode("another" if function in self.replaced_functions else base64_of("0" * 64))

    def drift(self, stack: str) -> Drift:
        return Drift("NOT_CHECKED")

    def detect_drift(self, stack: str) -> Drift:
        self.detected.append(stack)
        return Drift("IN_SYNC", "2026-01-02T00:00:00+00:00")

    def ringing(self, names: Sequence[str]) -> tuple[Alarm, ...]:
        self.asked.append(tuple(names))
        return self.alarms

    def queues(self, urls: Sequence[str]) -> tuple[Queue, ...]:
        self.asked.append(tuple(urls))
        return tuple(self.depths.get(url, Queue(url)) for url in urls)

    def product(self, context: Context) -> tuple[Remark, ...]:
        self.contexts.append(context)
        return self.lines


@pytest.fixture
def account() -> FakeAccount:
    return FakeAccount()


@pytest.fixture
def table() -> FakeReleaseTable:
    """Return a table whose only release runs and is proven."""
    table = FakeReleaseTable()
    stacks = (ReleasedStack("base", "shop-live-base"), ReleasedStack("app", "shop-live"))
    release = Release(1, commit="a" * 40, status=Status.DEPLOYED, smoke=Smoke.PASSED, stacks=stacks)
    releases.add(table, releases.as_left(release, [BASE, APP], before=None))
    return table


@pytest.fixture
def report(tmp_path: Path, account: FakeAccount, table: FakeReleaseTable) -> Callable[..., None]:
    root = make_shop(tmp_path)

    def run(**options: Any) -> None:
        sources = Sources(account, account, table, account, account.setup, account.product)
        front.report(root, "live", variables={}, connect=lambda _: sources, **options)

    return run


def test_report_all_well_prints_everything(report: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    report()

    output = capsys.readouterr().out
    assert [" ".join(line.split()) for line in output.splitlines()] == [
        "live: AWS account 123456789012, eu-west-1",
        "release: r1 (commit aaaaaaaaaaaa), smoke test passed",
        "stack name state changed drift",
        "base shop-live-base CREATE_COMPLETE 2026-01-01 00:00 NOT_CHECKED",
        "app shop-live UPDATE_COMPLETE 2026-01-01 00:01 NOT_CHECKED",
        "functions of app: Orders, Till",
        "alarms: 0 of 2 in state ALARM",
        "queues: 0 of 2 have messages",
        "set-up: complete",
    ]


def test_report_asks_for_the_alarms_and_queues_of_all_stacks(report: Callable[..., None], account: FakeAccount) -> None:
    report()

    assert account.asked == [("alarm-1", "alarm-2"), ("https://sqs/dead", "https://sqs/inbox")]


def test_report_attention_raises_after_printing(
    report: Callable[..., None], account: FakeAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    account.alarms = (Alarm("alarm-1", "3 > 0"),)
    account.depths = {"https://sqs/dead": Queue("https://sqs/dead", 4, is_dead_letter=True)}

    with pytest.raises(CheckFailedError, match=r"live: 2 thing\(s\) need a person") as caught:
        report()

    assert [finding.where for finding in caught.value.findings] == ["Alarm", "Dead"]
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[6:] == [
        "alarms: 1 of 2 in state ALARM",
        "queues: 1 of 2 have messages",
        "queue waiting in flight delayed kind",
        "Dead 4 0 0 dead letters",
        "set-up: complete",
    ]


def test_report_json_holds_the_findings_and_nothing_else(
    report: Callable[..., None], account: FakeAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    account.alarms = (Alarm("alarm-1", "3 > 0"),)

    with pytest.raises(CheckFailedError, match=r"live: 1 thing\(s\) need a person") as caught:
        report(json=True)

    content = json.loads(capsys.readouterr().out)
    assert (content["release"], [finding["where"] for finding in content["attention"]]) == (1, ["Alarm"])
    assert caught.value.findings == ()


def test_report_undeployed_environment_asks_the_product_nothing(
    report: Callable[..., None], account: FakeAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    account.states = {name: StackState(name) for name in account.states}

    with pytest.raises(CheckFailedError, match=r"2 thing\(s\)"):
        report()

    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[1:5] == [
        "release: none: not deployed",
        "stack name state changed drift",
        "base shop-live-base not deployed",
        "app shop-live not deployed",
    ]
    assert account.contexts == []


def test_report_outside_change_is_unknown(
    report: Callable[..., None], account: FakeAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    account.states["shop-live"] = replace(APP, changed_at="2026-01-09T00:00:00+00:00")

    with pytest.raises(CheckFailedError):
        report()

    assert "release: unknown: changed outside of inv deploy" in capsys.readouterr().out


@pytest.mark.parametrize(("age_s", "is_shown"), [(0, True), (3599, True), (3600, False)])
def test_report_shows_who_is_deploying(
    report: Callable[..., None],
    table: FakeReleaseTable,
    capsys: pytest.CaptureFixture[str],
    age_s: int,
    is_shown: bool,
) -> None:
    table.lock, table.now = LOCK, NOW + timedelta(seconds=age_s)

    report()

    line = "deploying: ann@desk (arn:aws:iam::123456789012:user/ann), since 2026-01-02 03:04 UTC"
    assert (line in capsys.readouterr().out.splitlines()) is is_shown


def test_report_drift_is_detected_only_on_request(report: Callable[..., None], account: FakeAccount) -> None:
    report()
    without = list(account.detected)
    report(drift=True)

    assert (without, account.detected) == ([], ["shop-live-base", "shop-live"])


def test_report_prints_the_lines_of_the_product(
    report: Callable[..., None], account: FakeAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    """What needs a person is a finding, which is printed once, with what helps."""
    account.lines = (
        Remark(Level.INFO, "last run", "finished"),
        Remark(Level.WARN, "", "not ready to trade", "do it"),
        Remark(Level.OK, "", "the market is open"),
    )

    with pytest.raises(CheckFailedError) as caught:
        report()

    assert capsys.readouterr().out.splitlines()[-2:] == ["last run: finished", "the market is open"]
    assert [(finding.what, finding.fix) for finding in caught.value.findings] == [("not ready to trade", "do it")]


def test_report_names_what_must_be_set_up(
    report: Callable[..., None], account: FakeAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    """An alarm notifies a topic of somebody else, to which nobody has confirmed a subscription."""
    account.setup.alarms = {"alarm-1": ("arn:aws:sns:eu-west-1:1:heard",), "alarm-2": ("arn:aws:sns:eu-west-1:1:deaf",)}
    account.setup.topics = {
        "arn:aws:sns:eu-west-1:1:heard": Subscribers(1, 0),
        "arn:aws:sns:eu-west-1:1:deaf": Subscribers(0, 1),
    }

    with pytest.raises(CheckFailedError) as caught:
        report()

    assert capsys.readouterr().out.splitlines()[-1] == "set-up: 1 thing(s) missing"
    [finding] = caught.value.findings
    assert finding.where == "arn:aws:sns:eu-west-1:1:deaf"
    assert account.contexts[0].missing == ("arn:aws:sns:eu-west-1:1:deaf",)


def test_report_json_has_what_is_set_up(
    report: Callable[..., None], account: FakeAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    account.setup.alarms = {"alarm-1": ("arn:aws:sns:eu-west-1:1:heard",)}
    account.setup.topics = {"arn:aws:sns:eu-west-1:1:heard": Subscribers(2, 0)}

    report(json=True)

    what = "the topic has 2 subscriber(s)"
    remark = {"level": "ok", "where": "arn:aws:sns:eu-west-1:1:heard", "what": what, "fix": ""}
    assert json.loads(capsys.readouterr().out)["setup"] == [remark]


def test_report_before_the_first_deployment_asks_nothing_about_the_set_up(
    report: Callable[..., None], account: FakeAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    account.states = {name: StackState(name) for name in account.states}

    with pytest.raises(CheckFailedError):
        report()

    assert account.setup.asked == []
    assert "set-up" not in capsys.readouterr().out


def test_report_names_the_functions_that_run_code_of_watch(
    report: Callable[..., None], account: FakeAccount, table: FakeReleaseTable, capsys: pytest.CaptureFixture[str]
) -> None:
    table.write_watch_mark({"person": "ann@desk", "since": "2026-01-02T03:04:05+00:00"})
    account.replaced_functions = ("shop-till",)

    with pytest.raises(CheckFailedError) as caught:
        report()

    deploy, back = "deploy the working copy: inv deploy --env live", "go back to r1: inv rollback --env live --to r1"
    what = "inv watch has replaced the code of Till (ann@desk, since 2026-01-02T03:04:05+00:00)"
    assert caught.value.findings == (Finding("live", what, f"{deploy}, or {back}"),)
    capsys.readouterr()
    with pytest.raises(CheckFailedError):
        report(json=True)
    assert json.loads(capsys.readouterr().out)["watched"] == ["Till"]


@pytest.mark.parametrize(("is_marked", "replaced_functions"), [(False, None), (True, ())])
def test_report_all_code_is_of_the_release_needs_nobody(
    report: Callable[..., None], account: FakeAccount, table: FakeReleaseTable, is_marked: bool, replaced_functions: Any
) -> None:
    """Without a mark, Lambda is not even asked."""
    if is_marked:
        table.write_watch_mark({})
    account.replaced_functions = replaced_functions

    report()


def test_gather_tells_the_product_about_the_stacks(
    tmp_path: Path, account: FakeAccount, table: FakeReleaseTable
) -> None:
    scope = scopes.read(make_shop(tmp_path), "live", variables={})

    sources = Sources(account, account, table, account, account.setup, account.product)
    front.gather(scope, sources, now=datetime(2026, 1, 2, tzinfo=UTC))

    [context] = account.contexts
    assert (context.environment, context.region, context.account) == ("live", "eu-west-1", "123456789012")
    assert context.stacks == {"base": "shop-live-base", "app": "shop-live"}
    assert context.outputs == {"shop-live-base-url": "u", "shop-live-url": "u"}
    assert (context.parameters["Colour"], "Key" in context.parameters) == ("blue", False)
    assert context.now == "2026-01-02T00:00:00+00:00"


def test_report_unknown_environment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="here, live"):
        front.report(make_shop(tmp_path), "nonsense", variables={})


def test_connect_opens_the_table_of_the_last_stack(tmp_path: Path) -> None:
    scope = scopes.read(make_shop(tmp_path), "live", variables={})

    sources = front.connect(scope)

    assert sources.table == ReleaseTable(scope.target, "shop-live-releases")
    assert sources.overview == StackOverview(scope.target)
    assert sources.stacks == CloudFormation(scope.target)
    assert sources.account == account_checks.Account(scope.target)


def test_connect_runs_the_status_hooks_of_the_project(tmp_path: Path) -> None:
    hook = "def lines(context):\n    return [{'level': 'info', 'where': context['environment'], 'what': 'open'}]\n"
    settings = PYPROJECT.replace('package = "shop"', 'package = "shop"\nstatus = ["hooked:lines"]')
    root = make_shop(tmp_path, pyproject_toml=settings)
    (root / "hooked.py").write_text(hook)
    scope = scopes.read(root, "live", variables={})

    remarks = front.connect(scope).product(Context("live", "eu-west-1"))

    assert remarks == (Remark(Level.INFO, "live", "open"),)


def test_report_half_a_deployment_names_the_release(
    report: Callable[..., None], account: FakeAccount, table: FakeReleaseTable, capsys: pytest.CaptureFixture[str]
) -> None:
    account.states["shop-live"] = replace(APP, changed_at="2026-01-09T00:00:00+00:00")
    releases.add(table, Release(status=Status.FAILED))

    with pytest.raises(CheckFailedError):
        report()

    assert "release: unknown: r2 (failed) did not reach every stack" in capsys.readouterr().out
