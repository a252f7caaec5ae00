"""Fetches overlap stored bars, and the whole history is fetched again when earlier prices were adjusted."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.the_alchemiser.shared.market_data.samples import FETCHED_AT, bars, histories
from the_alchemiser.data_v2.history import OVERLAP_SESSIONS, fetch_start, full_fetch_start, history_start, join_bars
from the_alchemiser.shared.market_data.bars import Bars
from the_alchemiser.shared.market_data.lake import Description, FetchOrigin, LakeEntry

START = date(2016, 3, 15)


def described(history: Bars, *, asked_from: date = START) -> Description:
    return Description.of(history, digest="d", origin=FetchOrigin("host", FETCHED_AT, asked_from))


@pytest.mark.parametrize(
    ("as_of", "start"), [(date(2022, 3, 15), date(2016, 3, 15)), (date(2024, 2, 29), date(2018, 2, 28))]
)
def test_history_start_is_the_same_day_years_before(as_of: date, start: date) -> None:
    assert history_start(as_of, years=6) == start


def test_fetch_start_without_bars_is_the_start_of_history() -> None:
    assert fetch_start(LakeEntry("SPY"), None, as_of=date(2022, 3, 15), start=START) == START


def test_fetch_start_with_bars_overlaps_the_last_sessions() -> None:
    history = bars(30)
    start = fetch_start(LakeEntry("SPY", history), described(history), as_of=history[-1].date, start=START)

    assert start == history[-OVERLAP_SESSIONS].date


def test_fetch_start_ignores_bars_after_as_of() -> None:
    history = bars(30)
    start = fetch_start(LakeEntry("SPY", history), described(history), as_of=history[19].date, start=START)

    assert start == history[20 - OVERLAP_SESSIONS].date


def test_fetch_start_shallow_history_is_the_start_of_history() -> None:
    history = bars(30)
    shallow = described(history, asked_from=date(2020, 1, 1))

    assert fetch_start(LakeEntry("SPY", history), shallow, as_of=history[-1].date, start=START) == START


@pytest.mark.parametrize(("session", "is_full"), [(19, False), (20, True), (25, True), (29, True), (30, False)])
def test_fetch_start_with_a_split_in_the_overlap_is_the_start_of_history(session: int, *, is_full: bool) -> None:
    history = bars(31)
    start = fetch_start(
        LakeEntry("SPY", history),
        described(history, asked_from=date(2015, 1, 1)),
        as_of=history[29].date,
        start=START,
        splits=(date(2021, 6, 1), history[session].date),
    )

    assert start == (date(2015, 1, 1) if is_full else history[20].date)


def test_full_fetch_start_is_never_later_than_before() -> None:
    assert full_fetch_start(described(bars(3), asked_from=date(2010, 1, 1)), START) == date(2010, 1, 1)
    assert full_fetch_start(None, START) == START


@given(history=histories(min_size=2), data=st.data())
def test_join_bars_unadjusted_history_is_extended(history: Bars, data: st.DataObject) -> None:
    stored_count = data.draw(st.integers(1, len(history)))
    overlap = data.draw(st.integers(1, stored_count))

    assert join_bars(history[:stored_count], history[stored_count - overlap :]) == history


@given(history=histories(min_size=2), data=st.data())
def test_join_bars_adjusted_price_requires_a_full_fetch(history: Bars, data: st.DataObject) -> None:
    stored_count = data.draw(st.integers(1, len(history)))
    first = data.draw(st.integers(0, stored_count - 1))
    at = data.draw(st.integers(first, stored_count - 1))
    field = data.draw(st.sampled_from(["open", "high", "low", "close"]))
    adjusted = history[at]._replace(**{field: getattr(history[at], field) * 0.9975})

    assert join_bars((*history[:at], adjusted, *history[at + 1 : stored_count]), history[first:]) is None


def test_join_bars_corrected_volume_uses_the_new_bar() -> None:
    stored, corrected = bars(20), tuple(bar._replace(volume=7.0) for bar in bars(21)[10:])

    assert join_bars(stored, corrected) == (*stored[:10], *corrected)


def test_join_bars_missing_session_requires_a_full_fetch() -> None:
    history = bars(21)

    assert join_bars(history[:15] + history[16:20], history[10:]) is None
    assert join_bars(history[:20], history[10:15] + history[16:]) is None


def test_join_bars_without_overlap_requires_a_full_fetch() -> None:
    assert join_bars(bars(10), bars(20)[12:]) is None


def test_join_bars_nothing_stored_returns_the_fetched_bars() -> None:
    assert join_bars((), bars(3)) == bars(3)
