"""Decimal rules: cents, ticks, share quantities, and how numbers are written.

Rounding happens in two places only: an order's cash moves in whole cents, and a position's market value is rounded to
cents. Equity is cash plus those rounded values, so what the API shows adds up exactly.
"""

from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
SUB_DOLLAR_TICK = Decimal("0.0001")
SHARE = Decimal("0.000000001")
ZERO = Decimal(0)


def cents(amount: Decimal) -> Decimal:
    """USD to whole cents, half away from zero."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def tick_size(price: Decimal) -> Decimal:
    """The price increment at this price.

    Source: SEC Rule 612.
    """
    return CENT if price >= 1 else SUB_DOLLAR_TICK


def to_tick(price: Decimal) -> Decimal:
    return price.quantize(tick_size(price), ROUND_HALF_UP)


def shares_down(quantity: Decimal) -> Decimal:
    """A quantity cut to the nine places that the broker keeps."""
    return quantity.quantize(SHARE, ROUND_DOWN)


def plain(number: Decimal) -> str:
    """A decimal without exponent or trailing zeros: `100`, `0.3`."""
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def plain_or_none(number: Decimal | None) -> str | None:
    return None if number is None else plain(number)
