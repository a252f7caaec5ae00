import re
from dataclasses import replace

import pytest

from automation.sizing import changes, markdown, tables, units
from automation.sizing.changes import SizeComparison
from automation.sizing.model import Sizes
from tests.automation.weights import MB, layer, part, till

MANY = tuple(part(f"lib{number}", (20 - number) * MB) for number in range(9))


def against(before: Sizes, after: Sizes) -> SizeComparison:
    return changes.compare(before, after, label="main")


def shown(capsys: pytest.CaptureFixture[str], sizes: Sizes, comparison: SizeComparison | None = None) -> list[str]:
    """Return the printed lines with single spaces between words."""
    tables.show(sizes, comparison)
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def test_show_function_has_its_own_bytes_layers_and_sum(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, till(part("numpy", 3 * MB), budget_bytes=10 * MB))

    assert "Till 1.0 kB - - 3.00 MB 1.00 MB 1 % 259.14 MB" in lines
    assert "Wheels 3.00 MB 1.00 MB" in lines
    assert "Wheels 3.00 MB 1.00 MB 10.00 MB 30 % 7.00 MB" in lines


def test_show_small_distributions_are_folded_into_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, till(*MANY))

    assert [line.split()[0] for line in lines if line.startswith("lib")] == [f"lib{n}" for n in range(6)]
    assert "and 3 smaller 39.00 MB 9.75 MB 27 %" in lines


def test_show_with_a_baseline_has_changes_of_distributions(capsys: pytest.CaptureFixture[str]) -> None:
    after = till(part("numpy", 3 * MB, "2.0"))

    lines = shown(capsys, after, against(till(part("numpy", MB)), after))

    assert "Till (app) = +2.00 MB +666.7 kB" in lines
    assert "numpy 1.0 -> 2.0 +2.00 MB" in lines


@pytest.mark.parametrize("count", [1, 9])
def test_show_bytes_left_out_end_the_parts_of_an_artifact(capsys: pytest.CaptureFixture[str], count: int) -> None:
    sizes = till(*MANY[:count])
    pruned = replace(sizes.layers[0], pruned_bytes=2 * MB)

    lines = shown(capsys, Sizes((), (pruned,)))

    assert "left out: tests, stubs, programs -2.00 MB" in lines
    assert not any("left out" in line for line in shown(capsys, sizes))


def test_show_without_changes_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    sizes = till(part("numpy", MB))

    assert "no changes since main" in shown(capsys, sizes, against(sizes, sizes))


def test_show_project_without_layers_has_no_layer_table(capsys: pytest.CaptureFixture[str]) -> None:
    sizes = Sizes(till().functions)

    assert not any(line.startswith("layer") for line in shown(capsys, sizes))


def test_markdown_shows_findings_and_changes_before_folded_tables() -> None:
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


def test_markdown_rows_have_as_many_cells_as_the_head() -> None:
    after = till(*MANY, budget_bytes=200 * MB)
    text = markdown.render(after, against(till(part("a|b", MB)), after))

    for block in text.split("\n\n"):
        if block.startswith("|"):
            cell_counts = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
            assert len(cell_counts) == 1


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (999_949, "999.9 kB"), (999_950, "1.00 MB"), (-2_000, "-2.0 kB")],
)
def test_format_bytes_picks_the_unit(count: int, text: str) -> None:
    assert units.format_bytes(count) == text
