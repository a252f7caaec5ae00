"""Planted faults are found: a missing Chromium, and a page that has every kind of fault."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser

from tests.browser import chromium
from tests.browser.views import faults

FAULTY = """<!doctype html><html lang="en"><head><title>Faulty</title></head><body><main><h1>Faulty</h1>
<p style="color:#aaa;background:#fff">too pale to read</p>
<div style="width:1000px">too wide for a phone</div>
<script>console.error("a planted error"); fetch("http://example.com/data").catch(() => {}); absent();</script>
</main></body></html>"""


def test_find_names_the_command_that_installs_chromium() -> None:
    with pytest.raises(chromium.ChromiumMissingError) as caught:
        chromium.find(lambda name: None)

    assert str(caught.value) == "Chromium is missing: apt-get install -y chromium"


def test_find_takes_the_first_that_exists() -> None:
    assert str(chromium.find({"google-chrome": "/opt/chrome"}.get)) == "/opt/chrome"


def test_faults_finds_each_planted_fault(browser: Browser, saved: Callable[[str], str]) -> None:
    found = "\n".join(faults(browser, saved(FAULTY)))

    assert "light, desktop: color-contrast: " in found
    assert "light, phone: the body is" in found
    assert "dark, phone: the body is" in found
    assert "light: console: a planted error" in found
    assert "light: console: absent is not defined" in found
    assert "dark: left the machine: http://example.com/data" in found
