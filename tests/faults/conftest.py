import shutil
from pathlib import Path

import pytest

from tests.faults import bakery


@pytest.fixture(scope="session")
def built_bakery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the sound project, synced and built; tests change copies of it."""
    root = bakery.write(tmp_path_factory.mktemp("sound") / "bakery")
    bakery.make(root)
    return root


@pytest.fixture(scope="session")
def runtime_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bakery.make_runtime_site(tmp_path_factory.mktemp("runtime"))


@pytest.fixture
def root(built_bakery: Path, tmp_path: Path) -> Path:
    """Return a built copy of the sound project, into which a test may plant a fault."""
    return Path(shutil.copytree(built_bakery, tmp_path / "bakery", symlinks=True))
