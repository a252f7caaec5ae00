"""Refuses a release that cannot finish before the close: what has been sold must be bought back the same day. Pure."""

from collections.abc import Sequence
from datetime import date, timedelta

from the_alchemiser.shared.exchange_time import LAST_ORDER, market_date
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.values import Clock, Refusal

CALLS_PER_TRADE = 6  # requests to the broker when the first order fills
CALLS_PER_MINUTE = 200  # the broker's limit for an account
_NOTHING = timedelta(0)


class Pace(Frozen):
    """How fast trades are executed; `trade_s` is the longest time of a single one, in seconds."""

    trade_s: float = 60.0

    def time_of(self, trades: int) -> timedelta:
        """Return the time that a phase of so many trades needs: the broker's limit for all, and the worst for one."""
        if not trades:
            return _NOTHING
        return timedelta(seconds=self.trade_s, minutes=trades * CALLS_PER_TRADE / CALLS_PER_MINUTE)


def refuse_late(phases: Sequence[int], clock: Clock, trading_date: date, pace: Pace) -> Refusal | None:
    """Refuse to start phases of so many trades, one after the other, unless all of them finish in the session.

    Args:
        clock: the broker's.
        trading_date: of the run. On another day its session is over.
    """
    left = _time_to_close(clock, trading_date)
    needed = sum((pace.time_of(trades) for trades in phases), LAST_ORDER)
    if needed <= left:
        return None

    detail = (
        f"{sum(phases)} trades need up to {needed.total_seconds():.0f} s before the close, "
        f"and {left.total_seconds():.0f} s are left"
    )
    return Refusal(reason="too_late_to_trade", detail=detail)


def _time_to_close(clock: Clock, trading_date: date) -> timedelta:
    # Outside the session, the next close is that of another day.
    if not clock.is_open or market_date(clock.timestamp) != trading_date:
        return _NOTHING
    return clock.next_close - clock.timestamp
