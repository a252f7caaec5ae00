"""Fetching bars: every symbol either has bars or failed, and one that fails does not fail the others."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.the_alchemiser.shared.market_data.in_memory_market import InMemoryMarket
from tests.the_alchemiser.shared.market_data.samples import FIRST, bars
from the_alchemiser.data_v2.market import SYMBOLS_PER_REQUEST, MalformedBarsError, NoBarsError, Span, fetch_bars
from the_alchemiser.shared.broker.errors import AssetNotFoundError, BrokerTimeoutError
from the_alchemiser.shared.broker.models import Bar

END = date(2022, 6, 1)
ALL = Span(FIRST, END)
NAMES = [f"S{number}" for number in range(12)]


def market(*symbols: str) -> InMemoryMarket:
    return InMemoryMarket({symbol: bars(20) for symbol in symbols}, END)


def test_fetch_bars_returns_bars_as_served() -> None:
    fetched = fetch_bars(market("SPY"), {"SPY": ALL})

    assert fetched.bars == {"SPY": bars(20)}
    assert fetched.failed == {}


def test_fetch_bars_symbols_with_one_start_share_a_request() -> None:
    served = market("A", "B", "C")
    fetch_bars(served, {"A": ALL, "B": ALL, "C": Span(date(2022, 1, 10), END)})

    assert served.requests == [(("A", "B"), FIRST), (("C",), date(2022, 1, 10))]


def test_fetch_bars_many_symbols_are_requested_in_batches() -> None:
    served = market()
    fetch_bars(served, {f"S{number}": ALL for number in range(SYMBOLS_PER_REQUEST + 1)})

    assert sorted(len(symbols) for symbols, _ in served.requests) == [1, SYMBOLS_PER_REQUEST]


@given(unknown=st.sets(st.sampled_from(NAMES)))
def test_fetch_bars_unknown_symbols_do_not_fail_the_others(unknown: set[str]) -> None:
    served = market(*NAMES)
    served.unknown = unknown
    fetched = fetch_bars(served, dict.fromkeys(NAMES, ALL))

    assert set(fetched.failed) == unknown
    assert set(fetched.bars) == set(NAMES) - unknown
    assert all(isinstance(error, AssetNotFoundError) for error in fetched.failed.values())


def test_fetch_bars_interrupted_keeps_complete_symbols() -> None:
    served = market("A", "B", "C")
    served.times_out = {"B"}
    fetched = fetch_bars(served, dict.fromkeys(["A", "B", "C"], ALL))

    assert set(fetched.bars) == {"A"}
    assert {symbol: type(error) for symbol, error in fetched.failed.items()} == {
        "B": BrokerTimeoutError,
        "C": BrokerTimeoutError,
    }


def test_fetch_bars_symbol_without_bars_fails_with_the_dates() -> None:
    failed = fetch_bars(market(), {"SPY": ALL}).failed

    assert isinstance(failed["SPY"], NoBarsError)
    assert str(failed["SPY"]) == "no bars from 2022-01-03 through 2022-06-01"


def test_fetch_bars_repeated_bar_is_malformed() -> None:
    served = InMemoryMarket({"SPY": (*bars(3), bars(3)[-1])}, END)
    failed = fetch_bars(served, {"SPY": ALL}).failed

    assert isinstance(failed["SPY"], MalformedBarsError)
    assert "2022-01-05" in str(failed["SPY"])


def test_fetch_bars_symbols_with_another_end_have_their_own_request() -> None:
    served = market("A", "B")
    fetched = fetch_bars(served, {"A": Span(FIRST, FIRST), "B": ALL})

    assert served.requests == [(("A",), FIRST), (("B",), FIRST)]
    assert (fetched.bars["A"], fetched.bars["B"]) == (bars(1), bars(20))


class Generous(InMemoryMarket):
    """A market that serves all bars and one more symbol, whatever was asked."""

    def bars(self, symbols: Iterable[str], start: date, end: date, **_: Any) -> Iterator[tuple[str, tuple[Bar, ...]]]:
        return super().bars([*symbols, "MORE"], date.min, date.max)


@pytest.mark.parametrize(("first", "last", "outside"), [(1, 19, 0), (0, 18, 19)])
def test_fetch_bars_that_were_not_requested_are_malformed(first: int, last: int, outside: int) -> None:
    days = [bar.date for bar in bars(20)]
    served = Generous({"SPY": bars(20), "MORE": bars(20)}, END)
    fetched = fetch_bars(served, {"SPY": Span(days[first], days[last])})

    assert (dict(fetched.bars), list(fetched.failed)) == ({}, ["SPY"])
    assert isinstance(fetched.failed["SPY"], MalformedBarsError)
    expected = f"the broker sent the bar of {days[outside]}, requested were {days[first]} through {days[last]}"
    assert str(fetched.failed["SPY"]) == expected


def test_fetch_bars_of_exactly_the_requested_dates_are_accepted() -> None:
    days = [bar.date for bar in bars(20)]
    served = Generous({"SPY": bars(20), "MORE": bars(20)}, END)

    assert fetch_bars(served, {"SPY": Span(days[0], days[19])}).bars == {"SPY": bars(20)}
