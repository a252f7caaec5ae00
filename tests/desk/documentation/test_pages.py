"""The pages of the site: which there are, and what is written."""

from pathlib import Path

import tasks
from desk.documentation import pages

ROOT = Path(__file__).parents[3]
FENCES = "```sh by-hand install\na\n```\n\n```sh\nb\n```\n\n```\nc\n```\n    ```sh x\n"


def test_of_repository_has_each_page_of_docs_and_what_they_link_to() -> None:
    found = pages.of_repository(ROOT)

    guides = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")}
    assert set(found) - guides == {
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "LICENSE",
        "benchmarks/README.md",
        "sandbox/history/PROVENANCE.md",
        "docs/site.css",
    }
    assert guides <= set(found)
    assert found["LICENSE"] == (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_of_repository_leaves_the_language_of_a_fence(tmp_path: Path) -> None:
    for name in pages.OTHERS:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(FENCES)

    found = pages.of_repository(tmp_path)

    assert found["README.md"] == "```sh\na\n```\n\n```sh\nb\n```\n\n```\nc\n```\n    ```sh x\n"


def test_generated_has_a_title_on_every_page() -> None:
    generated = pages.generated(ROOT, tasks.namespace)

    assert {name: text.partition("\n")[0] for name, text in generated.items()} == {
        "reference/tasks.md": "# The tasks of inv",
        "reference/sessions.md": "# The sessions of nox",
        "reference/settings.md": "# The settings in pyproject.toml",
        "reference/rules.md": "# Rules",
        "reference/exit-codes.md": "# The exit codes of inv",
        "reference/messages.md": "# Messages",
        "reference/language.md": "# The strategy language",
    }


def test_write_leaves_no_other_page(tmp_path: Path) -> None:
    pages.write(tmp_path / "pages", {"a.md": "old", "b/c.md": "gone"})
    pages.write(tmp_path / "pages", {"a.md": "new"})

    assert [path.name for path in (tmp_path / "pages").iterdir()] == ["a.md"]
    assert (tmp_path / "pages" / "a.md").read_text() == "new"


def test_navigated_lists_nested_entries_in_order() -> None:
    navigation: list[dict[str, object]] = [{"Start": [{"A": "a.md"}, {"B": [{"C": "c.md"}]}]}, {"D": "d.md"}]

    assert pages.navigated(navigation) == ["a.md", "c.md", "d.md"]
