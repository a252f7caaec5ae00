from pathlib import Path

import pytest

from automation import project
from automation.project import Project
from tests.automation.projects import make_shop


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    return project.load(make_shop(tmp_path))
