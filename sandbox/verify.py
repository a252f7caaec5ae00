"""Check the evidence of a day: run, functions, ledger, positions, cash, mails and books must agree. Pure.

A trade that failed is a result of the day, not a fault: the next run plans from the actual positions. An order that may
still rest at the exchange is a fault until the sweep has settled it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from itertools import chain

from automation.system.errors import Finding
from sandbox.evidence import DayEvidence
from sandbox.findings import backlog_findings, dead_letter_findings, log_findings
from sandbox.function_logs import count_text
from the_alchemiser.execution_v2.checks import SMALLEST_ORDER
from the_alchemiser.notifications_v2.service import UNANSWERED_AT_MOST as ATTEMPTS_AT_MOST
from the_alchemiser.notifications_v2.subject import mail_subject
from the_alchemiser.shared.books.checks import books_differ, describe
from the_alchemiser.shared.broker.models import Order
from the_alchemiser.shared.ledger.ledger import LedgerEntry
from the_alchemiser.shared.messaging.messages import RunFailed, TradeExecuted, TradeFailed
from the_alchemiser.shared.run.plan import TradeDecision, trade_id
from the_alchemiser.shared.run.runs import RunState
from the_alchemiser.shared.values import Side

CENT = Decimal("0.01")
QUANTITY_ROUNDING = Decimal("0.000001")
NOTIFIER = "notifications_v2"
BOOKS = "books"
_ZERO = Decimal(0)
_READ_LOG = "read its log with inv logs --env local"
_COMPARE_LEDGER = "compare the Ledger table with the orders at the exchange"
_COMPARE_ACCOUNT = "compare the account with its fills at the exchange"
_RECONCILE = "inv reconcile --env local; once it is explained, add --accept"


def verify_day(day: DayEvidence) -> tuple[Finding, ...]:
    """Return all faults of a day; empty when everything agrees."""
    checks = (
        run_findings,
        _function_findings,
        trade_findings,
        ledger_findings,
        position_findings,
        cash_findings,
        mail_findings,
        books_findings,
    )
    return tuple(chain.from_iterable(check(day) for check in checks))


def needs_settlement(day: DayEvidence) -> bool:
    """Return whether orders of the ended run may still rest or fill, or are not all in the ledger: the sweep's work."""
    if day.run.settled or not any(release.quantities for release in day.releases):
        return False
    own = tuple(order for order in day.after.orders if order.client_order_id.startswith(f"{day.run.run_id}-"))
    is_open = any(ledger_findings(replace(day, after=replace(day.after, orders=own))))
    return day.run.state is RunState.FAILED or bool(unsettled_trades(day)) or is_open


def unsettled_trades(day: DayEvidence) -> tuple[str, ...]:
    """Return the trades whose execution gave up without knowing what became of an order."""
    if day.run.settled:
        return ()
    return tuple(
        trade for trade, outcome in day.outcomes.items() if isinstance(outcome, TradeFailed) and outcome.unsettled
    )


def run_findings(day: DayEvidence) -> Iterator[Finding]:
    """Check that the run completed, and that what became of each of its orders is known."""
    result = day.result
    if isinstance(result, RunFailed):
        missing = f"; missing: {', '.join(result.missing)}" if result.missing else ""
        what = f"failed in {result.state}: {result.reason}: {result.detail}{missing}"
        yield Finding(day.run.run_id, what, "fix the cause; inv run-day then trades the next session")
    elif day.run.state is not RunState.COMPLETED:
        yield Finding(day.run.run_id, f"is still {day.run.state}", "run inv run-day again to resume it")

    for trade in unsettled_trades(day):
        what = "execution gave up, and an order may still rest at the exchange"
        yield Finding(trade, what, f"look at its orders with inv run.show {day.run.run_id} --env local")


