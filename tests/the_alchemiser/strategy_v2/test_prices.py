"""Reading prices for a decision: no bars after as_of, and no unfit symbols."""

from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.the_alchemiser.shared.market_data.in_memory_objects import InMemoryObjects
from tests.the_alchemiser.shared.market_data.samples import ORIGIN, bars, histories, sessions
from the_alchemiser.shared.market_data.bars import Bars
from the_alchemiser.shared.market_data.lake import Lake, parquet_key
from the_alchemiser.shared.market_data.objects import digest_of
from the_alchemiser.shared.market_data.verdict import QuarantineEntry, Verdict
from the_alchemiser.strategy_v2.history import DAY
from the_alchemiser.strategy_v2.prices import Prices, read_prices

DAYS = sessions(60)


def prices(history: Bars, *, as_of: date, junk: bytes = b"", **quarantined: str) -> Prices:
    objects = InMemoryObjects()
    lake = Lake(objects)
    if history:
        lake.replace(lake.read("SPY"), history, origin=ORIGIN)
    if junk:
        objects.plant(parquet_key("SPY"), junk, sha256=digest_of(junk))
    verdict = Verdict(checked_at=datetime(2022, 3, 26, tzinfo=UTC), as_of=as_of, quarantined=quarantined)
    return read_prices(lake, ["SPY"], verdict, as_of=as_of)


@given(history=histories(), data=st.data())
def test_read_prices_cuts_at_as_of(history: Bars, data: st.DataObject) -> None:
    last = data.draw(st.integers(0, len(history) - 1))

    dates, closes = prices(history, as_of=history[last].date).series["SPY"]

    assert dates.dtype == np.dtype(DAY)
    assert dates.tolist() == [bar.date for bar in history[: last + 1]]
    assert closes.tolist() == [bar.adjusted for bar in history[: last + 1]]


@pytest.mark.parametrize(
    ("history", "reason"),
    [
        ((), "missing: no bars/v1/SPY.parquet"),
        (bars(40), f"stale: last bar {DAYS[39]}, expected {DAYS[40]}"),
        (bars(60)[50:], f"stale: last bar none, expected {DAYS[40]}"),
    ],
    ids=["missing", "stale", "starts later"],
)
def test_read_prices_unfit_symbol_is_unusable_with_its_reason(history: Bars, reason: str) -> None:
    result = prices(history, as_of=DAYS[40])

    assert (result.series, result.unusable) == ({}, {"SPY": reason})


def test_read_prices_damaged_symbol_is_unusable() -> None:
    result = prices((), as_of=DAYS[40], junk=b"junk")

    assert result.unusable["SPY"].startswith("damaged: bars/v1/SPY.parquet: not a parquet file of bars")


def test_read_prices_quarantined_symbol_is_unusable() -> None:
    result = prices(bars(60), as_of=DAYS[59], SPY="gap: 2022-02-01")

    assert (result.series, result.unusable) == ({}, {"SPY": "quarantined: gap: 2022-02-01"})


@pytest.mark.parametrize(("expires", "is_usable"), [(DAYS[58], True), (DAYS[59], False)])
def test_read_prices_symbol_is_usable_when_its_quarantine_has_expired(expires: date, *, is_usable: bool) -> None:
    objects = InMemoryObjects()
    lake = Lake(objects)
    lake.replace(lake.read("SPY"), bars(60), origin=ORIGIN)
    entry = QuarantineEntry(symbol="SPY", code="gap", detail="2022-02-01", since=DAYS[50], expires=expires)
    verdict = Verdict(
        checked_at=datetime(2022, 3, 26, tzinfo=UTC),
        as_of=DAYS[59],
        quarantined={"SPY": "gap: 2022-02-01"},
        entries=(entry,),
    )

    assert ("SPY" in read_prices(lake, ["SPY"], verdict, as_of=DAYS[59]).series) == is_usable
