"""A day or a health message with a missing grant fails, and names the function and the action."""

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from automation.project import templates
from sandbox.exchange.control import ExchangeControl
from sandbox.exchange.sessions import session_after
from tests.e2e.conftest import FIRST_DAY, ROOT, Inv, Sandbox

STACKS = ("alchemiser-local-data", "alchemiser-local")
# Used by Lambda itself, for the inbox and the logs; the emulator does not check these, so tests/templates does.
USED_BY_LAMBDA = {
    "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "logs:CreateLogStream", "logs:PutLogEvents",
}  # fmt: skip
# Called only for a duplicate, after a failure, by the sweep, or to distinguish a missing object from a denied one.
NOT_ON_A_GOOD_DAY = {"dynamodb:GetItem", "dynamodb:DeleteItem", "dynamodb:ConditionCheckItem", "s3:ListBucket"}
# notifications_v2 reads on every day whether a channel has already sent its message.
ON_EVERY_DAY = {("NotificationsFunction", "dynamodb:GetItem")}
# data_v2 starts a day by a command, which needs no claim, finds no missing bars to fetch, and only logs that it cannot
# store its progress.
NEVER_ON_A_GOOD_DAY = {("SharedDataFunction", "dynamodb:PutItem"), ("SharedDataFunction", "dynamodb:UpdateItem")}
# The sandbox's day has no check whether the day had its run: it is a schedule of its own.
ONLY_FOR_DAY_CHECK = ("StrategyOrchestratorFunction", "cloudwatch:PutMetricData")
# A mail is sent without what cannot be read, and names what is missing.
NAMED_IN_THE_MAIL = {("NotificationsFunction", "dynamodb:Query"), ("NotificationsFunction", "s3:GetObject")}
# A warm function keeps what it has read.
READ_ONCE = "secretsmanager:GetSecretValue"
# Only the health message calls these: they look a resource up that the function otherwise only writes or sends to.
ONLY_FOR_HEALTH = {"dynamodb:DescribeTable", "events:DescribeEventBus", "sqs:GetQueueUrl"}
# The mail first: its day ends, while a day without decisions leaves a run that nobody finishes.
AFTER_AND_BEFORE_TRADING = [("NotificationsFunction", "ses:SendEmail"), ("StrategyFunction", "s3:PutObject")]


@dataclass(frozen=True, slots=True)
class Role:
    """The role of one function, with its inline policy."""

    function: str
    name: str
    policy: str
    document: dict[str, Any]

    def without(self, action: str) -> dict[str, Any]:
        """Return the policy without an action; a statement without actions gets a harmless one, as IAM requires."""
        document = copy.deepcopy(self.document)
        for statement in document["Statement"]:
            remaining = [granted for granted in as_list(statement["Action"]) if granted != action]
            statement["Action"] = remaining or ["sts:GetCallerIdentity"]
        return document


def as_list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def roles(sandbox: Sandbox) -> Iterator[Role]:
    iam = sandbox.client("iam")
    for stack in STACKS:
        for logical, physical in sandbox.resources(stack).items():
            if logical.endswith("FunctionRole"):
                policy = iam.list_role_policies(RoleName=physical)["PolicyNames"][0]
                document = iam.get_role_policy(RoleName=physical, PolicyName=policy)["PolicyDocument"]
                parsed = json.loads(document) if isinstance(document, str) else document
                yield Role(logical.removesuffix("Role"), physical, policy, parsed)


def physical_name(sandbox: Sandbox, function: str) -> str:
    return next(name for stack in STACKS if (name := sandbox.resources(stack).get(function)))


def module_of(sandbox: Sandbox, function: str) -> str:
    configuration = sandbox.client("lambda").get_function_configuration(FunctionName=physical_name(sandbox, function))
    return str(configuration["Handler"]).split(".")[1]


def restart(sandbox: Sandbox, function: str) -> None:
    """Have the next invocation start in a new process: Lambda does so after a change of the configuration."""
    client, name = sandbox.client("lambda"), physical_name(sandbox, function)
    memory = client.get_function_configuration(FunctionName=name)["MemorySize"]
    client.update_function_configuration(FunctionName=name, MemorySize=memory)
    client.get_waiter("function_updated_v2").wait(FunctionName=name)


@contextmanager
def removed(sandbox: Sandbox, function: str, action: str) -> Iterator[None]:
    """Remove an action from the grants of a function while the context lasts.

    A warm function has read its secret already, so it starts anew.
    """
    iam, role = sandbox.client("iam"), next(role for role in roles(sandbox) if role.function == function)
    names = {"RoleName": role.name, "PolicyName": role.policy}
    iam.put_role_policy(PolicyDocument=json.dumps(role.without(action)), **names)
    if action == READ_ONCE:
        restart(sandbox, function)
    try:
        yield
    finally:
        iam.put_role_policy(PolicyDocument=json.dumps(role.document), **names)