def _function_findings(day: DayEvidence) -> Iterator[Finding]:
    """Check that no message is left. What the functions did is in the run and the mails; only metrics is not."""
    if day.run.state is RunState.COMPLETED and not day.has_metrics:
        yield Finding("metrics_v2", "stored no performance of the account for this run", _READ_LOG)
    yield from log_findings(day.functions.values())
    yield from backlog_findings(day.backlogs)
    yield from dead_letter_findings(day.backlogs)


def ledger_findings(day: DayEvidence) -> Iterator[Finding]:
    """Check that each filled order has one ledger entry with the same fill, and that no order is still open."""
    orders = {order.id: order for order in day.after.orders if order.filled_quantity}
    entries = {entry.order_id: entry for entry in day.ledger}

    for order in day.after.orders:
        if not order.is_done:
            yield Finding(order.client_order_id, f"is still {order.status} at the exchange", _COMPARE_ACCOUNT)
    for order_id in sorted(orders.keys() - entries.keys()):
        yield Finding(orders[order_id].client_order_id, "was filled, but has no ledger entry", _COMPARE_LEDGER)
    for order_id in sorted(entries.keys() - orders.keys()):
        what = "has a ledger entry, but no fill at the exchange"
        yield Finding(entries[order_id].client_order_id, what, _COMPARE_LEDGER)
    for order_id in sorted(orders.keys() & entries.keys()):
        yield from _differences(orders[order_id], entries[order_id])
    if len(entries) != len(day.ledger):
        what = f"has {len(day.ledger)} entries for {count_text(len(entries), 'order')}"
        yield Finding("ledger", what, _COMPARE_LEDGER)


def _differences(order: Order, entry: LedgerEntry) -> Iterator[Finding]:
    filled = (order.symbol, order.side, order.filled_quantity, order.filled_avg_price)
    recorded = (entry.symbol, entry.side, entry.quantity, entry.price)
    if filled != recorded:
        what = f"was filled as {_fill_text(filled)}, but the ledger has {_fill_text(recorded)}"
        yield Finding(order.client_order_id, what, _COMPARE_LEDGER)

    attributed = sum(entry.attribution.values(), _ZERO)
    if attributed != (entry.quantity if entry.side is Side.BUY else -entry.quantity):
        what = f"{attributed} of {entry.quantity} shares are attributed to strategies"
        yield Finding(order.client_order_id, what, _COMPARE_LEDGER)


def _fill_text(fill: tuple[object, ...]) -> str:
    return " ".join(str(part) for part in fill)


def position_findings(day: DayEvidence) -> Iterator[Finding]:
    """Check that the broker holds what the plan had and the trades have changed, within the rounding of quantities.

    A quarantined holding has no target: the plan leaves it alone.
    """
    if day.plan is None or not day.run.state.is_final:
        return
    held_shares = {
        position.symbol: position.quantity
        for position in day.after.positions
        if position.symbol not in day.plan.quarantined
    }
    expected_shares = {decision.symbol: _expected_shares(day, decision) for decision in day.plan.decisions}

    for symbol in sorted(held_shares.keys() | expected_shares.keys()):
        held, expected = held_shares.get(symbol, _ZERO), expected_shares.get(symbol, _ZERO)
        if abs(held - expected) > QUANTITY_ROUNDING:
            what = f"{held} shares are held, but by the plan and its fills it should be {expected}"
            yield Finding(symbol, what, _COMPARE_ACCOUNT)


def _expected_shares(day: DayEvidence, decision: TradeDecision) -> Decimal:
    """Return the shares to hold: the plan's target, unless less was traded: a buy was scaled down, a trade failed."""
    if decision.side is None:
        return decision.target_quantity
    filled = filled_shares(day, trade_id(day.run.run_id, decision.side, decision.symbol))
    if filled == decision.quantity:
        return decision.target_quantity
    return decision.held + (filled if decision.side is Side.BUY else -filled)


