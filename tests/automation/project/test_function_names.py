from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from automation.project import function_names, model
from automation.project.model import Function, Project
from automation.system.errors import UsageError

TEMPLATE = """Transform: AWS::Serverless-2016-10-31
Resources:
  RiskCheckFunction:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: functions/risk-check/, Handler: app.handler, Runtime: python3.12}
  Orders:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: functions/orders_v2/, Handler: shop.orders_v2.app.handler, Runtime: python3.12}
  Inline:
    Type: AWS::Serverless::Function
    Properties: {InlineCode: "def handler(event, context): ...", Handler: index.handler, Runtime: python3.12}
  CommonLayer:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: layers/common/}
"""
STACKS = """[[tool.alchemiser.stacks]]
name = "one"
template = "one.yaml"
[[tool.alchemiser.stacks]]
name = "two"
template = "two.yaml"
"""


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    """One stack with three functions and a layer."""
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    return model.load(tmp_path)


@pytest.fixture
def twins(tmp_path: Path) -> Project:
    """Two stacks with the same functions and layers."""
    (tmp_path / "pyproject.toml").write_text(STACKS)
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text(TEMPLATE)
    return model.load(tmp_path)


def owners(project: Project) -> tuple[Any, ...]:
    return (*project.functions, *project.layers)


def test_names_of_a_function_are_its_id_its_folder_and_its_modules(shop: Project) -> None:
    named = {function.logical_id: function_names.names_of(function) for function in shop.functions}

    assert named == {
        "RiskCheckFunction": {
            "RiskCheckFunction",
            "main/RiskCheckFunction",
            "functions/risk-check",
            "risk-check",
            "app",
        },
        "Orders": {"Orders", "main/Orders", "functions/orders_v2", "orders_v2", "shop", "app"},
        "Inline": {"Inline", "main/Inline", "index"},
    }


def test_names_of_a_layer_are_its_id_and_its_folder(shop: Project) -> None:
    [layer] = shop.layers

    assert function_names.names_of(layer) == {"CommonLayer", "main/CommonLayer", "layers/common", "common"}


@pytest.mark.parametrize(
    ("name", "logical_id"),
    [
        ("RiskCheckFunction", "RiskCheckFunction"),
        ("riskcheckfunction", "RiskCheckFunction"),
        ("risk-check", "RiskCheckFunction"),
        ("risk_check", "RiskCheckFunction"),
        ("functions/risk-check/", "RiskCheckFunction"),
        ("ORDERS-V2", "Orders"),
        ("shop", "Orders"),
        ("index", "Inline"),
        ("common", "CommonLayer"),
        ("layers/common", "CommonLayer"),
    ],
)
def test_logical_ids_of_a_name_in_any_spelling(shop: Project, name: str, logical_id: str) -> None:
    assert function_names.logical_ids([name], owners(shop)) == (logical_id,)


def test_logical_ids_keep_the_order_of_the_names(shop: Project) -> None:
    assert function_names.logical_ids(["common", "shop", "Inline"], owners(shop)) == ("CommonLayer", "Orders", "Inline")


def test_logical_id_goes_before_the_folder_of_another(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(TEMPLATE.replace("risk-check", "Orders"))

    assert function_names.logical_ids(["Orders"], model.load(tmp_path).functions) == ("Orders",)


def test_logical_ids_of_equal_functions_in_two_stacks_are_one(twins: Project) -> None:
    assert function_names.logical_ids(["risk_check", "common"], owners(twins)) == ("RiskCheckFunction", "CommonLayer")


@pytest.mark.parametrize(
    ("choose", "name", "message"),
    [
        (
            owners,
            "x",
            (
                "cmd: there is no function or layer 'x'; the functions and layers are: RiskCheckFunction, Orders, "
                "Inline, CommonLayer"
            ),
        ),
        (
            owners,
            "Order",
            (
                "cmd: there is no function or layer 'Order'; did you mean Orders? The functions and layers are: "
                "RiskCheckFunction, Orders, Inline, CommonLayer"
            ),
        ),
        (
            lambda project: project.functions,
            "common",
            "cmd: there is no function 'common'; the functions are: RiskCheckFunction, Orders, Inline",
        ),
        (
            owners,
            "app",
            "cmd: 'app' names more than one function or layer: RiskCheckFunction, Orders; type one of these",
        ),
    ],
)
def test_logical_ids_of_an_unknown_or_shared_name_say_what_to_type(
    shop: Project, choose: Callable[[Project], tuple[Any, ...]], name: str, message: str
) -> None:
    with pytest.raises(UsageError) as raised:
        function_names.logical_ids([name], choose(shop), where="cmd")

    assert str(raised.value) == message


def test_unknown_name_lists_a_logical_id_of_two_stacks_once(twins: Project) -> None:
    with pytest.raises(UsageError, match=r"are: RiskCheckFunction, Orders, Inline$"):
        function_names.logical_ids(["x"], twins.functions)


def test_find_a_function(shop: Project) -> None:
    found: Function = function_names.find("risk_check", shop.functions)

    assert found.logical_id == "RiskCheckFunction"


def test_find_in_two_stacks_names_both(twins: Project) -> None:
    message = r"cmd: 'shop' names more than one function: one/Orders, two/Orders; type one of these"
    with pytest.raises(UsageError, match=message):
        function_names.find("shop", twins.functions, where="cmd")


@pytest.mark.parametrize("name", ["one/Orders", "two/Orders"])
def test_find_takes_the_names_that_it_lists(twins: Project, name: str) -> None:
    found = function_names.find(name, twins.functions)

    assert f"{found.stack}/{found.logical_id}" == name


def test_find_unknown_function(shop: Project) -> None:
    with pytest.raises(UsageError, match="cmd: there is no function 'x'; the functions are: RiskCheckFunction"):
        function_names.find("x", shop.functions, where="cmd")


def test_ids_or_names_keep_what_is_unknown_or_shared(shop: Project) -> None:
    names = ["risk_check", "Removed", "app", "CommonLayer"]

    assert function_names.ids_or_names(names, owners(shop)) == {"RiskCheckFunction", "Removed", "app", "CommonLayer"}
