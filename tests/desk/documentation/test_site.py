"""The site: what stops its build, each with a planted fault. zensical renders in slow tests, which nox -s docs runs."""

import tomllib
from pathlib import Path

import pytest

import tasks
from automation.system import tools
from automation.system.errors import CheckFailedError, Finding, ToolError
from desk.documentation import pages, site

ROOT = Path(__file__).parents[3]
SETTINGS = """
[project]
site_name = "A shop"
docs_dir = "pages"
site_dir = "html"
use_directory_urls = false
nav = [{ "Start" = "README.md" }, { "Bread" = "docs/bread.md" }]
[project.theme]
font = false
[project.extra]
generator = false
"""
SHOP = {
    "README.md": "# A shop\n\n[Bread](docs/bread.md#crust)\n",
    "docs/bread.md": "# Bread\n\n## Crust\n\n[Shop](../README.md)\n",
}


def test_every_page_of_this_project_is_in_the_navigation() -> None:
    texts = {**pages.of_repository(ROOT), **pages.generated(ROOT, tasks.namespace)}
    navigation = pages.navigated(tomllib.loads((ROOT / site.SETTINGS).read_text(encoding="utf-8"))["project"]["nav"])

    assert [
        *site.navigation_findings(navigation, texts),
        *site.text_findings(texts),
        *site.anchor_findings(texts),
    ] == []
    assert len(navigation) == len(set(navigation))


def test_navigation_findings_name_a_page_too_few_and_too_many() -> None:
    found = list(site.navigation_findings(["README.md", "docs/gone.md"], {**SHOP, "LICENSE": ""}))

    assert found == [
        Finding("docs/bread.md", "the page is not in the navigation", "add it to nav in docs/site.toml"),
        Finding("docs/site.toml", "nav has docs/gone.md, which does not exist", "correct or remove the entry"),
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Bread:\n- rye\n", 2),
        ("A list:\n* rye\n", 2),
        ("x\n\nBread:\n1. rye\n", 4),
        ("```\na\n```\nBread:\n- rye\n", 5),
    ],
)
def test_text_findings_name_a_list_that_the_site_would_not_show(text: str, line: int) -> None:
    finding = Finding(f"a.md:{line}", "a list begins without an empty line before it", "add an empty line")

    assert list(site.text_findings({"a.md": text})) == [finding]


@pytest.mark.parametrize(
    "text",
    [
        "Bread:\n\n- rye\n- wheat\n  and more\n- oat\n",
        "# Bread\n- rye\n",
        "```\na\n- b\n```\n",
        "buys\n100. On\n",
        "- a\n",
    ],
)
def test_text_findings_of_sound_lists_are_none(text: str) -> None:
    assert list(site.text_findings({"a.md": text})) == []


def test_anchor_findings_name_an_anchor_that_github_lacks() -> None:
    texts = {
        "README.md": "# A _shop_: and more …\n[up](#a-_shop_-and-more-) [no](#a-shop) [b](docs/bread.md#4-rolls)\n",
        "docs/bread.md": "## 4. Rolls\n```\n# crust\n```\n"
        "[a](../README.md#rolls) [b](#crust) [c](https://a.b/#c) [d](x#y)\n",
    }

    assert [(finding.where, finding.what) for finding in site.anchor_findings(texts)] == [
        ("README.md", "links to #a-shop, an anchor that GitHub does not have"),
        ("docs/bread.md", "links to ../README.md#rolls, an anchor that GitHub does not have"),
        ("docs/bread.md", "links to #crust, an anchor that GitHub does not have"),
    ]


@pytest.fixture(scope="module")
def zensical() -> Path:
    return tools.ensure("docs", root=ROOT).program("zensical")


def render(folder: Path, zensical: Path, **changed: str) -> Path:
    pages.write(folder / "pages", {**SHOP, **{name.replace("_", "/") + ".md": text for name, text in changed.items()}})
    return site.render(folder, SETTINGS, zensical=zensical)


@pytest.mark.slow
def test_render_returns_the_first_page(tmp_path: Path, zensical: Path) -> None:
    first_page = render(tmp_path, zensical)

    assert first_page == tmp_path / "html" / "index.html"
    assert 'href="docs/bread.html#crust"' in first_page.read_text(encoding="utf-8")
    assert not (tmp_path / "html" / "404.html").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("[x](gone.md)", "docs/bread.md:3", "page does not exist"),
        ("[x](../README.md#gone)", "docs/bread.md:3", "anchor does not exist"),
        ("![x](gone.png)", "docs/bread.html", "links to gone.png, which does not exist"),
        ("![x](https://example.org/x.png)", "docs/bread.html", "requests https://example.org/x.png"),
    ],
)
def test_render_stops_at_a_broken_link(text: str, where: str, what: str, tmp_path: Path, zensical: Path) -> None:
    with pytest.raises(CheckFailedError, match=r"^1 fault\(s\) in the documentation$") as raised:
        render(tmp_path, zensical, docs_bread=f"# Bread\n\n{text}\n\n## Crust\n")

    assert [(finding.where, finding.what) for finding in raised.value.findings] == [(where, what)]


@pytest.mark.slow
def test_render_reports_what_zensical_cannot_read(tmp_path: Path, zensical: Path) -> None:
    pages.write(tmp_path / "pages", SHOP)

    with pytest.raises(ToolError, match=r"zensical build --strict --clean: failed with exit code 1\n"):
        site.render(tmp_path, "[project", zensical=zensical)


@pytest.mark.slow
def test_build_renders_every_page_of_this_project(tmp_path: Path) -> None:
    first_page = site.build(ROOT, tasks.namespace, tmp_path)

    rendered = {
        path.relative_to(first_page.parent).with_suffix(".md").as_posix() for path in first_page.parent.rglob("*.html")
    }
    texts = {**pages.of_repository(ROOT), **pages.generated(ROOT, tasks.namespace)}
    assert {name.replace("README.md", "index.md") for name in texts if name.endswith(".md")} == rendered


@pytest.mark.slow
def test_build_stops_at_a_page_outside_of_the_navigation(tmp_path: Path) -> None:
    for name, text in pages.of_repository(ROOT).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    for name in ("noxfile.py", site.SETTINGS):
        (tmp_path / name).write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "docs" / "new.md").write_text("# New\n")

    with pytest.raises(CheckFailedError) as raised:
        site.build(tmp_path, tasks.namespace, tmp_path / "site")

    assert [finding.where for finding in raised.value.findings] == ["docs/new.md"]
