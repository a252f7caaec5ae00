"""A whole deployment of a small project: real checks, build and proof; only SAM and the cloud are stand-ins."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest

from automation import deploy
from automation.system import console
from automation.system.aws import StackState
from automation.system.errors import CheckFailedError, ConfigurationError, UsageError
from tests.automation.projects import make_shop


@dataclass
class RecordingCloud:
    """A target that writes down each call, in the order of all steps."""

    steps: list[str]
    number: str = "123456789012"
    status: str = ""

    def account(self) -> str:
        self.steps.append("account")
        return self.number

    def stack_state(self, name: str) -> StackState:
        self.steps.append(f"state {name}")
        return StackState(name, self.status)

    def first_failure(self, name: str, *, since: datetime) -> str:
        return ""

    def functions(self, stack_name: str) -> Mapping[str, str]:
        self.steps.append(f"smoke {stack_name}")
        return {}

    def invoke(self, function: str, payload: Mapping[str, object]) -> str:
        return ""


@dataclass
class Flow:
    """A project, a program named sam that logs its stacks, and the steps that were taken."""

    root: Path
    steps: list[str] = field(default_factory=list)

    def deploy(self, cloud: RecordingCloud, name: str = "live", *, yes: bool = True) -> tuple[deploy.Outcome, ...]:
        return deploy.deploy(
            self.root, name, variables={}, yes=yes, before_changes=self.note_preparation, connect=lambda _: cloud
        )

    def note_preparation(self) -> None:
        marks = {
            "synced": "functions/till/shop/till",
            "validated": ".alchemiser/validated",
            "proven": ".alchemiser/proven",
            "base": ".aws-sam/base/template.yaml",
            "build": ".aws-sam/build/template.yaml",
        }
        done = [name for name, path in marks.items() if (self.root / path).exists()]
        self.steps.append(f"prepared: {' '.join(done)}")

    def deployed_stacks(self) -> list[str]:
        log = self.root / "sam.log"
        return log.read_text().split() if log.exists() else []


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the project once: what has passed its checks is not checked again by the next deployment."""
    root = tmp_path_factory.mktemp("flow") / "shop"
    make_shop(root)
    pyproject = root / "pyproject.toml"
    pyproject.write_text(
        pyproject.read_text().replace('package = "shop"', 'package = "shop"\nsmoke = { health = true }')
    )
    sam = root.parent / "sam"
    sam.write_text(f'#!/bin/sh\nwhile [ "$1" != --stack-name ]; do shift; done\necho "$2" >> {root}/sam.log\n')
    sam.chmod(0o755)
    return root


@pytest.fixture
def flow(project: Path, monkeypatch: pytest.MonkeyPatch) -> Flow:
    monkeypatch.setenv("PATH", f"{project.parent}:/usr/bin:/bin")
    (project / "sam.log").unlink(missing_ok=True)
    for record in project.glob(".alchemiser/deployed/*"):
        record.unlink()
    return Flow(project)


def test_deploy_takes_every_step_in_order(flow: Flow, capsys: pytest.CaptureFixture[str]) -> None:
    outcomes = flow.deploy(RecordingCloud(flow.steps))

    assert [(outcome.stack, outcome.status) for outcome in outcomes] == [("base", "created"), ("app", "created")]
    assert flow.deployed_stacks() == ["shop-live-base", "shop-live"]
    assert flow.steps == [
        "account",
        "prepared: synced validated proven base build",
        "state shop-live-base",
        "state shop-live",
        *["state shop-live-base"] * 2,
        *["state shop-live"] * 2,
        "smoke shop-live-base",
        "smoke shop-live",
    ]
    output = capsys.readouterr().out
    assert "shop-live-base  created" in output
    assert "0 functions answered" in output


def test_deploy_without_consent_or_terminal_stops_before_any_step(flow: Flow) -> None:
    with pytest.raises(UsageError, match="add --yes"):
        flow.deploy(RecordingCloud(flow.steps), yes=False)

    assert flow.steps == []


def test_deploy_other_account_stops_before_the_build(flow: Flow) -> None:
    with pytest.raises(ConfigurationError, match="account 999"):
        flow.deploy(RecordingCloud(flow.steps, number="999"))

    assert flow.steps == ["account"]


def test_deploy_undeployable_stack_changes_nothing(flow: Flow) -> None:
    with pytest.raises(CheckFailedError, match="nothing was changed"):
        flow.deploy(RecordingCloud(flow.steps, status="UPDATE_ROLLBACK_FAILED"))

    assert flow.deployed_stacks() == []


@pytest.mark.parametrize(("answer", "deployed"), [("y", []), ("live", ["shop-live-base", "shop-live"])])
def test_deploy_asks_for_the_word_after_all_checks(
    flow: Flow, monkeypatch: pytest.MonkeyPatch, answer: str, deployed: list[str]
) -> None:
    monkeypatch.setattr(console, "is_interactive", lambda: True)
    monkeypatch.setattr(console, "ask", lambda _question: answer)

    with suppress(UsageError):
        flow.deploy(RecordingCloud(flow.steps), yes=False)

    assert flow.deployed_stacks() == deployed
    assert "state shop-live" in flow.steps


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        ("app.yaml", "  Broken: {Type: 'AWS::Nothing::Here'}\n", "fault"),
        ("shop/till/handler.py", "import missing_module\n", "undeclared-import"),
        ("shop/till/big.txt", "x" * 1_100_000, "budget"),
    ],
    ids=["invalid template", "failing import", "exceeded budget"],
)
def test_deploy_failed_check_stops_before_any_change(flow: Flow, path: str, text: str, message: str) -> None:
    file = flow.root / path
    before = file.read_text() if file.exists() else ""
    file.write_text(before + text)

    try:
        with pytest.raises(CheckFailedError, match=message):
            flow.deploy(RecordingCloud(flow.steps))
    finally:
        file.write_text(before)

    assert flow.steps == ["account"]
    assert flow.deployed_stacks() == []
