import signal
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import pytest

from automation import deploy
from automation.deploy import DeploymentPlan, Outcome
from automation.project import environments
from automation.project.environments import Consent, Environment
from automation.project.model import Project
from automation.system.aws import StackState
from automation.system.errors import CheckFailedError, ConfigurationError, DeploymentError, UsageError
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
    broken: str = ""
    requests: list[Mapping[str, object]] = field(default_factory=list)
    stacks: list[str] = field(default_factory=list)

    def account(self) -> str:
        return self.number

    def stack_state(self, name: str) -> StackState:
        return StackState(name, self.status)

    def first_failure(self, name: str, *, since: datetime) -> str:
        return self.reason

    def functions(self, stack_name: str) -> Mapping[str, str]:
        self.stacks.append(stack_name)
        return {"Till": "physical-till"}

    def invoke(self, function: str, payload: Mapping[str, object]) -> str:
        self.requests.append(payload)
        return self.broken


class UnreachableCloud(FakeCloud):
    """A target that fails at every call."""

    def account(self) -> str:
        raise ConfigurationError("no credentials")

    def functions(self, stack_name: str) -> Mapping[str, str]:
        raise DeploymentError("does not answer")


def with_smoke(plan: DeploymentPlan) -> DeploymentPlan:
    settings = replace(plan.project.settings, smoke={"health": True})
    return replace(plan, project=replace(plan.project, settings=settings))


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


def test_check_account_unpinned_endpoint_is_not_asked(shop: Project) -> None:
    plan = make_plan(shop, "here", SHOP_PORT="7")

    deploy.check_account(plan, UnreachableCloud())


def test_check_account_unpinned_aws_needs_credentials(shop: Project) -> None:
    plan = make_plan(shop, "live")
    unpinned = replace(plan, environment=replace(plan.environment, account=""))

    deploy.check_account(unpinned, FakeCloud(number="999"))
    with pytest.raises(ConfigurationError, match="no credentials"):
        deploy.check_account(unpinned, UnreachableCloud())


def test_check_account_pinned_endpoint_with_other_account_is_refused(shop: Project) -> None:
    plan = make_plan(shop, "live", AWS_ENDPOINT_URL="http://127.0.0.1:1")

    deploy.check_account(plan, FakeCloud(number="123456789012"))
    with pytest.raises(ConfigurationError, match="belong to account 999, but the environment needs 123456789012"):
        deploy.check_account(plan, FakeCloud(number="999"))


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


def test_require_deployable_names_every_stack_that_is_not(shop: Project) -> None:
    plan = make_plan(shop, "here")

    with pytest.raises(CheckFailedError, match=r"2 stack\(s\) cannot be deployed; nothing was changed") as caught:
        deploy.require_deployable(plan, FakeCloud("ROLLBACK_COMPLETE"))

    assert [finding.where for finding in caught.value.findings] == ["shop-here-base", "shop-here"]


@pytest.mark.parametrize("status", ["", "CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"])
def test_require_deployable_settled_stacks_pass(shop: Project, status: str) -> None:
    deploy.require_deployable(make_plan(shop, "here"), FakeCloud(status))


def deploy_packed(shop: Project, cloud: "FakeCloud") -> Outcome:
    """Deploy the second stack of a project whose artifacts are packed, so that a record is kept."""
    (shop.root / ".aws-sam/build/zips").mkdir(parents=True, exist_ok=True)
    (shop.root / ".aws-sam/build/packed.json").write_text("{}")
    plan = make_plan(shop, "here")
    return deploy.deploy_stack(plan.stacks[1], plan, cloud=cloud, variables={})


def test_deploy_stack_again_is_unchanged_and_runs_no_sam(shop: Project, fake_sam: FakeSam) -> None:
    fake_sam.will("done")
    cloud = FakeCloud("UPDATE_COMPLETE")
    first = deploy_packed(shop, cloud)
    fake_sam.will("must not run", exit_code=1)

    second = deploy_packed(shop, cloud)

    assert (first.status, first.is_smoked) == ("updated", False)
    assert (second.status, second.is_smoked) == ("unchanged", False)


