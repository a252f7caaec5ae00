"""Work out which schedules fire at a moment, and what they send to which queue. Pure."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from automation.system.errors import ConfigurationError

_CRON = re.compile(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


@dataclass(frozen=True, slots=True)
class Schedule:
    """One deployed schedule: when it fires, and the exact body that it sends to its target queue."""

    name: str
    expression: str
    time_zone: str
    target_arn: str
    body: str


def due_schedules(schedules: Iterable[Schedule], moment: datetime) -> tuple[Schedule, ...]:
    """Return the schedules that fire in the minute of an aware moment, enabled or not.

    Schedules that repeat every few minutes are left out: they look after runs that nobody follows.

    Raises:
        ConfigurationError: an expression has another form than `cron(minutes hours ? * weekdays *)`.
    """
    return tuple(schedule for schedule in schedules if not _repeats(schedule) and fires_at(schedule, moment))


def schedules_of(schedules: Iterable[Schedule], command: str) -> tuple[Schedule, ...]:
    """Return the schedules that send a command, such as `sweep-runs`, whenever they fire."""
    return tuple(schedule for schedule in schedules if _command(schedule) == command)


def fires_at(schedule: Schedule, moment: datetime) -> bool:
    """Return whether a schedule fires in the minute of an aware moment.

    Raises:
        ConfigurationError: the expression has another form than `cron(minutes hours ? * weekdays *)`.
    """
    parts = _CRON.fullmatch(schedule.expression)
    local = moment.astimezone(ZoneInfo(schedule.time_zone))
    if parts is None or parts[3] not in ("?", "*") or parts[4] != "*" or parts[6] != "*":
        raise ConfigurationError(
            f"the sandbox cannot read {schedule.expression}; use cron(minutes hours ? * weekdays *)",
            where=schedule.name,
        )

    weekday = (local.weekday() + 1) % 7
    return (
        _matches(parts[1], local.minute, highest=59)
        and _matches(parts[2], local.hour, highest=23)
        and _matches(_numbered(parts[5]), weekday + 1, highest=7)
    )


def _command(schedule: Schedule) -> str:
    try:
        body = json.loads(schedule.body)
    except ValueError:
        return ""
    return str(body.get("command", "")) if isinstance(body, dict) else ""


def _repeats(schedule: Schedule) -> bool:
    parts = _CRON.fullmatch(schedule.expression)
    return parts is not None and "/" in parts[1]


def _matches(field: str, value: int, *, highest: int) -> bool:
    return any(_in_range(part, value, highest=highest) for part in field.split(","))


def _in_range(part: str, value: int, *, highest: int) -> bool:
    """Match a value with one of `*`, `?`, `a`, `a-b`, `a/step`, `a-b/step`, `*/step`."""
    bounds, _, step = part.partition("/")
    first, _, last = bounds.partition("-")
    low = 0 if first in ("*", "?") else int(first)
    high = highest if first in ("*", "?") or (step and not last) else int(last or first)
    return low <= value <= high and (value - low) % int(step or 1) == 0


def _numbered(weekdays: str) -> str:
    """Replace names of weekdays by numbers, where Sunday is 1: `MON-FRI` -> `2-6`."""
    for number, name in enumerate(_DAYS, start=1):
        weekdays = weekdays.replace(name, str(number))
    return weekdays
