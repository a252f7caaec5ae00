"""Time the first paint of the desk in Chromium: before anything was read, of an ordinary day, of 3,000 trades.

The time is Chromium's own: from the start of the navigation to the first contentful paint.
"""

import statistics
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from benchmarks.timing import Result
from desk.page.app import Desk
from desk.page.feeds import Feed
from desk.page.parts import PARTS
from tests.desk.page import desks

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_LIMIT_S = 1.0
_PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
_DESKS: dict[str, Callable[[], Desk]] = {
    "before anything was read": lambda: Desk("local", "a target", {part.feed: _silent() for part in PARTS}),
    "an ordinary day": lambda: desks.desk_of(desks.ordinary()),
    "a day of 3,000 trades": lambda: desks.desk_of(desks.large()),
}


def run(*, quick: bool) -> Iterator[Result]:
    """Open each desk several times.

    Raises:
        ChromiumMissingError: Chromium is not installed.
    """
    from tests.browser import chromium, desk_server  # noqa: PLC0415 - playwright is only in locks/browser.txt

    with chromium.started() as browser:
        for name, make_desk in _DESKS.items():
            with desk_server.serving(make_desk()) as url:
                seconds = [_first_paint_s(browser, url) for _ in range(3 if quick else 9)]
            median = statistics.median(seconds)
            measured = f"{median:.2f} s ({min(seconds):.2f} to {max(seconds):.2f})"
            yield Result(f"first paint of the desk, {name}", measured, f"under {_LIMIT_S:g} s", median < _LIMIT_S)


def _first_paint_s(browser: "Browser", url: str) -> float:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(url, wait_until="load")
        return float(page.wait_for_function(_PAINT).json_value()) / 1000


def _silent() -> Feed[Any]:
    """Return a feed whose first reading never ends."""
    return Feed(lambda: None, every_s=60.0, now=lambda: 0.0, start=lambda _: None)
