"""From nothing: `inv bootstrap`, then a deployment as the deploy role. Later tests trade days on what it deploys."""

import boto3
import botocore
import pytest
from botocore.exceptions import ClientError

from automation.deploying.bootstrapping import provider
from tests.e2e.conftest import Inv, Sandbox
from tests.e2e.deploy_role import REPOSITORY, DeployRole, token

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
    "text",
    [token("prod"), token("local", repository="octocat/fork"), "no token"],
    ids=["another environment", "another repository", "no token"],
)
def test_role_trusts_only_jobs_of_its_environment(bootstrapped: DeployRole, text: str) -> None:
    sts = boto3.client(
        "sts",
        endpoint_url=bootstrapped.sandbox.emulator_url,
        region_name="us-east-1",
        config=botocore.config.Config(signature_version=botocore.UNSIGNED),
    )

    with pytest.raises(ClientError, match="Not authorized to perform sts:AssumeRoleWithWebIdentity"):
        sts.assume_role_with_web_identity(
            RoleArn=bootstrapped.outputs["DeployRole"], RoleSessionName="ci", WebIdentityToken=text
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
    assert f"deploy role of {REPOSITORY}: {bootstrapped.outputs['DeployRole']}" in lines


@pytest.mark.parametrize("command", ["diff", "doctor", "status"])
def test_other_commands_work_as_the_role(deployed: Sandbox, bootstrapped: DeployRole, inv: Inv, command: str) -> None:
    done = inv(command, "--env", "local", **bootstrapped.variables)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "not authorized" not in done.stdout + done.stderr


def test_role_cannot_change_itself(deployed: Sandbox, bootstrapped: DeployRole) -> None:
    sts = deployed.client("sts")
    keys = sts.assume_role_with_web_identity(
        RoleArn=bootstrapped.outputs["DeployRole"],
        RoleSessionName="ci",
        WebIdentityToken=bootstrapped.token.read_text(),
    )["Credentials"]
    iam = boto3.client(
        "iam",
        endpoint_url=deployed.emulator_url,
        region_name="us-east-1",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    name = bootstrapped.outputs["DeployRole"].rpartition("/")[2]

    with pytest.raises(ClientError, match="not authorized to perform: iam:PutRolePolicy"):
        iam.put_role_policy(RoleName=name, PolicyName="more", PolicyDocument='{"Statement": []}')
