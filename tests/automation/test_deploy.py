from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest

from automation import deploy
from automation.deploy import DeploymentPlan, Outcome
from automation.project import environments
from automation.project.environments import Consent, Environment
from automation.project.model import Project
from automation.system.aws import StackState
from automation.system.errors import ConfigurationError, DeploymentError, UsageError
from tests.automation.projects import make_shop


def make_plan(shop: Project, name: str, **variables: str) -> DeploymentPlan:
    samconfig = environments.read_samconfig(shop.root)
    return deploy.make_plan(shop, name, samconfig=samconfig, variables=variables, machine="x86_64")


@dataclass
class FakeCloud:
    """A target where every stack has the same state."""

    status: str = ""
    reason: str = ""
    number: str = ""

    def account(self) -> str:
        return self.number

    def stack_state(self, name: str) -> StackState:
        return StackState(name, self.status)

    def first_failure(self, name: str, *, since: datetime) -> str:
        return self.reason

    def functions(self, stack_name: str) -> Mapping[str, str]:
        return {}

    def invoke(self, function: str, payload: Mapping[str, object]) -> str:
        return ""


@dataclass
class FakeSam:
    """A program named sam that writes its environment down and prints what the test wants."""

    folder: Path

    def will(self, output: str, *, exit_code: int = 0) -> None:
        program = self.folder / "sam"
        program.write_text(f"#!/bin/sh\nenv > '{self.folder}/seen'\necho '{output}'\nexit {exit_code}\n")
        program.chmod(0o755)

    def environment(self) -> list[str]:
        return (self.folder / "seen").read_text().splitlines()


@pytest.fixture
def fake_sam(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> FakeSam:
    folder = tmp_path_factory.mktemp("bin")
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setenv("AWS_PROFILE", "somebody")
    return FakeSam(folder)


@dataclass
class Person:
    """Somebody at the terminal who always gives the same answer."""

    answer: str
    questions: list[str] = field(default_factory=list)

    def reply(self, question: str) -> str:
        self.questions.append(question)
        return self.answer


def test_make_plan_has_the_stacks_in_order_and_the_target(shop: Project) -> None:
    plan = make_plan(shop, "here", SHOP_PORT="7")

    assert [settings.stack_name for settings in plan.stacks] == ["shop-here-base", "shop-here"]
    assert plan.target.endpoint == "http://127.0.0.1:7"


def test_arguments_name_template_settings_and_every_parameter(shop: Project) -> None:
    plan = make_plan(shop, "here")

    words = [str(word) for word in deploy.arguments(plan.stacks[1], plan)]

    assert words[words.index("--config-env") + 1] == "here"
    assert words[words.index("--stack-name") + 1] == "shop-here"
    assert words[words.index("--template-file") + 1] == str(shop.root / ".aws-sam/build/template.yaml")
    assert words[-2:] == ["BaseStack=shop-here-base", "Colour=red"]
    assert {"--no-confirm-changeset", "--no-fail-on-empty-changeset", "--resolve-s3"} <= set(words)


@pytest.mark.parametrize(
    ("consent", "yes", "is_interactive"),
    [(Consent.NONE, False, False), (Consent.WORD, True, False), (Consent.WORD, False, True)],
)
def test_require_consent_possible_passes(consent: Consent, yes: bool, is_interactive: bool) -> None:
    environment = Environment("live", "us-east-1", consent)

    deploy.require_consent_possible(environment, yes=yes, is_interactive=is_interactive)


@pytest.mark.parametrize("consent", [Consent.CONFIRM, Consent.WORD])
def test_require_consent_possible_without_terminal_is_refused(consent: Consent) -> None:
    environment = Environment("live", "us-east-1", consent)

    with pytest.raises(UsageError, match="no terminal to confirm it on; run it in a terminal, or add --yes"):
        deploy.require_consent_possible(environment, yes=False, is_interactive=False)


@pytest.mark.parametrize("answer", ["", "y", "yes", "LIVE", "live!"])
def test_ask_consent_other_answer_cancels(shop: Project, answer: str) -> None:
    with pytest.raises(UsageError, match="cancelled: nothing was deployed"):
        deploy.ask_consent(make_plan(shop, "live"), yes=False, ask=lambda _: answer)


def test_ask_consent_exact_word_confirms(shop: Project, capsys: pytest.CaptureFixture[str]) -> None:
    person = Person("live")

    deploy.ask_consent(make_plan(shop, "live"), yes=False, ask=person.reply)

    assert person.questions == ["Type live to deploy to live:"]
    assert "shop-live-base from base.yaml" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "yes"), [("here", False), ("live", True)])
def test_ask_consent_not_needed_asks_nothing(shop: Project, name: str, yes: bool) -> None:
    person = Person("")

    deploy.ask_consent(make_plan(shop, name), yes=yes, ask=person.reply)

    assert person.questions == []


