"""The invariants of the books notice their planted violations."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from sandbox.exchange.orders import Side
from tests.simulation.end_state import AccountView
from tests.simulation.healthy import (
    BOUGHT,
    BUY,
    DAY,
    ENDED,
    SELL,
    SOLD,
    entry,
    fill,
    history,
    sentences,
)
from tests.simulation.market import WHOLE_SHARES
from tests.simulation.scenario import AccountPlan, OddPosition, Split
from the_alchemiser.shared.corporate_actions import CorporateAction, CorporateActionKind, CorporateActions
from the_alchemiser.shared.values import Side as TradeSide

HEALTHY = history()
EARLIER, SALE_ENTRY, PURCHASE_ENTRY = HEALTHY.ledger
EXTRA = UUID(int=3)
WHOLE = min(WHOLE_SHARES)


def test_fill_without_entry_violates() -> None:
    expected = [f"{BUY}-1 filled 5 and has 0 entries in the ledger"]
    assert sentences("every_fill_in_the_ledger", ledger=(SALE_ENTRY,)) == expected


def test_fill_with_two_entries_violates() -> None:
    expected = [f"{BUY}-1 filled 5 and has 2 entries in the ledger"]
    assert sentences("every_fill_in_the_ledger", ledger=(*HEALTHY.ledger, PURCHASE_ENTRY)) == expected


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"quantity": Decimal(9)}, "the ledger's quantity is 9, the broker's 10"),
        ({"price": Decimal(99)}, "the ledger's price is 99, the broker's 100.000000000"),
        ({"cash": Decimal("999.99")}, "the ledger's cash is 999.99, the broker's 1000"),
        ({"symbol": "CCC"}, "the ledger's symbol is CCC, the broker's AAA"),
        ({"side": TradeSide.BUY}, "the ledger's side is BUY, the broker's SELL"),
        ({"trade_id": BUY}, f"the ledger's trade is {BUY}, the broker's {SELL}"),
    ],
)
def test_entry_that_differs_from_its_order_violates(changes: Mapping[str, Any], sentence: str) -> None:
    ledger = (SALE_ENTRY.changed(**changes), PURCHASE_ENTRY)
    assert sentences("every_fill_in_the_ledger", ledger=ledger) == [f"{SELL}-1: {sentence}"]


def test_entry_of_no_order_violates() -> None:
    ledger = (*HEALTHY.ledger, entry(EXTRA, BUY, TradeSide.BUY, "BBB", "1", BOUGHT))
    expected = [f"the ledger has an entry of {BUY}-1, which belongs to no planned trade"]
    assert sentences("only_fills_in_the_ledger", ledger=ledger) == expected


def test_attribution_that_does_not_add_up_violates() -> None:
    ledger = (SALE_ENTRY.changed(attribution={"calm": Decimal(-9)}), PURCHASE_ENTRY)
    expected = [f"{SELL}-1 filled -10, but -9 are attributed"]
    assert sentences("attribution_is_complete", ledger=ledger) == expected


def test_broker_that_differs_from_the_books_violates() -> None:
    account = AccountView(Decimal(0), {"BBB": Decimal(6)})
    assert sentences("broker_is_ledger", account=account) == ["the broker holds 6 BBB, the books say 5"]


def test_trades_of_the_owner_belong_to_the_books() -> None:
    account = AccountView(Decimal(0), {"BBB": Decimal(5), "CCC": Decimal(2)})
    fills = (*HEALTHY.fills, fill(EXTRA, Side.BUY, "CCC", "3", SOLD), fill(EXTRA, Side.SELL, "CCC", "1", ENDED))
    assert sentences("broker_is_ledger", account=account, fills=fills) == []


def with_split(symbol: str, *, positions: Mapping[str, str], **changes: Any) -> Mapping[str, Any]:
    """Return the changes to a healthy history in which ten shares of a symbol come for one."""
    account = changes.pop("account", AccountPlan())
    action = CorporateAction(symbol, DAY, CorporateActionKind.SPLIT, Decimal(1), Decimal(10))
    scenario = replace(HEALTHY.scenario, account=account, splits=(Split(symbol, DAY, 1, 10),))
    held = {"BBB": Decimal(5), **{name: Decimal(quantity) for name, quantity in positions.items()}}
    return {
        "scenario": scenario,
        "actions": CorporateActions((action,)),
        "account": AccountView(Decimal(0), held),
        **changes,
    }


def test_ledger_of_a_symbol_that_split_is_left_to_the_lots() -> None:
    opening = AccountView(Decimal(0), {"AAA": Decimal(10), "DDD": Decimal(1)})
    assert sentences("broker_is_ledger", **with_split("DDD", positions={"DDD": "10"}, opening=opening)) == []


def test_lots_that_differ_from_the_broker_violate() -> None:
    ledger = (EARLIER, SALE_ENTRY, PURCHASE_ENTRY.changed(attribution={"calm": Decimal(4)}))
    assert sentences("broker_is_lots", ledger=ledger) == ["the broker holds 5 BBB, lots and owner 4"]


@pytest.mark.parametrize(
    ("symbol", "held", "violates"),
    [
        ("DDD", "9.999999995", False),
        ("DDD", "9.999999994", True),
        (WHOLE, "9", False),
        (WHOLE, "8.999999999", True),
    ],
)
def test_lots_after_a_split_may_differ_by_their_rounding(symbol: str, held: str, violates: bool) -> None:
    before = EARLIER.changed(symbol=symbol, quantity=Decimal(1), attribution={"calm": Decimal(1)})
    changes = with_split(symbol, positions={symbol: held}, ledger=(*HEALTHY.ledger, before))
    expected = [f"the broker holds {held} {symbol}, lots and owner 10.000000000"] if violates else []
    assert sentences("broker_is_lots", **changes) == expected


def test_shares_of_the_owner_split_too() -> None:
    """He held one share before the split, and bought another one before it and one after it."""
    account = AccountPlan(opened_by_owner={"DDD": Decimal(1)})
    opening = AccountView(Decimal(0), {"AAA": Decimal(10), "DDD": Decimal(1)})
    before, after_it = SOLD - timedelta(days=1), SOLD
    fills = tuple(fill(EXTRA, Side.BUY, "DDD", "1", at) for at in (before, after_it))
    changes = with_split("DDD", positions={"DDD": "21"}, account=account, opening=opening)
    assert sentences("broker_is_lots", **changes, fills=(*HEALTHY.fills, *fills)) == []


def test_shares_that_cannot_be_traded_split_too() -> None:
    account = AccountPlan(odd=(OddPosition("DDD", Decimal(2), None),))
    assert sentences("broker_is_lots", **with_split("DDD", positions={"DDD": "20"}, account=account)) == []
    expected = ["the broker holds 2 DDD, lots and owner 20"]
    assert sentences("broker_is_lots", **with_split("DDD", positions={"DDD": "2"}, account=account)) == expected


def test_shares_of_the_owner_are_no_lots() -> None:
    account = AccountPlan(opened_by_owner={"CCC": Decimal(3)}, odd=(OddPosition("ZVZZT", Decimal(2), None),))
    positions = {"BBB": Decimal(5), "CCC": Decimal(4), "ZVZZT": Decimal(2)}
    changes = {
        "scenario": replace(HEALTHY.scenario, account=account),
        "opening": AccountView(Decimal(0), {"AAA": Decimal(10), "CCC": Decimal(3)}),
        "account": AccountView(Decimal(0), positions),
        "fills": (*HEALTHY.fills, fill(EXTRA, Side.BUY, "CCC", "1", SOLD)),
    }
    assert sentences("broker_is_lots", **changes) == []
