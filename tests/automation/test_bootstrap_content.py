"""`inv bootstrap`: the bucket, the repository, the answers and the hooks, and what deployments find of them."""

import json

import pytest

from automation.project.settings import PYPROJECT
from automation.system.errors import CheckFailedError, ConfigurationError, UsageError
from tests.automation.bootstrapped_shop import ANN, STACK, SUBSCRIPTION, Bootstraps
from tests.automation.deployable_shop import STACK_NAMES
from tests.automation.deploying.changing_stacks import Person

# The bucket.


def test_deploy_uses_the_bucket_of_the_bootstrap_stack(account: Bootstraps) -> None:
    account.name_no_bucket()
    account.run()

    account.shop.deploy()

    buckets = {bucket for bucket, _ in account.shop.aws.store.objects}
    assert buckets == {account.outputs()["ArtifactBucket"]}
    assert "${ArtifactBucket.Arn}/*" in json.dumps(account.resources()["DeployPolicy1"])


def test_bootstrap_without_a_bucket_when_samconfig_names_one(account: Bootstraps) -> None:
    account.run()

    assert account.parts() == ["DeployRole", "PlanRole"]
    text = json.dumps(account.resources()["DeployPolicy1"])
    assert "arn:aws:s3:::shop-artifacts/*" in text
    assert "ArtifactBucket" not in text
    assert "ArtifactBucket" not in account.outputs()


def test_bootstrap_that_would_give_up_its_bucket_needs_the_name_of_the_danger(account: Bootstraps) -> None:
    samconfig = account.shop.root / "samconfig.toml"
    text = samconfig.read_text()
    account.name_no_bucket()
    account.run()
    samconfig.write_text(text)

    with pytest.raises(CheckFailedError) as caught:
        account.run()

    dangers = ["delete:ArtifactBucket", "widen:ArtifactBucketPolicy"]
    assert [finding.where for finding in caught.value.findings] == dangers
    command = "inv bootstrap --env live --repository octocat/shop --yes"
    advice = " ".join(f"--allow {danger}" for danger in dangers)
    assert caught.value.message.endswith(f"if that is what you want: {command} {advice}")
    assert account.shop.aws.stacks.sets == {}


def test_bootstrap_after_deployments_from_its_bucket_changes_nothing(account: Bootstraps) -> None:
    account.name_no_bucket()
    account.run()
    account.shop.deploy()

    assert account.run(dry_run=True) == 0


def test_bootstrap_role_reaches_the_artifacts_of_earlier_releases(account: Bootstraps) -> None:
    """A rollback to one of them reads them where they are."""
    account.shop.deploy()
    account.name_no_bucket()

    account.run()

    text = json.dumps(account.resources()["DeployPolicy1"])
    assert "arn:aws:s3:::shop-artifacts/*" in text
    assert "ArtifactBucket" in account.outputs()


def test_destroy_says_that_the_bootstrap_stack_stays(account: Bootstraps, capsys: pytest.CaptureFixture[str]) -> None:
    account.run()
    account.shop.deploy()
    capsys.readouterr()

    account.shop.destroy()

    assert STACK in account.shop.aws.stacks.stacks
    out = capsys.readouterr().out
    assert f"{STACK} stays, with the deploy role and the bucket for artifacts; to delete it, though not its b" in out
    assert f"delete-stack --stack-name {STACK}" in out


def test_destroy_without_a_bootstrap_stack_says_nothing_of_it(
    account: Bootstraps, capsys: pytest.CaptureFixture[str]
) -> None:
    account.shop.deploy()

    account.shop.destroy()

    assert "bootstrap" not in capsys.readouterr().out


# The repository.


def test_bootstrap_keeps_the_repository_that_is_trusted(account: Bootstraps) -> None:
    account.run()

    assert account.run(repository="", dry_run=True) == 0


def test_bootstrap_another_repository_is_a_change_that_is_shown(
    account: Bootstraps, capsys: pytest.CaptureFixture[str]
) -> None:
    account.run()
    capsys.readouterr()

    assert account.run(repository="octocat/fork") == 0

    rows = " ".join(capsys.readouterr().out.split())
    assert "repo:octocat/fork:environment:live, and no longer repo:octocat/shop:environment:live" in rows
    assert account.outputs()["Repository"] == "octocat/fork"


