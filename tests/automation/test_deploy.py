from dataclasses import dataclass, field
from pathlib import Path

import pytest

from automation import deploy, environments
from automation.deploy import Outcome, Plan
from automation.environments import Consent, Environment
from automation.errors import UsageError
from automation.project import Project
from tests.automation.projects import make_shop


def planned(shop: Project, name: str, **variables: str) -> Plan:
    samconfig = environments.read_samconfig(shop.root)
    return deploy.plan(shop, name, samconfig=samconfig, variables=variables, machine="x86_64")


@dataclass
class Person:
    """Somebody at the terminal, who always says the same."""

    says: str
    asked: list[str] = field(default_factory=list)

    def answers(self, question: str) -> str:
        self.asked.append(question)
        return self.says


def test_plan_holds_the_stacks_in_order_and_the_target(shop: Project) -> None:
    made = planned(shop, "here", SHOP_PORT="7")

    assert [one.stack_name for one in made.stacks] == ["shop-here-base", "shop-here"]
    assert made.target.endpoint == "http://127.0.0.1:7"


def test_arguments_name_template_settings_and_every_parameter(shop: Project) -> None:
    made = planned(shop, "here")

    words = [str(word) for word in deploy.arguments(made.stacks[1], made)]

    assert words[words.index("--config-env") + 1] == "here"
    assert words[words.index("--stack-name") + 1] == "shop-here"
    assert words[words.index("--template-file") + 1] == str(shop.root / ".aws-sam/build/template.yaml")
    assert words[-2:] == ["BaseStack=shop-here-base", "Colour=red"]
    assert {"--no-confirm-changeset", "--no-fail-on-empty-changeset", "--resolve-s3"} <= set(words)


@pytest.mark.parametrize(
    ("consent", "yes", "is_interactive"),
    [(Consent.NONE, False, False), (Consent.WORD, True, False), (Consent.WORD, False, True)],
)
def test_consent_that_can_be_had_is_possible(consent: Consent, yes: bool, is_interactive: bool) -> None:
    environment = Environment("live", "us-east-1", consent)

    deploy.require_consent_possible(environment, yes=yes, is_interactive=is_interactive)


@pytest.mark.parametrize("consent", [Consent.CONFIRM, Consent.WORD])
def test_consent_without_terminal_is_refused(consent: Consent) -> None:
    environment = Environment("live", "us-east-1", consent)

    with pytest.raises(UsageError, match="no terminal to ask on; run it on one, or add --yes"):
        deploy.require_consent_possible(environment, yes=False, is_interactive=False)


@pytest.mark.parametrize("answer", ["", "y", "yes", "LIVE", "live!"])
def test_consent_word_another_answer_is_refused(shop: Project, answer: str) -> None:
    with pytest.raises(UsageError, match="nothing was deployed"):
        deploy.ask_consent(planned(shop, "live"), yes=False, ask=lambda _: answer)


def test_consent_word_typed_is_given(shop: Project, capsys: pytest.CaptureFixture[str]) -> None:
    person = Person("live")

    deploy.ask_consent(planned(shop, "live"), yes=False, ask=person.answers)

    assert person.asked == ["Type live to deploy to live:"]
    assert "shop-live-base from base.yaml" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "yes"), [("here", False), ("live", True)])
def test_consent_not_needed_is_not_asked_for(shop: Project, name: str, yes: bool) -> None:
    person = Person("")

    deploy.ask_consent(planned(shop, name), yes=yes, ask=person.answers)

    assert person.asked == []


def test_account_of_a_target_with_endpoint_is_not_looked_at(shop: Project) -> None:
    deploy.check_account(planned(shop, "live", AWS_ENDPOINT_URL="http://127.0.0.1:1"))


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
    deploy.summarise(planned(shop, "here"), (Outcome("base", "shop-here-base", "unchanged", 1.0),))

    assert "nothing has changed in here" in capsys.readouterr().out


def test_deploy_without_environments_lists_none(tmp_path: Path) -> None:
    make_shop(tmp_path, pyproject_toml="")
    (tmp_path / "base.yaml").rename(tmp_path / "template.yaml")

    with pytest.raises(UsageError, match=r"add \[tool\.alchemiser\.environments"):
        deploy.deploy(tmp_path, "here", variables={})
