"""A grant taken away is found by the day itself: the function and the action are named."""

import copy
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from tests.e2e.conftest import FIRST_DAY, Inv, Sandbox

STACKS = ("alchemiser-local-data", "alchemiser-local")
# Called only for a duplicate, after a failure, by the sweep, or where absence must be told from refusal.
NOT_ON_A_GOOD_DAY = {"dynamodb:GetItem", "dynamodb:DeleteItem", "s3:ListBucket"}
BEFORE_AND_AFTER_TRADING = [("StrategyFunction", "s3:PutObject"), ("NotificationsFunction", "ses:SendEmail")]


@dataclass(frozen=True, slots=True)
class Role:
    """One function's role with its inline policy."""

    function: str
    name: str
    policy: str
    document: dict[str, Any]

    def actions(self) -> list[str]:
        return sorted({action for one in self.document["Statement"] for action in as_list(one["Action"])})

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


@pytest.mark.slow
def test_day_without_any_one_grant_fails_and_names_function_and_action(deployed: Sandbox, inv: Inv) -> None:
    pairs = [(role.function, action) for role in roles(deployed) for action in role.actions()]
    called = [(function, action) for function, action in pairs if action not in NOT_ON_A_GOOD_DAY]

    faults = [fault for function, action in called for fault in trade_without(deployed, inv, function, action)]

    assert len(called) > 30
    assert faults == []
