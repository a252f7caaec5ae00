"""A grant taken away is found by the day itself: the function and the action are named."""

import copy
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from automation.project import templates
from tests.e2e.conftest import FIRST_DAY, ROOT, Inv, Sandbox

STACKS = ("alchemiser-local-data", "alchemiser-local")
# Called only for a duplicate, after a failure, by the sweep, or where absence must be told from refusal.
NOT_ON_A_GOOD_DAY = {"dynamodb:GetItem", "dynamodb:DeleteItem", "s3:ListBucket"}
# The note that a channel has sent, in notifications_v2, is read on every day.
ON_EVERY_DAY = {("NotificationsFunction", "dynamodb:GetItem")}
# data_v2 starts a day by a command, which carries no claim, and nothing is missing that it would have to fetch.
NEVER_ON_A_GOOD_DAY = {("SharedDataFunction", "dynamodb:PutItem"), ("SharedDataFunction", "dynamodb:UpdateItem")}
BEFORE_AND_AFTER_TRADING = [("StrategyFunction", "s3:PutObject"), ("NotificationsFunction", "ses:SendEmail")]


@dataclass(frozen=True, slots=True)
class Role:
    """One function's role with its inline policy."""

    function: str
    name: str
    policy: str
    document: dict[str, Any]

    def without(self, action: str) -> dict[str, Any]:
        made = copy.deepcopy(self.document)
        for statement in made["Statement"]:
            statement["Action"] = [one for one in as_list(statement["Action"]) if one != action] or [
                "sts:GetCallerIdentity"
            ]
        return made


def as_list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def roles(sandbox: Sandbox) -> Iterator[Role]:
    iam = sandbox.client("iam")
    for stack in STACKS:
        for logical, physical in sandbox.resources(stack).items():
            if logical.endswith("FunctionRole"):
                policy = iam.list_role_policies(RoleName=physical)["PolicyNames"][0]
                document = iam.get_role_policy(RoleName=physical, PolicyName=policy)["PolicyDocument"]
                found = json.loads(document) if isinstance(document, str) else document
                yield Role(logical.removesuffix("Role"), physical, policy, found)


def module_of(sandbox: Sandbox, function: str) -> str:
    for stack in STACKS:
        name = sandbox.resources(stack).get(function)
        if name:
            handler = sandbox.client("lambda").get_function_configuration(FunctionName=name)["Handler"]
            return str(handler).split(".")[1]
    raise LookupError(function)


def trade_without(sandbox: Sandbox, inv: Inv, function: str, action: str) -> Sequence[str]:
    """Trade a day on a fresh sandbox with one grant taken away; what is wrong with the result, if anything."""
    for words in (("sandbox.reset",), ("deploy", "--env", "local")):
        done = inv(*words)
        assert done.returncode == 0, done.stdout + done.stderr
    role = next(one for one in roles(sandbox) if one.function == function)
    sandbox.client("iam").put_role_policy(
        RoleName=role.name, PolicyName=role.policy, PolicyDocument=json.dumps(role.without(action))
    )
    day = inv("run-day", "--date", FIRST_DAY)
    told = day.stdout + day.stderr
    faults = [] if day.returncode == 3 else [f"{function} without {action}: exit {day.returncode}"]
    faults += [
        f"{function} without {action}: no word of {w}" for w in (module_of(sandbox, function), action) if w not in told
    ]
    return faults


@pytest.mark.parametrize(("function", "action"), BEFORE_AND_AFTER_TRADING)
def test_day_without_a_grant_fails_and_names_function_and_action(
    sandbox: Sandbox, inv: Inv, function: str, action: str
) -> None:
    assert trade_without(sandbox, inv, function, action) == []


def granted() -> list[tuple[str, str]]:
    """Every function with every action its role grants, as the templates say."""
    return sorted(
        {
            (name, action)
            for path in ("data-template.yaml", "template.yaml")
            for name, resource in templates.read(ROOT / path, name=path).resources.items()
            if resource["Type"] == "AWS::Serverless::Function"
            for statement in resource["Properties"]["Policies"][0]["Statement"]
            for action in as_list(statement["Action"])
        }
    )


def is_called(function: str, action: str) -> bool:
    pair = (function, action)
    return pair in ON_EVERY_DAY or (action not in NOT_ON_A_GOOD_DAY and pair not in NEVER_ON_A_GOOD_DAY)


@pytest.mark.slow
@pytest.mark.parametrize(("function", "action"), [pair for pair in granted() if is_called(*pair)])
def test_day_without_any_one_grant_fails_and_names_function_and_action(
    sandbox: Sandbox, inv: Inv, function: str, action: str
) -> None:
    assert trade_without(sandbox, inv, function, action) == []
