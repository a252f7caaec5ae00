"""The template of the bootstrap stack: a bucket that loses no artifact, the roles, the answers."""

import json
from collections.abc import Mapping
from typing import Any

from automation.deploying.bootstrapping import stack_template
from automation.deploying.bootstrapping.stack_template import Content, RoleContent
from automation.deploying.changes import schemas

TRUST = {"Version": "2012-10-17", "Statement": []}
DEPLOY = RoleContent("DeployRole", "Deploys prod", TRUST, ({"Statement": ["first"]}, {"Statement": ["second"]}))
PLAN = RoleContent("PlanRole", "Plans prod", {"Statement": ["plan"]}, ({"Statement": ["third"]},))


def render(**changes: Any) -> Mapping[str, Any]:
    options: dict[str, Any] = {"environment": "prod", "repository": "octocat/bakery", "roles": [DEPLOY]}
    return stack_template.render(Content(**{**options, **changes}))


def properties(name: str, **changes: Any) -> Mapping[str, Any]:
    found: Mapping[str, Any] = render(**changes)["Resources"][name]["Properties"]
    return found


def test_role_has_the_policies_and_the_trust() -> None:
    role = properties("DeployRole")

    assert role["AssumeRolePolicyDocument"] == TRUST
    assert role["ManagedPolicyArns"] == [{"Ref": "DeployPolicy1"}, {"Ref": "DeployPolicy2"}]
    assert properties("DeployPolicy2") == {"PolicyDocument": {"Statement": ["second"]}}
    assert role["Description"] == "Deploys prod"


def test_each_role_has_policies_of_its_own() -> None:
    template = render(roles=[DEPLOY, PLAN])

    plan = template["Resources"]["PlanRole"]["Properties"]
    assert plan["AssumeRolePolicyDocument"] == {"Statement": ["plan"]}
    assert plan["ManagedPolicyArns"] == [{"Ref": "PlanPolicy1"}]
    assert template["Resources"]["PlanPolicy1"]["Properties"] == {"PolicyDocument": {"Statement": ["third"]}}
    assert template["Outputs"]["PlanRole"] == {"Value": {"Fn::GetAtt": ["PlanRole", "Arn"]}}
    assert template["Resources"]["DeployRole"]["Properties"]["ManagedPolicyArns"] == [
        {"Ref": "DeployPolicy1"},
        {"Ref": "DeployPolicy2"},
    ]


def test_outputs_say_what_workflows_and_deployments_need() -> None:
    assert render()["Outputs"] == {
        "DeployRole": {"Value": {"Fn::GetAtt": ["DeployRole", "Arn"]}},
        "Repository": {"Value": "octocat/bakery"},
        "ArtifactBucket": {"Value": {"Ref": "ArtifactBucket"}},
    }


def test_bucket_is_private_encrypted_and_versioned() -> None:
    bucket = properties("ArtifactBucket")

    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["BucketEncryption"] == {
        "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
    }
    assert bucket["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    }
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}


def test_bucket_stays_but_for_a_creation_that_fails() -> None:
    bucket = render()["Resources"]["ArtifactBucket"]

    assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


def test_bucket_is_used_over_tls_only() -> None:
    policy = properties("ArtifactBucketPolicy")

    assert policy["Bucket"] == {"Ref": "ArtifactBucket"}
    [denial] = policy["PolicyDocument"]["Statement"]
    assert (denial["Effect"], denial["Principal"], denial["Action"]) == ("Deny", "*", "s3:*")
    assert denial["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert denial["Resource"] == [{"Fn::GetAtt": ["ArtifactBucket", "Arn"]}, {"Fn::Sub": "${ArtifactBucket.Arn}/*"}]
    assert policy["PolicyDocument"]["Version"] == "2012-10-17"


def test_lifecycle_never_removes_the_current_version_of_an_artifact() -> None:
    """Every artifact of every release is a current version, until `inv prune` deletes it."""
    [rule] = properties("ArtifactBucket")["LifecycleConfiguration"]["Rules"]

    assert rule == {
        "Id": "remove what was replaced or deleted",
        "Status": "Enabled",
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 90},
        "ExpiredObjectDeleteMarker": True,
    }
    # What would remove, or move away, a current version.
    assert not {"ExpirationInDays", "ExpirationDate", "Transitions", "Transition"} & rule.keys()


def test_stack_without_a_bucket_when_samconfig_names_one() -> None:
    template = render(has_bucket=False)

    assert sorted(template["Resources"]) == ["DeployPolicy1", "DeployPolicy2", "DeployRole"]
    assert "ArtifactBucket" not in template["Outputs"]


def test_answers_are_kept_in_a_resource_and_an_output() -> None:
    template = render(answers={"MailTo": "b@bakery.test", "AlertsTo": "a@bakery.test"})

    value = '{"AlertsTo": "a@bakery.test", "MailTo": "b@bakery.test"}'
    assert template["Resources"]["Answers"]["Properties"] == {"Type": "String", "Value": value}
    assert template["Outputs"]["Answers"] == {"Value": value}


def test_template_uses_only_properties_that_exist() -> None:
    for name, resource in render(answers={"A": "b"})["Resources"].items():
        assert set(resource["Properties"]) <= schemas.property_names(resource["Type"]), name


def test_template_is_json_with_the_sections_that_cloudformation_knows() -> None:
    template = render()

    assert json.loads(json.dumps(template)) == template
    assert template == {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "What prod needs before its first deployment; inv bootstrap writes it",
        "Resources": template["Resources"],
        "Outputs": template["Outputs"],
    }
