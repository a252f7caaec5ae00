"""Parameters that a person is asked for once: the first deployment asks, every later command reads what is deployed."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from automation import diff
from automation.system import console
from automation.system.errors import CheckFailedError, Finding, UsageError
from tests.automation.deployable_shop import STACK_NAMES, ShopDeployments, is_untouched
from tests.automation.deploying.changing_stacks import Person

ANN, BOB = "ann@shop.test", "bob@shop.test"
SET = "inv deploy --env live --yes --set Owner=you@example.org"


@pytest.fixture
def shop(deployments: ShopDeployments) -> ShopDeployments:
    deployments.ask_for_owner()
    return deployments


@pytest.fixture
def owned(shop: ShopDeployments) -> ShopDeployments:
    """Return a shop that was deployed with an owner."""
    shop.deploy(values=(f"Owner={ANN}",))
    shop.take_calls()
    return shop


@pytest.fixture
def run_diff(shop: ShopDeployments) -> Callable[..., int]:
    def run(**options: Any) -> int:
        chosen = diff.Options(**options)
        return diff.diff(shop.root, "live", variables=shop.variables, options=chosen, connect=shop.aws.connect)

    return run


def test_deploy_asks_once_for_both_stacks(shop: ShopDeployments, person: Person) -> None:
    person.answers = ["nobody", ANN, "live"]

    shop.deploy(yes=False)

    assert person.questions == ["Owner (who is called):", "Owner (who is called):", "Type live to change live:"]
    assert shop.owners() == [ANN, ANN]
    assert [stack.parameters["Owner"] for stack in shop.releases[0].stacks] == [ANN, ANN]


def test_deploy_empty_answer_changes_nothing(shop: ShopDeployments, person: Person) -> None:
    person.answers = [""]

    with pytest.raises(UsageError, match=r"^live: Owner has no value; cancelled: nothing was changed$"):
        shop.deploy(yes=False)

    assert is_untouched(shop)


def test_deploy_without_a_terminal_says_what_to_type(shop: ShopDeployments) -> None:
    with pytest.raises(CheckFailedError) as caught:
        shop.deploy()

    assert caught.value.findings == (Finding("Owner", "has no value yet: who is called", SET),)
    assert is_untouched(shop)


def test_deploy_advice_keeps_what_was_typed(shop: ShopDeployments) -> None:
    with pytest.raises(CheckFailedError) as caught:
        shop.deploy(allow=("dirty", "replace:Sales"))

    expected = "inv deploy --env live --yes --allow dirty --allow replace:Sales --set Owner=you@example.org"
    assert caught.value.findings[0].fix == expected


def test_deploy_advice_works(shop: ShopDeployments) -> None:
    shop.deploy(values=("Owner=you@example.org",))
    shop.change_till()
    shop.deploy()

    assert shop.owners() == ["you@example.org"] * 2


def test_deploy_again_reuses_the_value_without_a_change(
    owned: ShopDeployments, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()

    owned.deploy()

    assert capsys.readouterr().out.startswith("nothing has changed in live: r1")
    assert (owned.take_calls(), len(owned.releases)) == ([], 1)


def test_deploy_other_change_keeps_the_value(owned: ShopDeployments) -> None:
    owned.change_both()

    owned.deploy()

    assert owned.owners() == [ANN, ANN]
    assert owned.releases[1].stacks[0].parameters["Owner"] == ANN


def test_deploy_set_changes_the_value(owned: ShopDeployments, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()

    owned.deploy(values=(f"Owner={BOB}",))

    output = " ".join(capsys.readouterr().out.split())
    assert owned.owners() == [BOB, BOB]
    assert ANN in output
    assert BOB in output
    assert owned.history[1] == ("deploy", "deployed", "passed")


def test_deploy_set_of_the_same_value_changes_nothing(owned: ShopDeployments) -> None:
    owned.deploy(values=(f"Owner={ANN}",))

    assert (owned.take_calls(), len(owned.releases)) == ([], 1)


def test_deploy_interrupted_after_one_stack_does_not_ask_again(shop: ShopDeployments) -> None:
    shop.aws.stacks.failing["shop-live"] = "name is taken"
    with pytest.raises(Exception, match="name is taken"):
        shop.deploy(values=(f"Owner={ANN}",))
    shop.aws.stacks.failing.clear()
    del shop.aws.stacks.stacks["shop-live"]

    shop.deploy()

    assert shop.owners() == [ANN, ANN]


@pytest.mark.parametrize("value", ["Colour=red", "Owner", "Owner=nobody"])
def test_deploy_wrong_set_is_refused_before_any_call(shop: ShopDeployments, value: str) -> None:
    with pytest.raises(UsageError, match=r"^--set"):
        shop.deploy(values=(value,))

    assert shop.aws.account.asked == []


def test_deploy_sandbox_is_not_asked(shop: ShopDeployments) -> None:
    shop.deploy("here")

    assert shop.aws.stacks.describe("shop-here").parameters["Owner"] == ""


def test_deploy_forbidden_advice_keeps_the_value(owned: ShopDeployments) -> None:
    owned.sell("on")

    with pytest.raises(CheckFailedError) as caught:
        owned.deploy(values=(f"Owner={BOB}",))

    expected = f"inv deploy --env live --yes --set Owner={BOB} --allow watched:Selling"
    assert str(caught.value).endswith(expected)


def test_deploy_hidden_value_is_shown_nowhere(
    shop: ShopDeployments, person: Person, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hidden = Person(["canary"])
    monkeypatch.setattr(console, "ask_hidden", hidden.reply)
    for template in ("base.yaml", "app.yaml"):
        shop.edit(template, "Description: who is called,", "NoEcho: true,")
        shop.edit(template, 'AllowedPattern: "|[^@]+@[^@]+"', "MinLength: 1")
    person.answers = ["live"]

    shop.deploy(yes=False)
    shop.change_till()
    shop.deploy()

    output = capsys.readouterr()
    assert hidden.questions == ["Owner:"]
    assert shop.owners() == ["canary", "canary"]
    assert "canary" not in output.out + output.err + str(shop.aws.table.rows)


def test_rollback_keeps_the_present_value(owned: ShopDeployments) -> None:
    owned.change_till()
    owned.deploy(values=(f"Owner={BOB}",))

    release = owned.rollback()

    assert owned.owners() == [BOB, BOB]
    assert [stack.parameters["Owner"] for stack in release.stacks] == [BOB, BOB]


def test_rollback_to_a_release_without_the_parameter_works(deployments: ShopDeployments) -> None:
    deployments.deploy()
    deployments.ask_for_owner()
    deployments.deploy(values=(f"Owner={ANN}",))

    release = deployments.rollback()

    assert release.kind == "rollback to r1"
    assert "Owner" not in release.stacks[0].parameters
    assert "Owner" not in deployments.aws.stacks.describe("shop-live").parameters


def test_rollback_does_not_ask(owned: ShopDeployments, person: Person) -> None:
    """Nobody has chosen the value of a stack that somebody else deployed."""
    owned.change_till()
    owned.deploy()
    for name in STACK_NAMES:
        stack = owned.aws.stacks.stacks[name]
        stack.content = replace(stack.content, values={**stack.content.values, "Owner": ""})
    person.answers = ["live"]

    owned.rollback(yes=False)

    assert person.questions == ["Type live to change live:"]
    assert owned.owners() == [ANN, ANN]


def test_diff_says_that_it_will_be_asked(run_diff: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert run_diff() == 7

    expected = "warning: Owner has no value yet: inv deploy asks for it; this plan has its default ''\n"
    assert expected in capsys.readouterr().err


def test_diff_without_a_default_plans_with_an_example(
    shop: ShopDeployments, run_diff: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    for template in ("base.yaml", "app.yaml"):
        shop.edit(template, 'Default: "", ', "")
    # A sandbox is never asked.
    shop.edit("samconfig.toml", '"Colour=red"', f'"Colour=red", "Owner={ANN}"')
    section = '"shop-here-base"\ns3_bucket = "shop-artifacts"'
    shop.edit("samconfig.toml", section, f'{section}\nparameter_overrides = ["Owner={ANN}"]')

    assert run_diff() == 7

    assert "inv deploy asks for it; this plan has you@example.org\n" in capsys.readouterr().err


def test_diff_whose_example_is_not_allowed_needs_the_value(shop: ShopDeployments, run_diff: Callable[..., int]) -> None:
    for template in ("base.yaml", "app.yaml"):
        shop.edit(template, 'Default: "", ', "")
        shop.edit(template, "|[^@]+@[^@]+", "[a-z]+@shop")

    with pytest.raises(CheckFailedError) as caught:
        run_diff(allow=("replace:Sales",))

    assert str(caught.value) == "live: the plan needs these values; nothing was changed"
    fix = "inv diff --env live --allow replace:Sales --set Owner=you@example.org"
    assert caught.value.findings == (Finding("Owner", "has no value yet", fix),)


def test_diff_deployed_value_is_not_asked_for(
    owned: ShopDeployments, run_diff: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()

    assert run_diff() == 0
    assert run_diff(set=(f"Owner={BOB}",)) == 7
    assert "no value yet" not in capsys.readouterr().err
    assert owned.owners() == [ANN, ANN]


def test_saved_plan_needs_the_value(shop: ShopDeployments) -> None:
    with pytest.raises(CheckFailedError) as caught:
        shop.save_plan()

    assert str(caught.value) == "live: a saved plan needs these values; nothing was changed"
    fix = f"inv diff --env live --out {shop.root}/plan.json --set Owner=you@example.org"
    assert caught.value.findings == (Finding("Owner", "has no value yet", fix),)


def test_saved_plan_has_its_value(shop: ShopDeployments) -> None:
    plan = shop.save_plan(values=(f"Owner={ANN}",))

    shop.deploy(plan=plan)

    assert shop.owners() == [ANN, ANN]


def test_saved_plan_with_another_value_is_stale(shop: ShopDeployments) -> None:
    plan = shop.save_plan(values=(f"Owner={ANN}",))

    with pytest.raises(CheckFailedError) as caught:
        shop.deploy(plan=plan, values=(f"Owner={BOB}",))

    what = f"parameters: Owner was {ANN}, is now {BOB}"
    assert [finding.what for finding in caught.value.findings] == [what, what]


def test_saved_plan_does_not_have_a_hidden_value(shop: ShopDeployments) -> None:
    for template in ("base.yaml", "app.yaml"):
        shop.edit(template, "Description: who is called,", "NoEcho: true,")
    plan = shop.save_plan(values=(f"Owner={ANN}",))

    with pytest.raises(CheckFailedError) as caught:
        shop.deploy(plan=plan)
    shop.deploy(plan=plan, values=(f"Owner={ANN}",))

    fix = f"inv deploy --env live --yes --plan {plan} --set Owner=you@example.org"
    assert [finding.fix for finding in caught.value.findings] == [fix]
    assert shop.owners() == [ANN, ANN]


def test_deploy_after_destroy_has_the_values_of_the_last_release(owned: ShopDeployments) -> None:
    owned.destroy()

    owned.deploy()

    assert owned.owners() == [ANN, ANN]


def test_deploy_after_destroy_of_releases_too_needs_the_value(owned: ShopDeployments) -> None:
    owned.destroy("releases")

    with pytest.raises(CheckFailedError) as caught:
        owned.deploy()

    assert caught.value.findings == (Finding("Owner", "has no value yet: who is called", SET),)
