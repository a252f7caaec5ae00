"""What may be decided on: nothing after as_of, nothing unfit."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.the_alchemiser.lake.samples import bars, histories, sessions
from the_alchemiser.shared.bars import Bars
from the_alchemiser.shared.lake import Entry
from the_alchemiser.shared.verdict import Verdict
from the_alchemiser.strategy_v2.prices import Prices, usable

DAYS = sessions(60)


def prices(entry: Entry, *, as_of: date, **quarantined: str) -> Prices:
    verdict = Verdict(checked_at=datetime(2022, 3, 26, tzinfo=UTC), as_of=as_of, quarantined=quarantined)
    return usable({entry.symbol: entry}, verdict, as_of=as_of)


@given(history=histories(), data=st.data())
def test_usable_cuts_at_as_of_whatever_follows(history: Bars, data: st.DataObject) -> None:
    last = data.draw(st.integers(0, len(history) - 1))
    series = prices(Entry("SPY", history), as_of=history[last].date).series["SPY"]

    assert series.dates == tuple(bar.date for bar in history[: last + 1])
    assert series.closes == tuple(bar.adjusted for bar in history[: last + 1])


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (Entry("SPY", fault="missing: no bars/v1/SPY.parquet"), "missing: no bars/v1/SPY.parquet"),
        (Entry("SPY", bars(40)), f"stale: last bar {DAYS[39]}, expected {DAYS[40]}"),
        (Entry("SPY", bars(60)[50:]), f"stale: last bar none, expected {DAYS[40]}"),
    ],
    ids=["missing", "stale", "begins later"],
)
def test_usable_unfit_symbol_is_absent_with_its_reason(entry: Entry, reason: str) -> None:
    found = prices(entry, as_of=DAYS[40])

    assert (found.series, found.absent) == ({}, {"SPY": reason})


def test_usable_quarantined_symbol_is_absent() -> None:
    found = prices(Entry("SPY", bars(60)), as_of=DAYS[59], SPY="gap: 2022-02-01")

    assert (found.series, found.absent) == ({}, {"SPY": "quarantined: gap: 2022-02-01"})
