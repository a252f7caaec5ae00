"""What a run that failed, or was not started, means for positions and P&L, as far as the stores know. Pure."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from the_alchemiser.notifications_v2.background import Background
from the_alchemiser.shared.formats import long_date, money, plural, price, shares, words
from the_alchemiser.shared.mail_format.blocks import Block, Heading, Paragraph, Table
from the_alchemiser.shared.messaging.messages import TradeExecuted, TradeFailed
from the_alchemiser.shared.performance.rows import Performance

_ZERO = Decimal(0)


def position_blocks(background: Background, *, day: date, is_unchanged: bool, show: str) -> tuple[Block, ...]:
    """Return the section about positions and P&L; empty when nothing is known about them.

    Args:
        is_unchanged: whether it is certain that no order was sent.
        show: the command that shows everything about the run.
    """
    trades = background.trades
    lines = tuple(_sentences(background, day, is_unchanged=is_unchanged and not trades))
    section: list[Block] = [Heading("Positions and P&L"), Paragraph(" ".join(lines))] if lines else []
    if trades:
        section += [Heading("Trades so far"), _trades(trades, show)]
    return tuple(section)


def _sentences(background: Background, day: date, *, is_unchanged: bool) -> Iterator[str]:
    latest = background.latest
    if latest is None or latest.trading_date > day:
        return
    when = f"after the run of {long_date(latest.trading_date)}"
    held = _held(latest)
    if is_unchanged:
        yield f"Positions are unchanged: {when}, the account held {held}."
    else:
        yield f"Positions may have changed: {when}, the account held {held}."
    yield "The P&L of today counts toward the day of the next run that completes."


def _held(latest: Performance) -> str:
    count = sum(quantity != 0 for quantity in latest.holdings.values())
    cash = "" if latest.cash is None else f", and {money(latest.cash)} in cash"
    if not count:
        return f"no positions{cash}; its equity was {money(latest.equity)}"
    return (
        f"{plural(count, 'position')} worth {money(latest.market_value)}{cash}; its equity was {money(latest.equity)}"
    )


def _trades(trades: tuple[TradeExecuted | TradeFailed, ...], show: str) -> Table:
    rows = tuple(
        (
            f"{trade.side} {trade.symbol}",
            f"{shares(trade.filled_quantity)} of {shares(trade.quantity)}",
            _average(trade),
            money(_notional(trade)),
            words(trade.reason) if isinstance(trade, TradeFailed) else "filled",
        )
        for trade in trades
    )
    return Table(("Trade", "Shares filled", "Fill price", "Notional", "Result"), rows, "trade", show)


def _notional(trade: TradeExecuted | TradeFailed) -> Decimal:
    return sum((fill.quantity * fill.price for fill in trade.fills), _ZERO)


def _average(trade: TradeExecuted | TradeFailed) -> str:
    return price(_notional(trade) / trade.filled_quantity) if trade.filled_quantity else "none"
