"""A row of the Performance table: what one owner has after a run. Figures of a day or a period are derived from rows.

Every figure of a row is absolute: a state after the run, or a total since the first run. So a row can be written again,
late or out of order, and no other row becomes wrong.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from the_alchemiser.shared.records import Frozen

ACCOUNT = "ACCOUNT"
"""The strategy name in the rows of the whole account."""

LATEST = "LATEST"
"""The sort key of the row that is overwritten by each later run; all others have a date."""


class AccountTotals(Frozen):
    """What only the account's row has, in USD: totals since the first run, of activities since the account was opened.

    Attributes:
        owners: every other owner with a row of this run: the strategies, then the unattributed shares if there are any.
        strategies: gains of all strategies, realised and unrealised.
        unattributed: value of the shares of no strategy, plus the proceeds of their sales, less what they cost.
        deposits: deposits less withdrawals, cash and securities.
        fees: negative, unless the broker paid more back.
        other: net amounts of further activities, by the broker's name of their type.
        rounding: what the account has more than the owners because the broker rounds to cents: the cash of each order,
            the value of each position.
        opening_equity: equity when the run was planned, if no run had traded before; otherwise None.
    """

    owners: tuple[str, ...]
    strategies: Decimal
    unattributed: Decimal
    deposits: Decimal
    fees: Decimal
    dividends: Decimal
    interest: Decimal
    other: Mapping[str, Decimal]
    rounding: Decimal
    opening_equity: Decimal | None = None


class Performance(Frozen):
    """One owner after one run, in USD; holdings in shares. Rows of earlier releases do not have the last six fields.

    Attributes:
        strategy: name of a strategy, UNATTRIBUTED or ACCOUNT.
        equity: equity of the whole account, also for a strategy; exposure is a fraction of it.
        cash: cash of the account; None for the other owners.
        cost: what was paid for the current holdings; None for unattributed shares, whose cost is unknown.
        realised: gains from closed lots since the first run; None when cost is None.
        unrealised: gains if every holding were sold at the run's prices; None when cost is None.
        unmarked: symbols that the owner holds according to the ledger but not at the broker, valued at the price of
            their last fill.
        proceeds: of all sales, less what all purchases cost, since the first run.
        turnover: value of all purchases and sales since the first run, at their prices.
        slippage: what fills cost more than at the prices of their plans, since the first run; negative when less.
        closed_lots, winning_lots: lots that were closed since the first run, and those of them with a gain; a lot that
            is sold in parts counts once per part.
        account: totals of the account; None for the other owners.
    """

    strategy: str
    trading_date: date
    completed_at: datetime
    run_id: str
    equity: Decimal
    cash: Decimal | None
    market_value: Decimal
    cost: Decimal | None
    realised: Decimal | None
    unrealised: Decimal | None
    holdings: Mapping[str, Decimal]
    unmarked: tuple[str, ...] = ()
    proceeds: Decimal | None = None
    turnover: Decimal | None = None
    slippage: Decimal | None = None
    closed_lots: int | None = None
    winning_lots: int | None = None
    account: AccountTotals | None = None

    @property
    def exposure(self) -> Decimal | None:
        """Return market value as a fraction of the account's equity; None unless the equity is positive."""
        return self.market_value / self.equity if self.equity > 0 else None


_FIGURES = ("equity", "cash", "exposure", "market_value", "cost", "realised", "unrealised")
_LATER_FIGURES = ("proceeds", "turnover", "slippage")
_COUNTS = ("closed_lots", "winning_lots")
_TOTALS = ("strategies", "unattributed", "deposits", "fees", "dividends", "interest", "rounding", "opening_equity")


def partition(strategy: str) -> str:
    """Return the partition key of an owner's rows."""
    return f"STRATEGY#{strategy}"


def row_of(performance: Performance) -> dict[str, Any]:
    """Return the row without its sort key: numbers as text, unknown figures left out. `edition` orders runs."""
    completed_at = performance.completed_at.astimezone(UTC).isoformat(timespec="microseconds")
    row: dict[str, Any] = {
        "pk": partition(performance.strategy),
        "strategy": performance.strategy,
        "trading_date": performance.trading_date.isoformat(),
        "run_id": performance.run_id,
        "completed_at": completed_at,
        "edition": f"{performance.trading_date.isoformat()}#{completed_at}",
        **_texts(performance, (*_FIGURES, *_LATER_FIGURES)),
        "holdings": _amounts(performance.holdings),
        "unmarked": list(performance.unmarked),
    }

    counts = {name: getattr(performance, name) for name in _COUNTS}
    row |= {name: count for name, count in counts.items() if count is not None}
    if performance.account is not None:
        row["account"] = _row_of_totals(performance.account)
    return row


def performance_of(row: Mapping[str, Any]) -> Performance:
    """Return what a row says; one of an earlier release has no totals.

    Raises:
        KeyError, ValueError, ArithmeticError: the row is not one of this table.
    """
    optional: dict[str, Any] = {name: int(row[name]) for name in _COUNTS if name in row}
    for name in ("cash", "cost", "realised", "unrealised", *_LATER_FIGURES):
        optional[name] = _decimal(row.get(name))

    return Performance(
        strategy=row["strategy"],
        trading_date=date.fromisoformat(row["trading_date"]),
        completed_at=datetime.fromisoformat(row["completed_at"]),
        run_id=row["run_id"],
        equity=Decimal(row["equity"]),
        market_value=Decimal(row["market_value"]),
        holdings=_decimals(row["holdings"]),
        unmarked=tuple(row["unmarked"]),
        account=_totals(row["account"]) if "account" in row else None,
        **optional,
    )


def _row_of_totals(totals: AccountTotals) -> dict[str, Any]:
    return {"owners": list(totals.owners), "other": _amounts(totals.other), **_texts(totals, _TOTALS)}


def _totals(row: Mapping[str, Any]) -> AccountTotals:
    figures = {name: Decimal(row[name]) for name in _TOTALS if name in row}
    return AccountTotals(owners=tuple(row["owners"]), other=_decimals(row["other"]), **figures)


def _texts(values: object, names: tuple[str, ...]) -> dict[str, str]:
    figures = {name: getattr(values, name) for name in names}
    return {name: format(value, "f") for name, value in figures.items() if value is not None}


def _amounts(values: Mapping[str, Decimal]) -> dict[str, str]:
    return {name: format(value, "f") for name, value in values.items()}


def _decimals(values: Mapping[str, str]) -> dict[str, Decimal]:
    return {name: Decimal(value) for name, value in values.items()}


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
