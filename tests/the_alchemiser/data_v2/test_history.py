"""What is asked and how it joins: an overlap when history stands still, everything when it moved."""

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


def test_fetch_start_nothing_stored_is_the_start_of_history() -> None:
    assert fetch_start(LakeEntry("SPY"), None, as_of=date(2022, 3, 15), start=START) == START


def test_fetch_start_stored_is_an_overlap_before_the_last_bar() -> None:
    history = bars(30)
    start = fetch_start(LakeEntry("SPY", history), described(history), as_of=history[-1].date, start=START)

    assert start == history[-OVERLAP_SESSIONS].date


def test_fetch_start_bars_after_as_of_do_not_count() -> None:
    history = bars(30)
    start = fetch_start(LakeEntry("SPY", history), described(history), as_of=history[19].date, start=START)

    assert start == history[20 - OVERLAP_SESSIONS].date


def test_fetch_start_more_history_wanted_than_was_asked_is_the_start_of_history() -> None:
    history = bars(30)
    shallow = described(history, asked_from=date(2020, 1, 1))

    assert fetch_start(LakeEntry("SPY", history), shallow, as_of=history[-1].date, start=START) == START


def test_whole_start_never_gives_up_depth() -> None:
    assert full_fetch_start(described(bars(3), asked_from=date(2010, 1, 1)), START) == date(2010, 1, 1)
    assert full_fetch_start(None, START) == START


@given(history=histories(min_size=2), data=st.data())
def test_join_unmoved_history_is_the_whole_history(history: Bars, data: st.DataObject) -> None:
    known = data.draw(st.integers(1, len(history)))
    overlap = data.draw(st.integers(1, known))

    assert join_bars(history[:known], history[known - overlap :]) == history


@given(history=histories(min_size=2), data=st.data())
def test_join_any_price_moved_in_the_overlap_asks_for_the_whole(history: Bars, data: st.DataObject) -> None:
    known = data.draw(st.integers(1, len(history)))
    first = data.draw(st.integers(0, known - 1))
    at = data.draw(st.integers(first, known - 1))
    field = data.draw(st.sampled_from(["open", "high", "low", "close"]))
    moved = history[at]._replace(**{field: getattr(history[at], field) * 0.9975})

    assert join_bars((*history[:at], moved, *history[at + 1 : known]), history[first:]) is None


def test_join_corrected_volume_takes_the_new_bar() -> None:
    stored, corrected = bars(20), tuple(bar._replace(volume=7.0) for bar in bars(21)[10:])

    assert join_bars(stored, corrected) == (*stored[:10], *corrected)


def test_join_session_missing_on_either_side_asks_for_the_whole() -> None:
    history = bars(21)

    assert join_bars(history[:15] + history[16:20], history[10:]) is None
    assert join_bars(history[:20], history[10:15] + history[16:]) is None


def test_join_nothing_overlaps_asks_for_the_whole() -> None:
    assert join_bars(bars(10), bars(20)[12:]) is None


def test_join_nothing_stored_is_what_was_fetched() -> None:
    assert join_bars((), bars(3)) == bars(3)
