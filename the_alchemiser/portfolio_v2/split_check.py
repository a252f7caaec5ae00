"""Checks that the broker has booked today's splits: until then, positions and equity are wrong. Pure."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import ClassVar

from the_alchemiser.shared.corporate_actions import CorporateActions
from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.shared.ledger.ledger import LedgerEntry
from the_alchemiser.shared.ledger.lots import holdings
from the_alchemiser.shared.run.runs import Run

_ZERO = Decimal(0)
_ROUNDING = Decimal("0.00000001")  # of shares, by earlier splits: one unit of the ledger per owner


class SplitNotBookedError(AlchemiserError):
    """The broker still shows the shares from before a split, at prices from after it."""

    retryable: ClassVar[bool] = True


def check_splits_are_booked(
    run: Run, held: Mapping[str, Decimal], entries: Iterable[LedgerEntry], actions: CorporateActions
) -> None:
    """Check the positions of the symbols whose split takes effect between the run's as_of and its trading date.

    A position that still is what the ledger counts without the split is not booked yet. Any other one says nothing: it
    was booked or sold meanwhile, or it contains shares that the ledger never knew.

    Args:
        held: shares by symbol, as the broker reports them.

    Raises:
        SplitNotBookedError: a position still shows the shares from before the split.
    """
    recorded = tuple(entries)
    before = _totals(holdings(recorded, actions.until(run.as_of)))
    after = _totals(holdings(recorded, actions.until(run.trading_date)))
    for symbol, shares in held.items():
        old, new = before.get(symbol, _ZERO), after.get(symbol, _ZERO)
        if old != new and abs(shares - old) <= _ROUNDING:
            split = f"{symbol}: {shares} shares are held; after its split {new} are expected instead of {old}"
            raise SplitNotBookedError(f"{split}; nothing is planned before the broker has booked it")


def _totals(owned: Mapping[str, Mapping[str, Decimal]]) -> Mapping[str, Decimal]:
    totals: dict[str, Decimal] = {}
    for shares in owned.values():
        for symbol, quantity in shares.items():
            totals[symbol] = totals.get(symbol, _ZERO) + quantity
    return totals
