"""From nothing: `inv bootstrap`, then a deployment as the deploy role. Later tests trade days on what it deploys.

The first tests need an account without a deployment, so this file comes first.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore
import pytest
from botocore.exceptions import ClientError

from automation.deploying.bootstrapping import provider
from tests.automation.github_server import served
from tests.e2e.conftest import Inv, Sandbox
from tests.e2e.deploy_role import REPOSITORY, STACK, DeployRole, job_variables, token
from tests.e2e.edits import replaced

APP, RELEASES = "alchemiser-local", "alchemiser-local-releases"
# One per service that a deployment calls before it records a release; each is taken out of the role.
TAKEN_OUT = ("cloudformation:DescribeStacks", "dynamodb:PutItem", "s3:PutObject", "cloudformation:CreateChangeSet")


def test_account_has_what_a_deployment_needs(bootstrapped: DeployRole) -> None:
    sandbox = bootstrapped.sandbox
    iam, s3, bucket = sandbox.client("iam"), sandbox.client("s3"), bootstrapped.outputs["ArtifactBucket"]

    arn = provider.arn_of("aws", "000000000000")
    assert iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)["ClientIDList"] == ["sts.amazonaws.com"]
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]["BlockPublicPolicy"]


@pytest.mark.parametrize(
    ("role", "text"),
    [
        ("DeployRole", token("prod")),
        ("DeployRole", token("local-plan")),
        ("DeployRole", token("local", repository="octocat/fork")),
        ("DeployRole", "no token"),
        ("PlanRole", token("local")),
        ("PlanRole", token("prod-plan")),
    ],
)
def test_role_trusts_only_jobs_of_its_environment(bootstrapped: DeployRole, role: str, text: str) -> None:
    sts = boto3.client(
        "sts",
        endpoint_url=bootstrapped.sandbox.emulator_url,
        region_name="us-east-1",
        config=botocore.config.Config(signature_version=botocore.UNSIGNED),
    )

    with pytest.raises(ClientError, match="Not authorized to perform sts:AssumeRoleWithWebIdentity"):
        sts.assume_role_with_web_identity(
            RoleArn=bootstrapped.outputs[role], RoleSessionName="ci", WebIdentityToken=text
        )


@pytest.mark.parametrize("action", TAKEN_OUT)
def test_deployment_without_an_action_fails_and_names_it(bootstrapped: DeployRole, inv: Inv, action: str) -> None:
    with bootstrapped.without(action):
        done = inv("deploy", "--env", "local", **bootstrapped.variables)

    assert done.returncode in {3, 4, 6}, done.stdout + done.stderr
    assert action in done.stdout + done.stderr


def test_deployment_is_made_by_the_role(deployed: Sandbox, bootstrapped: DeployRole, inv: Inv) -> None:
    """The other tests of this worker trade days with this deployment, test_1_day.py the first one."""
    name = bootstrapped.outputs["DeployRole"].rpartition("/")[2]
    done = inv("releases", "--env", "local", "--json", **bootstrapped.variables)

    assert done.returncode == 0, done.stdout + done.stderr
    assert f":assumed-role/{name}/" in done.stdout
    contents = deployed.client("s3").list_objects_v2(Bucket=bootstrapped.outputs["ArtifactBucket"])["Contents"]
    assert contents


def test_bootstrap_again_changes_nothing(deployed: Sandbox, bootstrapped: DeployRole, inv: Inv) -> None:
    done = inv("bootstrap", "--env", "local")

    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert "nothing to change: the account is prepared for local" in lines
    of_repository, roles = f"GitHub, {REPOSITORY}, environment", bootstrapped.outputs
    assert f"{of_repository} local: AWS_ROLE_ARN = {roles['DeployRole']}" in lines
    assert f"{of_repository} local-plan: AWS_ROLE_ARN = {roles['PlanRole']}" in lines


def test_deployment_by_the_role_needs_no_stack_of_sam(deployed: Sandbox) -> None:
    """Although samconfig.toml says `resolve_s3 = true`, which is for plain `sam deploy`."""
    stacks = deployed.client("cloudformation").describe_stacks()["Stacks"]

    assert {stack["StackName"] for stack in stacks} == {STACK, APP, f"{APP}-data"}


@pytest.mark.parametrize("command", ["diff", "doctor", "status"])
def test_other_commands_work_as_the_role(deployed: Sandbox, bootstrapped: DeployRole, inv: Inv, command: str) -> None:
    done = inv(command, "--env", "local", **bootstrapped.variables)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "not authorized" not in done.stdout + done.stderr


@pytest.fixture
def planner(bootstrapped: DeployRole, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Return the environment variables of a job of GitHub for local-plan, which gets its token from GitHub."""
    with served() as github:
        github.identity = token("local-plan")
        yield job_variables(github, tmp_path, role=bootstrapped.outputs["PlanRole"])


def test_plan_is_made_and_not_deployed_by_the_plan_role(project: Path, planner: dict[str, str], inv: Inv) -> None:
    """Its job has no key of AWS: it gets a token from GitHub, and STS the token."""
    samconfig = project / "samconfig.toml"
    original = samconfig.read_text()
    samconfig.write_text(replaced('"StrategyTimeoutS=30"', '"StrategyTimeoutS=29"')(original))
    shown = inv("diff", "--env", "local", cwd=project, **planner)
    refused = inv("deploy", "--env", "local", cwd=project, **planner)
    samconfig.write_text(original)

    assert shown.returncode == 7, shown.stdout + shown.stderr
    assert "Timeout" in shown.stdout
    assert "not authorized" not in shown.stdout + shown.stderr
    assert refused.returncode == 3, refused.stdout + refused.stderr
    assert "is not authorized to perform: cloudformation:ListStackResources" in refused.stdout


@pytest.mark.parametrize(
    ("service", "call", "arguments", "action"),
    [
        ("cloudformation", "execute_change_set", {"ChangeSetName": "release-1", "StackName": APP}, "ExecuteChangeSet"),
        ("cloudformation", "delete_stack", {"StackName": APP}, "DeleteStack"),
        ("cloudformation", "create_stack", {"StackName": f"{APP}-2", "TemplateBody": "{}"}, "CreateStack"),
        ("dynamodb", "delete_item", {"TableName": RELEASES, "Key": {"pk": {"S": "LOCK"}}}, "DeleteItem"),
    ],
)
def test_plan_role_changes_no_stack_and_no_release(
    bootstrapped: DeployRole, service: str, call: str, arguments: dict[str, Any], action: str
) -> None:
    client = client_of(bootstrapped, service, "PlanRole", token("local-plan"))

    with pytest.raises(ClientError, match=f"not authorized to perform: {service}:{action}"):
        getattr(client, call)(**arguments)


def test_role_cannot_change_itself(bootstrapped: DeployRole) -> None:
    iam = client_of(bootstrapped, "iam", "DeployRole", token("local"))
    name = bootstrapped.outputs["DeployRole"].rpartition("/")[2]

    with pytest.raises(ClientError, match="not authorized to perform: iam:PutRolePolicy"):
        iam.put_role_policy(RoleName=name, PolicyName="more", PolicyDocument='{"Statement": []}')


def client_of(bootstrapped: DeployRole, service: str, role: str, text: str) -> Any:
    """Return a client that acts as a role, which a token lets it assume."""
    url = bootstrapped.sandbox.emulator_url
    keys = bootstrapped.sandbox.client("sts").assume_role_with_web_identity(
        RoleArn=bootstrapped.outputs[role], RoleSessionName="ci", WebIdentityToken=text
    )["Credentials"]
    return boto3.client(
        service,  # type: ignore[call-overload]  # any service, by name
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