def test_bootstrap_without_a_repository_says_how_to_name_it(account: Bootstraps) -> None:
    with pytest.raises(UsageError, match="name the repository that may deploy: --repository owner/name"):
        account.run(repository="")


# The answers.


def test_bootstrap_answers_are_found_by_a_deployment_without_a_terminal(account: Bootstraps) -> None:
    account.shop.ask_for_owner()
    account.run(set=(f"Owner={ANN}",))

    account.shop.deploy()

    assert account.shop.owners() == [ANN, ANN]
    assert account.run(dry_run=True) == 0


def test_bootstrap_asks_for_what_no_file_has(account: Bootstraps, person: Person) -> None:
    account.shop.ask_for_owner()
    person.answers = [ANN, "live"]

    account.run(yes=False)

    assert person.questions == ["Owner (who is called):", "Type live to change live:"]
    assert json.loads(account.outputs()["Answers"]) == {"Owner": ANN}


def test_bootstrap_without_an_answer_says_how_to_give_it(
    account: Bootstraps, capsys: pytest.CaptureFixture[str]
) -> None:
    account.shop.ask_for_owner()
    account.shop.edit(PYPROJECT, 'ask = ["Owner"]', 'ask = ["Owner", "Buyer"]')
    account.shop.edit("app.yaml", "Parameters:\n", 'Parameters:\n  Buyer: {Type: String, Default: ""}\n')

    assert account.run() == 0

    question = "no value yet; inv deploy asks for it, or give it here: --set Owner=you@example.org --set Buyer=VALUE"
    assert f"Owner, Buyer: {question}" in " ".join(capsys.readouterr().err.split())
    assert "Answers" not in account.outputs()


def test_bootstrap_never_stores_a_hidden_answer(account: Bootstraps, person: Person) -> None:
    account.shop.ask_for_owner("{Type: String, NoEcho: true}")
    person.answers = ["live"]

    account.run(yes=False, set=("Owner=secret-word",))

    assert "secret-word" not in json.dumps(account.shop.aws.stacks.stacks[STACK].content.template)


def test_bootstrap_alerts_answer_for_the_subscription(account: Bootstraps) -> None:
    account.shop.ask_for_owner()
    account.shop.edit("app.yaml", "Resources:\n", f"Resources:\n  {SUBSCRIPTION}\n")

    account.run(alerts=ANN)

    assert json.loads(account.outputs()["Answers"]) == {"Owner": ANN}


# The hooks and their grants.


def test_bootstrap_hook_does_its_steps_after_the_plan(account: Bootstraps, capsys: pytest.CaptureFixture[str]) -> None:
    account.add_hook()

    account.run()

    out = capsys.readouterr().out
    assert "sign: hangs" in out.splitlines()
    assert out.index("hang it") < out.index("sign: hangs")
    assert (account.shop.root / "prepared").exists()


def test_bootstrap_hook_knows_the_account_and_what_is_deployed(account: Bootstraps) -> None:
    account.shop.deploy()
    account.add_hook()
    note = 'def prepare(context):\n    Path("seen.json").write_text(json.dumps(context))\n'
    account.shop.edit("shop_steps.py", "def prepare(context):\n", note)

    account.run(dry_run=True)

    seen = json.loads((account.shop.root / "seen.json").read_text())
    assert (seen["account"], seen["environment"], seen["applies"]) == ("123456789012", "live", False)
    assert seen["stacks"] == {"base": "shop-live-base", "app": "shop-live"}
    assert seen["outputs"] == dict(account.shop.aws.stacks.describe("shop-live-base").outputs)
    assert seen["parameters"]["BaseStack"] == "shop-live-base"
    assert list(seen["outputs"]) == ["Sales"]


def test_bootstrap_danger_that_the_plan_lacks_is_named(account: Bootstraps, capsys: pytest.CaptureFixture[str]) -> None:
    account.run(allow=("delete:Oven", "widen:DeployRole"))

    notes = [line for line in capsys.readouterr().out.splitlines() if "--allow" in line]
    assert notes == ["note: --allow delete:Oven: this plan has no such danger"]


