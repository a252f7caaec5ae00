import pytest

from automation import locks
from automation.locks import Lock
from automation.project import model
from automation.project.model import Project
from automation.system.errors import ConfigurationError
from tests.automation.projects import PYPROJECT, write_files


def test_plan_has_a_lock_per_group_and_per_requirements_in(shop: Project) -> None:
    assert locks.plan(shop, ("dev", "aws")) == (
        Lock("locks/aws.txt", ("--group", "pyproject.toml:aws", "--universal")),
        Lock("locks/dev.txt", ("--group", "pyproject.toml:dev", "--universal")),
        Lock("layers/wheels/requirements.txt", ("layers/wheels/requirements.in",), "3.12"),
    )


def test_locked_groups_are_those_with_a_lock(shop: Project) -> None:
    write_files(shop.root, {"locks/dev.txt": "", "pyproject.toml": f"{PYPROJECT}\n[dependency-groups]\ndev = []"})

    assert locks.locked_groups(model.load(shop.root)) == ("dev",)


def test_locked_groups_lock_without_group_is_refused(shop: Project) -> None:
    write_files(shop.root, {"locks/dev.txt": ""})

    with pytest.raises(ConfigurationError, match=r"locks/dev\.txt: pyproject\.toml has no dependency group dev"):
        locks.locked_groups(shop)


def test_lock_again_changes_nothing(shop: Project) -> None:
    locks.lock(shop)

    assert locks.lock(shop) == ()
