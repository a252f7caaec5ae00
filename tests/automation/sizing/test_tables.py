import re

import pytest

from automation.sizing import changes, markdown, tables, units
from automation.sizing.changes import Comparison
from automation.sizing.model import Sizes
from tests.automation.weights import MB, layer, part, till

MANY = tuple(part(f"lib{number}", (20 - number) * MB) for number in range(9))


def against(before: Sizes, after: Sizes) -> Comparison:
    return changes.compare(before, after, label="main")


def shown(capsys: pytest.CaptureFixture[str], sizes: Sizes, comparison: Comparison | None = None) -> list[str]:
    """The printed lines, one space between words."""
    tables.show(sizes, comparison)
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def test_show_function_has_own_each_layer_and_what_they_come_to(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, till(part("numpy", 3 * MB), budget_bytes=10 * MB))

    assert "Till 1.0 kB - - 3.00 MB 1.00 MB 1 % 259.14 MB" in lines
    assert "Wheels 3.00 MB 1.00 MB" in lines
    assert "Wheels 3.00 MB 1.00 MB 10.00 MB 30 % 7.00 MB" in lines


def test_show_folds_the_smallest_distributions_into_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, till(*MANY))

    assert [line.split()[0] for line in lines if line.startswith("lib")] == [f"lib{n}" for n in range(6)]
    assert "and 3 smaller 39.00 MB 9.75 MB 27 %" in lines


def test_show_with_a_baseline_tells_the_change_down_to_the_distribution(capsys: pytest.CaptureFixture[str]) -> None:
    after = till(part("numpy", 3 * MB, "2.0"))

    lines = shown(capsys, after, against(till(part("numpy", MB)), after))

    assert "Till (app) = +2.00 MB +666.7 kB" in lines
    assert "numpy 1.0 -> 2.0 +2.00 MB" in lines


def test_show_without_any_change_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    sizes = till(part("numpy", MB))

    assert "nothing has changed since main" in shown(capsys, sizes, against(sizes, sizes))


def test_show_project_without_layers_has_no_empty_table(capsys: pytest.CaptureFixture[str]) -> None:
    sizes = Sizes(till().functions)

    assert not any(line.startswith("layer") for line in shown(capsys, sizes))


def test_markdown_names_what_is_exceeded_and_changed_before_it_folds_the_rest() -> None:
    after = till(part("numpy", 3 * MB, "2.0"), budget_bytes=2 * MB)

    text = markdown.render(after, against(till(part("numpy", MB)), after))

    head, _, rest = text.partition("<details>")
    assert "**Exceeded: 1**" in head
    assert "| Wheels | numpy | 1.0 -> 2.0 | +2.00 MB |" in head
    assert "| Till | 1.0 kB | - | Wheels 3.00 MB |" in rest


def test_markdown_marks_rows_over_and_near() -> None:
    near = layer("Near", part("x", 9), budget_bytes=10)
    over = layer("Over", part("y", 11), budget_bytes=10)

    text = markdown.render(Sizes(layers=(near, over)))

    assert "| (near) Near |" in text
    assert "| (over) Over |" in text


def test_markdown_every_row_of_a_table_has_its_heads_cells() -> None:
    after = till(*MANY, budget_bytes=200 * MB)
    text = markdown.render(after, against(till(part("a|b", MB)), after))

    blocks = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]

    cells = [{len(re.findall(r"(?<!\\)\|", line)) for line in block} for block in blocks]
    assert all(len(counts) == 1 for counts in cells)


def test_markdown_names_are_no_markup() -> None:
    assert markdown.escaped("a|b <i> *c* d_e [f]") == "a\\|b &lt;i> \\*c\\* d\\_e \\[f]"


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (999_949, "999.9 kB"), (999_950, "1.00 MB"), (-2_000, "-2.0 kB")],
)
def test_text_of_bytes_changes_unit_without_a_gap(count: int, text: str) -> None:
    assert units.text(count) == text
