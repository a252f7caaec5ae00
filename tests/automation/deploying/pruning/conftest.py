"""The prunable shop, and a session with it."""

import pytest

from automation.deploying.sessions import Session
from automation.project.model import Project
from tests.automation.deploying.fake_accounts import scope_of
from tests.automation.deploying.pruning.prunable_shop import PrunableShop


@pytest.fixture
def prunable() -> PrunableShop:
    return PrunableShop()


@pytest.fixture
def session(shop: Project, prunable: PrunableShop) -> Session:
    return prunable.session(scope_of(shop, "live"))
