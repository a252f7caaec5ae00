"""Builders of rows of the Performance table."""

from datetime import UTC, date, datetime, time
from decimal import Decimal

from the_alchemiser.shared.ledger.ledger import UNATTRIBUTED
from the_alchemiser.shared.performance.rows import ACCOUNT, AccountTotals, Performance

MONDAY, TUESDAY, THURSDAY = date(2022, 3, 14), date(2022, 3, 15), date(2022, 3, 17)
ZERO = Decimal(0)


def totals(**amounts: str) -> AccountTotals:
    """Return the totals of an account with two strategies; amounts that are not given are zero."""
    known: dict[str, Decimal] = dict.fromkeys(
        ("strategies", "unattributed", "deposits", "fees", "dividends", "interest", "rounding"), ZERO
    )
    other = {name: Decimal(amount) for name, amount in amounts.items() if name.isupper()}
    known |= {name: Decimal(amount) for name, amount in amounts.items() if not name.isupper()}
    return AccountTotals(owners=("bold", "calm"), other=other, **known)


def account_row(day: date, equity: str, **amounts: str) -> Performance:
    """Return a row of the account: equity in USD, and its totals."""
    return _row(ACCOUNT, day, equity).changed(cash=Decimal(equity), account=totals(**amounts))


def owner_row(owner: str, day: date, equity: str, **figures: str) -> Performance:
    """Return a row of a strategy, or of unattributed shares, whose cost is not known."""
    row = _row(owner, day, equity)
    counts = {name: int(text) for name, text in figures.items() if name.endswith("_lots")}
    amounts = {name: Decimal(text) for name, text in figures.items() if not name.endswith("_lots")}
    row = row.changed(**counts, **amounts)
    return row.changed(cost=None, realised=None, unrealised=None) if owner == UNATTRIBUTED else row


def _row(owner: str, day: date, equity: str) -> Performance:
    return Performance(
        strategy=owner,
        trading_date=day,
        completed_at=datetime.combine(day, time(19, 50), UTC),
        run_id=f"local-{day}",
        equity=Decimal(equity),
        cash=None,
        market_value=ZERO,
        cost=ZERO,
        realised=ZERO,
        unrealised=ZERO,
        holdings={},
        proceeds=ZERO,
        turnover=ZERO,
        slippage=ZERO,
        closed_lots=0,
        winning_lots=0,
    )
