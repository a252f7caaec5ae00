"""The exchange's time, in its own module: loading its zone takes 4 ms, which only functions that need it should pay."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")

LAST_ORDER = timedelta(seconds=60)
"""Before the close: later than this, no order is sent."""


def market_date(moment: datetime) -> date:
    """Return the exchange's date at this moment."""
    return moment.astimezone(NEW_YORK).date()
