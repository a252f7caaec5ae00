"""The content of each mail, by its message. Pure."""

from collections.abc import Iterator, Sequence

from the_alchemiser.notifications_v2.background import Background
from the_alchemiser.notifications_v2.completed_page import completed_page, price_or_none
from the_alchemiser.notifications_v2.explanations import QUALITY, REFRESH, RESTART, fill_in
from the_alchemiser.notifications_v2.facts import (
    FROM_ACTUAL,
    OTHERWISE,
    by_symbol,
    checked,
    notional,
    of_kind,
    stamp,
    summary,
    title,
)
from the_alchemiser.notifications_v2.failed_page import NEXT, failed_page, refused_page
from the_alchemiser.notifications_v2.subject import News
from the_alchemiser.shared.formats import money, plural, shares, words
from the_alchemiser.shared.mail_format.blocks import IN_TEXT, Block, Heading, Lines, Page, Paragraph, Steps, Table, Tone
from the_alchemiser.shared.messaging.messages import (
    BooksDiffer,
    DataQualityChecked,
    Difference,
    RunCompleted,
    RunFailed,
    RunRefused,
    RunSettled,
)


def page_of(message: News, background: Background, *, stage: str) -> Page:
    """Return the content of the mail about a message."""
    match message:
        case RunCompleted():
            return completed_page(message, background, stage=stage)
        case RunFailed():
            return failed_page(message, background, stage=stage)
        case RunRefused():
            return refused_page(message, background, stage=stage)
        case RunSettled():
            return _settled(message, stage)
        case BooksDiffer():
            return _differ(message, stage)
        case DataQualityChecked():
            return _unfit(message, stage)


def _settled(run: RunSettled, stage: str) -> Page:
    count = len(run.orders)
    rows = (
        (
            f"{order.side} {order.symbol}",
            words(order.status),
            shares(order.filled_quantity),
            price_or_none(order.avg_price),
            money(notional(order)),
        )
        for order in run.orders
    )
    columns = ("Order", "Status", "Shares filled", "Fill price", "Notional")
    steps = (
        "Nothing, if the positions at the broker are fine with you: the next run starts from them.",
        fill_in(RESTART, stage=stage, run_id=run.run_id),
    )
    show = f"`inv run.show {run.run_id} --env {stage}`"
    return Page(
        title=title(run),
        sender=f"The Alchemiser, {stage}, run {run.run_id}",
        tone=Tone.WARNING,
        preview=f"{plural(count, 'order')} of an ended run {'is' if count == 1 else 'are'} final now.",
        blocks=(
            Paragraph(" ".join(summary(run))),
            Heading("Orders"),
            Table(columns, tuple(rows), "order", show, left=2),
            NEXT,
            Steps(steps),
        ),
        footer=(f"Message {stamp(run)}.",),
    )


def _differ(check: BooksDiffer, stage: str) -> Page:
    reconcile = f"inv reconcile --env {stage}"
    steps = (
        f"Look at all of it: `{reconcile}`.",
        f"If the account is as you want it, accept it: `{reconcile} --accept`. {FROM_ACTUAL}",
        OTHERWISE,
    )
    return Page(
        title=title(check),
        sender=f"The Alchemiser, {stage}",
        tone=Tone.BAD,
        preview=f"The account and the books differ in {plural(len(check.differences), 'place')}.",
        blocks=(Paragraph(" ".join(summary(check))), *_differences(check, f"`{reconcile}`"), NEXT, Steps(steps)),
        footer=("You read of differences once per trading day.", f"Message {stamp(check)}."),
    )


def _differences(check: BooksDiffer, reconcile: str) -> Iterator[Block]:
    """Yield the differences of each kind, if there are any."""
    if lines := of_kind(check, "holding"):
        rows = tuple(
            (line.symbol, shares(line.broker), shares(line.books), shares(line.broker - line.books)) for line in lines
        )
        causes = tuple(f"{line.symbol}: {line.cause or 'cause not known'}." for line in lines)
        yield Heading("Holdings")
        yield Table(("Symbol", "Broker", "Books", "Difference"), rows, "holding", reconcile)
        yield Heading("Likely causes")
        yield Lines(causes, "cause", reconcile)
    if lines := of_kind(check, "order"):
        yield Heading("Open orders that no run waits for")
        yield Table(("Symbol", "Order", "Shares to fill"), _of_orders(lines), "order", reconcile, left=2)
    if lines := of_kind(check, "fill"):
        yield Heading("Fills that the ledger does not have")
        yield Table(("Symbol", "Order", "Shares filled"), _of_orders(lines), "fill", reconcile, left=2)


def _of_orders(lines: Sequence[Difference]) -> tuple[tuple[str, str, str], ...]:
    return tuple((line.symbol, line.order, shares(line.broker)) for line in lines)


def _unfit(verdict: DataQualityChecked, stage: str) -> Page:
    steps = (
        f"Refresh the bars. {fill_in(REFRESH, stage=stage)}",
        fill_in(QUALITY, stage=stage),
        "If the check passes before the next run starts, nothing else is needed.",
    )
    effect = (
        "Strategies treat a quarantined symbol as missing: if a strategy needs it, that strategy fails, and so does "
        "the day's run."
    )
    quality = f"`inv data.quality --env {stage}`"
    return Page(
        title=title(verdict),
        sender=f"The Alchemiser, {stage}",
        tone=Tone.BAD,
        preview=f"{len(verdict.quarantined)} of {plural(verdict.checked, 'symbol')} quarantined.",
        blocks=(
            Paragraph(f"{checked(verdict)} {effect}"),
            *_problems(verdict),
            *_quarantined(verdict, quality),
            NEXT,
            Steps(steps),
        ),
        footer=(f"Message {stamp(verdict)}.",),
    )


def _problems(verdict: DataQualityChecked) -> tuple[Block, ...]:
    if not verdict.problems:
        return ()
    return (Lines(verdict.problems, "problem", IN_TEXT, title="Problems", tone=Tone.BAD),)


def _quarantined(verdict: DataQualityChecked, quality: str) -> tuple[Block, ...]:
    if not verdict.quarantined:
        return ()
    lines = tuple(f"{symbol}: {reason}." for symbol, reason in by_symbol(verdict.quarantined))
    return (Heading("Quarantined"), Lines(lines, "symbol", quality))
