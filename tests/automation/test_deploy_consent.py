"""The verdict and the confirmation of `inv deploy`: what is refused or cancelled changes nothing."""

import pytest

from automation.deploying.stacks.execution import DetachedError
from automation.system.errors import CheckFailedError, Finding, UsageError
from tests.automation.deployable_shop import CREATED, ShopDeployments, is_untouched
from tests.automation.deploying.changing_stacks import Person


def test_deploy_word_confirms_after_the_plan_is_shown(
    deployments: ShopDeployments, person: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    person.answers = ["live"]

    deployments.deploy(yes=False)

    assert person.questions == ["Type live to change live:"]
    assert deployments.take_calls() == CREATED
    assert "safe: 7 changes" in capsys.readouterr().out


def test_deploy_wrong_word_cancels_and_discards(deployments: ShopDeployments, person: Person) -> None:
    deployments.deploy()
    deployments.change_till()
    deployments.take_calls()
    deployments.aws.table.calls.clear()
    person.answers = ["LIVE"]

    with pytest.raises(UsageError, match=r"cancelled: nothing was changed \(type live to confirm\)"):
        deployments.deploy(yes=False)

    assert is_untouched(deployments)
    assert "create shop-live" in deployments.aws.stacks.calls


def test_deploy_wrong_word_leaves_no_empty_stack(deployments: ShopDeployments, person: Person) -> None:
    person.answers = [""]

    with pytest.raises(UsageError, match="cancelled"):
        deployments.deploy(yes=False)

    assert deployments.aws.stacks.stacks == {}


def test_deploy_interrupt_at_the_question_discards(deployments: ShopDeployments, person: Person) -> None:
    person.answers = [KeyboardInterrupt]

    with pytest.raises(DetachedError, match=r"deploy --env live: interrupted; nothing was changed$") as caught:
        deployments.deploy(yes=False)

    assert caught.value.exit_code == 130

    assert is_untouched(deployments)


def test_deploy_forbidden_plan_changes_nothing(
    deployments: ShopDeployments, capsys: pytest.CaptureFixture[str]
) -> None:
    deployments.deploy()
    deployments.aws.stacks.calls.clear()
    deployments.aws.table.calls.clear()
    deployments.sell("on")

    with pytest.raises(CheckFailedError) as caught:
        deployments.deploy()

    assert [finding.where for finding in caught.value.findings] == ["watched:Selling"]
    assert str(caught.value).endswith("if that is what you want: inv deploy --env live --yes --allow watched:Selling")
    assert is_untouched(deployments)
    output = capsys.readouterr().out
    assert "forbidden: 1 danger" in output
    assert "instead: keep off" not in output


def test_deploy_forbidden_plan_advises_with_all_that_was_allowed(deployments: ShopDeployments, person: Person) -> None:
    """The command works when it is pasted: what was allowed before is part of it."""
    deployments.deploy()
    deployments.sell("on")

    with pytest.raises(CheckFailedError) as caught:
        deployments.deploy(yes=False, allow=("dirty", "replace:Sales"))

    command = "inv deploy --env live --allow dirty --allow replace:Sales --allow watched:Selling"
    assert str(caught.value).endswith(f"if that is what you want: {command}")
    assert person.questions == []


def test_deploy_allowed_danger_is_confirmed_by_its_resource(
    deployments: ShopDeployments, person: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    deployments.deploy()
    deployments.sell("on")
    person.answers = ["live", "Selling"]

    deployments.deploy(yes=False, allow=("watched:Selling",))

    assert person.questions[1].endswith("Type Selling to confirm:")
    assert "allowed: watched:Selling (app): selling: off -> on\n" in capsys.readouterr().out
    assert deployments.releases[1].allowed == ("watched:Selling",)
    assert deployments.releases[1].verdict == "needs consent"
    assert deployments.aws.stacks.describe("shop-live").parameters["Selling"] == "on"


def test_deploy_sandbox_asks_and_enforces_nothing(deployments: ShopDeployments) -> None:
    deployments.deploy("here", yes=False)
    deployments.edit("samconfig.toml", '"Colour=red"', '"Selling=on"')

    release = deployments.deploy("here", yes=False)

    assert release is not None
    assert release.allowed == ("watched:Selling",)
    assert deployments.aws.stacks.describe("shop-here").parameters["Selling"] == "on"


def test_deploy_interrupt_while_planning_leaves_no_change_set(deployments: ShopDeployments) -> None:
    deployments.deploy()
    deployments.change_till()
    deployments.edit("shop/stock/handler.py", "...", "return 1")
    deployments.aws.table.calls.clear()
    deployments.take_calls()
    stacks, seen = deployments.aws.stacks, [0]

    def interrupt(name: str, _argument: str) -> None:
        seen[0] += name == "describe_change_set"
        if seen[0] == 2:
            seen[0] += 1
            raise KeyboardInterrupt

    stacks.on_call = interrupt

    with pytest.raises(DetachedError, match=r"deploy --env live: interrupted; nothing was changed$"):
        deployments.deploy()

    assert is_untouched(deployments)
    assert sorted(stacks.calls) == sorted(
        ["create shop-live-base", "create shop-live", "discard shop-live", "discard shop-live-base"]
    )


def test_finding_of_a_danger_says_what_would_happen(deployments: ShopDeployments) -> None:
    deployments.deploy()
    deployments.sell("on")

    with pytest.raises(CheckFailedError) as caught:
        deployments.deploy()

    fix = "instead: keep off; pyproject.toml forbids on as selling"
    assert caught.value.findings == (Finding("watched:Selling", "selling: off -> on", fix),)
