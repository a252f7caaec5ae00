"""Sizes over time for people: bars that also read without colour, what grew, and what has no size."""

from dataclasses import replace

import pytest

from automation.project.model import LAMBDA_LIMIT_BYTES
from automation.sizing import history_text
from automation.sizing.history import SeriesKind
from tests.automation.sizing.releases import APP, WHEELS, history_of, sizes, wheels
from tests.automation.weights import MB

FULL = "█" * 30
LIMITS = {WHEELS: 130 * MB, (SeriesKind.MOUNTED, APP, "Till"): LAMBDA_LIMIT_BYTES}
BEFORE = sizes("r6", {"Till": {"(own code)": 300}, "Wheels": {"numpy==2.4.1": 98 * MB}}, tags=("v1.2",))
AFTER = sizes(
    "r7",
    {"Till": {"(own code)": 300}, "Wheels": {"numpy==2.5.5": 107 * MB, "pandas==3.0.1": 5 * MB}},
    tags=("v1.3",),
)


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def test_show_has_a_table_per_kind_and_what_grew(capsys: pytest.CaptureFixture[str]) -> None:
    history_text.show(history_of(BEFORE, AFTER, limits=LIMITS, notes="r1 recorded nothing"))

    bar_98, bar_112 = "█" * 23 + "·" * 7 + "│", "█" * 26 + "·" * 4 + "│"
    mounted_98, mounted_112 = "█" * 11 + "·" * 19 + "│", "█" * 13 + "·" * 17 + "│"
    assert lines(capsys) == [
        "layer release tag unzipped change used chart",
        f"Wheels r6 v1.2 98.00 MB 75 % {bar_98}",
        f"r7 v1.3 112.00 MB +14.00 MB 86 % {bar_112}",
        "│ is today's budget",
        "",
        "function release tag unzipped change used chart",
        f"Till r6-r7 v1.2, v1.3 300 B - {FULL}",
        "│ is today's budget",
        "",
        "function with layers release tag unzipped change used chart",
        f"Till r6 v1.2 98.00 MB 37 % {mounted_98}",
        f"r7 v1.3 112.00 MB +14.00 MB 43 % {mounted_112}",
        "│ is AWS's limit of 262,144,000 bytes",
        "",
        "grew by 1 % and 10.0 kB or more:",
        "Wheels 98.00 MB -> 112.00 MB in r7 (v1.3): numpy 2.4.1 -> 2.5.5 +9.00 MB, pandas 3.0.1 new +5.00 MB",
        "Till with layers 98.00 MB -> 112.00 MB in r7 (v1.3): Wheels +14.00 MB",
        "note: r1 recorded nothing",
    ]


def test_show_numbers_are_aligned_right(capsys: pytest.CaptureFixture[str]) -> None:
    history_text.show(history_of(wheels("r1", numpy_1=5), wheels("r2", numpy_1=20 * MB), limits={WHEELS: 20 * MB}))

    assert [line.rstrip()[:58] for line in capsys.readouterr().out.splitlines()[:3]] == [
        "layer   release  tag  unzipped     change   used  chart",
        "Wheels  r1                 5 B               0 %  ········",
        "        r2            20.00 MB  +20.00 MB  100 %  ████████",
    ]


def test_show_without_growth_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    history_text.show(history_of(wheels("r1", numpy_1=MB)))

    assert lines(capsys)[-1] == "nothing grew by 1 % and 10.0 kB or more in a release"


def test_show_removed_artifact_names_the_release(capsys: pytest.CaptureFixture[str]) -> None:
    kept = {"Till": {"(own code)": 5}}
    history_text.show(history_of(sizes("r1", {"Wheels": {"numpy==1": 20}, **kept}), sizes("r2", kept)))

    assert lines(capsys)[2] == "r2 removed"


def test_growth_text_names_three_causes_and_counts_the_others() -> None:
    before = wheels("r1", a_1=MB)
    after = wheels("r2", a_1=2 * MB, b_1=4 * MB, c_1=3 * MB, d_1=1 * MB, e_1=500_000)
    sized = history_of(before, after)

    (text,) = [history_text.growth_text(growth, sized) for growth in sized.growths]

    assert text == "Wheels 1.00 MB -> 10.50 MB in r2: b 1 new +4.00 MB, c 1 new +3.00 MB, a 1 +1.00 MB, 2 more"


def test_growth_text_of_three_causes_counts_no_others() -> None:
    sized = history_of(wheels("r1", a_1=MB), wheels("r2", a_1=2 * MB, b_1=MB, c_1=MB))

    assert history_text.growth_text(sized.growths[0], sized).endswith(
        ": a 1 +1.00 MB, b 1 new +1.00 MB, c 1 new +1.00 MB"
    )


@pytest.mark.parametrize(
    ("count", "limit", "drawn"),
    [
        (50, 100, "█████·····│"),
        (100, 100, "██████████│"),
        (200, 100, "█████│█████"),
        (0, 100, "··········│"),
        (50, None, "█████·····"),
    ],
)
def test_bar_has_a_line_at_the_limit(count: int, limit: int | None, drawn: str) -> None:
    scale = max(count, 100)
    (series,) = history_of(wheels("r1", numpy_1=scale)).series

    assert history_text.bar(count, replace(series, limit_bytes=limit), width=10) == drawn


def test_bar_is_30_wide() -> None:
    (series,) = history_of(wheels("r1", numpy_1=2)).series

    assert history_text.bar(2, series) == FULL
