"""The parameters with the address that gets alarms."""

from pathlib import Path

import pytest

from automation.deploying import scope as scopes
from automation.deploying.bootstrapping import alerts
from automation.deploying.scope import Scope
from automation.system.errors import UsageError
from tests.automation.deployable_shop import ENDPOINT, ShopDeployments, make_deployable_shop

SUBSCRIPTION = """  Mail:
    Type: AWS::SNS::Subscription
    Properties: {Protocol: email, TopicArn: a, Endpoint: !Ref Owner}
"""
TOPIC = """  Bell:
    Type: AWS::SNS::Topic
    Properties: {Subscription: [{Protocol: email-json, Endpoint: !Ref Owner}]}
"""
QUEUE = SUBSCRIPTION.replace("email", "sqs")


def scope_with(root: Path, resource: str, *, asked: bool = True) -> Scope:
    deployments = ShopDeployments(make_deployable_shop(root))
    if asked:
        deployments.ask_for_owner()
    else:
        deployments.edit("app.yaml", "Parameters:\n", "Parameters:\n  Owner: {Type: String, Default: me}\n")
    deployments.edit("app.yaml", "Resources:\n", f"Resources:\n{resource}")
    return scopes.read(root, "live", variables=ENDPOINT)


@pytest.mark.parametrize("resource", [SUBSCRIPTION, TOPIC], ids=["subscription", "topic"])
def test_values_of_the_endpoint_of_a_mail_subscription(tmp_path: Path, resource: str) -> None:
    assert alerts.values(scope_with(tmp_path, resource), "a@shop.test") == {"Owner": "a@shop.test"}


def test_values_without_an_address_are_none(tmp_path: Path) -> None:
    assert alerts.values(scope_with(tmp_path, SUBSCRIPTION), "") == {}


@pytest.mark.parametrize(("resource", "asked"), [(QUEUE, True), (SUBSCRIPTION, False)], ids=["no mail", "not asked"])
def test_values_without_such_a_parameter_are_refused(tmp_path: Path, resource: str, asked: bool) -> None:
    with pytest.raises(UsageError, match="--alerts: no template has an e-mail subscription whose endpoint is a param"):
        alerts.values(scope_with(tmp_path, resource, asked=asked), "a@shop.test")
