"""The pages of the site: those of the repository, at their own paths so that links work, and generated ones."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from invoke.collection import Collection

from automation.reference import exit_code_page, rule_page, setting_page, task_page
from automation.system import files
from desk.documentation import language_page, message_page, session_page

# Pages outside of docs/, and the files that pages link to.
OTHERS = (
    *("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE"),
    *("benchmarks/README.md", "sandbox/history/PROVENANCE.md", "docs/site.css"),
)
# What follows the language of a fence is for tests/e2e, and only GitHub ignores it.
_FENCE = re.compile(r"^```(\w+) .*$", re.MULTILINE)


def of_repository(root: Path) -> dict[str, str]:
    """Return the text of each page of the repository, and of what the pages need, by its path."""
    guides = sorted((root / "docs").rglob("*.md"))
    paths = [*(root / name for name in OTHERS), *guides]
    texts = {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in paths}
    return {name: _FENCE.sub(r"```\1", text) for name, text in texts.items()}


def generated(root: Path, namespace: Collection) -> dict[str, str]:
    """Return the pages of reference, by their paths.

    Args:
        namespace: the tasks of the project.

    Raises:
        CheckFailedError: a task or one of its options has no description.
        ToolError: nox is missing or failed.
    """
    return {
        "reference/tasks.md": task_page.page(namespace, program="inv"),
        "reference/sessions.md": session_page.page(root),
        "reference/settings.md": setting_page.page(),
        "reference/rules.md": rule_page.page(),
        "reference/exit-codes.md": exit_code_page.page(),
        "reference/messages.md": message_page.page(),
        "reference/language.md": language_page.page(),
    }


def write(folder: Path, pages: Mapping[str, str]) -> None:
    """Write exactly these pages below a folder; others are removed."""
    files.remove(folder)
    for name, text in pages.items():
        files.write_atomically(folder / name, text)


def navigated(navigation: Iterable[Mapping[str, object]]) -> list[str]:
    """Return the pages of a navigation, in its order."""
    pages: list[str] = []
    for entry in navigation:
        for value in entry.values():
            pages += [value] if isinstance(value, str) else navigated(value)  # type: ignore[arg-type] # a nested list
    return pages
