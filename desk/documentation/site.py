"""Build the site: collect the pages, check them, let zensical write HTML, and check that too."""

import posixpath
import re
import shutil
import tomllib
from collections.abc import Collection as Names
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from invoke.collection import Collection

from automation.system import processes, tools
from automation.system.errors import CheckFailedError, Finding, ToolError
from desk.documentation import built_pages, pages

SETTINGS = "docs/site.toml"
_STYLE = re.compile(r"\x1b\[[0-9;]*m")
_WARNING = re.compile(r"Warning: (.+)\n.*?\[ (\S+):(\d+):\d+ \]")
_FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_ANCHORED = re.compile(r"\]\(([^)\s#:]*)#([^)\s]+)\)")
_LIST_ITEM = re.compile(r"(?:[-*]|1\.) ")


def build(root: Path, namespace: Collection, folder: Path) -> Path:
    """Build the site of the project at `root` below a folder, and return its first page.

    Args:
        namespace: the tasks of the project.

    Raises:
        CheckFailedError: a page is not in the navigation, a link is broken, or a task has no description.
        ToolError: zensical could not be installed, or failed.
    """
    settings = (root / SETTINGS).read_text(encoding="utf-8")
    texts = {**pages.of_repository(root), **pages.generated(root, namespace)}
    navigation = pages.navigated(tomllib.loads(settings)["project"]["nav"])
    _require_none([*navigation_findings(navigation, texts), *text_findings(texts), *anchor_findings(texts)])

    pages.write(folder / "pages", texts)
    return render(folder, settings, zensical=tools.ensure("docs", root=root).program("zensical"))


def render(folder: Path, settings: str, *, zensical: Path) -> Path:
    """Let zensical render `pages` of a folder with these settings into `html`, and return the first page.

    Raises:
        CheckFailedError: a link is broken, or a page requests something from another host.
        ToolError: zensical failed.
    """
    shutil.rmtree(folder / "html", ignore_errors=True)
    (folder / "zensical.toml").write_text(settings, encoding="utf-8")
    finished = processes.run([zensical, "build", "--strict", "--clean"], cwd=folder, check=False)
    output = _STYLE.sub("", finished.stderr)
    _require_none(
        [Finding(f"{page}:{line}", what, "correct the link") for what, page, line in _WARNING.findall(output)]
    )
    if finished.exit_code:
        raise ToolError(f"failed with exit code {finished.exit_code}\n{output}", where=finished.command)

    # It has links from the root of a server, which nobody runs.
    (folder / "html" / "404.html").unlink(missing_ok=True)
    _require_none(list(built_pages.findings(folder / "html")))
    return folder / "html" / "index.html"


def navigation_findings(navigation: Sequence[str], texts: Names[str]) -> Iterator[Finding]:
    """Yield the pages that the navigation lacks, and its entries without a page."""
    for name in sorted({name for name in texts if name.endswith(".md")} - set(navigation)):
        yield Finding(name, "the page is not in the navigation", f"add it to nav in {SETTINGS}")
    for name in navigation:
        if name not in texts:
            yield Finding(SETTINGS, f"nav has {name}, which does not exist", "correct or remove the entry")


def text_findings(texts: Mapping[str, str]) -> Iterator[Finding]:
    """Yield lists that follow a paragraph without an empty line: GitHub shows a list, the site a paragraph."""
    for name, text in texts.items():
        before, is_code = "", False
        for number, line in enumerate(text.splitlines(), start=1):
            is_code ^= line.startswith("```")
            if (
                _LIST_ITEM.match(line)
                and not is_code
                and before
                and not _LIST_ITEM.match(before)
                and before[0] not in " #"
            ):
                yield Finding(f"{name}:{number}", "a list begins without an empty line before it", "add an empty line")
            before = line


def anchor_findings(texts: Mapping[str, str]) -> Iterator[Finding]:
    """Yield links to anchors that GitHub does not have, because it names some headings differently than the site."""
    anchors = {name: set(map(_github_anchor, _HEADING.findall(_FENCED.sub("", text)))) for name, text in texts.items()}
    for name, text in texts.items():
        for path, anchor in _ANCHORED.findall(text):
            linked = posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) if path else name
            if linked in anchors and anchor not in anchors[linked]:
                yield Finding(
                    name, f"links to {path}#{anchor}, an anchor that GitHub does not have", "correct the link"
                )


def _github_anchor(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _require_none(findings: list[Finding]) -> None:
    if findings:
        raise CheckFailedError(f"{len(findings)} fault(s) in the documentation", findings=findings)
