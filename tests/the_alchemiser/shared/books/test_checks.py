"""What the books say, how the account differs from it, and what may explain that."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from tests.the_alchemiser import run_builders as make
from the_alchemiser.shared.books.checks import (
    BooksCheck,
    CheckState,
    Expected,
    awaited_splits,
    books_differ,
    compare,
    describe,
    expected_holdings,
    is_ours,
)
from the_alchemiser.shared.broker.models import Order, OrderStatus
from the_alchemiser.shared.corporate_actions import CorporateAction, CorporateActionKind, CorporateActions
from the_alchemiser.shared.ledger.ledger import LedgerEntry
from the_alchemiser.shared.messaging.messages import Difference
from the_alchemiser.shared.values import Session, Side

MONDAY, TUESDAY, WEDNESDAY = date(2022, 3, 14), date(2022, 3, 15), date(2022, 3, 16)
EVENING = datetime(2022, 3, 14, 20, 30, tzinfo=UTC)
RUN_ID = "local-2022-03-15"
OURS = f"{RUN_ID}-BUY-SPY-1"
ZERO = Decimal(0)


def base(**changes: Any) -> BooksCheck:
    """Return Monday evening's check of an account with 10 SPY and 3 TLT."""
    check = BooksCheck(
        trading_date=MONDAY,
        state=CheckState.AGREED,
        checked_at=EVENING,
        holdings={"SPY": Decimal(10), "TLT": Decimal(3)},
        held_at=EVENING,
        account="PA1",
        runs=("local-2022-03-14",),
    )
    return check.changed(**changes)


def fill(symbol: str, side: Side, quantity: str, *, day: date = TUESDAY, number: str = "1") -> LedgerEntry:
    return LedgerEntry(
        symbol=symbol,
        filled_at=datetime(day.year, day.month, day.day, 19, 50, tzinfo=UTC),
        order_id=f"id-{symbol}-{number}",
        fill="1",
        client_order_id=f"{RUN_ID}-{side}-{symbol}-{number}",
        trade_id="a-trade",
        run_id=RUN_ID,
        side=side,
        quantity=Decimal(quantity),
        price=Decimal(100),
        cash=ZERO,
        attribution={},
    )


def split(symbol: str, day: date, old: str, new: str) -> CorporateAction:
    return CorporateAction(symbol, day, CorporateActionKind.SPLIT, Decimal(old), Decimal(new))


def expected(*fills: LedgerEntry, splits: tuple[CorporateAction, ...] = (), check: BooksCheck | None = None) -> Any:
    return expected_holdings(check or base(), fills, CorporateActions(splits), through=TUESDAY)


def order(client_order_id: str = OURS, symbol: str = "SPY", **changes: Any) -> Order:
    """Return an order to buy 5 shares, of which 2 have filled."""
    resting = Order(
        id=f"id-{client_order_id}",
        client_order_id=client_order_id,
        symbol=symbol,
        side=Side.BUY,
        type="limit",
        status=OrderStatus.PARTIALLY_FILLED,
        quantity=Decimal(5),
        filled_quantity=Decimal(2),
        filled_avg_price=Decimal(100),
        limit_price=Decimal(100),
        submitted_at=EVENING,
        filled_at=None,
        canceled_at=None,
    )
    return resting.changed(**changes)


def exactly(shares: str) -> Expected:
    return Expected(Decimal(shares), Decimal(shares))


# --- the base ---


@pytest.mark.parametrize(
    ("run_id", "day", "is_included"),
    [
        ("local-2022-03-11", date(2022, 3, 11), True),
        ("local-2022-03-14", MONDAY, True),
        ("local-2022-03-14-r1", MONDAY, False),
        ("local-2022-03-15", TUESDAY, False),
    ],
)
def test_check_includes_the_runs_of_earlier_days_and_its_own(run_id: str, day: date, *, is_included: bool) -> None:
    run = replace(make.loaded(make.evaluating(run_id), run_id), trading_date=day)

    assert base().includes(run) is is_included


def test_check_is_of_the_date_in_new_york() -> None:
    late = datetime(2022, 3, 15, 3, 0, tzinfo=UTC)
    assert base(held_at=late).held_on == MONDAY
    assert base(held_at=late + timedelta(hours=1)).held_on == TUESDAY


@pytest.mark.parametrize("state", CheckState)
def test_check_differs_in_one_state_only(state: CheckState) -> None:
    assert base(state=state).differs is (state is CheckState.DIFFERS)


# --- what the account must hold ---


def test_expected_without_fills_is_the_base() -> None:
    assert expected() == {"SPY": exactly("10"), "TLT": exactly("3")}


