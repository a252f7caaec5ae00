"""The exchange's calendar as data: `python -m tests.the_alchemiser.shared.market_data.calendar_file` writes the file.

To add years, raise LAST_YEAR and write the file again. A newer release of exchange_calendars in pyproject.toml brings
closures that were announced since; write the file again then, too. A test compares the file with what this generates.
"""

import json
from datetime import date, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

import exchange_calendars

from the_alchemiser.shared.market_data.exchange_calendar import FILE

FIRST_YEAR, LAST_YEAR = 1990, 2036
EXCHANGE = "XNYS"
NEW_YORK = ZoneInfo("America/New_York")


def generated_text() -> str:
    """Return the text of the file: one line per year."""
    calendar = exchange_calendars.get_calendar(EXCHANGE, start=f"{FIRST_YEAR}-01-01", end=f"{LAST_YEAR}-12-31")
    stamps = zip(calendar.schedule.index, calendar.schedule["close"], strict=True)
    closes = {day.date(): close.tz_convert(NEW_YORK).time() for day, close in stamps}

    weekdays = [day for day in _days() if day.weekday() < 5]
    lines = []
    for year, days in groupby(weekdays, lambda day: day.year):
        own = tuple(days)
        closed = [f"{day:%m-%d}" for day in own if day not in closes]
        early = {f"{day:%m-%d}": f"{closes[day]:%H:%M}" for day in own if day in closes and closes[day].hour != 16}
        lines.append(f'  "{year}": {json.dumps({"closed": closed, "early": early})}')
    return f'{{"exchange": "{EXCHANGE}", "years": {{\n' + ",\n".join(lines) + "\n}}\n"


def _days() -> list[date]:
    first, last = date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31)
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


if __name__ == "__main__":
    FILE.write_text(generated_text())
