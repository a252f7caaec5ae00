"""The likely cause of a difference: an order by hand, a fill that the ledger lacks, a split, another account."""

from decimal import Decimal
from typing import Any

import pytest

from tests.the_alchemiser.shared.books.test_checks import HOLDING, OURS, RUN_ID, ZERO, order
from the_alchemiser.shared.books.checks import Evidence, explain
from the_alchemiser.shared.broker.models import Order
from the_alchemiser.shared.messaging.messages import Difference
from the_alchemiser.shared.values import Side


def explained(*orders: Order, recorded: frozenset[str] = frozenset(), **evidence: Any) -> tuple[Difference, ...]:
    return explain(
        (HOLDING,), Evidence(orders, recorded, evidence.pop("split", frozenset()), **evidence), stage="local"
    )


def test_explain_without_evidence_leaves_the_cause_open() -> None:
    assert explained() == (HOLDING,)


def test_explain_names_what_was_ordered_by_hand() -> None:
    orders = (order("a"), order("b", side=Side.SELL, filled_quantity=Decimal("0.5")), order("c", filled_quantity=ZERO))

    [difference] = explained(*orders, order("d", "TLT"))

    assert difference == HOLDING.changed(cause="ordered by hand: BUY 2, SELL 0.5")


def test_explain_does_not_take_recorded_orders_for_trades_by_hand() -> None:
    orders = (order("a-successor"), order(OURS))

    assert explained(*orders, recorded=frozenset({"id-a-successor", f"id-{OURS}"})) == (HOLDING,)


@pytest.mark.parametrize(("side", "shares"), [(Side.BUY, "2"), (Side.SELL, "-2")])
def test_explain_names_our_fill_that_the_ledger_lacks(side: Side, shares: str) -> None:
    difference, missing = explained(order(side=side))

    assert difference.cause == "the ledger lacks a fill"
    assert missing == Difference(kind="fill", symbol="SPY", broker=Decimal(shares), books=ZERO, order=OURS)


def test_explain_names_no_fill_of_a_symbol_that_agrees() -> None:
    assert explained(order(f"{RUN_ID}-BUY-TLT-1", "TLT")) == (HOLDING,)


def test_explain_names_no_order_of_ours_without_a_fill() -> None:
    assert explained(order(filled_quantity=ZERO)) == (HOLDING,)


def test_explain_names_a_split_of_the_symbol() -> None:
    assert explained(split=frozenset({"TLT"})) == (HOLDING,)
    assert explained(split=frozenset({"SPY"}))[0].cause == "the symbol has had a split"


def test_explain_names_all_causes_the_account_first() -> None:
    difference, _ = explained(order(), order("a"), split=frozenset({"SPY"}), account="another account")

    assert difference.cause == (
        "another account; the ledger lacks a fill; ordered by hand: BUY 2; the symbol has had a split"
    )


def test_explain_leaves_differences_of_orders_as_they_are() -> None:
    open_order = Difference(kind="order", symbol="SPY", broker=Decimal(3), books=ZERO, order=OURS)
    evidence = Evidence((order("a"),), frozenset(), frozenset(), "another account")

    assert explain((open_order,), evidence, stage="local") == (open_order,)
