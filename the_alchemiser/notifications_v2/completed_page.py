"""The mail about a completed run. Pure."""

from collections.abc import Mapping
from decimal import Decimal

from the_alchemiser.notifications_v2.background import Background
from the_alchemiser.notifications_v2.data_notes import data_blocks, unread_blocks
from the_alchemiser.notifications_v2.decision_section import fragile_blocks, nothing_traded
from the_alchemiser.notifications_v2.explanations import UNSETTLED, explain_omission, explain_trade_reason
from the_alchemiser.notifications_v2.facts import (
    FROM_ACTUAL,
    Missed,
    by_symbol,
    cash_line,
    holdings,
    invested,
    missed_trades,
    notional,
    stamp,
    summary,
    title,
)
from the_alchemiser.notifications_v2.performance_section import Result, performance_blocks, pnl_of, result_of
from the_alchemiser.shared.formats import change, money, percent, plural, price, shares, signed_percent, words
from the_alchemiser.shared.mail_format.blocks import (
    IN_TEXT,
    Block,
    Figures,
    Heading,
    Lines,
    Page,
    Paragraph,
    Table,
    Tone,
)
from the_alchemiser.shared.messaging.messages import RunCompleted

ACTUAL = (
    "Actual is a position's value as a share of equity after the run. Equity includes cash, so it is usually a little "
    "below target."
)

FIRST_FIGURES = "These are the first figures of the account, so its P&L counts from this run on."


def completed_page(run: RunCompleted, background: Background, *, stage: str) -> Page:
    """Return the mail about a completed run."""
    show = f"`inv run.show {run.run_id} --env {stage}`"
    result = result_of(run, background.history)
    missed = missed_trades(run)

    blocks: tuple[Block, ...] = (
        Paragraph(" ".join(summary(run))),
        _figures(run, result),
        Paragraph(_equity(run), is_remark=True),
        *nothing_traded(run, background, show=show),
        *((_missed(missed, show),) if missed else ()),
        *_omitted(run, show),
        *(performance_blocks(result, stage=stage) if result else _nothing_to_compare_with(background)),
        *(_trades(run, show) if run.outcomes else ()),
        *_positions(run, show),
        *fragile_blocks(background, show=show),
        *data_blocks(run, background, stage=stage),
        *unread_blocks(background),
        *_more(run, stage),
    )
    return Page(
        title=title(run),
        sender=f"The Alchemiser, {stage}, run {run.run_id}",
        tone=Tone.WARNING if run.degraded else Tone.GOOD,
        preview=_preview(run, result),
        blocks=blocks,
        footer=(ACTUAL, f"Message {stamp(run)}."),
    )


def day_line(run: RunCompleted, background: Background) -> str:
    """Return the P&L of the day as a phrase; empty when it is not known."""
    result = result_of(run, background.history)
    return f"day {pnl_of(result.day)}" if result else ""


def _preview(run: RunCompleted, result: Result | None) -> str:
    day = f"Day {pnl_of(result.day)}; " if result else ""
    trades = plural(len(run.outcomes), "trade")
    return f"{day}equity {money(run.equity_before)} before, {money(run.equity_after)} after; {trades}."


def _figures(run: RunCompleted, result: Result | None) -> Figures:
    equity, cash = ("Equity after", money(run.equity_after)), ("Cash after", money(run.cash_after))
    if result is None:
        return Figures((("Equity before", money(run.equity_before)), equity, cash))
    ever = result.all_days.time_weighted_return
    start = ("Return since start", signed_percent(ever)) if ever is not None else cash
    return Figures((equity, ("P&L of the day", pnl_of(result.day)), start))


def _equity(run: RunCompleted) -> str:
    return (
        f"Equity was {money(run.equity_before)} before the run and changed by "
        f"{change(run.equity_before, run.equity_after)} during it, through trading costs and price moves. "
        f"{money(invested(run))} is invested, and {money(run.cash_after)} is cash."
    )


def _nothing_to_compare_with(background: Background) -> tuple[Block, ...]:
    if background.history is None:
        return ()
    return (Paragraph(FIRST_FIGURES, is_remark=True),)


def _missed(missed: tuple[Missed, ...], show: str) -> Lines:
    lines = (
        f"{outcome.side} {outcome.symbol}: {shares(outcome.filled_quantity)} of {shares(outcome.quantity)} shares "
        f"filled; {explain_trade_reason(reason)} ({reason}).{UNSETTLED if outcome.unsettled else ''}"
        for outcome, reason in missed
    )
    return Lines(
        tuple(lines),
        "trade",
        show,
        title="Not completely filled",
        closing=f"The unfilled shares are not tried again today. {FROM_ACTUAL}",
    )


def _omitted(run: RunCompleted, show: str) -> tuple[Block, ...]:
    """Return a note for the holdings, and one for the targets, that the run left out; none for none."""
    notes: list[Block] = []
    if run.quarantined:
        closing = (
            "The run neither counts nor sells them, and invests the rest of the account. They stay until you sell them "
            "yourself."
        )
        notes.append(_omission("Holdings that the run left alone", run.quarantined, "holding", show, closing))
    if run.untradable:
        closing = "Their share of the account stays in cash today."
        notes.append(_omission("Targets that cannot be traded", run.untradable, "target", show, closing))
    return tuple(notes)


def _omission(head: str, reasons: Mapping[str, str], noun: str, show: str, closing: str) -> Lines:
    lines = (f"{symbol}: {explain_omission(reason)} ({reason})." for symbol, reason in by_symbol(reasons))
    return Lines(tuple(lines), noun, show, title=head, closing=closing)


def _trades(run: RunCompleted, show: str) -> tuple[Block, ...]:
    rows = (
        (
            f"{outcome.side} {outcome.symbol}",
            shares(outcome.filled_quantity),
            price_or_none(outcome.avg_price),
            money(notional(outcome)),
            "filled" if outcome.reason is None else words(outcome.reason),
        )
        for outcome in run.outcomes
    )
    columns = ("Trade", "Shares", "Fill price", "Notional", "Result")
    return (Heading("Trades"), Table(columns, tuple(rows), "trade", show))


def _positions(run: RunCompleted, show: str) -> tuple[Block, ...]:
    rows = tuple(
        (line.symbol, percent(line.target), percent(line.actual), shares(line.quantity), money(line.value))
        for line in holdings(run)
    )
    heading, cash = Heading("Target and actual positions"), cash_line(run)
    table = Table(("Symbol", "Target", "Actual", "Shares", "Value"), rows, "position", show)
    nothing = Paragraph("The account holds nothing, and nothing is a target.")
    return (heading, table if rows else nothing, *((Paragraph(cash),) if cash else ()))


def _more(run: RunCompleted, stage: str) -> tuple[Block, ...]:
    commands = (
        f"`inv run.show {run.run_id} --env {stage}` shows everything about this run.",
        f"`inv pnl --env {stage}` shows P&L by strategy and day.",
        f"`inv data.quality --env {stage}` shows what was found in the market data.",
    )
    return (Heading("To see more"), Lines(commands, "command", IN_TEXT))


def price_or_none(usd: Decimal | None) -> str:
    """Return a fill price; `none` when nothing was filled."""
    return "none" if usd is None else price(usd)
