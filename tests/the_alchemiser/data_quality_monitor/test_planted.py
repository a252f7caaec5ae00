"""Real history: nothing is invented on it, and what is planted into it is found as docs/data-quality.md says."""

from pathlib import Path

import pytest

from tests.the_alchemiser.data_quality_monitor.planted import lake_bars, second_bars, series, table, true_bars
from the_alchemiser.data_quality_monitor.comparing import compare
from the_alchemiser.data_quality_monitor.doubts import DoubtKind, find_doubts

DOCUMENT = Path(__file__).parents[3] / "docs" / "data-quality.md"


def test_second_source_confirms_every_doubt_of_all_bundled_history() -> None:
    assert len(series()) == 35
    for symbol in series():
        true = true_bars(symbol)
        doubts = find_doubts(lake_bars(true))

        comparison = compare(lake_bars(true), second_bars(true), doubts)

        assert comparison.disputes == (), symbol
        assert {doubt for doubt in doubts if doubt.kind is not DoubtKind.VOLUME} <= set(comparison.confirmed), symbol


def test_crash_of_2020_is_in_doubt_and_confirmed() -> None:
    true = true_bars("SPY")
    (doubt,) = find_doubts(lake_bars(true))

    assert (str(doubt.date), round(doubt.value, 3)) == ("2020-03-16", -0.109)
    assert compare(lake_bars(true), second_bars(true), (doubt,)).confirmed == (doubt,)


@pytest.mark.slow
def test_planted_faults_are_found_as_documented() -> None:
    assert table() in DOCUMENT.read_text()
