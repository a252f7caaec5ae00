"""The value of an adopted parameter is written down first, restored by the same deployment, and else only reported."""

import pytest

from automation.deploying import adopted_values
from automation.deploying.adoption import model
from automation.deploying.connections import Connections
from automation.deploying.scope import Scope
from automation.project.model import Project
from automation.system.holdings import PARAMETER, Holding
from tests.automation.deploying.adoption.retained_examples import SALES, SWITCH
from tests.automation.deploying.fake_accounts import scope_of
from tests.automation.fake_aws import FakeAws

NAME = "shop-live"


@pytest.fixture
def scope(shop: Project) -> Scope:
    return scope_of(shop, "live")


@pytest.fixture
def aws() -> FakeAws:
    aws = FakeAws()
    aws.data.strangers[PARAMETER, "/shop/on"] = Holding("a value", is_empty=False)
    aws.data.values["/shop/on"] = "on"
    return aws


@pytest.fixture
def connections(aws: FakeAws, scope: Scope) -> Connections:
    return aws.connect(scope)


def values(aws: FakeAws) -> list[object]:
    return [document.get("value") for document in aws.table.retained(NAME)]


def test_write_adds_the_value_to_what_is_known(aws: FakeAws, connections: Connections) -> None:
    aws.table.write_retained(NAME, [model.as_document(SWITCH), {"physical_id": "other"}])

    adopted_values.write(NAME, [SALES, SWITCH], connections)

    documents = aws.table.retained(NAME)
    assert [document["physical_id"] for document in documents] == [SALES.physical_id, "/shop/on", "other"]
    assert values(aws) == [None, "on", None]


def test_write_without_a_parameter_writes_nothing(aws: FakeAws, connections: Connections) -> None:
    adopted_values.write(NAME, [SALES], connections)

    assert aws.table.calls == []


def test_keep_restores_a_value_that_was_changed(
    aws: FakeAws, connections: Connections, capsys: pytest.CaptureFixture[str]
) -> None:
    adopted_values.write(NAME, [SWITCH], connections)
    aws.data.values["/shop/on"] = "off"

    adopted_values.keep(NAME, [SWITCH], connections)

    assert (aws.data.values["/shop/on"], values(aws)) == ("on", [None])
    assert capsys.readouterr().out == "shop-live: /shop/on keeps its value on\n"


def test_keep_leaves_a_value_that_has_stayed(
    aws: FakeAws, connections: Connections, capsys: pytest.CaptureFixture[str]
) -> None:
    adopted_values.write(NAME, [SWITCH], connections)

    adopted_values.keep(NAME, [SWITCH], connections)

    assert (aws.data.calls, values(aws), capsys.readouterr().out) == ([], [None], "")


def test_keep_without_a_parameter_asks_nothing(aws: FakeAws, connections: Connections) -> None:
    adopted_values.write(NAME, [SWITCH], connections)
    aws.data.values["/shop/on"] = "off"

    adopted_values.keep(NAME, [SALES], connections)

    assert (aws.data.values["/shop/on"], values(aws)) == ("off", ["on"])


def test_report_lost_names_the_command_once(
    aws: FakeAws, connections: Connections, scope: Scope, capsys: pytest.CaptureFixture[str]
) -> None:
    adopted_values.write(NAME, [SWITCH], connections)
    aws.data.values["/shop/on"] = "off"

    adopted_values.report_lost(scope, connections)
    adopted_values.report_lost(scope, connections)

    command = "aws ssm put-parameter --overwrite --name /shop/on --value on --region eu-west-1"
    text = f"/shop/on was on before its stack was deleted; if it must be that again: {command}"
    assert " ".join(capsys.readouterr().err.split()) == f"warning: {text}"
    assert (aws.data.values["/shop/on"], values(aws)) == ("off", [None])


def test_report_lost_is_silent_about_a_value_that_has_stayed(
    aws: FakeAws, connections: Connections, scope: Scope, capsys: pytest.CaptureFixture[str]
) -> None:
    adopted_values.write(NAME, [SWITCH], connections)

    adopted_values.report_lost(scope, connections)

    assert (capsys.readouterr().err, values(aws)) == ("", [None])


def test_report_lost_of_an_ordinary_deployment_writes_nothing(
    aws: FakeAws, connections: Connections, scope: Scope
) -> None:
    adopted_values.report_lost(scope, connections)

    assert aws.table.calls == []
