"""Formats of numbers, dates and reason codes for people, the same in mails and reports. They ignore the locale."""

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
MINUS = "\N{MINUS SIGN}"


def money(usd: Decimal) -> str:
    """Format USD to the cent: `$1,234.50`. A negative amount starts with a true minus sign."""
    rounded = usd.quantize(CENT, ROUND_HALF_UP)
    return f"{MINUS if rounded < 0 else ''}${abs(rounded):,.2f}"


def signed_money(usd: Decimal) -> str:
    """Format USD with its sign: `+$1.20`, `$0.00`, or a negative amount like `money`."""
    return f"{'+' if usd.quantize(CENT, ROUND_HALF_UP) > 0 else ''}{money(usd)}"


def percent(fraction: Decimal, *, places: int = 2) -> str:
    """Format a fraction as a percentage: 0.1234 -> `12.34%`."""
    rounded = (fraction * 100).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return f"{MINUS if rounded < 0 else ''}{abs(rounded)}%"


def signed_percent(fraction: Decimal, *, places: int = 2) -> str:
    """Format a fraction as a percentage with its sign: 0.1234 -> `+12.34%`. Zero has no sign."""
    text = percent(fraction, places=places)
    return text if text.startswith(MINUS) or not any(digit in text for digit in "123456789") else f"+{text}"


def change(before: Decimal, after: Decimal) -> str:
    """Format the change between two amounts: `+$12.00 (+0.01%)`, without the percentage unless `before` is positive."""
    difference = after - before
    if before <= 0:
        return signed_money(difference)
    return f"{signed_money(difference)} ({signed_percent(difference / before)})"


def price(usd: Decimal) -> str:
    """Format USD per share with two decimals, or four when two would round it: `$48.20`, `$0.1234`."""
    places = 4 if usd.quantize(CENT) != usd.quantize(Decimal("0.0001")) else 2
    return f"${usd:,.{places}f}"


def shares(quantity: Decimal) -> str:
    """Format a number of shares with at most nine decimals and without trailing zeros: `1,250`, `12.5`."""
    text = f"{quantity:,.9f}".rstrip("0").rstrip(".")
    return text.replace("-", MINUS)


def long_date(day: date) -> str:
    """Format a date as `Tuesday, 15 March 2022`."""
    return f"{day:%A}, {day.day} {day:%B %Y}"


def clock(moment: datetime) -> str:
    """Format a time in UTC as `19:45:12 UTC`."""
    return f"{moment:%H:%M:%S} UTC"


def plural(count: int, noun: str) -> str:
    """Format a count with its noun: `1 trade`, `2 trades`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def words(code: str) -> str:
    """Write a code as words: `market_closed` -> `market closed`."""
    return code.replace("_", " ").replace("-", " ")
