"""Check the evidence of a day: run, functions, ledger, positions, cash and mails must agree. Pure."""

from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from itertools import chain

from automation.system.errors import Finding
from sandbox.evidence import DayEvidence
from sandbox.findings import backlog_findings, count_text, dead_letter_findings, log_findings
from the_alchemiser.shared.broker.models import Order
from the_alchemiser.shared.ledger.ledger import LedgerEntry
from the_alchemiser.shared.messaging.messages import RunFailed
from the_alchemiser.shared.run.plan import trade_id
from the_alchemiser.shared.run.runs import RunState
from the_alchemiser.shared.values import Side

CENT = Decimal("0.01")
QUANTITY_ROUNDING = Decimal("0.000001")
_ZERO = Decimal(0)
_READ_LOG = "read the function's log"
_COMPARE_LEDGER = "compare the Ledger table with the orders at the exchange"
_COMPARE_ACCOUNT = "compare the account with its fills at the exchange"


def verify_day(day: DayEvidence) -> tuple[Finding, ...]:
    """Return all faults of a day; empty when everything agrees."""
    checks = (run_findings, _function_findings, ledger_findings, position_findings, cash_findings, mail_findings)
    return tuple(chain.from_iterable(check(day) for check in checks))


def expected_modules(day: DayEvidence) -> tuple[str, ...]:
    """Return the modules that must have handled a message, given how far the run got."""
    reached = {step.state for step in day.run.timeline}

    modules = [] if day.is_resumed else ["data_v2", "data_quality_monitor"]
    modules += ["coordinator_v2", "strategy_v2", "aggregator_v2"]
    if RunState.AGGREGATED in reached:
        modules.append("portfolio_v2")
    if RunState.PLANNED in reached:
        modules.append("trade_aggregator")
    if any(release.quantities for release in day.releases):
        modules.append("execution_v2")
    if day.run.state.is_final:
        modules.append("notifications_v2")
    if day.run.state is RunState.COMPLETED:
        modules.append("metrics_v2")
    return tuple(modules)


def run_findings(day: DayEvidence) -> Iterator[Finding]:
    """Check that the run completed and every trade was filled."""
    result = day.result
    if isinstance(result, RunFailed):
        missing = f"; missing: {', '.join(result.missing)}" if result.missing else ""
        what = f"failed in {result.state}: {result.reason}: {result.detail}{missing}"
        yield Finding(day.run.run_id, what, "fix the cause; inv run-day then trades the next session")
    elif day.run.state is not RunState.COMPLETED:
        yield Finding(day.run.run_id, f"is still {day.run.state}", "run inv run-day again to resume it")

    for trade, outcome in day.outcomes.items():
        reason = getattr(outcome, "reason", None)
        if reason is not None:
            yield Finding(trade, f"was not completely filled: {reason}", "read the trade's detail in the report")


def _function_findings(day: DayEvidence) -> Iterator[Finding]:
    for module in expected_modules(day):
        log = day.functions.get(module)
        if log is None or not log.handled:
            yield Finding(module, "handled no message that day", _READ_LOG)
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
    """Check that the broker holds the plan's target shares, within the rounding of quantities.

    A quarantined holding has no target: the plan leaves it alone.
    """
    if day.plan is None or day.run.state is not RunState.COMPLETED:
        return
    held_shares = {
        position.symbol: position.quantity
        for position in day.after.positions
        if position.symbol not in day.plan.quarantined
    }
    target_shares = dict(_targets(day))

    for symbol in sorted(held_shares.keys() | target_shares.keys()):
        held, target = held_shares.get(symbol, _ZERO), target_shares.get(symbol, _ZERO)
        if abs(held - target) > QUANTITY_ROUNDING:
            yield Finding(symbol, f"{held} shares are held, but the plan's target is {target}", _COMPARE_ACCOUNT)


def _targets(day: DayEvidence) -> Iterator[tuple[str, Decimal]]:
    """Yield the shares to hold by symbol.

    They are the plan's targets, unless a trade was released with another quantity: a buy is scaled down when there is
    too little cash.
    """
    released: dict[str, Decimal] = {}
    for release in day.releases:
        released |= release.quantities

    for decision in day.plan.decisions if day.plan else ():
        sent = None if decision.side is None else released.get(trade_id(day.run.run_id, decision.side, decision.symbol))
        if sent is None or sent == decision.quantity:
            yield decision.symbol, decision.target_quantity
        else:
            yield decision.symbol, decision.held + (sent if decision.side is Side.BUY else -sent)


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
    """Check the number of mails: about the run, about data that failed their check, about orders settled late."""
    if not day.run.state.is_final:
        return
    is_data_unfit = day.verdict is not None and bool(day.verdict.quarantined or day.verdict.problems)
    expected = 1 + is_data_unfit + bool(day.settled_orders)
    if len(day.mails) != expected:
        subjects = "; ".join(mail.subject for mail in day.mails) or "none"
        what = f"expected {count_text(expected, 'mail')}, but {len(day.mails)} were sent: {subjects}"
        yield Finding("notifications_v2", what, _READ_LOG)
