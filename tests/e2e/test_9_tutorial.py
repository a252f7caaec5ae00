"""docs/tutorial.md, typed line by line in a sandbox of its own, as a newcomer follows it.

`nox -s docs` runs it.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT, Inv, Sandbox
from tests.e2e.guide_following import follow, variables
from tests.e2e.guide_shell import open_shell
from tests.e2e.production import copy_project, git

pytestmark = pytest.mark.slow

TUTORIAL = "docs/tutorial.md"


@pytest.fixture(scope="module")
def followed(sandbox: Sandbox, inv: Inv, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Follow the tutorial to its end, and return the copy of the project in which that was done."""
    folder = tmp_path_factory.mktemp("tutorial")
    root = copy_project(folder, sandbox.exchange_url)
    inv("sandbox.reset")

    with open_shell(root, variables(folder), {}) as shell:
        # The tests run with these tools.
        follow(TUTORIAL, (ROOT / TUTORIAL).read_text(encoding="utf-8"), shell, {"install": lambda: None})
    yield root
    inv("sandbox.down")


def test_nothing_is_left_of_the_tutorial(followed: Path) -> None:
    assert git(followed, "status", "--porcelain") == ""
