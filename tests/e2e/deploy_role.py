"""The roles that `inv bootstrap` makes, and tokens as GitHub signs them, which let a job assume them."""

import base64
import copy
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.automation.github_server import TOKEN, GitHub

if TYPE_CHECKING:
    from tests.e2e.conftest import Sandbox

REPOSITORY = "octocat/alchemiser"
STACK = "bootstrap-alchemiser-local"
_ISSUER = "https://token.actions.githubusercontent.com"


@dataclass(frozen=True)
class DeployRole:
    """The role, with a token for the environment local.

    Attributes:
        token: the file that has it.
    """

    sandbox: "Sandbox"
    token: Path

    @property
    def outputs(self) -> dict[str, str]:
        """Return the outputs of the bootstrap stack."""
        [stack] = self.sandbox.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    @property
    def variables(self) -> Mapping[str, str]:
        """Return the environment variables of a job that assumes the role."""
        return {"AWS_ROLE_ARN": self.outputs["DeployRole"], "AWS_WEB_IDENTITY_TOKEN_FILE": str(self.token)}

    @contextmanager
    def without(self, action: str) -> Iterator[None]:
        """Take an action out of the policies of the role while the context lasts."""
        iam = self.sandbox.client("iam")
        resources = self.sandbox.resources(STACK)
        arns = [resources[name] for name in sorted(resources) if name.startswith("DeployPolicy")]
        documents = {arn: _document(iam, arn) for arn in arns}
        for arn, document in documents.items():
            _set(iam, arn, _reduced(document, action))
        try:
            yield
        finally:
            for arn, document in documents.items():
                _set(iam, arn, document)


def job_variables(github: GitHub, folder: Path, *, role: str) -> dict[str, str]:
    """Return the environment variables of a job of GitHub Actions with `id-token: write`, and no key of AWS.

    Args:
        github: answers the request for the identity token.
        folder: for the file with the token.
        role: the ARN of the role.
    """
    return {
        "GITHUB_ACTIONS": "true",
        "AWS_ROLE_ARN": role,
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"{github.url}/token?api-version=2.0",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": TOKEN,
        "RUNNER_TEMP": str(folder),
        "AWS_ACCESS_KEY_ID": "",
        "AWS_SECRET_ACCESS_KEY": "",
    }


def token(environment: str, *, repository: str = REPOSITORY) -> str:
    """Return a token of GitHub for a job of an environment. Nobody checks its signature here."""
    claims = {
        "iss": _ISSUER,
        "aud": "sts.amazonaws.com",
        "sub": f"repo:{repository}:environment:{environment}",
    }
    return f"{_encoded({'alg': 'none'})}.{_encoded(claims)}.signature"


def _encoded(part: Mapping[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def _document(iam: Any, arn: str) -> dict[str, Any]:
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    parsed: dict[str, Any] = json.loads(document) if isinstance(document, str) else document
    return parsed


def _reduced(document: Mapping[str, Any], action: str) -> dict[str, Any]:
    reduced = copy.deepcopy(dict(document))
    for statement in reduced["Statement"]:
        statement["Action"] = [name for name in statement["Action"] if name != action] or ["sts:GetCallerIdentity"]
    return reduced


def _set(iam: Any, arn: str, document: Mapping[str, Any]) -> None:
    """Make a document the one that counts; a policy has at most five versions."""
    for version in iam.list_policy_versions(PolicyArn=arn)["Versions"]:
        if not version["IsDefaultVersion"]:
            iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(document), SetAsDefault=True)
