"""The account of the last run, carried forward to now, equals the broker to the cent."""

from datetime import date
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as draw

from desk.performance.live_books import Live, LiveBooks, Since, compare_live
from desk.performance.pnl import compare_with_broker
from sandbox.exchange.clock import Phase
from tests.desk.performance.office import NOW, ROWS, Office, activity, fill, position
from tests.the_alchemiser.metrics_v2.little_account import DAYS
from tests.the_alchemiser.metrics_v2.lives import Life, lives
from the_alchemiser.shared.corporate_actions import CorporateAction, CorporateActionKind
from the_alchemiser.shared.performance.rows import ACCOUNT

ROW = ROWS[2]
BEFORE = ROW.completed_at


def books_of(office: Office) -> LiveBooks:
    return compare_with_broker(office.sources(), ROW)


def test_account_without_moves_is_equal() -> None:
    books = books_of(Office())

    assert (books.equity, books.broker_equity) == (Decimal("1259.50"), Decimal("1259.5"))
    assert (books.differences, dict(books.moves)) == ((), {})


def test_moves_since_the_last_run_are_explained() -> None:
    office = Office()
    office.ledger.record(fill("SPY", "-0.5", "311"))
    office.ledger.record(fill("SPY", "7", "300", at=BEFORE))
    office.ledger.record(fill("TLT", "0.3", "100.05"))
    office.activity = [
        activity("CSD", "100"),
        activity("FEE", "-0.07"),
        activity("INT", "0.01"),
        activity("XYZ", "3"),
        activity("CSD", "9", at=BEFORE),
        activity("CSD", "8", at=NOW.replace(hour=22)),
        activity("CSW", "-5").changed(is_canceled=True),
    ]
    office.cash = Decimal("639.5") + Decimal("155.50") - Decimal("30.02") + Decimal("102.94")
    office.held = [position("SPY", "1.5", "320"), position("TLT", "0.3", "101")]
    office.equity = office.cash + 480 + Decimal("30.30")

    books = books_of(office)

    assert books.differences == ()
    assert books.equity == office.equity
    prices = office.equity - Decimal("1259.5") - Decimal("102.94")
    assert dict(books.moves) == {
        "deposits": Decimal(100),
        "fees": Decimal("-0.07"),
        "interest": Decimal("0.01"),
        "XYZ": Decimal(3),
        "prices": prices,
    }
    assert office.asked == [BEFORE]


def test_split_since_the_last_run_is_carried_forward() -> None:
    office = Office()
    split = (date(2022, 3, 16), CorporateActionKind.SPLIT, Decimal(1), Decimal(4))
    office.actions = (CorporateAction("SPY", *split), CorporateAction("TLT", date(2022, 3, 17), *split[1:]))
    office.held = [position("SPY", "8", "77.5")]

    assert books_of(office).differences == ()


def test_cash_that_nothing_explains_is_a_difference() -> None:
    office = Office()
    office.cash += Decimal("0.01")
    office.equity += Decimal("0.01")

    books = books_of(office)

    assert books.differences == ("cash: the broker has $639.51, the books say $639.50 (+$0.01)",)
    assert books.broker_equity - books.equity == Decimal("0.01")


def test_shares_that_nothing_explains_are_differences() -> None:
    office = Office()
    office.held = [position("SPY", "3", "310"), position("KO", "1", "60")]
    office.equity = Decimal("639.5") + 930 + 60

    books = books_of(office)

    assert books.differences == (
        "KO: the broker shows 1 share, the books say 0",
        "SPY: the broker shows 3 shares, the books say 2",
    )
    assert books.equity == Decimal("1259.50")


def test_shares_that_are_gone_are_a_difference() -> None:
    office = Office()
    office.held, office.equity = [], Decimal("639.5")

    assert books_of(office).differences == ("SPY: the broker shows 0 shares, the books say 2",)


def test_holding_without_a_price_is_left_out_as_in_the_row() -> None:
    office = Office()
    office.held.append(position("628ESC012", "5", None))

    assert books_of(office).differences == ()


def test_broker_whose_own_parts_do_not_add_up_is_a_difference() -> None:
    office = Office()
    office.equity += 1

    (difference,) = books_of(office).differences
    assert difference == "equity: the broker says $1,260.50, but its cash and positions are $1,259.50"


def test_prices_that_move_while_they_are_read_are_no_difference() -> None:
    office = Office()
    office.moves = [Decimal(1259), Decimal(1260), Decimal(1261)]
    still = books_of(office)
    office.moves = [Decimal(1250) + number for number in range(20)]

    moving = books_of(office)

    assert (still.live.is_moving, still.broker_equity) == (False, Decimal("1259.5"))
    assert (moving.live.is_moving, moving.differences) == (True, ())


@settings(max_examples=40, deadline=None)
@given(life=lives(), later=draw.integers(0, 3), number=draw.integers(0, 20))
def test_books_of_any_run_carried_to_any_later_evening_equal_the_broker(life: Life, later: int, number: int) -> None:
    account = life.account
    rows = [row for row in life.rows if row.strategy == ACCOUNT]
    row = rows[number % len(rows)]
    now = account.broker.clock().timestamp.date()
    days = [day for day in DAYS if day > now][:later]
    account.book("CSD", "12.34")
    if days:
        account.go_to(days[-1], Phase.EVENING_BEFORE)
        account.book("FEE", "-0.05")

    fills = [entry for entry in account.ledger.entries.values() if entry.filled_at > row.completed_at]
    since = Since(fills, account.broker.activities(after=row.completed_at), account.actions)
    at = account.broker.clock().timestamp
    books = compare_live(row, since, Live(at, account.broker.account(), account.broker.positions()))

    assert books.differences == ()
    assert books.equity == books.broker_equity


def test_value_of_shares_is_taken_as_the_broker_rounds_it() -> None:
    office = Office()
    office.held = [position("SPY", "2", "310").changed(market_value=Decimal("620.01"))]
    office.equity += Decimal("0.01")

    books = books_of(office)

    assert (books.differences, books.equity) == ((), Decimal("1259.51"))