def trade_without(sandbox: Sandbox, inv: Inv, function: str, action: str, *, day: str) -> Sequence[str]:
    """Trade a day with one grant removed; return what is wrong with the result."""
    with removed(sandbox, function, action):
        done = inv("run-day", "--date", day)
    output = done.stdout + done.stderr
    faults = [] if done.returncode == 3 else [f"{function} without {action}: exit {done.returncode}"]
    unnamed = [name for name in (module_of(sandbox, function), action) if name not in output]
    return faults + [f"{function} without {action}: the output does not name {name}" for name in unnamed]


def health_without(sandbox: Sandbox, function: str, action: str) -> str:
    """Send the health message to a function with one grant removed; return what it answers."""
    name = physical_name(sandbox, function)
    with removed(sandbox, function, action):
        answer = sandbox.client("lambda").invoke(FunctionName=name, Payload=b'{"health": true}')
        return str(answer["Payload"].read().decode())


def test_health_without_a_grant_names_the_action(deployed: Sandbox) -> None:
    answers = {pair: health_without(deployed, *pair) for pair in granted() if is_checked_by_health(*pair)}

    assert len(answers) == 29
    unnamed = [pair for pair, answer in answers.items() if pair[1] not in answer or '"healthy": false' not in answer]
    assert unnamed == []


@pytest.mark.parametrize(("function", "action"), AFTER_AND_BEFORE_TRADING)
def test_day_without_a_grant_names_function_and_action(deployed: Sandbox, inv: Inv, function: str, action: str) -> None:
    with ExchangeControl(deployed.exchange_url) as exchange:
        day = session_after(exchange.state().session).date

    assert trade_without(deployed, inv, function, action, day=day.isoformat()) == []


def test_day_check_without_its_grant_names_the_action(deployed: Sandbox, inv: Inv, tmp_path: Path) -> None:
    function, action = ONLY_FOR_DAY_CHECK
    event = tmp_path / "event.json"
    record = {"messageId": "1", "body": '{"command": "check-day"}', "attributes": {"ApproximateReceiveCount": "1"}}
    event.write_text(json.dumps({"Records": [record]}))
    with removed(deployed, function, action):
        done = inv("invoke", "coordinator_v2", "--event", str(event), "--env", "local")

    assert (done.returncode, action in done.stdout + done.stderr) == (3, True), done.stdout + done.stderr


@pytest.mark.parametrize(("function", "action"), sorted(NAMED_IN_THE_MAIL))
def test_health_names_a_grant_that_only_improves_the_mail(deployed: Sandbox, function: str, action: str) -> None:
    assert action in health_without(deployed, function, action)


@pytest.mark.slow
@pytest.mark.parametrize(("function", "action"), sorted(NAMED_IN_THE_MAIL))
def test_day_without_a_grant_of_the_mail_names_it_and_the_mail_says_so(
    deployed: Sandbox, inv: Inv, function: str, action: str
) -> None:
    with ExchangeControl(deployed.exchange_url) as exchange:
        day = session_after(exchange.state().session).date

    with removed(deployed, function, action):
        done = inv("run-day", "--date", day.isoformat())

    assert (done.returncode, action in done.stderr) == (3, True), done.stdout + done.stderr
    answer = httpx.get(f"{deployed.emulator_url}/_ministack/ses/messages").raise_for_status().json()
    assert "Missing in this mail" in str(answer["messages"]["000000000000"][-1])


def granted() -> list[tuple[str, str]]:
    """Return every function with every action that its role grants in the templates."""
    pairs: set[tuple[str, str]] = set()
    for path in ("data-template.yaml", "template.yaml"):
        for name, resource in templates.read(ROOT / path, name=path).resources.items():
            if name.endswith("FunctionRole"):
                document = resource["Properties"]["Policies"][0]["PolicyDocument"]
                pairs.update((name.removesuffix("Role"), action) for action in actions(document))
    return sorted(pairs)


def actions(document: Mapping[str, Any]) -> Iterator[str]:
    for statement in document["Statement"]:
        yield from as_list(statement["Action"])


def is_called(function: str, action: str) -> bool:
    pair = (function, action)
    if action in USED_BY_LAMBDA | ONLY_FOR_HEALTH:
        return False
    return pair in ON_EVERY_DAY or (
        action not in NOT_ON_A_GOOD_DAY and pair not in NEVER_ON_A_GOOD_DAY | NAMED_IN_THE_MAIL | {ONLY_FOR_DAY_CHECK}
    )


def is_checked_by_health(_: str, action: str) -> bool:
    return action in ONLY_FOR_HEALTH | {"dynamodb:GetItem", "ssm:GetParameter", READ_ONCE}


@pytest.mark.slow
@pytest.mark.parametrize(("function", "action"), [pair for pair in granted() if is_called(*pair)])
def test_day_without_any_grant_names_function_and_action(
    sandbox: Sandbox, inv: Inv, function: str, action: str
) -> None:
    for words in (("sandbox.reset",), ("deploy", "--env", "local")):
        done = inv(*words)
        assert done.returncode == 0, done.stdout + done.stderr

    assert trade_without(sandbox, inv, function, action, day=FIRST_DAY) == []
