"""Corporate actions: splits and other events that change what a share is. This module imports nothing of `shared`.

A split takes effect before the first session of its ex-date: `old_rate` shares then become `new_rate`.
"""

from datetime import date
from decimal import Decimal
from enum import StrEnum

from the_alchemiser.shared.records import Frozen

_ONE = Decimal(1)
_ZERO = Decimal(0)


class CorporateActionKind(StrEnum):
    """The kinds that the product distinguishes; OTHER is everything else, such as a merger."""

    SPLIT = "split"
    DIVIDEND = "dividend"
    OTHER = "other"

    @classmethod
    def of(cls, name: str) -> "CorporateActionKind":
        """Return the kind with this name; OTHER for one that a later release has added."""
        return cls(name) if name in cls else cls.OTHER


class CorporateAction(Frozen, order=True):
    """One event of a symbol.

    Attributes:
        ex_date: the first session that trades after the event.
        old_rate: shares that a holder gives; 1 unless it is a split.
        new_rate: shares that a holder gets for them; 1 unless it is a split.
        cash: USD per share of a dividend; of a split, USD per new share for a fraction that the account cannot keep,
            and 0 when it keeps fractions.
    """

    symbol: str
    ex_date: date
    kind: CorporateActionKind
    old_rate: Decimal = _ONE
    new_rate: Decimal = _ONE
    cash: Decimal = _ZERO

    @property
    def ratio(self) -> Decimal:
        """Return the new shares per old share: 0.1 for a reverse split of ten shares into one."""
        return self.new_rate / self.old_rate


class CorporateActions(Frozen):
    """Corporate actions of many symbols, in any order; announced ones have ex-dates in the future."""

    actions: tuple[CorporateAction, ...] = ()

    def until(self, day: date) -> "CorporateActions":
        """Return those that have taken effect by the session of that day."""
        return CorporateActions(tuple(action for action in self.actions if action.ex_date <= day))

    def splits(self, symbol: str) -> tuple[CorporateAction, ...]:
        """Return the symbol's splits, ex-dates ascending."""
        splits = (action for action in self.actions if action.kind is CorporateActionKind.SPLIT)
        return tuple(sorted((split for split in splits if split.symbol == symbol), key=lambda split: split.ex_date))

    def ratio(self, symbol: str, *, after: date, through: date) -> Decimal:
        """Return the new shares per old share over the splits later than `after` and not later than `through`."""
        ratio = _ONE
        for split in self.splits(symbol):
            if after < split.ex_date <= through:
                ratio *= split.ratio
        return ratio
