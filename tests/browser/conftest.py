"""One Chromium for all tests; without it nothing runs, and the message says how to install it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser import chromium


def pytest_sessionstart(session: pytest.Session) -> None:
    """Fail by name before anything is collected."""
    try:
        chromium.find()
    except chromium.ChromiumMissingError as error:
        pytest.exit(str(error), returncode=pytest.ExitCode.USAGE_ERROR)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium.started() as started:
        yield started


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[str], str]:
    """Return a function that stores HTML and returns its address."""

    def save(html: str) -> str:
        path = tmp_path / "page.html"
        path.write_text(html, encoding="utf-8")
        return path.as_uri()

    return save
