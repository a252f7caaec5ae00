"""Parse the parameters of requests: numbers, texts, dates, times, lists and flags."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation

from sandbox.exchange.refusals import Refusal, malformed
from sandbox.exchange.sessions import NEW_YORK

Params = Mapping[str, str]

_LARGEST = Decimal(10) ** 12


def decimal_of(name: str, value: object) -> Decimal | None:
    """Parse a JSON number or string; return None when it is missing.

    Raises:
        Refusal: it is not a finite number below a trillion.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise malformed(f"{name} is not a number")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise malformed(f"{name} is not a number: {value}") from None
    if not number.is_finite() or abs(number) >= _LARGEST:
        raise malformed(f"{name} is out of range")
    return number


def text_of(name: str, value: object) -> str | None:
    """Return a JSON string, or None when it is missing.

    Raises:
        Refusal: it is not a string.
    """
    if value is None or isinstance(value, str):
        return value
    raise malformed(f"{name} is not a string")


def moment_of(name: str, value: str | None, refuse: Callable[[str], Refusal] = malformed) -> datetime | None:
    """Parse an RFC 3339 time, or a date, which means New York midnight.

    A space counts as `+`: that is what an unescaped `+` in a query becomes.

    Raises:
        Refusal: it is neither.
    """
    if not value:
        return None
    try:
        if len(value) == len("2022-03-16"):
            return datetime.combine(date.fromisoformat(value), time(), NEW_YORK)
        moment = datetime.fromisoformat(value.replace(" ", "+"))
    except ValueError:
        raise refuse(f"invalid {name}: {value}") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def day_of(name: str, value: str | None, refuse: Callable[[str], Refusal] = malformed) -> date | None:
    """Parse a date, or the date part of a time.

    Raises:
        Refusal: it is neither.
    """
    if not value:
        return None
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        raise refuse(f"invalid {name}: {value}") from None


def count_of(
    name: str, value: str | None, *, default: int, most: int, refuse: Callable[[str], Refusal] = malformed
) -> int:
    """Parse a whole number from 1 to `most`.

    Raises:
        Refusal: it is not such a number.
    """
    if not value:
        return default
    if not value.isascii() or not value.isdigit() or not 1 <= int(value) <= most:
        raise refuse(f"invalid {name}: {value}; 1 to {most}")
    return int(value)


def choice_of(name: str, value: str | None, *, default: str, of: tuple[str, ...]) -> str:
    """Parse one of the choices `of`, in any case.

    Raises:
        Refusal: it is not one of them.
    """
    if not value:
        return default
    if value.lower() not in of:
        raise malformed(f"invalid {name}: {value}; one of {', '.join(of)}")
    return value.lower()


def symbols_of(value: str | None) -> tuple[str, ...]:
    """Parse a comma-separated list of symbols: upper case, sorted, without duplicates."""
    parts = (part.strip().upper() for part in (value or "").split(","))
    return tuple(sorted({part for part in parts if part}))


def is_true(value: str | None) -> bool:
    return (value or "").lower() in {"true", "1"}