def test_expected_adds_buys_and_subtracts_sells_also_of_new_symbols() -> None:
    fills = (fill("SPY", Side.SELL, "4.5"), fill("SPY", Side.BUY, "1", number="2"), fill("BIL", Side.BUY, "7"))

    assert expected(*fills) == {"SPY": exactly("6.5"), "TLT": exactly("3"), "BIL": exactly("7")}


def test_expected_after_a_split_allows_a_little_rounding() -> None:
    assert expected(splits=(split("SPY", TUESDAY, "3", "1"),))["SPY"] == Expected(
        Decimal("3.333333333"), Decimal(3), Decimal("0.00000001")
    )


@pytest.mark.parametrize("day", [MONDAY, WEDNESDAY])
def test_expected_ignores_splits_of_the_base_and_of_later_days(day: date) -> None:
    assert expected(splits=(split("SPY", day, "1", "2"),))["SPY"] == exactly("10")


def test_expected_splits_what_was_held_before_the_fills_of_the_ex_date() -> None:
    splits = (split("SPY", TUESDAY, "1", "2"),)

    assert expected(fill("SPY", Side.BUY, "3"), splits=splits)["SPY"].kept == 23


def test_expected_splits_the_fills_of_earlier_days() -> None:
    friday = datetime(2022, 3, 11, 21, 0, tzinfo=UTC)
    check = base(held_at=friday, runs=())
    splits = (split("SPY", TUESDAY, "1", "2"),)

    assert expected(fill("SPY", Side.BUY, "3", day=MONDAY), splits=splits, check=check)["SPY"].kept == 26


def test_expected_takes_fills_in_the_order_of_their_times() -> None:
    check = base(held_at=datetime(2022, 3, 11, 21, 0, tzinfo=UTC))
    fills = (fill("SPY", Side.BUY, "1", number="2"), fill("SPY", Side.BUY, "3", day=MONDAY))

    assert expected(*fills, splits=(split("SPY", TUESDAY, "1", "2"),), check=check)["SPY"].kept == 27


def test_expected_counts_cash_for_the_fraction_that_each_split_leaves() -> None:
    check = base(holdings={"SPY": Decimal(7)}, held_at=datetime(2022, 3, 11, 21, 0, tzinfo=UTC))
    splits = (split("SPY", MONDAY, "2", "1"), split("SPY", TUESDAY, "1", "3"))

    assert expected(splits=splits, check=check)["SPY"] == Expected(Decimal("10.5"), Decimal(9), Decimal("0.00000001"))


@pytest.mark.parametrize(
    ("shares", "is_met"),
    [
        ("3.333333333", True),
        ("3", True),
        ("3.333333343", True),
        ("3.333333344", False),
        ("2.99999998", False),
        ("4", False),
    ],
)
def test_expected_is_met_by_the_fraction_or_by_cash_for_it(shares: str, *, is_met: bool) -> None:
    after = Expected(Decimal("3.333333333"), Decimal(3), Decimal("0.00000001"))

    assert after.is_met_by(Decimal(shares)) is is_met


def test_expected_without_a_split_is_met_exactly_only() -> None:
    assert exactly("10").is_met_by(Decimal("10.000"))
    assert not exactly("10").is_met_by(Decimal("10.000000001"))


# --- differences ---


def test_compare_of_equal_holdings_finds_nothing() -> None:
    held = {"SPY": Decimal(10), "TLT": Decimal(3)}

    assert compare(expected(), held, (), stage="local") == ()


def test_compare_names_more_fewer_missing_and_unknown_holdings_by_symbol() -> None:
    held = {"TLT": Decimal(4), "BTCUSD": Decimal("0.25")}

    assert compare(expected(), held, (), stage="local") == (
        Difference(symbol="BTCUSD", broker=Decimal("0.25"), books=ZERO),
        Difference(symbol="SPY", broker=ZERO, books=Decimal(10)),
        Difference(symbol="TLT", broker=Decimal(4), books=Decimal(3)),
    )


def test_compare_of_a_position_that_was_sold_completely_finds_nothing() -> None:
    after = expected(fill("TLT", Side.SELL, "3"))

    assert compare(after, {"SPY": Decimal(10)}, (), stage="local") == ()


@pytest.mark.parametrize(("side", "shares"), [(Side.BUY, "3"), (Side.SELL, "-3")])
def test_compare_names_our_open_orders_with_what_they_may_still_fill(side: Side, shares: str) -> None:
    held = {"SPY": Decimal(10), "TLT": Decimal(3)}

    [difference] = compare(expected(), held, (order(side=side),), stage="local")

    assert difference == Difference(kind="order", symbol="SPY", broker=Decimal(shares), books=ZERO, order=OURS)


