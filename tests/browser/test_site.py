"""The site of the guides: no request to another host, no error, and a search that finds."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

import tasks
from desk.documentation import command, site
from tests.browser.views import faults, opened

# What the theme itself does: the copy buttons of all blocks have the same name, and a wide table scrolls on a phone.
OF_THE_THEME = frozenset({"landmark-unique", "scrollable-region-focusable"})


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Build the site and serve it."""
    first_page = site.build(Path(__file__).parents[2], tasks.namespace, tmp_path_factory.mktemp("site"))
    with command.make_server(first_page.parent, 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_guide_has_no_faults(browser: Browser, address: str) -> None:
    assert faults(browser, f"{address}docs/tutorial.html", ignored=OF_THE_THEME) == []


def test_search_finds_a_task_and_asks_nobody_else(browser: Browser, address: str) -> None:
    with opened(browser, address) as view:
        # The script adds the search to the page when it runs, which may be after the page was loaded.
        view.page.wait_for_selector("body > script ~ div", state="attached")
        view.page.locator(".md-search__button").click()
        view.page.get_by_role("textbox").or_(view.page.get_by_role("combobox")).first.fill("rollback")

        view.page.get_by_text("Restore an earlier release with its exact artifacts").first.wait_for()
        assert (view.errors, view.foreign) == ([], [])
