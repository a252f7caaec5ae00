from pathlib import Path

import pytest

from automation.project import model
from automation.project.model import Project
from tests.automation.projects import make_shop


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    return model.load(make_shop(tmp_path))
