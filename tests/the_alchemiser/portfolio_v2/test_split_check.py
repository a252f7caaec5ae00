"""A run on the day of a split waits until the broker has booked it."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from tests.the_alchemiser.portfolio_v2.test_market import run, split
from the_alchemiser.portfolio_v2.split_check import SplitNotBookedError, check_splits_are_booked
from the_alchemiser.shared.corporate_actions import CorporateActions
from the_alchemiser.shared.ledger.ledger import LedgerEntry
from the_alchemiser.shared.values import Side

TODAY = CorporateActions((split("NVDA", date(2024, 3, 15), "1", "10"),))


def bought(quantity: str, strategy: str = "trend") -> LedgerEntry:
    shares = Decimal(quantity)
    return LedgerEntry(
        symbol="NVDA",
        filled_at=datetime(2024, 3, 1, 19, 45, tzinfo=UTC),
        order_id=f"order-{strategy}",
        fill="1",
        client_order_id="c",
        trade_id="t",
        run_id="r",
        side=Side.BUY,
        quantity=shares,
        price=Decimal(800),
        cash=Decimal(-800) * shares,
        attribution={strategy: shares},
    )


ENTRIES = (bought("4"), bought("6", "rotation"))


@pytest.mark.parametrize("held", ["100", "100.000000001", "55", "0", "10.000000011", "9.999999989"])
def test_check_splits_of_a_booked_position_passes(held: str) -> None:
    check_splits_are_booked(run(), {"SPY": Decimal(3), "NVDA": Decimal(held)}, ENTRIES, TODAY)


@pytest.mark.parametrize("held", ["10", "10.00000001", "9.99999999"])
def test_check_splits_of_the_old_shares_is_tried_again(held: str) -> None:
    with pytest.raises(SplitNotBookedError) as raised:
        check_splits_are_booked(run(), {"NVDA": Decimal(held)}, ENTRIES, TODAY)

    assert str(raised.value) == (
        f"NVDA: {held} shares are held; after its split 100.000000000 are expected instead of 10; "
        "nothing is planned before the broker has booked it"
    )
    assert (raised.value.reason, raised.value.retryable) == ("split_not_booked", True)


@pytest.mark.parametrize("ex_date", [date(2024, 3, 14), date(2024, 3, 18)])
def test_check_splits_of_another_day_passes(ex_date: date) -> None:
    actions = CorporateActions((split("NVDA", ex_date, "1", "10"),))

    check_splits_are_booked(run(), {"NVDA": Decimal(10)}, ENTRIES, actions)


def test_check_splits_of_shares_without_entries_passes() -> None:
    check_splits_are_booked(run(), {"NVDA": Decimal(10)}, (), TODAY)


def test_check_splits_of_shares_that_the_ledger_never_knew_passes() -> None:
    sold = bought("9.058567").changed(
        side=Side.SELL, attribution={"trend": Decimal("31.941433"), "unattributed": Decimal(-41)}
    )

    check_splits_are_booked(run(), {"NVDA": Decimal("319.41433")}, (sold,), TODAY)