def test_deploy_stack_failed_keeps_no_record(shop: Project, fake_sam: FakeSam) -> None:
    cloud = FakeCloud("UPDATE_COMPLETE")
    fake_sam.will("Error", exit_code=1)
    with pytest.raises(DeploymentError):
        deploy_packed(shop, cloud)
    fake_sam.will("done")

    assert deploy_packed(shop, cloud).status == "updated"


def test_smoke_test_failed_is_repeated_until_it_passes(
    shop: Project, fake_sam: FakeSam, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_sam.will("done")
    cloud = FakeCloud("UPDATE_COMPLETE", broken="KeyError: 'TABLE'")
    plan = with_smoke(make_plan(shop, "here"))

    for _ in range(2):
        outcome = deploy_packed(shop, cloud)
        with pytest.raises(DeploymentError, match="Till failed: KeyError: 'TABLE'"):
            deploy.smoke_test(plan, (outcome,), cloud)
    cloud.broken = ""
    deploy.smoke_test(plan, (deploy_packed(shop, cloud),), cloud)
    requests = len(cloud.requests)
    deploy.smoke_test(plan, (deploy_packed(shop, cloud),), cloud)

    assert "1 functions answered" in capsys.readouterr().out
    assert (requests, len(cloud.requests)) == (3, 3)


def test_smoke_test_one_unproven_stack_tests_all(shop: Project) -> None:
    cloud = FakeCloud("UPDATE_COMPLETE")
    proven = Outcome("base", "shop-here-base", "unchanged", 1.0, is_smoked=True)
    unproven = Outcome("app", "shop-here", "updated", 1.0)

    deploy.smoke_test(with_smoke(make_plan(shop, "here")), (proven, unproven), cloud)

    assert cloud.stacks == ["shop-here-base", "shop-here"]


def test_smoke_test_without_message_asks_nothing(shop: Project) -> None:
    deploy.smoke_test(make_plan(shop, "here"), (Outcome("app", "shop-here", "updated", 1.0),), UnreachableCloud())


def test_deploy_stack_interrupted_says_what_to_type(
    shop: Project, fake_sam: FakeSam, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C ends SAM, not CloudFormation; here SAM sends the signal to its parent, as the terminal would."""
    program = fake_sam.folder / "sam"
    program.write_text("#!/bin/sh\nkill -INT $PPID\nsleep 10\n")
    program.chmod(0o755)
    plan = make_plan(shop, "here")
    heed = signal.signal(signal.SIGINT, signal.default_int_handler)

    try:
        with pytest.raises(KeyboardInterrupt):
            deploy.deploy_stack(plan.stacks[1], plan, cloud=FakeCloud("UPDATE_COMPLETE"), variables={})
    finally:
        signal.signal(signal.SIGINT, heed)

    assert "shop-here may still be changing; deploy again to wait for it" in capsys.readouterr().err


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


@pytest.mark.parametrize(
    ("name", "account", "line"),
    [
        ("live", "123456789012", "live: AWS account 123456789012, eu-west-1"),
        ("live", "", "live: AWS account of the credentials, eu-west-1"),
        ("here", "", "here: http://127.0.0.1:7, us-east-1"),
    ],
)
def test_show_names_the_target(
    shop: Project, capsys: pytest.CaptureFixture[str], name: str, account: str, line: str
) -> None:
    plan = make_plan(shop, name, SHOP_PORT="7")

    deploy.show(replace(plan, environment=replace(plan.environment, account=account)))

    assert capsys.readouterr().out.splitlines()[0] == line


def test_deploy_needs_consent_unless_it_was_given(tmp_path: Path) -> None:
    make_shop(tmp_path)

    with pytest.raises(UsageError, match="no terminal to confirm it on"):
        deploy.deploy(tmp_path, "live", variables={}, connect=lambda _: UnreachableCloud())


def test_summarise_nothing_changed_says_so(shop: Project, capsys: pytest.CaptureFixture[str]) -> None:
    deploy.summarise(make_plan(shop, "here"), (Outcome("base", "shop-here-base", "unchanged", 1.0),))

    assert "nothing has changed in here" in capsys.readouterr().out


def test_deploy_without_environments_lists_none(tmp_path: Path) -> None:
    make_shop(tmp_path, pyproject_toml="")
    (tmp_path / "base.yaml").rename(tmp_path / "template.yaml")

    with pytest.raises(UsageError, match=r"add \[tool\.alchemiser\.environments"):
        deploy.deploy(tmp_path, "here", variables={})
