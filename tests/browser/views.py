"""A page in Chromium: what it logged, requested and shows, and what axe-core finds."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Request

DESKTOP, PHONE = (1280, 900), (390, 844)
SCHEMES = ("light", "dark")
LOCAL = ("http://127.0.0.1:", "file://", "data:", "blob:", "about:")
# A mail is shown inside the page of a mail client, which has the landmarks.
IN_A_MAIL = frozenset({"landmark-one-main", "region"})
_AXE = {"resultTypes": ["violations"]}
_OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Without the invisible character that keeps a minus sign beside its amount.
_TEXT = r'cell => cell.innerText.replaceAll("\u2060", "").trim()'
_ROWS = f"""table => [...table.querySelectorAll("tr")].map(row => [...row.cells].map({_TEXT}))"""
_TORN = r"""() => {
  const torn = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = texts.nextNode());)
    for (const amount of node.data.matchAll(/\u2212\u2060?\$[\d,.]*\d/g)) {
      const range = document.createRange();
      range.setStart(node, amount.index);
      range.setEnd(node, amount.index + amount[0].length);
      if (new Set([...range.getClientRects()].map(box => box.top)).size > 1) torn.push(amount[0]);
    }
  return torn;
}"""


@dataclass
class View:
    """One opened page.

    Attributes:
        errors: what the page logged as an error, and uncaught exceptions.
        foreign: requests that would have left this machine.
    """

    page: Page
    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def listen(self) -> None:
        """Record what the page logs and requests from now on."""

        def log(message: ConsoleMessage) -> None:
            if message.type in {"error", "warning"}:
                self.errors.append(message.text)

        def ask(request: Request) -> None:
            if not request.url.startswith(LOCAL):
                self.foreign.append(request.url)

        self.page.on("console", log)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", ask)

    def accessibility_faults(self, ignored: frozenset[str] = frozenset()) -> list[str]:
        """Return what axe-core finds, one line per element, without some of its rules."""
        faults: list[str] = []
        for violation in Axe().run(self.page, options=_AXE).response["violations"]:
            if violation["id"] in ignored:
                continue
            faults += [f"{violation['id']}: {node['html'][:160]} {_why(node)}" for node in violation["nodes"]]
        return faults

    def overflow_px(self) -> int:
        """Return by how many pixels the body is wider than the window."""
        return int(self.page.evaluate(_OVERFLOW))

    def torn_amounts(self) -> list[str]:
        """Return the negative amounts that a line break parts."""
        torn: list[str] = self.page.evaluate(_TORN)
        return torn

    def rows(self, label: str) -> list[list[str]]:
        """Return the cells of the table in the region with this label, its head first."""
        cells: list[list[str]] = (
            self.page.get_by_role("region", name=label, exact=True).locator("table").evaluate(_ROWS)
        )
        return cells


@contextmanager
def opened(browser: Browser, url: str, *, size: tuple[int, int] = DESKTOP, scheme: str = "light") -> Iterator[View]:
    """Yield a page that has been loaded."""
    with browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    ) as context:
        view = View(context.new_page())
        view.listen()
        view.page.goto(url, wait_until="load")
        yield view


def faults(
    browser: Browser,
    url: str,
    *,
    ready: str = "body",
    ignored: frozenset[str] = frozenset(),
    is_phone_checked: bool = True,
) -> list[str]:
    """Return every fault of a page: in light and dark, on a desktop and on a phone.

    Args:
        ready: a selector of what shows that the page is complete.
        ignored: rules of axe-core that do not apply to the page.
        is_phone_checked: whether the page must also fit a phone.
    """
    found: list[str] = []
    for scheme in SCHEMES:
        with opened(browser, url, scheme=scheme) as view:
            view.page.wait_for_selector(ready, state="attached")
            found += _named(f"{scheme}, desktop", view, view.accessibility_faults(ignored))
            if is_phone_checked:
                view.page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
                # The colours are those of the desktop: what axe-core can find anew is the same in light and dark.
                is_new = scheme == SCHEMES[0]
                found += _named(f"{scheme}, phone", view, view.accessibility_faults(ignored) if is_new else [])
            found += [f"{scheme}: console: {error}" for error in view.errors]
            found += [f"{scheme}: left the machine: {address}" for address in view.foreign]
    return found


def _named(name: str, view: View, faults: Sequence[str]) -> list[str]:
    named = [f"{name}: {fault}" for fault in faults]
    if view.overflow_px() > 0:
        named.append(f"{name}: the body is {view.overflow_px()} px wider than the window")
    return named


def _why(node: Any) -> str:
    checks: Sequence[Any] = (*node["any"], *node["all"], *node["none"])
    return "; ".join(check["message"] for check in checks)[:200]