def test_check_account_with_endpoint_is_skipped(shop: Project) -> None:
    deploy.check_account(make_plan(shop, "live", AWS_ENDPOINT_URL="http://127.0.0.1:1"), FakeCloud(number="999"))


def test_check_account_of_the_guard_passes(shop: Project) -> None:
    deploy.check_account(make_plan(shop, "live"), FakeCloud(number="123456789012"))


def test_check_account_other_account_is_refused(shop: Project) -> None:
    with pytest.raises(ConfigurationError, match="belong to account 999, but the environment needs 123456789012"):
        deploy.check_account(make_plan(shop, "live"), FakeCloud(number="999"))


@pytest.mark.parametrize(
    ("status", "output", "expected"),
    [
        ("", "Successfully created/updated stack", "created"),
        ("CREATE_COMPLETE", "Successfully created/updated stack", "updated"),
        ("CREATE_COMPLETE", "No changes to deploy. Stack shop-here is up to date", "unchanged"),
    ],
)
def test_deploy_stack_reports_created_updated_or_unchanged(
    shop: Project, fake_sam: "FakeSam", status: str, output: str, expected: str
) -> None:
    fake_sam.will(output)
    plan = make_plan(shop, "here")

    outcome = deploy.deploy_stack(plan.stacks[1], plan, cloud=FakeCloud(status), variables={})

    assert (outcome.stack, outcome.stack_name, outcome.status) == ("app", "shop-here", expected)


def test_deploy_stack_sends_sam_to_the_target_with_its_credentials(shop: Project, fake_sam: "FakeSam") -> None:
    fake_sam.will("done")
    plan = make_plan(shop, "here", SHOP_PORT="7")

    deploy.deploy_stack(plan.stacks[1], plan, cloud=FakeCloud(), variables={})

    seen = fake_sam.environment()
    assert "AWS_ENDPOINT_URL=http://127.0.0.1:7" in seen
    assert "AWS_ACCESS_KEY_ID=test" in seen
    assert "SAM_CLI_POLL_DELAY=0.1" in seen
    assert not any(line.startswith("AWS_PROFILE=") for line in seen)


def test_deploy_stack_failed_names_the_first_reason_and_next_step(shop: Project, fake_sam: "FakeSam") -> None:
    fake_sam.will("Error: Failed to create/update the stack", exit_code=1)
    plan = make_plan(shop, "here")
    cloud = FakeCloud("UPDATE_ROLLBACK_COMPLETE", reason="Queue (AWS::SQS::Queue): name is taken")

    with pytest.raises(DeploymentError, match=r"shop-here: Queue .*name is taken; .*fix app\.yaml") as caught:
        deploy.deploy_stack(plan.stacks[1], plan, cloud=cloud, variables={})

    assert caught.value.exit_code == 6


def test_deploy_stack_failed_without_events_quotes_sam(shop: Project, fake_sam: "FakeSam") -> None:
    fake_sam.will("Error: the bucket is missing", exit_code=1)
    plan = make_plan(shop, "here")

    with pytest.raises(DeploymentError, match=r"sam deploy failed \(not created\): Error: the bucket is missing"):
        deploy.deploy_stack(plan.stacks[1], plan, cloud=FakeCloud(), variables={})


def test_deploy_stack_after_failed_creation_asks_to_delete_it(shop: Project) -> None:
    plan = make_plan(shop, "here")

    with pytest.raises(DeploymentError, match="sam delete --stack-name shop-here"):
        deploy.deploy_stack(plan.stacks[1], plan, cloud=FakeCloud("ROLLBACK_COMPLETE"), variables={})


def test_deploy_unknown_environment_is_refused_before_anything(tmp_path: Path) -> None:
    make_shop(tmp_path)

    with pytest.raises(UsageError, match="here, live"):
        deploy.deploy(tmp_path, "nonsense", variables={})

    assert not (tmp_path / ".alchemiser").exists()


def test_deploy_dry_run_prints_the_plan_and_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_shop(tmp_path)
    before = sorted(tmp_path.rglob("*"))

    outcomes = deploy.deploy(tmp_path, "live", variables={}, dry_run=True)

    assert outcomes == ()
    assert "app: shop-live from app.yaml with BaseStack=shop-live-base" in capsys.readouterr().out
    assert sorted(tmp_path.rglob("*")) == before


def test_summarise_nothing_changed_says_so(shop: Project, capsys: pytest.CaptureFixture[str]) -> None:
    deploy.summarise(make_plan(shop, "here"), (Outcome("base", "shop-here-base", "unchanged", 1.0),))

    assert "nothing has changed in here" in capsys.readouterr().out


def test_deploy_without_environments_lists_none(tmp_path: Path) -> None:
    make_shop(tmp_path, pyproject_toml="")
    (tmp_path / "base.yaml").rename(tmp_path / "template.yaml")

    with pytest.raises(UsageError, match=r"add \[tool\.alchemiser\.environments"):
        deploy.deploy(tmp_path, "here", variables={})