def test_compare_names_holdings_before_orders_and_orders_by_symbol() -> None:
    orders = (order(f"{RUN_ID}-BUY-TLT-2", "TLT"), order(f"{RUN_ID}-BUY-TLT-1", "TLT"), order(OURS))

    differences = compare(expected(), {"SPY": Decimal(10)}, orders, stage="local")

    assert [(row.kind, row.order or row.symbol) for row in differences] == [
        ("holding", "TLT"),
        ("order", OURS),
        ("order", f"{RUN_ID}-BUY-TLT-1"),
        ("order", f"{RUN_ID}-BUY-TLT-2"),
    ]


@pytest.mark.parametrize(
    "resting",
    [order("by-hand"), order(status=OrderStatus.CANCELED), order("dev-2022-03-15-BUY-SPY-1")],
    ids=["of the owner", "done", "of another stage"],
)
def test_compare_ignores_orders_that_are_done_or_not_ours(resting: Order) -> None:
    held = {"SPY": Decimal(10), "TLT": Decimal(3)}

    assert compare(expected(), held, (resting,), stage="local") == ()


def test_compare_of_an_order_by_notional_counts_no_shares() -> None:
    held = {"SPY": Decimal(10), "TLT": Decimal(3)}

    [difference] = compare(expected(), held, (order(quantity=None, filled_quantity=ZERO),), stage="local")

    assert difference.broker == 0


@pytest.mark.parametrize(
    ("client_order_id", "is_own"),
    [
        ("local-2022-03-15-BUY-SPY-1", True),
        ("local-2022-03-15-r12-SELL-BRK.B-14", True),
        ("local-2022-03-15-BUY-SPY", False),
        ("local-2022-03-15-HOLD-SPY-1", False),
        ("local-2022-3-15-BUY-SPY-1", False),
        ("localx-2022-03-15-BUY-SPY-1", False),
        ("x-local-2022-03-15-BUY-SPY-1", False),
        ("local", False),
        ("", False),
    ],
)
def test_is_ours_knows_the_ids_of_our_trades(client_order_id: str, *, is_own: bool) -> None:
    assert is_ours(order(client_order_id), stage="local") is is_own


# --- splits of today ---

SPLITS = CorporateActions(
    (split("SPY", TUESDAY, "1", "2"), split("TLT", WEDNESDAY, "1", "2"), split("BIL", TUESDAY, "1", "2"))
)
OPEN = datetime(2022, 3, 15, 13, 30, tzinfo=UTC)
SESSION = Session(TUESDAY, OPEN, OPEN + timedelta(hours=6))


def test_awaited_splits_before_the_open_are_those_of_today_in_what_is_held() -> None:
    assert awaited_splits(SPLITS, ("TLT", "SPY"), SESSION, OPEN - timedelta(seconds=1)) == ("SPY",)
    assert awaited_splits(SPLITS, ("SPY", "BIL"), SESSION, OPEN - timedelta(hours=5)) == ("BIL", "SPY")


@pytest.mark.parametrize(("session", "now"), [(SESSION, OPEN), (None, OPEN - timedelta(hours=1))])
def test_awaited_splits_from_the_open_on_or_without_a_session_are_none(session: Session | None, now: datetime) -> None:
    assert awaited_splits(SPLITS, ("SPY",), session, now) == ()


# --- for people ---

HOLDING = Difference(symbol="SPY", broker=Decimal(12), books=Decimal(10))


@pytest.mark.parametrize(
    ("difference", "text"),
    [
        (HOLDING, "SPY: the broker shows 12 shares, the books say 10"),
        (
            Difference(symbol="SPY", broker=Decimal(-1), books=Decimal("0.5")),
            "SPY: the broker shows \N{MINUS SIGN}1 share, the books say 0.5",
        ),
        (
            Difference(kind="order", symbol="SPY", broker=Decimal(3), books=ZERO, order="an-order"),
            "SPY: the order an-order for 3 shares is open",
        ),
        (
            Difference(kind="fill", symbol="SPY", broker=Decimal(-2), books=ZERO, order="an-order"),
            "SPY: the order an-order filled \N{MINUS SIGN}2 shares that the ledger lacks",
        ),
    ],
)
def test_describe_says_what_differs(difference: Difference, text: str) -> None:
    assert describe(difference) == text


def test_books_differ_has_one_id_per_day() -> None:
    message = books_differ(base(state=CheckState.DIFFERS, differences=(HOLDING,)), stage="prod")

    assert message.message_id == "prod-2022-03-14/BooksDiffer/books"
    assert (message.run_id, message.occurred_at, message.caused_by) == ("prod-2022-03-14", EVENING, None)
    assert (message.trading_date, message.account, message.differences) == (MONDAY, "PA1", (HOLDING,))
