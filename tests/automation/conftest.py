import shutil
from pathlib import Path

import pytest

from automation import preparing, prove, validate
from automation.deploying import scope
from automation.project import model
from automation.project.model import Project
from automation.system import console
from tests.automation.bootstrapped_shop import Bootstraps
from tests.automation.deployable_shop import ShopDeployments, make_deployable_shop, pass_lint
from tests.automation.deploying.changing_stacks import Person
from tests.automation.projects import make_shop


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    return model.load(make_shop(tmp_path))


@pytest.fixture(scope="session")
def prepared_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build and prove the deployable shop once: what has passed is not built or checked again in a copy."""
    root = make_deployable_shop(tmp_path_factory.mktemp("deployable"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(validate, "lint", pass_lint)
        preparing.prepare(scope.read(root, "live", variables={}))
    return root


@pytest.fixture
def deployments(prepared_shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ShopDeployments:
    """Return a copy of the deployable shop, and an empty account. Lint and proof have tests of their own."""
    monkeypatch.setattr(validate, "lint", pass_lint)
    monkeypatch.setattr(prove, "prove_once", lambda _project: None)
    return ShopDeployments(shutil.copytree(prepared_shop, tmp_path / "deployable", symlinks=True))


@pytest.fixture
def account(deployments: ShopDeployments) -> Bootstraps:
    return Bootstraps(deployments)


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> Person:
    """Return somebody at the terminal, without an answer yet."""
    somebody = Person([])
    monkeypatch.setattr(console, "is_interactive", lambda: True)
    monkeypatch.setattr(console, "ask", somebody.reply)
    return somebody