def trade_findings(day: DayEvidence) -> Iterator[Finding]:
    """Check that each trade has the fills of its outcome, and an executed one all the shares that were released.

    A rest that the broker takes no order for may be missing.
    """
    released: dict[str, Decimal] = {}
    for release in day.releases:
        released |= release.quantities
    decisions = day.plan.by_trade_id() if day.plan else {}

    for trade, outcome in day.outcomes.items():
        filled = filled_shares(day, trade)
        # Orders that the sweep has settled filled after the outcome was reported.
        if filled != outcome.filled_quantity and not day.settled_orders:
            what = f"reported {outcome.filled_quantity} shares, but the ledger has {filled}"
            yield Finding(trade, what, _COMPARE_LEDGER)
        short = released.get(trade, _ZERO) - filled
        if isinstance(outcome, TradeExecuted) and short * decisions[trade].price >= SMALLEST_ORDER:
            yield Finding(trade, f"was executed, but {short} of its shares were not filled", _COMPARE_LEDGER)


def filled_shares(day: DayEvidence, trade: str) -> Decimal:
    """Return the shares of a trade that the ledger has, over all its orders."""
    return sum((entry.quantity for entry in day.ledger if entry.trade_id == trade), _ZERO)


def cash_findings(day: DayEvidence) -> Iterator[Finding]:
    """Check to the cent that cash plus positions is the equity, and that the fills explain the cash."""
    account = day.after.account
    values: Mapping[str, Decimal] = {
        position.symbol: position.market_value for position in day.after.positions if position.market_value is not None
    }
    total = account.cash + sum(values.values(), _ZERO)
    if total != account.equity:
        what = f"cash plus positions is {total}, but equity is {account.equity}"
        yield Finding("account", what, _COMPARE_ACCOUNT)

    for position in day.after.positions:
        if position.current_price is None:
            continue
        value = (position.quantity * position.current_price).quantize(CENT, ROUND_HALF_UP)
        if value != position.market_value:
            what = f"{position.quantity} shares are worth {value}, but the account says {position.market_value}"
            yield Finding(position.symbol, what, _COMPARE_ACCOUNT)

    if day.plan is not None:
        expected = day.plan.cash + sum((entry.cash for entry in day.ledger), _ZERO)
        if account.cash != expected:
            what = f"cash is {account.cash}, but by the ledger it should be {expected}"
            yield Finding("account", what, _COMPARE_LEDGER)


def mail_findings(day: DayEvidence) -> Iterator[Finding]:
    """Check that each mail of the day was sent. It comes twice when the function was killed in between, never more."""
    counts = Counter(mail.subject for mail in day.mails)
    for expected in _expected_subjects(day):
        if not any(subject.startswith(expected) for subject in counts):
            subjects = "; ".join(counts) or "none"
            yield Finding(NOTIFIER, f"sent no mail {expected!r}; the mails: {subjects}", _READ_LOG)

    for subject, count in counts.items():
        if count > ATTEMPTS_AT_MOST:
            yield Finding(NOTIFIER, f"sent the mail {subject!r} {count} times", _READ_LOG)


def _expected_subjects(day: DayEvidence) -> Iterator[str]:
    """Yield how the day's subjects begin: about unfit data, the run, its late orders, and books that differ."""
    stage, verdict = day.run.stage, day.verdict
    # Of a resumed day it is not known when the data were checked.
    if verdict is not None and not day.is_resumed and (verdict.quarantined or verdict.problems):
        yield f"[{stage}] {verdict.as_of}: market data FAILED"
    for message in (day.result, day.settlement):
        if message is not None:
            yield mail_subject(message, stage=stage)
    if day.books is not None and day.books.differs:
        yield mail_subject(books_differ(day.books, stage=stage), stage=stage)


def books_findings(day: DayEvidence) -> Iterator[Finding]:
    """Check that the account was compared with the books after the close, and that they agree."""
    if day.books is None:
        what = "were not compared with the account after the close"
        fix = "run inv trading.sweep --env local, then inv reconcile --env local; it names a run that is not settled"
        yield Finding(BOOKS, what, fix)
    elif day.books.differs:
        for difference in day.books.differences:
            cause = f" ({difference.cause})" if difference.cause else ""
            yield Finding(BOOKS, f"{describe(difference)}{cause}", _RECONCILE)
