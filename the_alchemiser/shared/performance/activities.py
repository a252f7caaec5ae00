"""Totals of the broker's activities: deposits, fees, dividends, interest, and everything else by its type. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from the_alchemiser.shared.broker.models import Activity
from the_alchemiser.shared.records import Frozen

SPLIT = "SPLIT"
"""The type whose money is the cash that a split pays in lieu of a fraction of a share."""

# Source: the activity types of the broker's trading API.
_CASH = frozenset({"CSD", "CSW", "TRANS", "ACATC", "JNL", "JNLC"})
_SHARES = frozenset({"ACATS", "JNLS", "FOPT"})
_FEES = frozenset({"FEE", "CFEE", "PTC", "PTR"})
_INTEREST = frozenset({"INT", "INTNRA", "INTTW"})
_DIVIDENDS = frozenset({"CGD", "DIV", "DIVCGL", "DIVCGS", "DIVFEE", "DIVFT", "DIVNRA", "DIVROC", "DIVTW", "DIVTXEX"})
_ZERO = Decimal(0)


class ActivityTotals(Frozen):
    """The totals of an account's activities, in USD; negative when money left the account.

    Attributes:
        cash, shares: deposits less withdrawals of money, and of shares at the broker's price.
        dividends: after withheld taxes.
        other: by the broker's name of the type, also of types that the broker has added; without zeros.
    """

    cash: Decimal
    shares: Decimal
    fees: Decimal
    dividends: Decimal
    interest: Decimal
    other: Mapping[str, Decimal]

    @property
    def deposits(self) -> Decimal:
        """Return deposits less withdrawals, money and shares."""
        return self.cash + self.shares


def activity_totals(
    activities: Iterable[Activity], *, until: datetime, after: datetime | None = None
) -> ActivityTotals:
    """Add up the activities that had reached the account at a moment; canceled ones do not count.

    Args:
        after: count only those that reached it later than this moment; all by default.
    """
    by_type: dict[str, Decimal] = {}
    for activity in activities:
        is_in_time = activity.booked_at <= until and (after is None or activity.booked_at > after)
        if is_in_time and not activity.is_canceled:
            by_type[activity.type] = by_type.get(activity.type, _ZERO) + _amount(activity)

    known = _CASH | _SHARES | _FEES | _DIVIDENDS | _INTEREST
    return ActivityTotals(
        cash=_sum_of(by_type, _CASH),
        shares=_sum_of(by_type, _SHARES),
        fees=_sum_of(by_type, _FEES),
        dividends=_sum_of(by_type, _DIVIDENDS),
        interest=_sum_of(by_type, _INTEREST),
        other={kind: amount for kind, amount in sorted(by_type.items()) if kind not in known and amount},
    )


def _amount(activity: Activity) -> Decimal:
    """Return what an activity is worth; a transfer of shares has a price instead of an amount."""
    if activity.type in _SHARES and not activity.net_amount and activity.quantity and activity.price:
        return activity.quantity * activity.price
    return activity.net_amount


def _sum_of(by_type: Mapping[str, Decimal], types: frozenset[str]) -> Decimal:
    return sum((by_type.get(kind, _ZERO) for kind in types), _ZERO)
