from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.exchange.clock import Phase, clock_at_phase
from sandbox.exchange.data_answers import (
    bars_page,
    latest_bars,
    latest_quotes,
    latest_trades,
    read_bars_query,
    snapshots,
)
from sandbox.exchange.refusals import Refusal
from tests.sandbox.exchange.worlds import WEDNESDAY, real_market, week_market


def now_of(day: date = date(2022, 3, 16), phase: Phase = Phase.BEFORE_CLOSE) -> datetime:
    return clock_at_phase(real_market(), day, phase).now


def ask(*, phase: Phase = Phase.BEFORE_CLOSE, params: dict[str, str]) -> dict[str, Any]:
    now = now_of(phase=phase)
    query = read_bars_query({"timeframe": "1Day"} | params, real_market(), now)
    return bars_page(query, real_market(), now)


def walk(**params: str) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    token = None
    while True:
        page = ask(params=params | ({"page_token": token} if token else {}))
        for symbol, bars in page["bars"].items():
            rows += [(symbol, bar["t"]) for bar in bars]
        token = page["next_page_token"]
        if token is None:
            return rows


def test_bars_page_has_bars_with_every_key_at_midnight() -> None:
    bar = ask(params={"symbols": "SPY", "start": "2022-03-11", "end": "2022-03-14"})["bars"]["SPY"]

    assert [row["t"] for row in bar] == ["2022-03-11T05:00:00Z", "2022-03-14T04:00:00Z"]
    assert set(bar[0]) == {"t", "o", "h", "l", "c", "v", "n", "vw"}
    assert bar[0]["n"] is None


def test_bars_page_before_the_close_ends_the_day_before() -> None:
    before, after = (
        ask(phase=phase, params={"symbols": "SPY", "start": "2022-03-10", "end": "2022-12-31"})
        for phase in (Phase.BEFORE_CLOSE, Phase.AFTER_CLOSE)
    )

    assert before["bars"]["SPY"][-1]["t"] == "2022-03-15T04:00:00Z"
    assert after["bars"]["SPY"][-1]["t"] == "2022-03-16T04:00:00Z"


@settings(deadline=None, max_examples=30)
@given(limit=st.integers(1, 40), sort=st.sampled_from(["asc", "desc"]))
def test_bars_pages_of_any_size_add_up_to_all_bars(limit: int, sort: str) -> None:
    params = {"symbols": "SPY,AMD,QQQ", "start": "2022-02-20", "end": "2022-03-16", "sort": sort}
    whole = walk(**params)

    paged = walk(**params, limit=str(limit))

    assert paged == whole
    assert [symbol for symbol, _ in whole] == sorted(symbol for symbol, _ in whole)


def test_bars_page_limit_counts_across_symbols() -> None:
    page = ask(params={"symbols": "SPY,QQQ", "start": "2022-03-01", "end": "2022-03-08", "limit": "8"})

    assert {symbol: len(rows) for symbol, rows in page["bars"].items()} == {"QQQ": 6, "SPY": 2}
    assert page["next_page_token"]


def test_bars_page_before_a_first_bar_leaves_the_symbol_out() -> None:
    assert ask(params={"symbols": "SPY,KO", "start": "2010-01-04", "end": "2010-01-04"})["bars"].keys() == {"KO"}


def test_bars_query_with_exact_times_includes_both_ends() -> None:
    page = ask(params={"symbols": "SPY", "start": "2022-03-10T05:00:00Z", "end": "2022-03-14T04:00:00Z"})
    later = ask(params={"symbols": "SPY", "start": "2022-03-10T05:00:01Z", "end": "2022-03-14T04:00:00Z"})

    assert len(page["bars"]["SPY"]) == 3
    assert len(later["bars"]["SPY"]) == 2


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"symbols": "SPY,NOPE"}, "invalid symbol: NOPE"),
        ({}, "symbols is required"),
        ({"symbols": "SPY", "timeframe": "1Min"}, "invalid timeframe: 1Min"),
        ({"symbols": "SPY", "limit": "0"}, "invalid limit: 0"),
        ({"symbols": "SPY", "limit": "10001"}, "invalid limit"),
        ({"symbols": "SPY", "start": "soon"}, "invalid start: soon"),
        ({"symbols": "SPY", "sort": "up"}, "invalid sort: up"),
        ({"symbols": "SPY", "adjustment": "some"}, "invalid adjustment: some"),
        ({"symbols": "SPY", "page_token": "?"}, "invalid page_token"),
    ],
)
def test_bars_query_with_a_bad_parameter_is_refused(params: dict[str, str], message: str) -> None:
    with pytest.raises(Refusal, match=message) as caught:
        ask(params=params)

    assert (caught.value.status, caught.value.code) == (400, None)


def test_latest_quotes_trades_bars_skip_unknown_symbols() -> None:
    now = clock_at_phase(week_market(), WEDNESDAY, Phase.BEFORE_CLOSE).now
    params = {"symbols": "calm,NOPE"}

    quote = latest_quotes(params, week_market(), now)["quotes"]
    trade = latest_trades(params, week_market(), now)["trades"]
    bar = latest_bars(params, week_market(), now)["bars"]

    assert isinstance(quote, dict)
    assert isinstance(trade, dict)
    assert isinstance(bar, dict)
    assert (quote["CALM"]["bp"], quote["CALM"]["ap"], quote["CALM"]["t"]) == (
        99.99,
        100.01,
        "2022-03-16T19:45:00.000000Z",
    )
    assert (trade["CALM"]["p"], bar["CALM"]["c"]) == (100.0, 100.0)
    assert {*quote, *trade, *bar} == {"CALM"}


def test_snapshots_have_the_last_two_closed_days() -> None:
    snapshot: Any = snapshots({"symbols": "SPY"}, real_market(), now_of())["SPY"]

    assert snapshot["dailyBar"]["t"] == "2022-03-15T04:00:00Z"
    assert snapshot["prevDailyBar"]["t"] == "2022-03-14T04:00:00Z"
    assert snapshot["latestTrade"]["p"] == snapshot["minuteBar"]["c"]
