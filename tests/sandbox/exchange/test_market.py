from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.exchange.clock import Phase, clock_at_phase
from sandbox.exchange.history import HistoryError, load_history
from sandbox.exchange.market import Market, quote_around
from sandbox.exchange.money import tick_size
from tests.sandbox.exchange.worlds import (
    FRIDAY,
    HISTORY,
    MONDAY,
    THURSDAY,
    TUESDAY,
    WEDNESDAY,
    real_market,
    week_market,
)


def at(market: Market, day: date, phase: Phase) -> datetime:
    return clock_at_phase(market, day, phase).now


@pytest.mark.parametrize(
    ("phase", "last_bar", "price"),
    [
        (Phase.EVENING_BEFORE, TUESDAY, "51.00"),
        (Phase.BEFORE_CLOSE, TUESDAY, "52.00"),
        (Phase.AFTER_CLOSE, WEDNESDAY, "52.00"),
    ],
)
def test_visible_bars_at_a_phase_end_with_the_last_close(phase: Phase, last_bar: date, price: str) -> None:
    market = week_market()
    now = at(market, WEDNESDAY, phase)
    bars = market.visible_bars("RISE", now, start=MONDAY, end=FRIDAY)

    assert bars[-1].date == last_bar
    assert market.price("RISE", now) == Decimal(price)


def test_visible_bars_with_closes_only_are_flat() -> None:
    bar = week_market().visible_bars("RISE", datetime(2022, 3, 20, tzinfo=UTC), start=TUESDAY, end=TUESDAY)[0]

    assert (bar.open, bar.high, bar.low, bar.close, bar.volume) == (51.0, 51.0, 51.0, 51.0, 0)


def test_quote_is_at_now_in_session_and_at_the_close_after() -> None:
    market = week_market()
    open_now, closed = at(market, WEDNESDAY, Phase.BEFORE_CLOSE), at(market, THURSDAY, Phase.EVENING_BEFORE)

    in_session, after = market.quote("CALM", open_now), market.quote("CALM", closed)

    assert in_session is not None
    assert after is not None
    assert (in_session.at, in_session.bid, in_session.ask) == (open_now, Decimal("99.99"), Decimal("100.01"))
    assert after.at == datetime(2022, 3, 16, 20, tzinfo=UTC)


def test_symbol_after_its_last_bar_has_a_price_but_no_trades() -> None:
    market = week_market()
    now = at(market, FRIDAY, Phase.BEFORE_CLOSE)

    assert market.price("GONE", now) == 10
    assert not market.is_tradable("GONE", now)
    assert market.is_tradable("CALM", now)


def test_is_tradable_on_the_evening_after_the_last_bar_is_false() -> None:
    market = week_market()

    assert not market.is_tradable("GONE", at(market, THURSDAY, Phase.EVENING_BEFORE))
    assert market.is_tradable("GONE", at(market, WEDNESDAY, Phase.EVENING_BEFORE))


@given(price=st.decimals(min_value="0.0002", max_value=10_000, places=4))
def test_quote_around_any_price_has_a_spread_on_ticks(price: Decimal) -> None:
    last = price.quantize(tick_size(price))
    quote = quote_around("ANY", datetime(2022, 3, 16, tzinfo=UTC), last)

    assert 0 < quote.bid < last < quote.ask
    assert quote.mid == last
    assert not quote.bid % tick_size(last)
    assert not quote.ask % tick_size(last)


def test_quote_around_the_smallest_price_keeps_a_bid() -> None:
    assert quote_around("LOW", datetime(2022, 3, 16, tzinfo=UTC), Decimal("0.0001")).bid == Decimal("0.0001")


def test_asset_is_found_by_symbol_and_by_id() -> None:
    market = week_market()
    asset = market.asset("calm")

    assert asset is not None
    assert market.asset(str(asset.id)) == asset
    assert market.asset("NONE") is None


def test_market_of_the_history_has_symbols_and_common_days() -> None:
    market = real_market()

    assert len(market.assets) == 35
    assert market.common_days == (date(2020, 1, 2), date(2022, 12, 28))
    assert (market.first_day, market.last_day) == (date(1990, 1, 2), date(2023, 12, 29))


def test_covers_is_true_for_sessions_of_the_history() -> None:
    market = real_market()

    assert market.covers(date(2022, 3, 16))
    assert not market.covers(date(2022, 3, 13))
    assert not market.covers(date(2024, 1, 2))


def test_load_history_of_an_empty_folder_names_it(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match=r"no market history .* --history"):
        load_history(tmp_path)


def test_load_history_of_a_damaged_file_names_it(tmp_path: Path) -> None:
    (tmp_path / "bars.parquet").write_bytes(b"PAR1 not really PAR1")

    with pytest.raises(HistoryError, match=r"bars\.parquet: cannot be read as parquet"):
        load_history(tmp_path)


def test_load_history_with_a_symbol_in_two_files_names_it(tmp_path: Path) -> None:
    content = (HISTORY / "ohlcv.parquet").read_bytes()
    (tmp_path / "one.parquet").write_bytes(content)
    (tmp_path / "two.parquet").write_bytes(content)

    with pytest.raises(HistoryError, match="is also in another file"):
        load_history(tmp_path)
