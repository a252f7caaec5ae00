"""Splits change the shares and the price of open lots on their ex-date, and invent no gain."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.the_alchemiser.shared.ledger.test_lots import SYMBOLS, entry, fill, fills
from the_alchemiser.shared.corporate_actions import CorporateAction, CorporateActionKind, CorporateActions
from the_alchemiser.shared.ledger.ledger import session_date
from the_alchemiser.shared.ledger.lots import AttributedFill, after_split, attributed_fills, holdings, match_lots

BOUGHT = date(2022, 3, 15)


def split(
    old: str, new: str, *, days: int = 1, cash: str = "0", symbol: str = "SPY", kind: str = "split"
) -> CorporateAction:
    """Return a split whose ex-date is that many days after the first fill of these tests."""
    ex_date = BOUGHT + timedelta(days=days)
    return CorporateAction(symbol, ex_date, CorporateActionKind(kind), Decimal(old), Decimal(new), Decimal(cash))


def decimals(*numbers: str) -> tuple[Decimal, ...]:
    return tuple(map(Decimal, numbers))


def known(*actions: CorporateAction) -> CorporateActions:
    return CorporateActions(actions)


@pytest.mark.parametrize(
    ("old", "new", "shares", "price"),
    [("10", "1", "10", "1000"), ("1", "4", "400", "25"), ("3", "2", "66.666666666", "")],
)
def test_match_lots_after_a_split_keeps_the_cost(old: str, new: str, shares: str, price: str) -> None:
    book = match_lots([fill("100", "100")], known(split(old, new)))

    (lot,) = book.open
    assert lot.quantity == Decimal(shares)
    assert abs(lot.cost - 10_000) < Decimal("1e-20")
    assert not price or lot.price == Decimal(price)
    assert lot.opened_at == fill("100", "100").filled_at
    assert book.gain == 0


def test_match_lots_reverse_split_invents_no_gain() -> None:
    book = match_lots([fill("100", "10"), fill("-10", "101", day=2)], known(split("10", "1")))

    assert book.open == ()
    assert [gain.opened_price for gain in book.realised] == [100]
    assert book.gain == 10


@pytest.mark.parametrize(("days", "shares"), [(1, "25"), (2, "30"), (3, "30")])
def test_match_lots_splits_what_was_bought_before_the_ex_date(days: int, shares: str) -> None:
    parts = [fill("10", "100"), fill("5", "50", day=1)]

    assert match_lots(parts, known(split("1", "2", days=days))).holdings() == {"SPY": Decimal(shares)}


def test_match_lots_splits_follow_each_other() -> None:
    splits = known(split("10", "1", days=4), split("1", "2", days=2))

    book = match_lots([fill("10", "100"), fill("20", "50", day=3)], splits)

    assert [(lot.quantity, lot.price) for lot in book.open] == [decimals("2", "500")] * 2


def test_match_lots_leaves_realised_gains_and_other_symbols_alone() -> None:
    parts = [fill("10", "100"), fill("-4", "110"), fill("7", "50", symbol="TLT")]

    book = match_lots(parts, known(split("1", "2")))

    assert [(gain.quantity, gain.closed_price, gain.gain) for gain in book.realised] == [decimals("4", "110", "40")]
    assert book.holdings() == {"SPY": 12, "TLT": 7}


@pytest.mark.parametrize("kind", ["dividend", "other"])
def test_match_lots_ignores_what_is_not_a_split(kind: str) -> None:
    assert match_lots([fill("10", "100")], known(split("1", "2", kind=kind))).holdings() == {"SPY": 10}


def test_match_lots_rounds_the_sum_of_the_lots() -> None:
    parts = [fill("2", "100"), fill("2", "100"), fill("2", "100")]

    book = match_lots(parts, known(split("3", "1")))

    assert [lot.quantity for lot in book.open] == list(decimals("0.666666666", "0.666666667", "0.666666667"))
    assert book.holdings() == {"SPY": 2}


def test_match_lots_drops_a_lot_of_which_nothing_remains() -> None:
    book = match_lots([fill("0.000000004", "100"), fill("1", "100")], known(split("10", "1")))

    assert [lot.quantity for lot in book.open] == [Decimal("0.1")]


def test_match_lots_splits_a_short_lot_too() -> None:
    (lot,) = match_lots([fill("-10", "100")], known(split("10", "1"))).open

    assert (lot.quantity, lot.price, lot.cost) == decimals("-1", "1000", "-1000")


@pytest.mark.parametrize(
    ("shares", "expected"),
    [("1", "0.333333333"), ("2", "0.666666666"), ("-2", "-0.666666666"), ("0.000000002", "0.000000000")],
)
def test_after_split_rounds_down_to_what_the_broker_counts(shares: str, expected: str) -> None:
    assert after_split(Decimal(shares), split("3", "1")) == Decimal(expected)


RATES = st.sampled_from([("1", "2"), ("1", "10"), ("10", "1"), ("3", "2"), ("7", "3")])
ACTIONS = st.lists(
    st.builds(
        lambda rates, days, symbol: split(*rates, days=days, symbol=symbol),
        RATES,
        st.integers(0, 26),
        st.sampled_from(SYMBOLS),
    ),
    max_size=4,
    unique_by=lambda action: (action.symbol, action.ex_date),
).map(lambda actions: known(*actions))


@given(fills(), ACTIONS)
def test_match_lots_realised_and_unrealised_are_what_was_paid_and_got(
    parts: Sequence[AttributedFill], actions: CorporateActions
) -> None:
    book = match_lots(parts, actions)
    prices = {symbol: Decimal(7) for symbol in SYMBOLS}
    cash_flow = -sum((part.quantity * part.price for part in parts), Decimal(0))
    market_value = sum((held * 7 for held in book.holdings().values()), Decimal(0))

    # A lot that a split leaves below a billionth of a share is dropped with its cost.
    assert abs(book.gain + book.unrealised(prices) - cash_flow - market_value) < Decimal("0.001")


@given(fills(), ACTIONS)
def test_match_lots_shares_are_the_running_total_in_new_shares(
    parts: Sequence[AttributedFill], actions: CorporateActions
) -> None:
    held = match_lots(parts, actions).holdings()

    for symbol in SYMBOLS:
        pending, total = list(actions.splits(symbol)), Decimal(0)
        for part in parts:
            while pending and pending[0].ex_date <= session_date(part.filled_at):
                total = after_split(total, pending.pop(0))
            total += part.quantity if part.symbol == symbol else 0
        for last in pending:
            total = after_split(total, last)
        assert held.get(symbol, Decimal(0)) == total


def test_holdings_are_in_new_shares() -> None:
    entries = [entry("SPY", {"trend": "4", "balance": "6"}), entry("TLT", {"trend": "1"})]

    assert holdings(entries, known(split("1", "3"))) == {
        "trend": {"SPY": 12, "TLT": 1},
        "balance": {"SPY": 18},
    }


def test_attributed_fills_sell_the_fraction_of_a_whole_share() -> None:
    entries = [entry("SPY", {"trend": "12", "balance": "6"}), entry("SPY", {"trend": "1"}, at=OPEN_OF_EX_DATE)]

    parts = attributed_fills(entries, known(split("10", "1", cash="55")))

    assert [(part.quantity, part.price) for part in parts["trend"]] == [
        decimals("12", "10"),
        decimals("-0.533333333", "55"),
        decimals("1", "10"),
    ]
    assert [(part.quantity, part.price) for part in parts["balance"]] == [
        decimals("6", "10"),
        decimals("-0.266666667", "55"),
    ]
    assert parts["balance"][1].filled_at == datetime(2022, 3, 16, tzinfo=UTC)


OPEN_OF_EX_DATE = datetime(2022, 3, 16, 13, 30, tzinfo=UTC)


def test_holdings_after_cash_in_lieu_are_whole_shares() -> None:
    entries = [entry("SPY", {"trend": "12", "balance": "6"}), entry("SPY", {"trend": "1"}, at=OPEN_OF_EX_DATE)]

    owned = holdings(entries, known(split("10", "1", cash="55")))

    assert owned == {"trend": {"SPY": Decimal("1.666666667")}, "balance": {"SPY": Decimal("0.333333333")}}


def test_match_lots_cash_in_lieu_at_the_adjusted_price_is_no_gain() -> None:
    actions = known(split("10", "1", cash="100"))

    book = match_lots(attributed_fills([entry("SPY", {"trend": "15"})], actions)["trend"], actions)

    assert [(gain.quantity, gain.gain) for gain in book.realised] == [decimals("0.5", "0")]
    assert book.holdings() == {"SPY": 1}


@pytest.mark.parametrize(
    ("attribution", "cash"),
    [
        ({"trend": "15"}, "0"),  # the account keeps fractions
        ({"trend": "20"}, "55"),  # no fraction is left
        ({"trend": "7", "balance": "3"}, "55"),  # each owner has a fraction, the account has none
        ({"trend": "-15"}, "55"),
    ],
)
def test_attributed_fills_without_a_fraction_sell_nothing(attribution: dict[str, str], cash: str) -> None:
    parts = attributed_fills([entry("SPY", attribution)], known(split("10", "1", cash=cash)))

    assert {name: len(own) for name, own in parts.items()} == dict.fromkeys(attribution, 1)


def test_attributed_fills_of_a_dividend_sell_nothing() -> None:
    parts = attributed_fills([entry("SPY", {"trend": "15"})], known(split("10", "1", cash="5", kind="dividend")))

    assert len(parts["trend"]) == 1


def test_attributed_fills_sell_the_fraction_of_those_who_own_it() -> None:
    parts = attributed_fills([entry("SPY", {"trend": "16", "balance": "-1"})], known(split("10", "1", cash="55")))

    assert [part.quantity for part in parts["trend"]] == [16, Decimal("-0.5")]
    assert len(parts["balance"]) == 1


def test_attributed_fills_cash_in_lieu_of_two_splits() -> None:
    splits = known(split("2", "1", days=2, cash="40"), split("10", "1", days=1, cash="20"))

    parts = attributed_fills([entry("SPY", {"trend": "35"})], splits)

    # 35 -> 3.5, of which 3 stay; 3 -> 1.5, of which 1 stays.
    assert [(part.quantity, part.price) for part in parts["trend"]] == [
        decimals("35", "10"),
        decimals("-0.5", "20"),
        decimals("-0.5", "40"),
    ]
    assert holdings([entry("SPY", {"trend": "35"})], splits) == {"trend": {"SPY": 1}}
