"""Sizes over time as a page: balanced, escaped, and a bar per release at the same place in every chart."""

from dataclasses import replace
from pathlib import Path

import pytest

from automation.sizing import history_page
from automation.sizing.history import History
from tests.automation.sizing.releases import WHEELS, history_of, sizes, wheels
from tests.automation.sizing.test_page import Page
from tests.automation.weights import MB

RELEASES = (
    wheels("r1", ("v<1>",), numpy_1=MB),
    wheels("r2", numpy_2=3 * MB),
    wheels("r3", numpy_2=2 * MB),
)
SIZES = history_of(*RELEASES, limits={WHEELS: 2 * MB}, notes="a <note>")


def rectangles(sized: History) -> list[dict[str, str]]:
    """Return the attributes of each bar."""
    bars: list[dict[str, str]] = []
    for tag, name, value in Page(history_page.render(sized)).attributes:
        if tag == "rect":
            if name == "class":
                bars.append({})
            bars[-1][name] = value
    return bars


def test_render_is_balanced_and_escaped() -> None:
    html = history_page.render(replace(SIZES, environment="<live>"))

    page = Page(html)
    assert page.open == []
    assert 'viewBox="0 -2 360 138"' in html
    assert "Sizes over time: &lt;live&gt;" in html
    assert "a &lt;note&gt;" in html
    assert "r1 (v&lt;1&gt;): 1.00 MB (1,000,000 bytes)" in html
    assert "$" not in html


def test_render_bars_scale_to_the_biggest_size() -> None:
    assert rectangles(SIZES) == [
        {"class": "", "x": "0.0", "y": "80.0", "width": "84.0", "height": "40.0"},
        {"class": "over", "x": "120.0", "y": "0.0", "width": "84.0", "height": "120.0"},
        {"class": "", "x": "240.0", "y": "40.0", "width": "84.0", "height": "80.0"},
    ]


def test_render_marks_growth_within_the_limit() -> None:
    sized = history_of(*RELEASES, limits={WHEELS: 3 * MB})

    assert [bar["class"] for bar in rectangles(sized)] == ["", "grew", ""]


def test_render_bar_of_a_later_artifact_keeps_its_place() -> None:
    sized = history_of(sizes("r1", {"Till": {"(own code)": 5}}), wheels("r2", numpy_1=MB))

    assert [bar["x"] for bar in rectangles(sized)] == ["180.0", "0.0"]


def test_render_limit_is_a_line() -> None:
    html = history_page.render(SIZES)

    assert '<line x1="0" x2="360" y1="40.0" y2="40.0"></line>' in html
    assert "<line" not in history_page.render(history_of(*RELEASES))


def test_render_caption_has_size_share_and_removal() -> None:
    kept = {"Till": {"(own code)": 5}}
    sized = history_of(sizes("r1", {"Wheels": {"numpy==1": MB}, **kept}), sizes("r2", kept), limits={WHEELS: 2 * MB})

    html = history_page.render(sized)

    assert "Wheels<small>layer: 1.00 MB, 50 % of budget 2.00 MB, removed in r2</small>" in html
    assert "Till<small>function: 5 B</small>" in html


def test_render_figure_has_caption_and_chart() -> None:
    html = history_page.render(history_of(wheels("r1", numpy_1=MB)))

    chart = (
        '<svg viewBox="0 -2 360 138" role="img" aria-label="Wheels, layer: 1.00 MB in the newest release">'
        '<rect class="" x="0.0" y="0.0" width="252.0" height="120.0">'
        "<title>r1: 1.00 MB (1,000,000 bytes)</title></rect>"
        '<text x="126.0" y="132">r1</text></svg>'
    )
    caption = "<figcaption>Wheels<small>layer: 1.00 MB</small></figcaption>"
    assert f'<div class="charts"><figure>{caption}{chart}</figure></div>' in html


def test_render_notes_are_a_list() -> None:
    html = history_page.render(history_of(RELEASES[0], notes="a <note>"))

    assert "<ul><li>a &lt;note&gt;</li></ul>" in html


@pytest.mark.parametrize(("count", "labels"), [(12, 12), (13, 0)])
def test_render_many_releases_have_no_labels(count: int, labels: int) -> None:
    sized = history_of(*(wheels(f"r{number}", numpy_1=1) for number in range(count)))

    assert history_page.render(sized).count("<text ") == labels


def test_render_lists_releases_newest_first_with_totals() -> None:
    release = sizes("r1", {"Till": {"(own code)": 500}, "Wheels": {"numpy==1": MB}}, tags=("v1",))
    words = Page(history_page.render(history_of(release, wheels("r2", numpy_1=2 * MB)))).words

    table = words[words.index("Functions") :]
    assert table == [
        *("Functions", "r2", "2026-01-02", "03:04", "r2-commit-ha", "2.00", "MB", "0", "B"),
        *("r1", "v1", "2026-01-02", "03:04", "r1-commit-ha", "1.00", "MB", "500", "B"),
    ]


def test_render_says_what_grew_or_that_nothing_did() -> None:
    grew = "<li>Wheels 1.00 MB -&gt; 3.00 MB in r2: numpy 1 -&gt; 2 +2.00 MB</li>"

    assert grew in history_page.render(SIZES)
    assert "Nothing grew by 1 % and 10.0 kB or more in a release." in history_page.render(history_of(RELEASES[0]))


def test_write_makes_the_file(tmp_path: Path) -> None:
    history_page.write(SIZES, tmp_path / "new" / "page.html")

    assert (tmp_path / "new" / "page.html").read_text() == history_page.render(SIZES)
