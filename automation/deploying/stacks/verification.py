"""Compare the code that Lambda runs with the zips of the build."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

from automation.deploying.changes.resolution import stable_name
from automation.system import aws_commands, console
from automation.system.digests import base64_of
from automation.system.errors import Finding
from automation.system.stacks import StackResource
from automation.system.targets import Target

_FUNCTION = "AWS::Lambda::Function"
_CODE = {_FUNCTION: "Code", "AWS::Lambda::LayerVersion": "Content"}
_CONCURRENT_CALLS = 4


class Stacks(Protocol):
    """The call to CloudFormation that a verification needs; cloudformation.CloudFormation is the real one."""

    def resources(self, stack: str) -> tuple[StackResource, ...]:
        """Return the resources of a stack."""
        ...


class Code(Protocol):
    """The calls to Lambda that a verification needs; lambda_code.LambdaCode is the real one."""

    def function_digest(self, function: str) -> str:
        """Return the SHA-256 of a function's zip, in base64."""
        ...

    def layer_digest(self, arn: str) -> str:
        """Return the SHA-256 of the zip of a layer version, in base64."""
        ...


@dataclass(frozen=True, slots=True)
class _Deployed:
    """A function or a layer of the build and where it runs.

    Attributes:
        name: its logical id in SAM's template.
        physical_id: empty when it does not exist.
        is_optional: whether a condition decides that it exists.
        code: its location in S3.
    """

    name: str
    is_function: bool = False
    physical_id: str = ""
    is_optional: bool = False
    code: Mapping[str, Any] = field(default_factory=dict)


def verify(
    stack_name: str,
    template: Mapping[str, Any],
    code_digests: Mapping[str, str],
    *,
    stacks: Stacks,
    code: Code,
    target: Target,
) -> tuple[Finding, ...]:
    """Compare the code of every function and layer of a deployed stack with the build.

    Args:
        template: the deployed template after SAM's transform.
        code_digests: the SHA-256 of the zips of the build, in hexadecimal, by logical id in SAM's template; see
            uploads.Upload.

    Returns:
        One finding per function or layer whose code is another one, or that is missing.

    Raises:
        DeploymentError: AWS did not answer.
    """
    physical_ids = {resource.logical_id: resource.physical_id for resource in stacks.resources(stack_name)}
    deployed = _deployed(template, physical_ids, code_digests)

    def check(resource: _Deployed) -> Finding | None:
        expected = base64_of(code_digests[resource.name])
        return _finding(f"{stack_name}: {resource.name}", resource, expected, code=code, target=target)

    with console.progress(f"verifying the code of {stack_name}"), ThreadPoolExecutor(_CONCURRENT_CALLS) as pool:
        return tuple(finding for finding in pool.map(check, deployed) if finding is not None)


def _deployed(
    template: Mapping[str, Any], physical_ids: Mapping[str, str], code_digests: Mapping[str, str]
) -> list[_Deployed]:
    """Return the functions and layers of the build, in its order."""
    present: dict[str, _Deployed] = {}
    for logical_id, resource in template["Resources"].items():
        code_key = _CODE.get(resource["Type"])
        if code_key:
            # SAM adds a hash to the logical id of a layer.
            name = logical_id if logical_id in code_digests else stable_name(logical_id, resource["Type"])
            code = resource["Properties"][code_key]
            is_optional = "Condition" in resource
            physical_id = physical_ids.get(logical_id, "")
            present[name] = _Deployed(name, resource["Type"] == _FUNCTION, physical_id, is_optional, code)
    return [present.get(name, _Deployed(name)) for name in code_digests]


def _finding(where: str, resource: _Deployed, expected: str, *, code: Code, target: Target) -> Finding | None:
    if not resource.physical_id:
        what = "was built but does not exist in the stack"
        return None if resource.is_optional else Finding(where, what, "check its events, then deploy again")
    digest_of = code.function_digest if resource.is_function else code.layer_digest
    running = digest_of(resource.physical_id)
    if running == expected:
        return None

    what = f"runs other code than the build: its SHA-256 is {running}, that of the zip is {expected}"
    if not resource.is_function:
        return Finding(where, what, "a layer version never changes: edit the layer's description, then deploy again")
    # The template is as deployed, so that CloudFormation would see nothing to change.
    words = ["--function-name", resource.physical_id]
    words += ["--s3-bucket", str(resource.code.get("S3Bucket")), "--s3-key", str(resource.code.get("S3Key"))]
    command = aws_commands.line(target, "lambda", "update-function-code", *words)
    return Finding(where, what, f"it was changed outside of the deployment; put the build's code back: {command}")
