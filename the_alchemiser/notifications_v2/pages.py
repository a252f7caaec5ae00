"""The HTML part of each mail."""

from collections.abc import Iterator, Mapping, Sequence, Sized
from decimal import Decimal

from the_alchemiser.notifications_v2.explanations import (
    QUALITY,
    REFRESH,
    RESTART,
    UNSETTLED,
    explain_failure,
    explain_omission,
    explain_refusal,
    explain_trade_reason,
    fill_in,
)
from the_alchemiser.notifications_v2.facts import (
    OTHERWISE,
    Missed,
    by_symbol,
    cash_line,
    checked,
    holdings,
    invested,
    missed_trades,
    notional,
    of_kind,
    stamp,
    summary,
    title,
)
from the_alchemiser.notifications_v2.markup import (
    Html,
    Page,
    fill,
    heading,
    joined,
    note,
    paragraph,
    render,
    steps,
    table,
)
from the_alchemiser.notifications_v2.subject import News
from the_alchemiser.shared.formats import change, money, percent, plural, price, shares, words
from the_alchemiser.shared.messaging.messages import (
    BooksDiffer,
    DataQualityChecked,
    Difference,
    RunCompleted,
    RunFailed,
    RunRefused,
    RunSettled,
)

# Of each table and of each note. Gmail cuts off what comes after 102 kB; the text part is whole.
ROWS_AT_MOST, NOTES_AT_MOST = 150, 40
_GREEN, _AMBER, _RED = "#1f6f54", "#8a5a00", "#9b2226"
_IN_TEXT = "see the plain text of this mail"
_BREAK = fill("<br>")


def html_part(message: News, *, stage: str, subject: str) -> Html:
    """Return the HTML part of the mail about a message."""
    return render(_page(message, stage), subject=subject, stage=stage, title=title(message), stamp=stamp(message))


def _page(message: News, stage: str) -> Page:
    match message:
        case RunCompleted():
            return _completed(message, show=f"inv run.show {message.run_id} --env {stage}")
        case RunFailed():
            return _failed(message)
        case RunRefused():
            return _refused(message, stage)
        case RunSettled():
            return _settled(message, stage)
        case BooksDiffer():
            return _differ(message, reconcile=f"inv reconcile --env {stage}")
        case DataQualityChecked():
            return _unfit(message, stage)


def _completed(run: RunCompleted, *, show: str) -> Page:
    missed = missed_trades(run)
    body = [
        paragraph(" ".join(summary(run))),
        _equity(run),
        _missed(missed, show) if missed else Html(),
        _omitted(
            "Holdings that the run left alone",
            run.quarantined,
            _more(run.quarantined, NOTES_AT_MOST, "holding", show),
            "The run neither counts nor sells them, and invests the rest of the account. They stay until you sell them "
            "yourself.",
        ),
        _omitted(
            "Targets that cannot be traded",
            run.untradable,
            _more(run.untradable, NOTES_AT_MOST, "target", show),
            "Their share of the account stays in cash today.",
        ),
        _trades(run, show) if run.outcomes else Html(),
        _positions(run, show),
    ]
    trades = plural(len(run.outcomes), "trade")
    return Page(
        _AMBER if run.degraded else _GREEN,
        f"Equity {money(run.equity_before)} before, {money(run.equity_after)} after; {trades}.",
        body,
        fill(
            "Run {}. Actual is a position's value as a share of equity after the run. Equity includes cash, so it is "
            "usually a little below target.<br>",
            run.run_id,
        ),
    )


def _equity(run: RunCompleted) -> Html:
    figures = (("Equity before", run.equity_before), ("Equity after", run.equity_after), ("Cash after", run.cash_after))
    cells = (
        fill(
            '<td width="33%" style="padding:14px 16px;{}">'
            '<div style="font-size:12px;line-height:18px;color:#5d6b7e;">{}</div>'
            '<div style="font-size:19px;line-height:28px;font-weight:600;white-space:nowrap;'
            'font-variant-numeric:tabular-nums;">{}</div></td>\n',
            "" if number == 0 else "border-left:1px solid #e3e8ef;",
            name,
            money(usd),
        )
        for number, (name, usd) in enumerate(figures)
    )
    return fill(
        '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="margin:20px 0 4px;'
        'border:1px solid #e3e8ef;">\n<tr>\n{}</tr>\n</table>\n'
        '<p style="margin:0 0 12px;font-size:13px;line-height:20px;color:#5d6b7e;">Equity changed by {} during the '
        "run, through trading costs and price moves. {} is invested.</p>\n",
        joined(cells),
        change(run.equity_before, run.equity_after),
        money(invested(run)),
    )


