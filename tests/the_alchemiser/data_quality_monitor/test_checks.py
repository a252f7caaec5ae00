"""Each check finds its own kind of fault, wherever it is planted, and no other check reports it."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.the_alchemiser.shared.market_data.samples import ORIGIN, bars, histories, sessions
from the_alchemiser.data_quality_monitor.checks import Fault, History, Sessions, find_faults
from the_alchemiser.shared.corporate_actions import CorporateAction, CorporateActionKind
from the_alchemiser.shared.market_data.bars import Bars, DailyBar
from the_alchemiser.shared.market_data.lake import Description, LakeEntry, StoredDescription

DAYS = sessions(60)
KNOWN = Sessions(DAYS)


def faults(
    entry: LakeEntry,
    described: StoredDescription,
    *,
    as_of: date,
    splits: Sequence[CorporateAction] = (),
    known: Sessions = KNOWN,
    refresh_error: str = "",
) -> tuple[str, ...]:
    history = History([bar for bar in entry.bars if bar.date <= as_of], known, as_of, splits, refresh_error)
    return tuple(map(str, find_faults(entry, described, history)))


def fault_codes(history: Bars, *, as_of: date) -> tuple[str, ...]:
    """Return the codes of the faults of a history that is stored undamaged."""
    described = (
        StoredDescription(Description.of(history, digest="d", origin=ORIGIN), '"1"')
        if history
        else StoredDescription(None, None)
    )
    found = faults(LakeEntry("SPY", history, "d", '"1"'), described, as_of=as_of)
    return tuple(fault.split(":")[0] for fault in found)


@given(histories())
def test_faults_valid_history_has_none(history: Bars) -> None:
    assert fault_codes(history, as_of=history[-1].date) == ()


@given(history=histories(min_size=3), data=st.data())
def test_faults_missing_session_is_a_gap(history: Bars, data: st.DataObject) -> None:
    at = data.draw(st.integers(1, len(history) - 2))

    assert fault_codes(history[:at] + history[at + 1 :], as_of=history[-1].date) == ("gap",)


@given(history=histories(min_size=2), data=st.data())
def test_faults_missing_last_sessions_are_stale(history: Bars, data: st.DataObject) -> None:
    kept = data.draw(st.integers(1, len(history) - 1))

    assert fault_codes(history[:kept], as_of=history[-1].date) == ("stale",)


@given(history=histories(), data=st.data())
def test_faults_repeated_bar_is_a_duplicate(history: Bars, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(history) - 1))

    assert fault_codes(history[: at + 1] + history[at:], as_of=history[-1].date) == ("duplicate",)


@given(history=histories(min_size=2), data=st.data())
def test_faults_swapped_bars_are_in_disorder(history: Bars, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(history) - 2))
    exchanged = (*history[:at], history[at + 1], history[at], *history[at + 2 :])

    assert fault_codes(exchanged, as_of=history[-1].date) == ("disorder",)


@given(history=histories(), data=st.data())
def test_faults_invalid_price_is_non_positive(history: Bars, data: st.DataObject) -> None:
    price = data.draw(st.sampled_from([0.0, -1.0, nan, inf]))
    bad = DailyBar(history[0].date, price, price, price, price, 1.0, price)

    assert "non-positive" in fault_codes((bad, *history[1:]), as_of=history[-1].date)


@given(history=histories(), data=st.data())
def test_faults_low_of_zero_is_only_non_positive(history: Bars, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(history) - 1))
    planted = (*history[:at], history[at]._replace(low=0.0), *history[at + 1 :])

    assert fault_codes(planted, as_of=history[-1].date) == ("non-positive",)


@pytest.mark.parametrize("change", [{"high": 99.9}, {"low": 100.1}, {"open": 102.1}, {"open": 97.9}])
def test_faults_bar_outside_its_range_is_inverted(change: dict[str, Any]) -> None:
    history = bars(10)
    planted = (history[0]._replace(**change), *history[1:])

    assert fault_codes(planted, as_of=history[-1].date) == ("inverted",)


def test_faults_bar_on_a_holiday_is_closed() -> None:
    history = bars(10)
    saturday = history[4].date + timedelta(days=1)
    planted = (*history[:5], history[4]._replace(date=saturday), *history[5:])

    assert fault_codes(planted, as_of=history[-1].date) == ("closed",)


def test_faults_close_only_bar_has_none() -> None:
    flat = tuple(bar._replace(open=bar.close, high=bar.close, low=bar.close, volume=0.0) for bar in bars(5))

    assert fault_codes(flat, as_of=flat[-1].date) == ()


def test_faults_after_as_of_are_ignored() -> None:
    history = bars(10)
    planted = (*history[:8], history[8]._replace(low=-1.0))

    assert fault_codes(planted, as_of=history[7].date) == ()


def test_faults_no_bar_through_as_of_is_stale() -> None:
    assert fault_codes(bars(10)[5:], as_of=DAYS[2]) == ("stale",)


def test_faults_report_the_first_day_and_how_many_more() -> None:
    history = bars(10)
    described = StoredDescription(Description.of(history, digest="d", origin=ORIGIN), '"1"')
    gapped = LakeEntry("SPY", history[:3] + history[7:8], "d", '"1"')

    assert faults(gapped, described, as_of=DAYS[9]) == (
        f"gap: {DAYS[3]}, {DAYS[4]}, {DAYS[5]} and 1 more",
        f"stale: last bar {DAYS[7]}, expected {DAYS[9]}",
    )


def test_faults_missing_file_is_the_only_fault() -> None:
    missing = LakeEntry("SPY", fault="missing: no bars/v1/SPY.parquet")

    assert faults(missing, StoredDescription(None, None), as_of=DAYS[9]) == ("missing: no bars/v1/SPY.parquet",)


def test_faults_wrong_or_missing_description_is_reported() -> None:
    history = bars(10)
    description = Description.of(history, digest="other", origin=ORIGIN)
    entry = LakeEntry("SPY", history, "d", '"1"')
    found = [
        faults(entry, described, as_of=DAYS[9])
        for described in (StoredDescription(description, '"1"'), StoredDescription(None, None))
    ]

    assert found == [("digest: the description belongs to other bars",), ("digest: the bars have no description",)]


def test_faults_damaged_entry_reports_the_damage() -> None:
    damaged = LakeEntry("SPY").changed(digest="d", version='"1"', fault="damaged: no match")

    assert faults(damaged, StoredDescription(None, None), as_of=DAYS[9]) == ("damaged: no match",)


def faults_of_split(history: Bars, *splits: CorporateAction) -> tuple[str, ...]:
    described = StoredDescription(Description.of(history, digest="d", origin=ORIGIN), '"1"')
    entry = LakeEntry("SPY", history, "d", '"1"')
    return faults(entry, described, as_of=history[-1].date, splits=splits)


def split(day: date, new: str = "2", old: str = "1") -> CorporateAction:
    return CorporateAction("SPY", day, CorporateActionKind.SPLIT, Decimal(old), Decimal(new))


def moved(open_price: float) -> Bars:
    """Return five bars at 100, then five at the price, with a range that fits both."""
    prices = [100.0] * 5 + [open_price] * 5
    return tuple(DailyBar(day, price, 2000.0, 1.0, price, 1.0, price) for day, price in zip(DAYS, prices, strict=False))


@pytest.mark.parametrize(
    ("new", "old", "open_price", "is_fault"),
    [
        ("2", "1", 50.0, True),
        ("2", "1", 59.4, True),  # within a quarter of the split: 0.5 to the power of 0.75 and of 1.25
        ("2", "1", 59.6, False),
        ("2", "1", 42.1, True),
        ("2", "1", 42.0, False),
        ("2", "1", 100.0, False),
        ("2", "1", 200.0, False),
        ("1", "10", 1000.0, True),
        ("1", "10", 100.0, False),
        ("1", "10", 10.0, False),
        ("5", "4", 80.0, True),
        ("6", "5", 83.3, False),  # too small to tell from an ordinary day
        ("4", "5", 125.0, True),
    ],
)
def test_faults_split_that_the_bars_show_is_unadjusted(
    new: str, old: str, open_price: float, *, is_fault: bool
) -> None:
    found = faults_of_split(moved(open_price), split(DAYS[5], new, old))

    assert found == ((f"unadjusted: {DAYS[5]}",) if is_fault else ())


@pytest.mark.parametrize(("opened", "is_fault"), [(50.0, True), (100.0, False)])
def test_faults_split_compares_the_open_with_the_close_before(opened: float, *, is_fault: bool) -> None:
    history = list(moved(90.0))
    history[3] = history[3]._replace(open=20.0, close=20.0)
    history[4] = history[4]._replace(open=20.0)
    history[5] = history[5]._replace(open=opened)

    assert faults_of_split(tuple(history), split(DAYS[5])) == ((f"unadjusted: {DAYS[5]}",) if is_fault else ())


def test_faults_jump_on_another_day_than_the_split_is_none() -> None:
    assert faults_of_split(moved(50.0), split(DAYS[4]), split(DAYS[6])) == ()


@pytest.mark.parametrize("day", [DAYS[0], DAYS[10]])
def test_faults_split_outside_the_bars_is_none(day: date) -> None:
    assert faults_of_split(moved(50.0), split(day)) == ()


def test_faults_split_between_sessions_counts_at_the_next() -> None:
    saturday = DAYS[5] - timedelta(days=2)

    assert faults_of_split(moved(50.0), split(saturday)) == (f"unadjusted: {saturday}",)


@pytest.mark.parametrize("price", [0.0, -1.0, nan, inf])
def test_faults_split_at_an_invalid_price_is_only_non_positive(price: float) -> None:
    history = list(moved(50.0))
    history[4] = history[4]._replace(close=price)
    assert "unadjusted" not in " ".join(faults_of_split(tuple(history), split(DAYS[5])))

    history = list(moved(price))
    assert "unadjusted" not in " ".join(faults_of_split(tuple(history), split(DAYS[5])))


def stored(history: Bars) -> tuple[LakeEntry, StoredDescription]:
    described = StoredDescription(Description.of(history, digest="d", origin=ORIGIN), '"1"')
    return LakeEntry("SPY", history, "d", '"1"'), described


def test_faults_day_of_one_calendar_may_have_a_bar_or_none() -> None:
    known = Sessions([*DAYS[:4], *DAYS[6:]], frozenset(DAYS[4:6]))
    history = bars(10)

    assert faults(*stored(history), as_of=DAYS[9], known=known) == ()
    assert faults(*stored(history[:4] + history[6:]), as_of=DAYS[9], known=known) == ()


def test_faults_stale_quotes_why_the_refresh_failed() -> None:
    found = faults(*stored(bars(9)), as_of=DAYS[9], refresh_error="malformed_bars: twice")

    assert found == (f"stale: last bar {DAYS[8]}, expected {DAYS[9]}; the refresh failed: malformed_bars: twice",)


def test_faults_up_to_date_bars_of_a_failed_refresh_have_none() -> None:
    assert faults(*stored(bars(10)), as_of=DAYS[9], refresh_error="timeout: later") == ()


def test_fault_reads_as_its_code_and_detail() -> None:
    assert str(Fault("gap", "2022-03-01")) == "gap: 2022-03-01"
