"""What moves the account's money besides trades: deposits, withdrawals, fees, dividends, interest, splits."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID, uuid5

from sandbox.exchange.money import ZERO
from sandbox.exchange.sessions import NEW_YORK

TRANSFERS = frozenset({"CSD", "CSW"})
"""The types that the broker's type TRANS stands for."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be booked.

    Attributes:
        type: the broker's name, such as CSD (a deposit), CSW, JNLC, FEE, DIV, INT or SPLIT.
        net_amount: USD, to the cent; negative when it leaves the account.
        qty: of a dividend the shares that it is paid for, of a split the shares that it adds.
        per_share_amount: USD per share of a dividend.
        settled: the day on which it counts at the broker; by default the day on which it is booked.
    """

    type: str
    net_amount: Decimal
    symbol: str | None = None
    qty: Decimal | None = None
    per_share_amount: Decimal | None = None
    description: str = ""
    settled: date | None = None


@dataclass(frozen=True, slots=True)
class Activity:
    """A booked entry."""

    id: str
    at: datetime
    entry: Entry

    @property
    def date(self) -> date:
        return self.entry.settled or self.at.astimezone(NEW_YORK).date()


def activity_of(entry: Entry, account: UUID, number: int, at: datetime) -> Activity:
    """Return the activity of an entry; its id begins with the time in New York, as the broker's ids do.

    Args:
        number: of the account's activity; the same numbers give the same ids.
    """
    stamp = f"{at.astimezone(NEW_YORK):%Y%m%d%H%M%S}{at.microsecond // 1000:03d}"
    return Activity(f"{stamp}::{uuid5(account, f'activity-{number}')}", at, entry)


def split_entry(symbol: str, added: Decimal, cash: Decimal = ZERO) -> Entry:
    """Return the entry of a split: the shares that it adds, negative for a reverse split, and the cash in lieu."""
    return Entry("SPLIT", cash, symbol, qty=added, description=f"split of {symbol}")
