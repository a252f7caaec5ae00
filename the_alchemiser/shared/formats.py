"""How numbers, dates and reason codes read to people, in mails and reports alike. Pure text; no locale is asked."""

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
MINUS = "\N{MINUS SIGN}"


def money(usd: Decimal) -> str:
    """`$1,234.50`; a negative amount with a true minus sign before the dollar."""
    rounded = usd.quantize(CENT, ROUND_HALF_UP)
    return f"{MINUS if rounded < 0 else ''}${abs(rounded):,.2f}"


def signed_money(usd: Decimal) -> str:
    """`+$1.20`, `$0.00`, or negative as `money` has it."""
    return f"{'+' if usd.quantize(CENT, ROUND_HALF_UP) > 0 else ''}{money(usd)}"


def percent(fraction: Decimal, *, places: int = 2) -> str:
    """0.1234 -> `12.34%`."""
    rounded = (fraction * 100).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return f"{MINUS if rounded < 0 else ''}{abs(rounded)}%"


def signed_percent(fraction: Decimal, *, places: int = 2) -> str:
    """0.1234 -> `+12.34%`."""
    text = percent(fraction, places=places)
    return text if text.startswith(MINUS) or not any(digit in text for digit in "123456789") else f"+{text}"


def change(before: Decimal, after: Decimal) -> str:
    """`+$12.00 (+0.01%)`; without the fraction when there was nothing before."""
    moved = after - before
    return signed_money(moved) if before <= 0 else f"{signed_money(moved)} ({signed_percent(moved / before)})"


def price(usd: Decimal) -> str:
    """USD a share: at least two places, at most four: `$48.20`, `$0.1234`."""
    places = 4 if usd.quantize(CENT) != usd.quantize(Decimal("0.0001")) else 2
    return f"${usd:,.{places}f}"


def shares(quantity: Decimal) -> str:
    """`1,250`, `12.5`, `0.333333`; as many places as there are, at most nine."""
    text = f"{quantity:,.9f}".rstrip("0").rstrip(".")
    return text.replace("-", MINUS)


def long_date(day: date) -> str:
    """`Tuesday, 15 March 2022`."""
    return f"{day:%A}, {day.day} {day:%B %Y}"


def clock(moment: datetime) -> str:
    """`19:45:12 UTC`, of a time in UTC."""
    return f"{moment:%H:%M:%S} UTC"


def plural(count: int, noun: str) -> str:
    """`1 trade`, `2 trades`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def words(code: str) -> str:
    """`market_closed` -> `market closed`."""
    return code.replace("_", " ").replace("-", " ")
