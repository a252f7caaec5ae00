"""The exchange's time. Its zone is loaded on first use, which takes 4 ms that most cold starts do not need."""

from datetime import date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

LAST_ORDER = timedelta(seconds=60)
"""Before the close: later than this, no order is sent."""


@cache
def new_york() -> "ZoneInfo":
    """Return the zone of the exchange."""
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - see the module's docstring

    return ZoneInfo("America/New_York")


def market_date(moment: datetime) -> date:
    """Return the exchange's date at this moment."""
    return moment.astimezone(new_york()).date()
