"""Sample bars and sessions: every weekday is a session, and the prices pass every quality check."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st

from the_alchemiser.shared.market_data.bars import Bars, DailyBar
from the_alchemiser.shared.market_data.lake import FetchOrigin

FIRST = date(2022, 1, 3)
FETCHED_AT = datetime(2022, 3, 16, 0, 0, tzinfo=UTC)
ORIGIN = FetchOrigin("data.example.com", FETCHED_AT, date(2016, 3, 15))


def sessions(count: int, *, first: date = FIRST) -> tuple[date, ...]:
    """Return `count` weekdays, starting at `first`."""
    days = (first + timedelta(days=offset) for offset in range(2 * count + 5))
    return tuple(day for day in days if day.weekday() < 5)[:count]


def bar(day: date, close: float = 100.0) -> DailyBar:
    """Return a valid bar around a close."""
    return DailyBar(day, close * 0.99, close * 1.02, close * 0.98, close, 1_000_000.0, close)


def bars(count: int, *, first: date = FIRST, start_price: float = 100.0) -> Bars:
    """Return valid bars, one per weekday, that rise by a dollar per day."""
    return tuple(bar(day, start_price + number) for number, day in enumerate(sessions(count, first=first)))


def histories(*, min_size: int = 1, max_size: int = 60) -> st.SearchStrategy[Bars]:
    """Generate valid histories with any closes."""
    prices = st.lists(st.floats(0.01, 10_000), min_size=min_size, max_size=max_size)
    return prices.map(lambda closes: tuple(map(bar, sessions(len(closes)), closes)))
