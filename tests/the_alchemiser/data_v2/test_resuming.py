"""A refresh that is delivered again continues, and one that was finished changes nothing more."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

import pytest

from tests.the_alchemiser.data_v2.refreshing import DAYS, InMemoryRefresher, only_message, published, requested
from tests.the_alchemiser.shared.market_data.in_memory_market import InMemoryMarket
from tests.the_alchemiser.shared.market_data.samples import bars
from the_alchemiser.data_v2.progress import RefreshIncompleteError
from the_alchemiser.shared.broker.models import Bar
from the_alchemiser.shared.market_data.lake import parquet_key
from the_alchemiser.shared.messaging.commands import RefreshMarketData

SYMBOLS = tuple(f"S{number:02d}" for number in range(60))
FULL_START = date(2016, 3, 25)


class ExhaustedError(Exception):
    """The function's time is up."""


class SlowMarket(InMemoryMarket):
    """A market at which the function's time ends with a request for a symbol, or passes with every request."""

    last = ""
    local: InMemoryRefresher | None = None
    seconds = 0.0

    def bars(
        self, symbols: Iterable[str], start: date, end: date, **options: Any
    ) -> Iterator[tuple[str, tuple[Bar, ...]]]:
        wanted = tuple(symbols)
        if self.last in wanted:
            raise ExhaustedError
        if self.local is not None:
            self.local.invocation.left_s -= self.seconds
        return super().bars(wanted, start, end, **options)


def slow(count: int = 60, *, time_left_s: float = 30.0, seconds: float = 0.0) -> InMemoryRefresher:
    """Return a refresher with so much time, of which each request for bars needs a part."""
    market = SlowMarket({symbol: bars(60) for symbol in SYMBOLS[:count]}, DAYS[-1])
    local = InMemoryRefresher(market)
    local.invocation.left_s = time_left_s
    market.local, market.seconds = local, seconds
    return local


def named(*symbols: str) -> RefreshMarketData:
    return RefreshMarketData(command="refresh-market-data", symbols=symbols)


def asked(local: InMemoryRefresher) -> list[tuple[str, ...]]:
    """Return the symbols of the requests for bars, and forget the requests."""
    symbols = [symbols for symbols, _ in local.market.requests]
    local.market.requests.clear()
    return symbols


def test_nightly_refresh_that_lambda_ends_keeps_the_symbols_before() -> None:
    """25 symbols are stored before the next ones are fetched, and the next attempt asks for their overlap only."""
    local = slow(26)
    market = local.market
    assert isinstance(market, SlowMarket)

    market.last = SYMBOLS[25]
    with pytest.raises(ExhaustedError):
        local.refresh(DAYS[59])
    stored = [symbol for symbol in SYMBOLS[:26] if local.lake.read(symbol).bars]
    market.last = ""
    message = local.refresh(DAYS[59])

    assert stored == list(SYMBOLS[:25])
    assert market.requests[-2:] == [(SYMBOLS[:25], DAYS[50]), ((SYMBOLS[25],), FULL_START)]
    assert (message.refreshed, message.failed) == (SYMBOLS[:26], {})
    assert local.lake.read(SYMBOLS[25]).bars == bars(60)


def test_refresh_stops_before_its_time_is_over_and_the_next_delivery_continues() -> None:
    local = slow(14, time_left_s=18, seconds=9)
    command = named(*SYMBOLS[:14])

    with pytest.raises(RefreshIncompleteError, match=r"^9 symbols are left, because the function's time is over$"):
        local.refresh(DAYS[59], command, request_id="r1")
    first = asked(local)
    local.invocation.left_s = 60
    message = local.refresh(DAYS[59], command, request_id="r1")

    assert first == [SYMBOLS[:5]]
    assert asked(local) == [SYMBOLS[5:10], SYMBOLS[10:14]]
    assert (message.refreshed, message.failed) == (SYMBOLS[:14], {})


@pytest.mark.parametrize(
    ("time_left_s", "seconds", "batches"),
    [
        (9.0, 0.0, 1),  # one batch in any case
        (10.0, 0.0, 3),  # less than 10 s would be too little
        (13.9, 2.0, 2),  # 9.9 s are left after two
        (14.0, 2.0, 3),
        (17.9, 6.0, 1),  # a batch may take twice as long as the longest one
        (18.0, 6.0, 2),
        (24.0, 6.0, 3),
    ],
)
def test_refresh_begins_a_batch_only_if_there_is_time(time_left_s: float, seconds: float, batches: int) -> None:
    local = slow(time_left_s=time_left_s, seconds=seconds)

    if batches == 3:
        local.refresh(DAYS[59])
    else:
        with pytest.raises(RefreshIncompleteError):
            local.refresh(DAYS[59])

    assert len(asked(local)) == batches


def test_refresh_whose_last_delivery_has_too_little_time_publishes_what_it_has() -> None:
    local = slow(6, time_left_s=9)
    command = named(*SYMBOLS[:6])

    with pytest.raises(RefreshIncompleteError) as raised:
        local.refresh(DAYS[59], command, request_id="r1")
    message = published(local.refresher.give_up(command, raised.value))

    assert message.refreshed == SYMBOLS[:5]
    assert message.failed == {SYMBOLS[5]: "not_refreshed: the function's time was over"}
    assert local.progress.writes[-1].is_finished


