"""Refreshing: the lake equals what the broker serves, a repeat changes nothing, one symbol fails without the others."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.the_alchemiser.data_v2.refreshing import (
    DAYS,
    NIGHTLY,
    gave_up,
    only_message,
    refresher_of,
    requested,
)
from tests.the_alchemiser.shared.market_data.samples import ORIGIN, bars, histories
from the_alchemiser.data_v2.progress import RefreshIncompleteError
from the_alchemiser.data_v2.service import EmptyUniverseError
from the_alchemiser.shared.broker.errors import BrokerTimeoutError
from the_alchemiser.shared.corporate_actions import CorporateAction, CorporateActionKind
from the_alchemiser.shared.market_data.bars import Bars
from the_alchemiser.shared.market_data.corporate_actions import ACTIONS_KEY, read_actions
from the_alchemiser.shared.market_data.lake import description_key, parquet_key
from the_alchemiser.shared.messaging.commands import RefreshMarketData


def test_refresh_empty_lake_stores_all_and_publishes_one_message() -> None:
    local = refresher_of(SPY=bars(60), QQQ=bars(60))
    message = local.refresh(DAYS[59])

    assert message.as_of == DAYS[59]
    assert (message.refreshed, message.failed) == (("QQQ", "SPY"), {})
    assert message.run_id == f"data-local-{DAYS[59]}"
    assert message.message_id.startswith(f"data-local-{DAYS[59]}/MarketDataRefreshed/")
    assert local.lake.read("SPY").bars == bars(60)


def test_refresh_fetches_nothing_after_as_of() -> None:
    local = refresher_of(SPY=bars(60))
    local.refresh(DAYS[40])

    assert local.lake.read("SPY").bars == bars(60)[:41]


def test_refresh_describes_source_and_depth() -> None:
    local = refresher_of(SPY=bars(60))
    local.refresh(date(2022, 3, 15))
    description = local.lake.describe("SPY").description

    assert description is not None
    assert (description.source, description.asked_from) == ("data.example.com", date(2016, 3, 15))


@given(history=histories(min_size=25), days=st.lists(st.integers(14, 24), min_size=1, max_size=4))
def test_refresh_on_any_days_stores_what_the_broker_serves(history: Bars, days: list[int]) -> None:
    local = refresher_of(SPY=history)
    for day in days:
        local.refresh(DAYS[day])

    assert local.lake.read("SPY").bars == history[: days[-1] + 1]


@given(history=histories(min_size=25))
def test_refresh_twice_writes_no_bars_the_second_time(history: Bars) -> None:
    local = refresher_of(SPY=history)
    local.refresh(DAYS[20])
    local.objects.writes.clear()
    local.refresh(DAYS[20])

    assert local.objects.writes == [ACTIONS_KEY]


def test_refresh_again_requests_only_an_overlap() -> None:
    local = refresher_of(SPY=bars(60))
    local.refresh(DAYS[40])
    local.market.requests.clear()
    local.refresh(DAYS[41])

    assert local.market.requests == [(("SPY",), DAYS[31])]


@given(history=histories(min_size=30), ratio=st.floats(0.5, 0.999))
def test_refresh_after_a_dividend_rewrites_the_whole_history(history: Bars, ratio: float) -> None:
    local = refresher_of(SPY=history)
    local.refresh(DAYS[20])
    adjusted = tuple(
        bar._replace(
            open=bar.open * ratio,
            high=bar.high * ratio,
            low=bar.low * ratio,
            close=bar.close * ratio,
            adjusted=bar.close * ratio,
        )
        for bar in history
    )
    local.market.served["SPY"] = adjusted
    local.refresh(DAYS[21])

    assert local.lake.read("SPY").bars == adjusted[:22]


def split_on(day: date, symbol: str = "SPY") -> CorporateAction:
    return CorporateAction(symbol, day, CorporateActionKind.SPLIT, Decimal(1), Decimal(2))


def test_refresh_after_a_split_rewrites_the_history_though_prices_agree() -> None:
    local = refresher_of(SPY=bars(60))
    local.refresh(DAYS[40])
    stale = local.lake.read("SPY")
    changed = tuple(bar._replace(volume=1.0) for bar in stale.bars)
    local.lake.replace(stale, changed, origin=ORIGIN)
    local.market.actions = (split_on(DAYS[41]),)
    local.refresh(DAYS[41])

    assert local.lake.read("SPY").bars == bars(60)[:42]


def test_refresh_of_a_split_requests_the_full_history_of_its_symbol_only() -> None:
    local = refresher_of(SPY=bars(60), QQQ=bars(60))
    local.refresh(DAYS[40])
    local.market.requests.clear()
    local.market.actions = (split_on(DAYS[41]),)
    local.refresh(DAYS[41])

    assert local.market.requests == [(("SPY",), date(2016, 2, 28)), (("QQQ",), DAYS[31])]


def test_refresh_stores_the_corporate_actions_before_the_bars() -> None:
    local = refresher_of(SPY=bars(60))
    local.market.actions = (split_on(DAYS[45]),)
    local.refresh(DAYS[40])

    assert read_actions(local.objects).actions == local.market.actions
    assert local.objects.writes[0] == ACTIONS_KEY


def test_refresh_without_corporate_actions_refreshes_the_bars() -> None:
    local = refresher_of(SPY=bars(60))
    local.market.hides_actions = True
    message = local.refresh(DAYS[40])

    assert message.refreshed == ("SPY",)
    assert local.objects.objects.get(ACTIONS_KEY) is None


def test_refresh_without_changes_has_another_message_id() -> None:
    local = refresher_of(SPY=bars(60))
    first, second, third = (local.refresh(DAYS[40]) for _ in range(3))

    assert first.message_id != second.message_id
    assert second.message_id == third.message_id


def test_refresh_that_is_asked_for_again_has_another_message_id() -> None:
    """So the bars are checked again although they are the same; another delivery of one request changes nothing."""
    local = refresher_of(SPY=bars(60))
    local.refresh(DAYS[40], request_id="r1")
    ids = [local.refresh(DAYS[40], request_id=request_id).message_id for request_id in ("r2", "r3", "r3")]

    assert ids[0] != ids[1] == ids[2]


def test_refresh_unknown_symbol_does_not_fail_the_others() -> None:
    local = refresher_of(SPY=bars(60), NOPE=())
    local.market.unknown.add("NOPE")
    message = local.refresh(DAYS[59])

    assert message.refreshed == ("SPY",)
    assert message.failed["NOPE"].startswith("asset_not_found: ")


def test_refresh_symbol_without_bars_does_not_fail_the_others() -> None:
    message = refresher_of(SPY=bars(60), NEW=()).refresh(DAYS[59])

    assert message.refreshed == ("SPY",)
    assert message.failed["NEW"].startswith("no_bars: no bars from ")


def test_refresh_symbol_that_stopped_trading_is_stored_but_stale() -> None:
    local = refresher_of(SPY=bars(60), OLD=bars(50))
    message = local.refresh(DAYS[59])

    assert message.failed == {"OLD": f"stale_bars: last bar {DAYS[49]}, expected {DAYS[59]}"}
    assert local.lake.read("OLD").bars == bars(50)


def test_refresh_failed_write_keeps_the_old_bars() -> None:
    local = refresher_of(SPY=bars(60), QQQ=bars(60))
    local.refresh(DAYS[40])
    local.objects.refuses.add(parquet_key("SPY"))
    message = gave_up(local, DAYS[41])

    assert message.refreshed == ("QQQ",)
    assert message.failed["SPY"].startswith("state_unavailable: ")
    assert local.lake.read("SPY").bars == bars(60)[:41]


def test_refresh_damaged_file_is_fetched_in_full() -> None:
    local = refresher_of(SPY=bars(60))
    local.refresh(DAYS[40])
    local.objects.plant(parquet_key("SPY"), b"junk")
    local.refresh(DAYS[41])

    assert local.lake.read("SPY").bars == bars(60)[:42]


def test_refresh_lost_description_is_written_again() -> None:
    local = refresher_of(SPY=bars(60))
    local.refresh(DAYS[40])
    del local.objects.objects[description_key("SPY")]
    local.refresh(DAYS[40])

    assert local.lake.describe("SPY").description is not None


def test_refresh_broker_timeout_for_all_raises_retryable() -> None:
    local = refresher_of(SPY=bars(60))
    local.market.times_out.add("SPY")
    expected = r"^SPY failed \(broker_timeout: GET /v2/stocks/bars: no answer in time\)$"
    with pytest.raises(RefreshIncompleteError, match=expected) as raised:
        local.refresh(DAYS[40])

    assert raised.value.retryable
    with pytest.raises(RefreshIncompleteError):
        local.refresher.give_up(NIGHTLY, raised.value)


def test_refresh_no_write_succeeds_raises_retryable() -> None:
    local = refresher_of(SPY=bars(60))
    local.objects.refuses.add(parquet_key("SPY"))
    with pytest.raises(RefreshIncompleteError, match="state_unavailable"):
        local.refresh(DAYS[40])


def test_refresh_of_which_one_symbol_may_be_tried_again_is_repeated() -> None:
    local = refresher_of(SPY=bars(60), QQQ=bars(60))
    local.market.times_out.add("SPY")
    with pytest.raises(RefreshIncompleteError):
        local.refresh(DAYS[40])
    local.market.times_out.clear()

    message = local.refresh(DAYS[40])

    assert (message.refreshed, message.failed) == (("QQQ", "SPY"), {})
    assert local.lake.read("QQQ").bars == local.lake.read("SPY").bars == bars(60)[:41]


def test_refresh_symbol_that_cannot_be_read_does_not_fail_the_others() -> None:
    local = refresher_of(SPY=bars(60), QQQ=bars(60))
    local.objects.unreadable.add(parquet_key("SPY"))

    message = gave_up(local, DAYS[40])

    assert message.refreshed == ("QQQ",)
    assert message.failed["SPY"].startswith("state_unavailable: ")
    assert local.lake.read("QQQ").bars == bars(60)[:41]


def test_give_up_after_another_error_raises_it() -> None:
    error = BrokerTimeoutError("GET /v2/clock: no answer in time")

    with pytest.raises(BrokerTimeoutError):
        refresher_of(SPY=bars(60)).refresher.give_up(NIGHTLY, error)


def test_refresh_failed_full_fetch_keeps_the_old_bars() -> None:
    local = refresher_of(SPY=bars(60), QQQ=bars(60))
    local.refresh(DAYS[40])
    local.market.served["SPY"] = bars(60, start_price=50.0)
    local.market.silent_before = DAYS[0]
    message = gave_up(local, DAYS[41])

    assert message.failed["SPY"].startswith("broker_timeout: ")
    assert local.lake.read("SPY").bars == bars(60)[:41]


def test_refresh_empty_universe_raises() -> None:
    with pytest.raises(EmptyUniverseError):
        refresher_of().refresh(DAYS[40])


def test_refresh_named_symbols_are_fetched_in_full() -> None:
    local = refresher_of(SPY=bars(60), QQQ=bars(60))
    local.refresh(DAYS[59])
    local.market.requests.clear()
    local.refresher.refresh(RefreshMarketData(command="refresh-market-data", symbols=("SPY",)))
    ((symbols, start),) = local.market.requests

    assert symbols == ("SPY",)
    assert start < DAYS[0]


def test_fetch_fills_a_gap_before_the_nightly_overlap() -> None:
    local = refresher_of(SPY=bars(60)[:5] + bars(60)[6:])
    local.refresh(DAYS[58])
    local.market.served["SPY"] = bars(60)
    local.refresh(DAYS[59])
    assert local.lake.read("SPY").bars != bars(60)

    message = only_message(local.refresher.fetch(requested("SPY")))

    assert local.lake.read("SPY").bars == bars(60)
    assert message.caused_by == requested().message_id


def test_fetch_within_the_cooldown_does_nothing() -> None:
    local = refresher_of(SPY=bars(60))
    local.refresher.fetch(requested("SPY"))
    local.market.requests.clear()
    reaction = local.refresher.fetch(requested("SPY", subject="rotation"))

    assert reaction.messages == ()
    assert local.market.requests == []


def test_fetch_redelivered_after_a_failure_fetches() -> None:
    local = refresher_of(SPY=bars(60))
    local.market.times_out.add("SPY")
    with pytest.raises(RefreshIncompleteError):
        local.refresher.fetch(requested("SPY"))
    local.market.times_out.clear()

    assert only_message(local.refresher.fetch(requested("SPY"))).refreshed == ("SPY",)
