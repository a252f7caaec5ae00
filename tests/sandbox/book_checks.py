"""Checks of the books after a day, for the tests of days."""

from datetime import UTC, datetime
from decimal import Decimal

from tests.the_alchemiser.run_builders import DAY
from the_alchemiser.shared.books.checks import BooksCheck, CheckState
from the_alchemiser.shared.messaging.messages import Difference

DIFFER_SUBJECT = "[local] 2022-03-16: the books DIFFER from the account, 1 difference"
AFTER_CLOSE = datetime(2022, 3, 16, 20, 5, tzinfo=UTC)
BY_HAND = Difference(symbol="SPY", broker=Decimal(991), books=Decimal(990), cause="ordered by hand: BUY 1")
NOBODY_KNOWS = Difference(symbol="XYZ", broker=Decimal(1), books=Decimal(0))


def books(*differences: Difference) -> BooksCheck:
    """Return the check of the books after the close."""
    return BooksCheck(
        trading_date=DAY,
        state=CheckState.DIFFERS if differences else CheckState.AGREED,
        checked_at=AFTER_CLOSE,
        holdings={"SPY": Decimal(990)},
        held_at=AFTER_CLOSE,
        account="PA1",
        differences=differences,
    )