def _missed(missed: Sequence[Missed], show: str) -> Html:
    lines = (
        fill(
            '<br>{} {}: {} of {} shares filled; {} <span style="color:#5d6b7e;">({})</span>.{}\n',
            outcome.side,
            outcome.symbol,
            shares(outcome.filled_quantity),
            shares(outcome.quantity),
            explain_trade_reason(reason),
            reason,
            UNSETTLED if outcome.unsettled else "",
        )
        for outcome, reason in missed[:NOTES_AT_MOST]
    )
    return _warning(
        fill(
            "<strong>Not completely filled</strong>\n{}{}<br>The unfilled shares are not tried again today. The next "
            "run starts from the actual positions.\n",
            joined(lines),
            _more(missed, NOTES_AT_MOST, "trade", show),
        )
    )


def _omitted(head: str, reasons: Mapping[str, str], more: Html, consequence: str) -> Html:
    """Return a note on the symbols that a run left out; nothing when there are none."""
    if not reasons:
        return Html()
    lines = (
        fill('<br>{}: {} <span style="color:#5d6b7e;">({})</span>.\n', symbol, explain_omission(reason), reason)
        for symbol, reason in by_symbol(reasons)[:NOTES_AT_MOST]
    )
    return _warning(fill("<strong>{}</strong>\n{}{}<br>{}\n", head, joined(lines), more, consequence))


def _trades(run: RunCompleted, show: str) -> Html:
    rows = (
        (
            f"{outcome.side} {outcome.symbol}",
            shares(outcome.filled_quantity),
            _price(outcome.avg_price),
            money(notional(outcome)),
            "filled" if outcome.reason is None else words(outcome.reason),
        )
        for outcome in run.outcomes[:ROWS_AT_MOST]
    )
    return joined(
        (
            heading("Trades"),
            table(("Trade", "Shares", "Fill price", "Notional", "Result"), rows),
            _more(run.outcomes, ROWS_AT_MOST, "trade", show),
        )
    )


def _positions(run: RunCompleted, show: str) -> Html:
    lines = holdings(run)
    rows = (
        (line.symbol, percent(line.target), percent(line.actual), shares(line.quantity), money(line.value))
        for line in lines[:ROWS_AT_MOST]
    )
    return joined(
        (
            heading("Target and actual positions"),
            table(("Symbol", "Target", "Actual", "Shares", "Value"), rows),
            _more(lines, ROWS_AT_MOST, "position", show),
            paragraph(cash_line(run)) if run.cash else Html(),
        )
    )


def _failed(run: RunFailed) -> Page:
    situation = explain_failure(run.state, run.reason, run_id=run.run_id)
    failure = fill(
        "The run failed while {} (state {}). Reason: <strong>{}</strong>. {}",
        situation.doing,
        run.state,
        words(run.reason),
        situation.effect,
    )
    missing = fill(
        '{}<ul style="margin:0 0 12px;padding-left:20px;font-size:15px;line-height:24px;">\n{}</ul>\n',
        heading("Affected"),
        joined(fill("<li>{}</li>\n", name) for name in run.missing),
    )
    body = [paragraph(failure), _alarm(run.detail), missing if run.missing else Html(), _next(situation.steps)]
    return Page(_RED, run.detail, body, fill("Run {}.<br>", run.run_id))


def _refused(refused: RunRefused, stage: str) -> Page:
    advice = explain_refusal(refused.reason, stage=stage)
    refusal = fill("{} This start sent no orders. Reason: <strong>{}</strong>.", advice.meaning, words(refused.reason))
    body = [paragraph(refusal), _alarm(refused.detail), _next(advice.steps)]
    footer = fill("You read of each reason once per day, however often a start is refused.<br>")
    return Page(_RED, refused.detail, body, footer)


def _settled(run: RunSettled, stage: str) -> Page:
    count = len(run.orders)
    rows = (
        (
            f"{order.side} {order.symbol}",
            words(order.status),
            shares(order.filled_quantity),
            _price(order.avg_price),
            money(notional(order)),
        )
        for order in run.orders[:ROWS_AT_MOST]
    )
    body = [
        paragraph(" ".join(summary(run))),
        heading("Orders"),
        table(("Order", "Status", "Shares filled", "Fill price", "Notional"), rows, left=2),
        _more(run.orders, ROWS_AT_MOST, "order", f"inv run.show {run.run_id} --env {stage}"),
        _next(
            (
                "Nothing, if the positions at the broker are fine with you: the next run starts from them.",
                fill_in(RESTART, stage=stage, run_id=run.run_id),
            )
        ),
    ]
    preview = f"{plural(count, 'order')} of an ended run {'is' if count == 1 else 'are'} final now."
    return Page(_AMBER, preview, body, fill("Run {}.<br>", run.run_id))


