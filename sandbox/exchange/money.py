"""Rules for decimals: cents, ticks, share quantities, and how numbers are written.

Only two things are rounded: the cash that an order moves and the market value of a position, both to cents. Equity is
cash plus those rounded values, so the figures of the API add up exactly.
"""

from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
SUB_DOLLAR_TICK = Decimal("0.0001")
SHARE = Decimal("0.000000001")
ZERO = Decimal(0)


def to_cents(amount: Decimal) -> Decimal:
    """Round USD to cents, half away from zero."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def tick_size(price: Decimal) -> Decimal:
    """Return the smallest price increment at this price, in USD.

    Source: SEC Rule 612.
    """
    return CENT if price >= 1 else SUB_DOLLAR_TICK


def to_tick(price: Decimal) -> Decimal:
    return price.quantize(tick_size(price), ROUND_HALF_UP)


def shares_down(quantity: Decimal) -> Decimal:
    """Cut a quantity to the nine decimals that the broker keeps."""
    return quantity.quantize(SHARE, ROUND_DOWN)


def decimal_text(number: Decimal) -> str:
    """Write a decimal without exponent or trailing zeros: `100`, `0.3`."""
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def decimal_text_or_none(number: Decimal | None) -> str | None:
    return None if number is None else decimal_text(number)
