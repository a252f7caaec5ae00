"""The template of the bootstrap stack: the bucket for artifacts, the roles, and the answers for deployments."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from automation.deploying.bootstrap_stack import ANSWERS, BUCKET, PLAN_ROLE, REPOSITORY, ROLE

BUCKET_ARN: Mapping[str, Any] = {"Fn::GetAtt": [BUCKET, "Arn"]}
# After an `inv prune`, or a mistake, an artifact can be brought back for so long.
DELETED_DAYS = 90
ABORTED_DAYS = 7
POLICIES: Mapping[str, str] = {ROLE: "DeployPolicy", PLAN_ROLE: "PlanPolicy"}  # each with a number behind it


@dataclass(frozen=True, slots=True)
class RoleContent:
    """What a role may do.

    Attributes:
        name: of the resource.
        trust: who may assume it.
        documents: its policies.
    """

    name: str
    description: str
    trust: Mapping[str, Any]
    documents: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Content:
    """What the stack contains.

    Attributes:
        has_bucket: whether the stack has a bucket; not when samconfig.toml names one for every stack.
        answers: the values of parameters that deployments would ask for, by name.
    """

    environment: str
    repository: str
    roles: Sequence[RoleContent]
    has_bucket: bool = True
    answers: Mapping[str, str] = field(default_factory=dict)


def render(content: Content) -> dict[str, Any]:
    """Return the template."""
    resources: dict[str, Any] = {}
    outputs: dict[str, Any] = {REPOSITORY: {"Value": content.repository}}
    for role in content.roles:
        resources |= _role(role)
        outputs[role.name] = {"Value": {"Fn::GetAtt": [role.name, "Arn"]}}
    if content.has_bucket:
        resources |= _bucket()
        outputs[BUCKET] = {"Value": {"Ref": BUCKET}}
    if content.answers:
        # A resource, because CloudFormation does not update a stack of which only an output changes.
        value = json.dumps(dict(content.answers), sort_keys=True)
        resources[ANSWERS] = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": value}}
        outputs[ANSWERS] = {"Value": value}
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"What {content.environment} needs before its first deployment; inv bootstrap writes it",
        "Resources": resources,
        "Outputs": outputs,
    }


def _role(role: RoleContent) -> dict[str, Any]:
    """Return the resources of a role: its policies, and the role itself."""
    names = [f"{POLICIES[role.name]}{number}" for number in range(1, len(role.documents) + 1)]
    properties = {
        "Description": role.description,
        "AssumeRolePolicyDocument": role.trust,
        "ManagedPolicyArns": [{"Ref": name} for name in names],
    }
    policies = dict(zip(names, map(_policy, role.documents), strict=True))
    return {**policies, role.name: {"Type": "AWS::IAM::Role", "Properties": properties}}


def _policy(document: Mapping[str, Any]) -> dict[str, Any]:
    return {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document}}


def _bucket() -> dict[str, Any]:
    """Return the bucket and its policy."""
    over_tls_only = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [BUCKET_ARN, {"Fn::Sub": f"${{{BUCKET}.Arn}}/*"}],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    document = {"Version": "2012-10-17", "Statement": [over_tls_only]}
    return {
        BUCKET: {
            "Type": "AWS::S3::Bucket",
            # What a failed creation leaves is deleted; when the stack is deleted, the bucket stays.
            "DeletionPolicy": "RetainExceptOnCreate",
            "UpdateReplacePolicy": "Retain",
            "Properties": _bucket_properties(),
        },
        f"{BUCKET}Policy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {"Bucket": {"Ref": BUCKET}, "PolicyDocument": document},
        },
    }


def _bucket_properties() -> dict[str, Any]:
    """Return the properties of the bucket. No rule ever removes the current version of an artifact."""
    blocked = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    encryption = {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    lifecycle = {
        "Id": "remove what was replaced or deleted",
        "Status": "Enabled",
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": ABORTED_DAYS},
        "NoncurrentVersionExpiration": {"NoncurrentDays": DELETED_DAYS},
        "ExpiredObjectDeleteMarker": True,
    }
    return {
        "BucketEncryption": {"ServerSideEncryptionConfiguration": [encryption]},
        "LifecycleConfiguration": {"Rules": [lifecycle]},
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        "PublicAccessBlockConfiguration": dict.fromkeys(blocked, True),
        "VersioningConfiguration": {"Status": "Enabled"},
    }
