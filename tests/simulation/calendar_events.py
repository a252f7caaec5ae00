"""The moments at which the schedules of the templates fire, from their cron expressions."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from tests.simulation.deployment import Schedule

_CRON = re.compile(r"cron\((\S+) (\S+) \? \* (\S+) \*\)")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


def firings(schedules: Iterable[Schedule], day: date) -> Iterator[tuple[datetime, Schedule]]:
    """Yield when each schedule fires on a day, in UTC, schedule by schedule.

    Raises:
        ValueError: an expression has another form than `cron(minutes hours ? * weekdays *)`.
    """
    for schedule in schedules:
        match = _CRON.fullmatch(schedule.expression)
        if match is None:
            raise ValueError(f"{schedule.name}: {schedule.expression} cannot be simulated")
        minutes, hours, weekdays = match.groups()
        if (day.weekday() + 1) % 7 + 1 not in _numbers(_numbered(weekdays), 1, 7):
            continue
        zone = ZoneInfo(schedule.time_zone)
        for hour in _numbers(hours, 0, 23):
            for minute in _numbers(minutes, 0, 59):
                yield datetime.combine(day, time(hour, minute), zone).astimezone(UTC), schedule


def _numbers(field: str, low: int, high: int) -> tuple[int, ...]:
    numbers: list[int] = []
    for part in field.split(","):
        bounds, _, step = part.partition("/")
        first, _, last = bounds.partition("-")
        start = low if first == "*" else int(first)
        end = high if first == "*" or (step and not last) else int(last or first)
        numbers.extend(range(start, end + 1, int(step or 1)))
    return tuple(numbers)


def _numbered(weekdays: str) -> str:
    for number, name in enumerate(_DAYS, start=1):
        weekdays = weekdays.replace(name, str(number))
    return weekdays