def test_fetch_that_is_delivered_again_continues() -> None:
    local = slow(6, time_left_s=9)

    with pytest.raises(RefreshIncompleteError):
        local.refresher.fetch(requested(*SYMBOLS[:6]))
    asked(local)
    message = published(local.refresher.fetch(requested(*SYMBOLS[:6])))

    assert asked(local) == [(SYMBOLS[5],)]
    assert message.refreshed == SYMBOLS[:6]
    assert message.caused_by == requested().message_id


def test_finished_refresh_that_is_delivered_again_asks_for_nothing_and_has_the_same_message() -> None:
    local = slow(3)
    command = named(*SYMBOLS[:3])
    first = local.refresh(DAYS[59], command, request_id="r1")
    asked(local)
    local.objects.writes.clear()
    local.market.served[SYMBOLS[0]] = bars(60, start_price=50.0)

    second = local.refresh(DAYS[59], command, request_id="r1")

    assert second == first
    assert (asked(local), local.objects.writes) == ([], [])


def test_refresh_with_another_id_fetches_again() -> None:
    local = slow(3)
    local.refresh(DAYS[59], named(*SYMBOLS[:3]), request_id="r1")
    asked(local)
    local.market.served[SYMBOLS[0]] = bars(60, start_price=50.0)

    local.refresh(DAYS[59], named(*SYMBOLS[:3]), request_id="r2")

    assert asked(local) == [SYMBOLS[:3]]
    assert local.lake.read(SYMBOLS[0]).bars == bars(60, start_price=50.0)


def test_refresh_that_is_delivered_again_tries_only_what_may_succeed() -> None:
    local = slow(3)
    local.market.times_out.add(SYMBOLS[2])
    local.market.unknown.add("GONE")
    command = named(*SYMBOLS[:3], "GONE")

    with pytest.raises(RefreshIncompleteError, match=rf"^{SYMBOLS[2]} failed \(broker_timeout: "):
        local.refresh(DAYS[59], command, request_id="r1")
    asked(local)
    local.market.times_out.clear()
    message = local.refresh(DAYS[59], command, request_id="r1")

    assert asked(local) == [(SYMBOLS[2],)]
    assert message.refreshed == SYMBOLS[:3]
    assert message.failed == {"GONE": "asset_not_found: GET /v2/stocks/bars: 400 invalid symbol: GONE"}


def test_refresh_of_which_many_symbols_fail_names_three() -> None:
    local = slow(8)
    local.market.times_out.add(SYMBOLS[3])
    error = "broker_timeout: GET /v2/stocks/bars: no answer in time"

    with pytest.raises(RefreshIncompleteError) as raised:
        local.refresh(DAYS[59])

    named_symbols = "; ".join(f"{symbol} failed ({error})" for symbol in SYMBOLS[3:6])
    assert str(raised.value) == f"{named_symbols}; 2 more failed"


def test_progress_grows_with_every_batch_and_is_finished_once_published() -> None:
    local = slow(6)
    local.invocation.request_id = "r1"
    reaction = local.refresher.refresh(named(*SYMBOLS[:6], SYMBOLS[0]))
    unpublished = list(local.progress.writes)
    published(reaction)

    assert [(sorted(entry.outcomes), entry.is_finished) for entry in unpublished] == [
        (list(SYMBOLS[:5]), False),
        (list(SYMBOLS[:6]), False),
    ]
    assert {entry.symbols for entry in local.progress.writes} == {SYMBOLS[:6]}
    last = local.progress.writes[-1]
    assert (last.request_id, last.is_finished) == ("r1", True)
    outcome = last.outcomes[SYMBOLS[0]]
    assert (outcome.before, outcome.error) == ("", "")
    assert outcome.after == local.lake.read(SYMBOLS[0]).digest


def test_progress_and_message_have_the_fault_of_an_object_that_was_repaired() -> None:
    local = slow(2)
    local.refresh(DAYS[58], named(*SYMBOLS[:2]), request_id="r1")
    local.objects.plant(parquet_key(SYMBOLS[0]), b"junk")
    message = local.refresh(DAYS[59], named(*SYMBOLS[:3]), request_id="r2")

    outcomes = local.progress.writes[-1].outcomes
    fault = f"damaged: bars/v1/{SYMBOLS[0]}.parquet does not match its digest"
    assert [outcomes[symbol].repaired for symbol in SYMBOLS[:2]] == [fault, ""]
    assert message.repaired == {SYMBOLS[0]: fault}


def test_progress_of_a_refresh_that_fails_for_all_ends_when_it_gives_up() -> None:
    local = slow(1)
    local.market.times_out.add(SYMBOLS[0])
    command = named(SYMBOLS[0])

    with pytest.raises(RefreshIncompleteError) as raised:
        local.refresh(DAYS[59], command, request_id="r1")
    at_first = local.progress.writes[-1]
    with pytest.raises(RefreshIncompleteError):
        local.refresher.give_up(command, raised.value)

    assert not at_first.is_finished
    assert at_first.outcomes[SYMBOLS[0]].is_retryable
    assert local.progress.writes[-1].is_finished


def test_refresh_without_an_id_stores_no_progress() -> None:
    local = slow(3)
    local.refresh(DAYS[59], named(*SYMBOLS[:3]))

    assert local.progress.writes == []


def test_refresh_whose_progress_cannot_be_stored_refreshes() -> None:
    local = slow(3)
    local.progress.is_broken, local.invocation.request_id = True, "r1"

    message = only_message(local.refresher.refresh(named(*SYMBOLS[:3])))

    assert message.refreshed == SYMBOLS[:3]
