"""The session that a daily bar's stamp means. Pure.

Sources stamp a daily bar with the date alone, with midnight in some zone, or with an instant of the session. All of
these are told apart from the stamp itself.
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
# Midnight of New York's summer time, which some sources write all year.
_SUMMER_MIDNIGHT_UTC = time(4)
# From which size on a number counts seconds, milliseconds, microseconds, nanoseconds since 1970; below, it is YYYYMMDD.
_UNITS = ((10**8, 1), (10**11, 10**3), (10**14, 10**6), (10**17, 10**9))
_CALENDARS_KEPT = 16


def session_of(stamp: datetime) -> date:
    """The session's date: the stamp's own date without a zone or at midnight of its zone, else that of New York."""
    if stamp.tzinfo is None or stamp.time() == _MIDNIGHT:
        return stamp.date()
    instant = stamp.astimezone(UTC)
    return instant.date() if instant.time() == _SUMMER_MIDNIGHT_UTC else stamp.astimezone(_NEW_YORK).date()


@lru_cache(maxsize=_CALENDARS_KEPT)
def dates_of_texts(texts: tuple[str, ...]) -> Dates:
    """Sessions of stamps in ISO 8601, or of whole numbers as `dates_of_numbers` takes them.

    Raises:
        ValueError: a text is neither.
    """
    if texts and all(text.isdecimal() for text in texts):
        return dates_of_numbers(tuple(map(int, texts)))
    return _dates(texts, lambda text: session_of(datetime.fromisoformat(text)))


@lru_cache(maxsize=_CALENDARS_KEPT)
def dates_of_numbers(numbers: tuple[int, ...]) -> Dates:
    """Sessions of dates as 20220103, or of instants since 1970 in whatever unit their size tells.

    Raises:
        ValueError: a number is no such date.
    """
    return _dates(numbers, _date_of_number)


@lru_cache(maxsize=_CALENDARS_KEPT)
def dates_of_instants(instants: tuple[int, ...], per_second: int, zone: tzinfo | None) -> Dates:
    """Sessions of instants since 1970; without a zone they are wall-clock times."""
    return _dates(instants, lambda instant: _session_of_instant(instant, per_second, zone))


def _date_of_number(number: int) -> date:
    per_second = next((per_second for least, per_second in reversed(_UNITS) if number >= least), 0)
    if per_second:
        return _session_of_instant(number, per_second, UTC)
    return date.fromisoformat(f"{number:08d}")


def _session_of_instant(instant: int, per_second: int, zone: tzinfo | None) -> date:
    stamp = datetime.fromtimestamp(instant / per_second, UTC)
    return session_of(stamp.replace(tzinfo=None) if zone is None else stamp.astimezone(zone))


def _dates[Stamp](stamps: Iterable[Stamp], session: Callable[[Stamp], date]) -> Dates:
    dates = np.array(list(_told(stamps, session)), dtype=DAY)
    dates.flags.writeable = False
    return dates


def _told[Stamp](stamps: Iterable[Stamp], session: Callable[[Stamp], date]) -> Iterator[date]:
    for stamp in stamps:
        try:
            yield session(stamp)
        except (ValueError, OverflowError, OSError) as error:
            raise ValueError(f"{stamp!r} is no date such as 2022-01-03 or 2022-01-03T05:00:00Z") from error
