"""Positions as values: shares of one symbol, negative when short, and what trades and splits make of them."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from sandbox.exchange.money import SHARE, ZERO, to_cents


@dataclass(frozen=True, slots=True)
class Position:
    """Shares of one symbol and their average cost, USD per share with nine decimals.

    Attributes:
        qty: negative for a short position, never zero.
        asset_class: of a planted position: `crypto`, for example.
        is_quoted: whether the market has its price; only a planted position has none.
        fixed_price: the price of a position that is not quoted; None when the broker knows no price.
    """

    symbol: str
    qty: Decimal
    avg_entry_price: Decimal
    asset_class: str = "us_equity"
    is_quoted: bool = True
    fixed_price: Decimal | None = None

    def traded(self, qty: Decimal, price: Decimal) -> "Position":
        """Return the position after buying `qty` shares, or selling them when negative.

        The average price moves when the position grows, stays when it shrinks, and is the price of the trade when the
        position turns from long to short or back.
        """
        total = self.qty + qty
        if self.qty * qty >= 0:
            average = (self.qty * self.avg_entry_price + qty * price) / total
            return replace(self, qty=total, avg_entry_price=average.quantize(SHARE))
        if total * self.qty < 0:
            return replace(self, qty=total, avg_entry_price=price.quantize(SHARE))
        return replace(self, qty=total)

    def market_value(self, price: Decimal) -> Decimal:
        """Return the value in USD, rounded to cents; negative for a short position."""
        return to_cents(self.qty * price)


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What a split did to a position; `cash` is the USD paid in lieu of a fraction of a share."""

    symbol: str
    ex_date: date
    qty_before: Decimal
    qty_after: Decimal
    cash: Decimal


def flat(symbol: str) -> Position:
    """Return the position before the first trade."""
    return Position(symbol, ZERO, ZERO)
