"""What everybody can reach: buckets, function URLs, APIs, databases, ports."""

from typing import Any

import pytest

from automation.deploying.changes.model import Rank
from tests.automation.deploying.planned_changes import BUCKET, assess, lines, names, resource, update

URL = "AWS::Lambda::Url"
METHOD = "AWS::ApiGateway::Method"
ROUTE = "AWS::ApiGatewayV2::Route"
API = "AWS::ApiGateway::RestApi"
GROUP = "AWS::EC2::SecurityGroup"
BLOCKS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
BLOCKED = {"PublicAccessBlockConfiguration": dict.fromkeys(BLOCKS, True)}


def api(*, security: list[Any] | None = None, path: str = "/x", method: str = "get") -> dict[str, Any]:
    operation = {} if security is None else {"security": security}
    return {"Body": {"paths": {path: {method: operation, "parameters": [], "options": {}}}}}


@pytest.mark.parametrize("name", BLOCKS)
def test_block_that_is_switched_off_makes_a_bucket_public(name: str) -> None:
    after = {"PublicAccessBlockConfiguration": {**BLOCKED["PublicAccessBlockConfiguration"], name: False}}

    assessment = update(BUCKET, BLOCKED, after)

    [danger] = assessment.dangers
    assert (danger.name, danger.rank) == ("public:X", Rank.PERMISSIONS)
    assert danger.what == f"{name} is off, so the bucket can be made public"
    assert danger.fix == "keep X private"
    assert len(lines(assessment)) == 1
    assert names(update(BUCKET, after, BLOCKED)) == []


def test_block_that_is_missing_altogether_is_removed_from_the_bucket() -> None:
    [danger] = update(BUCKET, BLOCKED, {}).dangers

    assert danger.what == "PublicAccessBlockConfiguration is removed, so the bucket can be made public"


def test_new_bucket_without_block_is_private() -> None:
    assert names(assess({}, {"X": resource(BUCKET)})) == []
    assert names(update(BUCKET, {}, {"Tags": []})) == []


@pytest.mark.parametrize("access", ["PublicRead", "PublicReadWrite", "AuthenticatedRead"])
def test_public_access_control_is_a_danger(access: str) -> None:
    [danger] = update(BUCKET, {"AccessControl": "Private"}, {"AccessControl": access}).dangers

    assert danger.what == f"AccessControl {access} lets others read the bucket"
    assert len(lines(update(BUCKET, {"AccessControl": "Private"}, {"AccessControl": access}))) == 1


@pytest.mark.parametrize("method", ["get", "put", "post", "delete", "patch", "head"])
def test_every_method_of_an_api_counts(method: str) -> None:
    assessment = update(API, api(method=method, security=[{"a": []}]), api(method=method))

    assert [what for what, _ in lines(assessment)] == [f"anyone may call {method.upper()} /x"]


@pytest.mark.parametrize(
    ("kind", "closed", "opened", "what"),
    [
        (URL, {"AuthType": "AWS_IAM"}, {"AuthType": "NONE"}, "AuthType NONE lets anyone call it"),
        (
            METHOD,
            {"AuthorizationType": "NONE", "ApiKeyRequired": True},
            {"AuthorizationType": "NONE"},
            "AuthorizationType NONE lets anyone call it",
        ),
        (ROUTE, {"AuthorizationType": "JWT"}, {}, "AuthorizationType NONE lets anyone call it"),
        (API, api(security=[{"a": []}]), api(), "anyone may call GET /x"),
        (API, {}, api(method="POST", security=[]), "anyone may call POST /x"),
        (
            "AWS::ApiGatewayV2::Api",
            {},
            api(method="x-amazon-apigateway-any-method"),
            "anyone may call every method of /x",
        ),
        ("AWS::RDS::DBInstance", {}, {"PubliclyAccessible": "true"}, "PubliclyAccessible gives it a public address"),
        (
            GROUP,
            {"SecurityGroupIngress": [{"CidrIp": "10.0.0.0/8", "FromPort": 1}]},
            {"SecurityGroupIngress": [{"CidrIp": "0.0.0.0/0", "FromPort": 22}]},
            "port 22 is open to the internet",
        ),
        (
            "AWS::EC2::SecurityGroupIngress",
            {"CidrIpv6": "fd00::/8", "FromPort": 1},
            {"CidrIpv6": "::/0", "FromPort": 22},
            "port 22 is open to the internet",
        ),
    ],
)
def test_opened_door_is_a_danger_when_new_or_changed(kind: str, closed: Any, opened: Any, what: str) -> None:
    for assessment in (update(kind, closed, opened), assess({}, {"X": resource(kind, opened)})):
        assert [danger.what for danger in assessment.dangers if danger.kind == "public"] == [what]
    shown = [text.split(":")[0] for text, _ in lines(update(kind, closed, opened))]
    assert not {"Body", "SecurityGroupIngress"} & set(shown)
    for assessment in (update(kind, opened, closed), assess({}, {"X": resource(kind, closed)})):
        assert "public:X" not in names(assessment)


def test_open_door_that_stays_open_or_goes_is_not_a_danger() -> None:
    assert names(update(URL, {"AuthType": "NONE"}, {"AuthType": "NONE", "InvokeMode": "BUFFERED"})) == []
    assert names(assess({"X": resource(URL, {"AuthType": "NONE"})}, {})) == []


def test_api_with_security_for_every_path_is_private() -> None:
    body = {"Body": {**api()["Body"], "security": [{"a": []}]}}

    assert names(update(API, {}, body)) == []
    assert names(update(API, {}, {"Body": {"paths": {"/x": {"Fn::If": ["C", 1, 2]}, "/y": "text"}}})) == []