def _differ(check: BooksDiffer, *, reconcile: str) -> Page:
    body = [
        paragraph(" ".join(summary(check))),
        *_differences(check, reconcile),
        _next(
            (
                fill("Look at all of it: <code>{}</code>.", reconcile),
                fill(
                    "If the account is as you want it, accept it: <code>{} --accept</code>. The next run starts from "
                    "the actual positions.",
                    reconcile,
                ),
                OTHERWISE,
            )
        ),
    ]
    preview = f"The account and the books differ in {plural(len(check.differences), 'place')}."
    return Page(_RED, preview, body, fill("You read of differences once per trading day.<br>"))


def _differences(check: BooksDiffer, reconcile: str) -> Iterator[Html]:
    """Yield the differences of each kind, if there are any."""
    if lines := of_kind(check, "holding"):
        yield heading("Holdings")
        yield table(
            ("Symbol", "Likely cause", "Broker", "Books", "Difference"),
            (
                (
                    line.symbol,
                    line.cause or "not known",
                    shares(line.broker),
                    shares(line.books),
                    shares(line.broker - line.books),
                )
                for line in lines[:ROWS_AT_MOST]
            ),
            left=2,
        )
        yield _more(lines, ROWS_AT_MOST, "holding", reconcile)
    if lines := of_kind(check, "order"):
        yield heading("Open orders that no run waits for")
        yield table(("Symbol", "Order", "Shares to fill"), _of_orders(lines), left=2)
        yield _more(lines, ROWS_AT_MOST, "order", reconcile)
    if lines := of_kind(check, "fill"):
        yield heading("Fills that the ledger does not have")
        yield table(("Symbol", "Order", "Shares filled"), _of_orders(lines), left=2)
        yield _more(lines, ROWS_AT_MOST, "fill", reconcile)


def _of_orders(lines: Sequence[Difference]) -> Iterator[tuple[str, str, str]]:
    return ((line.symbol, line.order, shares(line.broker)) for line in lines[:ROWS_AT_MOST])


def _unfit(verdict: DataQualityChecked, stage: str) -> Page:
    body = [
        paragraph(
            fill(
                "{} Strategies treat a quarantined symbol as missing: if a strategy needs it, that strategy fails, and "
                "so does the day's run.",
                checked(verdict),
            )
        ),
        _problems(verdict.problems) if verdict.problems else Html(),
        _quarantined(verdict.quarantined) if verdict.quarantined else Html(),
        _next(
            (
                f"Refresh the bars. {fill_in(REFRESH, stage=stage)}",
                fill_in(QUALITY, stage=stage),
                "If the check passes before the next run starts, nothing else is needed.",
            )
        ),
    ]
    preview = f"{len(verdict.quarantined)} of {plural(verdict.checked, 'symbol')} quarantined."
    return Page(_RED, preview, body, Html())


def _problems(problems: Sequence[str]) -> Html:
    shown = problems[:NOTES_AT_MOST]
    lines = (fill("{}{}\n", problem, _BREAK if number < len(shown) else "") for number, problem in enumerate(shown, 1))
    return _alarm(fill("{}{}", joined(lines), _more(problems, NOTES_AT_MOST, "problem", _IN_TEXT)))


def _quarantined(reasons: Mapping[str, str]) -> Html:
    return joined(
        (
            heading("Quarantined"),
            table(("Symbol", "Reason"), by_symbol(reasons)[:ROWS_AT_MOST], left=2),
            _more(reasons, ROWS_AT_MOST, "symbol", _IN_TEXT),
        )
    )


def _alarm(body: Html | str) -> Html:
    return note(body, colour=_RED, ground="#fbeeee")


def _warning(body: Html) -> Html:
    return note(body, colour="#b7791f", ground="#fdf6e7")


def _next(items: Sequence[Html | str]) -> Html:
    return joined((heading("What to do next"), steps(items)))


def _more(items: Sized, shown: int, noun: str, where: str) -> Html:
    """Return how many more items there are than the mail shows, and where to see them."""
    rest = len(items) - shown
    return fill("<br>and {}: {}\n\n", plural(rest, f"more {noun}"), where) if rest > 0 else fill("\n")


def _price(usd: Decimal | None) -> str:
    return "none" if usd is None else price(usd)
