"""What is wrong with a built site: links to nothing, also to files, and requests to other hosts."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from automation.system.errors import Finding

# What a browser requests by itself when it shows a page; `a` waits for a click.
_LOADED = {"img": "src", "script": "src", "link": "href", "iframe": "src", "source": "src", "object": "data"}
_NOT_LOADED = frozenset({"canonical", "alternate", "prev", "next"})
_CSS_URL = re.compile(r"""(?:@import\s+(?:url\()?|url\()\s*["']?((?:https?:)?//[^"')\s]+)""")
_LINK_TO_FIX = "correct the link"


@dataclass(slots=True)
class Page(HTMLParser):
    """The links and anchors of a page.

    Attributes:
        links: targets as written.
        loaded: targets that a browser requests by itself.
    """

    text: str
    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        HTMLParser.__init__(self)
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.anchors |= {attributes[name] for name in ("id", "name") if name in attributes}
        if tag == "a" and "href" in attributes:
            self.links.append(attributes["href"])
        elif (name := _LOADED.get(tag)) and attributes.get(name) and attributes.get("rel") not in _NOT_LOADED:
            self.loaded.append(attributes[name])


def findings(folder: Path) -> Iterator[Finding]:
    """Yield every link to a page, file or anchor that does not exist, and every request to another host."""
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.html"))}
    for path, page in pages.items():
        where = path.relative_to(folder).as_posix()
        for target in dict.fromkeys([*page.links, *page.loaded]):
            if not _is_foreign(target) and (what := _problem(target, path, pages)):
                yield Finding(where, what, _LINK_TO_FIX)
        for target in [*page.loaded, *_CSS_URL.findall(page.text)]:
            if _is_foreign(target):
                yield Finding(where, f"requests {target}", "ship the file with the site")
    for path in sorted(folder.rglob("*.css")):
        for target in _CSS_URL.findall(path.read_text(encoding="utf-8")):
            yield Finding(path.relative_to(folder).as_posix(), f"requests {target}", "ship the file with the site")


def _is_foreign(target: str) -> bool:
    parts = urlsplit(target)
    return bool(parts.scheme or parts.netloc) and parts.scheme != "data"


def _problem(target: str, path: Path, pages: Mapping[Path, Page]) -> str:
    """Return what is wrong with a link of the page at `path`; empty when nothing is."""
    parts = urlsplit(target)
    if parts.scheme == "data":
        return ""
    linked = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    linked = linked / "index.html" if linked.is_dir() else linked
    if not linked.is_file():
        return f"links to {target}, which does not exist"
    if parts.fragment and linked in pages and unquote(parts.fragment) not in pages[linked].anchors:
        return f"links to {target}, but that page has no such anchor"
    return ""