def test_bootstrap_prints_what_only_a_person_can_do(account: Bootstraps, capsys: pytest.CaptureFixture[str]) -> None:
    account.add_hook()
    account.answer({"state": "person", "where": "door", "what": "is locked", "fix": "open it"})

    account.run()

    assert "warning: door: is locked; open it" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([{"state": "maybe", "where": "door", "what": "?"}], "returned the step"),
        ([{"state": "due", "where": "door"}], "returned the step"),
        ({"state": "due"}, "a bootstrap hook returns a list"),
    ],
)
def test_bootstrap_hook_with_another_answer_stops_before_any_change(
    account: Bootstraps, answer: object, message: str
) -> None:
    account.add_hook()
    (account.shop.root / "prepared.json").write_text(json.dumps(answer))

    with pytest.raises(ConfigurationError, match=message):
        account.run()

    assert (account.shop.take_calls(), account.providers.calls) == ([], [])


def test_bootstrap_unknown_action_in_pyproject_is_named(account: Bootstraps) -> None:
    account.shop.edit(PYPROJECT, 'package = "shop"', 'package = "shop"\ngrants = ["sqs:PurgeQueues"]')

    with pytest.raises(ConfigurationError, match="grants: IAM has no action 'sqs:PurgeQueues'; write it as in sqs:Get"):
        account.run()


def test_bootstrap_grants_of_pyproject_are_limited_to_the_stacks(account: Bootstraps) -> None:
    account.shop.edit(PYPROJECT, 'package = "shop"', 'package = "shop"\ngrants = ["sqs:PurgeQueue"]')

    account.run()

    [statement] = [
        statement
        for statement in account.resources()["DeployPolicy1"]["Properties"]["PolicyDocument"]["Statement"]
        if "sqs:PurgeQueue" in statement["Action"]
    ]
    assert statement["Resource"] == [f"arn:aws:sqs:eu-west-1:123456789012:{STACK_NAMES[1]}-*"]


def test_bootstrap_service_role_of_samconfig_may_be_handed_over(account: Bootstraps) -> None:
    role = "arn:aws:iam::123456789012:role/cfn"
    account.shop.edit("samconfig.toml", 'stack_name = "shop-live"', f'stack_name = "shop-live"\nrole_arn = "{role}"')

    account.run()

    assert f'"Resource": ["{role}"]' in json.dumps(account.resources()["PlanPolicy1"])
    policies = [value for name, value in account.resources().items() if name.startswith("DeployPolicy")]
    assert f'"Resource": ["{role}"]' in json.dumps(policies)


def test_bootstrap_another_environment_in_reach_is_noted(
    account: Bootstraps, capsys: pytest.CaptureFixture[str]
) -> None:
    account.shop.edit("samconfig.toml", '"shop-here', '"shop-live-trial')

    account.run()

    names = "shop-live-trial-base, shop-live-trial of here"
    note = f"note: in the same account the role would reach {names}: rename one of the stacks"
    assert note in capsys.readouterr().out.splitlines()


def test_bootstrap_environments_out_of_reach_are_not_noted(
    account: Bootstraps, capsys: pytest.CaptureFixture[str]
) -> None:
    account.run()

    assert "would reach" not in capsys.readouterr().out


def test_bootstrap_type_without_a_schema_is_noted(account: Bootstraps, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("Oven", "Mill"):
        resource = f"{name}: {{Type: Custom::{name}, Properties: {{ServiceToken: arn}}}}"
        account.shop.edit("app.yaml", "Resources:\n", f"Resources:\n  {resource}\n")

    account.run()

    note = "no schema says what CloudFormation needs for Custom::Mill, Custom::Oven; add the actions to grants of"
    assert f"note: {note} pyproject.toml: [tool.alchemiser]" in capsys.readouterr().out.splitlines()


def test_bootstrap_more_types_of_resources_widen_the_role_without_a_name(
    account: Bootstraps, capsys: pytest.CaptureFixture[str]
) -> None:
    account.run()
    account.shop.edit("app.yaml", "Resources:\n", "Resources:\n  Orders: {Type: AWS::SQS::Queue}\n")
    capsys.readouterr()

    assert account.run() == 0

    rows = " ".join(capsys.readouterr().out.split())
    assert "may sqs: 8 actions on shop-live-*, only through CloudFormation" in rows
    assert "widen" not in rows
