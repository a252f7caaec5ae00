"""The Chromium of this machine: where it is, and how it is started."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = "Chromium is missing: apt-get install -y chromium"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # No name but loopback's resolves, so that nothing leaves this machine.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


class ChromiumMissingError(Exception):
    """There is no Chromium on this machine; it is never installed by a test."""


def find(which: Callable[[str], str | None] = shutil.which) -> Path:
    """Return the path of Chromium.

    Raises:
        ChromiumMissingError: it is not installed; the message has the command that installs it.
    """
    for name in NAMES:
        if path := which(name):
            return Path(path)
    raise ChromiumMissingError(MISSING)


@contextmanager
def started() -> Iterator[Browser]:
    """Yield a headless Chromium with a profile of its own.

    Raises:
        ChromiumMissingError: it is not installed.
    """
    executable = find()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()
