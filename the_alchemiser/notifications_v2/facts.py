"""What both parts of a mail show, the HTML and the plain text. Pure."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal, NamedTuple

from the_alchemiser.notifications_v2.subject import News
from the_alchemiser.shared.formats import long_date, money, percent, plural
from the_alchemiser.shared.messaging.messages import (
    BooksDiffer,
    DataQualityChecked,
    Difference,
    RunCompleted,
    RunFailed,
    RunRefused,
    RunSettled,
    SettledOrder,
    TradeOutcome,
)
from the_alchemiser.shared.records import Frozen

# The last step of a person whose account differs from the books.
OTHERWISE = "Otherwise correct it at the broker. The next start looks again, and trades when broker and books agree."
FROM_ACTUAL = "The next run starts from the actual positions."
_ZERO = Decimal(0)


class Holding(Frozen):
    """The target and the actual position of one symbol.

    Attributes:
        target, actual: fractions of the account's equity.
        quantity: shares held.
        value: USD.
    """

    symbol: str
    target: Decimal
    quantity: Decimal
    value: Decimal
    actual: Decimal


class Missed(NamedTuple):
    """A trade that was not completely filled, and the code of its reason."""

    outcome: TradeOutcome
    reason: str


def holdings(run: RunCompleted) -> tuple[Holding, ...]:
    """Return a line for every symbol that has a target weight or is held, the largest first."""
    marks = {mark.symbol: mark for mark in run.positions}
    lines = []
    for symbol in {*run.weights, *marks}:
        mark = marks.get(symbol)
        quantity, value = (mark.quantity, mark.quantity * mark.price) if mark else (_ZERO, _ZERO)
        actual = value / run.equity_after if run.equity_after else _ZERO
        lines.append(Holding(symbol, run.weights.get(symbol, _ZERO), quantity, value, actual))

    return tuple(sorted(lines, key=lambda line: (-max(line.target, line.actual), line.symbol)))


def cash_line(run: RunCompleted) -> str:
    """Return the target of cash and what the account has of it; empty if nothing is to stay in cash."""
    if not run.cash:
        return ""
    actual = run.cash_after / run.equity_after if run.equity_after else _ZERO
    return f"In cash: target {percent(run.cash)}, actual {percent(actual)}, {money(run.cash_after)}."


def missed_trades(run: RunCompleted) -> tuple[Missed, ...]:
    """Return the trades that were not completely filled."""
    return tuple(Missed(outcome, outcome.reason) for outcome in run.outcomes if outcome.reason is not None)


def notional(outcome: TradeOutcome | SettledOrder) -> Decimal:
    """Return the value of the fills in USD; zero when nothing was filled."""
    return outcome.filled_quantity * (outcome.avg_price or _ZERO)


def invested(run: RunCompleted) -> Decimal:
    """Return the value of the positions in USD."""
    return sum((mark.quantity * mark.price for mark in run.positions), _ZERO)


def by_symbol(reasons: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return symbols and reasons in the order of the symbols, whatever their case."""
    return sorted(reasons.items(), key=lambda item: item[0].lower())


def of_kind(check: BooksDiffer, kind: Literal["holding", "order", "fill"]) -> tuple[Difference, ...]:
    return tuple(difference for difference in check.differences if difference.kind == kind)


def title(message: News) -> str:
    """Return the first line of a mail."""
    match message:
        case RunCompleted():
            missed = ", some trades not completely filled" if missed_trades(message) else ""
            return f"{long_date(message.trading_date)}: run completed{missed}"
        case RunFailed():
            return f"{long_date(message.trading_date)}: run failed"
        case RunRefused():
            return f"{long_date(message.trading_date)}: no run was started"
        case RunSettled():
            return f"{long_date(message.trading_date)}: orders settled after the run"
        case BooksDiffer():
            return f"{long_date(message.trading_date)}: the books differ from the account"
        case DataQualityChecked():
            return "Market data failed the quality check"


def summary(message: RunCompleted | RunSettled | BooksDiffer) -> tuple[str, str]:
    """Return what happened, as the two lines of a paragraph."""
    match message:
        case RunCompleted():
            return f"The strategies used closing prices through {long_date(message.as_of)}.", _trades(message)
        case RunSettled():
            orders, they = plural(len(message.orders), "order"), "it" if len(message.orders) == 1 else "they"
            unknown = f"The mail about the run could not yet say what became of {orders}"
            final = "Now every order of the run is final, and the ledger has all fills."
            return (
                f"{unknown}: {they} still rested at the broker, or the broker did not answer.",
                f"{final} Nothing was ordered in their place.",
            )
        case BooksDiffer():
            return (
                f"After the close, account {message.account} held something other than the books say.",
                "No run starts until a person accepts that, or the account agrees again. Nothing was ordered.",
            )


def checked(verdict: DataQualityChecked) -> str:
    """Return what was checked, as two sentences."""
    symbols, bad = plural(verdict.checked, "symbol"), plural(len(verdict.quarantined), "symbol")
    are = "is" if len(verdict.quarantined) == 1 else "are"
    return f"{symbols} {_was(verdict.checked)} checked through {long_date(verdict.as_of)}. {bad} {are} quarantined."


def stamp(message: News) -> str:
    """Return the id and the time of a message."""
    return f"{message.message_id}, {message.occurred_at:%Y-%m-%d %H:%M:%S} UTC"


def _trades(run: RunCompleted) -> str:
    if not run.outcomes and run.cash == 1:
        return "No trades were needed: the strategies keep everything in cash, and nothing was left to sell."
    if not run.outcomes:
        return "No trades were needed: every position was already close enough to its target."
    count, missed = len(run.outcomes), len(missed_trades(run))
    total = sum((notional(outcome) for outcome in run.outcomes), _ZERO)
    fills = f"{plural(missed, 'trade')} {_was(missed)} not completely" if missed else "Every trade was completely"
    return f"{plural(count, 'trade')} {_was(count)} planned, and {money(total)} was traded. {fills} filled."


def _was(count: int) -> str:
    return "was" if count == 1 else "were"
