"""Two refreshes of the same symbols at the same time: the one that fetched later wins, whatever the order of writes."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date
from itertools import cycle
from threading import Barrier
from time import sleep
from typing import Any

import pytest

from tests.the_alchemiser.data_v2.refreshing import DAYS, InMemoryRefresher
from tests.the_alchemiser.shared.market_data.in_memory_market import InMemoryMarket
from tests.the_alchemiser.shared.market_data.in_memory_objects import InMemoryObjects
from tests.the_alchemiser.shared.market_data.samples import bars
from the_alchemiser.data_v2.progress import RefreshIncompleteError
from the_alchemiser.shared.broker.models import Bar
from the_alchemiser.shared.market_data.bars import Bars
from the_alchemiser.shared.market_data.lake import Lake
from the_alchemiser.shared.market_data.objects import StoredObject
from the_alchemiser.shared.messaging.messages import MarketDataRefreshed
from the_alchemiser.shared.values import Clock

ADJUSTED = bars(60, start_price=50.0)


class Disturbed(InMemoryMarket):
    """A market at which something happens once after an answer: of the clock, or of the bars."""

    after_clock: Callable[[], None] | None = None
    after_bars: Callable[[], None] | None = None

    def clock(self) -> Clock:
        clock = super().clock()
        disturb, self.after_clock = self.after_clock, None
        if disturb is not None:
            disturb()
        return clock

    def bars(
        self, symbols: Iterable[str], start: date, end: date, **options: Any
    ) -> Iterator[tuple[str, tuple[Bar, ...]]]:
        answer = list(super().bars(symbols, start, end, **options))
        disturb, self.after_bars = self.after_bars, None
        if disturb is not None:
            disturb()
        return iter(answer)


def stored_through(last: int) -> tuple[Disturbed, InMemoryRefresher]:
    """Return a market and a refresher that has stored the bars through a day."""
    market = Disturbed({"SPY": bars(60)}, DAYS[last])
    local = InMemoryRefresher(market)
    local.refresh(DAYS[last])
    return market, local


def later(local: InMemoryRefresher, day: date, served: Bars) -> Callable[[], None]:
    """Return a whole refresh of a later day, by another invocation, of a market that has gone on meanwhile."""

    def refresh() -> None:
        local.market.today, local.market.served["SPY"] = day, served
        InMemoryRefresher(InMemoryMarket({"SPY": served}, day), objects=local.objects).refresh(day)

    return refresh


@pytest.mark.parametrize("served", [bars(60), ADJUSTED])
def test_refresh_that_began_before_a_later_one_does_not_lose_the_later_bar(served: Bars) -> None:
    market, local = stored_through(40)
    market.after_clock = later(local, DAYS[41], served)

    message = local.refresh(DAYS[40])

    assert (message.as_of, message.refreshed, message.failed) == (DAYS[40], ("SPY",), {})
    assert_stored(local.lake, served[:42])


@pytest.mark.parametrize("served", [bars(60), ADJUSTED])
def test_refresh_that_is_overtaken_before_it_writes_changes_nothing_and_is_repeated(served: Bars) -> None:
    market, local = stored_through(39)
    market.after_bars = later(local, DAYS[41], served)

    with pytest.raises(RefreshIncompleteError, match=r"SPY failed \(object_changed: "):
        local.refresh(DAYS[40])

    assert_stored(local.lake, served[:42])
    assert local.refresh(DAYS[41]).refreshed == ("SPY",)


class Unsteady(InMemoryObjects):
    """Objects whose calls take different times, so that threads interleave."""

    delays_ms = cycle((0.1, 1.0, 0.4, 0.7, 0.0, 1.3, 0.2))

    def get(self, key: str) -> StoredObject | None:
        sleep(next(self.delays_ms) / 1000)
        stored = super().get(key)
        sleep(next(self.delays_ms) / 1000)
        return stored

    def put(self, key: str, body: bytes, *, content_type: str, replaces: str | None) -> None:
        sleep(next(self.delays_ms) / 1000)
        super().put(key, body, content_type=content_type, replaces=replaces)


def test_refreshes_in_threads_leave_the_latest_bars_with_their_description() -> None:
    objects = Unsteady()
    days = (40, 41, 42, 43)
    InMemoryRefresher(InMemoryMarket({"SPY": bars(60)}, DAYS[39]), objects=objects).refresh(DAYS[39])
    start = Barrier(len(days))

    def refresh(day: int) -> MarketDataRefreshed:
        # On the third day, a dividend changes all earlier prices.
        served = ADJUSTED if day >= 42 else bars(60)
        local = InMemoryRefresher(InMemoryMarket({"SPY": served}, DAYS[day]), objects=objects)
        start.wait()
        for _ in range(20):
            with suppress(RefreshIncompleteError):
                return local.refresh(DAYS[day])
        raise AssertionError(f"day {day} was never refreshed")

    with ThreadPoolExecutor(len(days)) as pool:
        list(pool.map(refresh, days))

    entry = Lake(objects).read("SPY")
    # Each of these exchanges stays at its day, so the bars are those of one of them, whole.
    assert entry.bars in {(ADJUSTED if day >= 42 else bars(60))[: day + 1] for day in days}
    assert_stored(Lake(objects), entry.bars)


def assert_stored(lake: Lake, history: Bars) -> None:
    """Check that the lake has these bars and their description."""
    entry, description = lake.read("SPY"), lake.describe("SPY").description
    assert (entry.bars, entry.fault) == (history, None)
    assert description is not None
    assert (description.digest, description.last_date) == (entry.digest, history[-1].date)
