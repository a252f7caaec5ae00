"""OpenID Connect providers, against answers that botocore's Stubber compares with AWS's service model."""

from collections.abc import Iterator

import pytest
from botocore.stub import Stubber

from automation.system import aws
from automation.system.errors import DeploymentError
from automation.system.identity_providers import IdentityProviders
from automation.system.targets import Target

TARGET = Target("eu-west-1", key_id="stubbed", secret="providers")
PROVIDERS = IdentityProviders(TARGET)
ARN = "arn:aws:iam::123456789012:oidc-provider/tokens.test"


@pytest.fixture
def stub() -> Iterator[Stubber]:
    with Stubber(aws.client("iam", TARGET)) as stub:
        yield stub
        stub.assert_no_pending_responses()


def test_audiences_of_a_provider(stub: Stubber) -> None:
    asked = {"OpenIDConnectProviderArn": ARN}
    stub.add_response("get_open_id_connect_provider", {"ClientIDList": ["a", "b"]}, asked)
    stub.add_response("get_open_id_connect_provider", {}, asked)

    assert PROVIDERS.audiences(ARN) == ("a", "b")
    assert PROVIDERS.audiences(ARN) == ()


def test_audiences_of_a_missing_provider_are_none(stub: Stubber) -> None:
    stub.add_client_error("get_open_id_connect_provider", "NoSuchEntity")

    assert PROVIDERS.audiences(ARN) is None


def test_audiences_that_may_not_be_read_are_an_error(stub: Stubber) -> None:
    stub.add_client_error("get_open_id_connect_provider", "AccessDenied", "may not iam:GetOpenIDConnectProvider")

    with pytest.raises(DeploymentError, match="may not iam:GetOpenIDConnectProvider"):
        PROVIDERS.audiences(ARN)


def test_create_a_provider_once(stub: Stubber) -> None:
    asked = {"Url": "https://tokens.test", "ClientIDList": ["a"]}
    stub.add_response("create_open_id_connect_provider", {"OpenIDConnectProviderArn": ARN}, asked)
    stub.add_client_error("create_open_id_connect_provider", "EntityAlreadyExists", expected_params=asked)

    PROVIDERS.create("https://tokens.test", "a")
    PROVIDERS.create("https://tokens.test", "a")


def test_add_audience(stub: Stubber) -> None:
    asked = {"OpenIDConnectProviderArn": ARN, "ClientID": "a"}
    stub.add_response("add_client_id_to_open_id_connect_provider", {}, asked)

    PROVIDERS.add_audience(ARN, "a")
