"""Read the stamp of a daily bar as the date of its session. Pure.

Sources stamp a daily bar with a date only, with midnight in some zone, or with an instant during the session. The form
of the stamp shows which of these it is.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, time, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from the_alchemiser.strategy_v2.arrays import Dates
from the_alchemiser.strategy_v2.history import DAY

_NEW_YORK = ZoneInfo("America/New_York")
_MIDNIGHT = time(0)
# Midnight of New York's summer time. Some sources write it all year.
_SUMMER_MIDNIGHT_UTC = time(4)
# The smallest number read as seconds, milliseconds, microseconds or nanoseconds since 1970; a smaller one is YYYYMMDD.
_UNITS = ((10**8, 1), (10**11, 10**3), (10**14, 10**6), (10**17, 10**9))
# All files of a folder usually share one calendar, so the conversion of its dates is cached.
_CALENDARS_CACHED = 16


def session_date(stamp: datetime) -> date:
    """Return the date of the session that a bar belongs to.

    A stamp without a zone, or at midnight of its zone, means its own date; any other means the date in New York.
    """
    if stamp.tzinfo is None or stamp.time() == _MIDNIGHT:
        return stamp.date()
    instant = stamp.astimezone(UTC)
    return instant.date() if instant.time() == _SUMMER_MIDNIGHT_UTC else stamp.astimezone(_NEW_YORK).date()


@lru_cache(maxsize=_CALENDARS_CACHED)
def dates_from_texts(texts: tuple[str, ...]) -> Dates:
    """Return the session dates of ISO 8601 stamps, or of whole numbers that `dates_from_numbers` reads.

    Raises:
        ValueError: a text cannot be read as a date.
    """
    if texts and all(text.isdecimal() for text in texts):
        return dates_from_numbers(tuple(map(int, texts)))
    return _dates(texts, _date_from_text)


@lru_cache(maxsize=_CALENDARS_CACHED)
def dates_from_numbers(numbers: tuple[int, ...]) -> Dates:
    """Return the session dates of numbers: YYYYMMDD, or instants since 1970, whose size shows their unit.

    Raises:
        ValueError: a number cannot be read as a date.
    """
    return _dates(numbers, _date_from_number)


@lru_cache(maxsize=_CALENDARS_CACHED)
def dates_from_instants(instants: tuple[int, ...], per_second: int, zone: tzinfo | None) -> Dates:
    """Return the session dates of instants since 1970.

    Args:
        per_second: units of an instant per second: 1000 for milliseconds.
        zone: the zone of the stamps; None when they are wall-clock times.

    Raises:
        ValueError: an instant is out of the range of dates.
    """
    return _dates(instants, lambda instant: _date_from_instant(instant, per_second, zone))


def _date_from_text(text: str) -> date:
    return session_date(datetime.fromisoformat(text))


def _date_from_number(number: int) -> date:
    per_second = next((per_second for least, per_second in reversed(_UNITS) if number >= least), 0)
    if per_second:
        return _date_from_instant(number, per_second, UTC)
    return date.fromisoformat(f"{number:08d}")


def _date_from_instant(instant: int, per_second: int, zone: tzinfo | None) -> date:
    stamp = datetime.fromtimestamp(instant / per_second, UTC)
    return session_date(stamp.replace(tzinfo=None) if zone is None else stamp.astimezone(zone))


def _dates[Stamp](stamps: Iterable[Stamp], parse: Callable[[Stamp], date]) -> Dates:
    dates = np.array(list(_parse_each(stamps, parse)), dtype=DAY)
    # The cache hands out the same array again.
    dates.flags.writeable = False
    return dates


def _parse_each[Stamp](stamps: Iterable[Stamp], parse: Callable[[Stamp], date]) -> Iterator[date]:
    for stamp in stamps:
        try:
            yield parse(stamp)
        except (ValueError, OverflowError, OSError) as error:
            message = f"{stamp!r} is not a date; write dates like 2022-01-03 or 2022-01-03T05:00:00Z"
            raise ValueError(message) from error
