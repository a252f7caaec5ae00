"""A visit to an account without AWS, for the checks."""

from pathlib import Path
from typing import Any

from automation.deploying.checks.visits import Intent, Visit
from automation.project import model
from automation.project.model import Project
from automation.system.accounts import DeployedStack
from automation.system.stacks import StackResource, StackState
from tests.automation.deploying.fake_accounts import IDENTITY, NOW, FakeAccount, scope_of
from tests.automation.projects import make_shop

NOT_REHEARSED = "not rehearsed here: the endpoint does not support this check"


def visit_to(account: FakeAccount, shop: Project, *deployed: DeployedStack, name: str = "live", **intent: Any) -> Visit:
    scope = scope_of(shop, name)
    stacks = deployed or tuple(DeployedStack(StackState(stack)) for stack in scope.stack_names)
    return Visit(scope, account, Intent(NOW, **intent), IDENTITY, stacks)


def stack(name: str, status: str = "UPDATE_COMPLETE", *resources: StackResource, drift: str = "") -> DeployedStack:
    return DeployedStack(StackState(name, status), resources=resources, drift=drift)


def changed_shop(tmp_path: Path, **changes: str) -> Project:
    return model.load(make_shop(tmp_path, **changes))
