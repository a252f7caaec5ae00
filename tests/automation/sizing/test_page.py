import math
import re
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from automation.sizing import changes, page
from automation.sizing.blocks import treemap_nodes
from automation.sizing.model import Sizes
from automation.sizing.treemap import squarify
from tests.automation.weights import MB, function, layer, part, till

VOID = {"meta", "br"}
STRATEGY = layer("Numbers", part("numpy", 40 * MB), part("arrow", 20 * MB), part("<odd> & name", 5 * MB), sha256="n")
WEB = layer("Web", part("arrow", 20 * MB), part("httpx", 2 * MB), budget_bytes=10 * MB)
SIZES = Sizes((function("Till", STRATEGY), function("Desk", WEB)), (STRATEGY, WEB))


class Page(HTMLParser):
    """Parse the page: check that its tags are balanced, and collect its attributes and words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data.split()

    def values(self, name: str) -> list[str]:
        return [value for _, key, value in self.attributes if key == name]


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=40), st.floats(0.1, 10))
def test_squarify_areas_are_shares_inside_the_square(sizes: list[int], aspect: float) -> None:
    rectangles = squarify(sizes, aspect=aspect)

    for size, box in zip(sizes, rectangles, strict=True):
        assert math.isclose(box.width * box.height, size / sum(sizes), rel_tol=1e-6, abs_tol=1e-9)
        assert -1e-9 <= box.left <= box.left + box.width <= 1 + 1e-6
        assert -1e-9 <= box.top <= box.top + box.height <= 1 + 1e-6


def test_squarify_example_of_the_paper_has_no_thin_strip() -> None:
    shapes = [box.width * 1.5 / box.height for box in squarify([6, 6, 4, 3, 2, 2, 1], aspect=1.5)]

    assert max(max(shape, 1 / shape) for shape in shapes) < 3


def test_squarify_nothing_is_empty() -> None:
    assert squarify([], aspect=1.0) == ()


def test_treemap_nodes_of_identical_artifacts_are_one() -> None:
    twin = layer("Twin", *STRATEGY.parts, sha256="n")

    assert treemap_nodes(Sizes(layers=(STRATEGY, twin)))[0].name == "Numbers, Twin"


def test_treemap_nodes_under_half_a_percent_are_merged() -> None:
    assert [node.name for node in treemap_nodes(SIZES)] == ["Numbers", "Web", "2 small artifacts"]


def test_treemap_nodes_of_one_distribution_have_one_colour() -> None:
    colours = set()
    for node in treemap_nodes(SIZES):
        colours |= {child.style for child in node.children if child.name == "arrow 1.0"}

    assert len(colours) == 1


def test_render_tags_are_balanced_and_ids_unique() -> None:
    parsed = Page(page.render(SIZES))

    assert parsed.open == []
    assert len(parsed.values("id")) == len(set(parsed.values("id")))


def test_render_fetches_nothing() -> None:
    html = page.render(SIZES)

    assert not re.search(r"<(link|img|iframe|object)\b|@import|url\(|\bsrc=|https?://|fetch\(", html)


def test_render_links_point_to_sections() -> None:
    parsed = Page(page.render(SIZES, changes.compare(till(part("numpy", MB)), SIZES, label="main")))

    assert {value.removeprefix("#") for value in parsed.values("href")} - {"notes"} <= set(parsed.values("id"))


def test_render_names_are_escaped() -> None:
    html = page.render(SIZES)

    assert "<odd>" not in html
    assert "&lt;odd&gt; &amp; name" in html


def test_render_same_sizes_give_the_same_page() -> None:
    assert page.render(SIZES) == page.render(SIZES)


def test_render_over_budget_shows_the_finding() -> None:
    words = " ".join(Page(page.render(SIZES)).words)

    assert "1 budget exceeded app.yaml: Web: the layer is 22.00 MB, its budget is 10.00 MB" in words


def test_render_with_a_baseline_shows_the_changes() -> None:
    words = " ".join(Page(page.render(SIZES, changes.compare(Sizes(), SIZES, label="main"))).words)

    assert "Since main" in words
    assert "Numbers (app) new" in words


def test_render_empty_project_is_a_page() -> None:
    assert Page(page.render(Sizes())).open == []
