"""Does the evidence of a day add up? Every check returns what it found wrong. Pure."""

from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal

from automation.system.errors import Finding
from sandbox.evidence import DayEvidence
from sandbox.findings import backlog_findings, dead_letter_findings, log_findings
from the_alchemiser.shared.broker.models import Order
from the_alchemiser.shared.ledger.ledger import LedgerEntry
from the_alchemiser.shared.messaging.messages import RunFailed, Side
from the_alchemiser.shared.run.plan import trade_id
from the_alchemiser.shared.run.runs import RunState

CENT = Decimal("0.01")
QUANTITY_ROUNDING = Decimal("0.000001")
_ZERO = Decimal(0)
_LOGS = "read its log"
_LEDGER = "compare the Ledger table with the orders at the exchange"
_ACCOUNT = "compare the account with its fills at the exchange"


def verify(day: DayEvidence) -> tuple[Finding, ...]:
    """All faults of a day; empty when it adds up."""
    checks = (run_findings, _handler_findings, ledger_findings, position_findings, cash_findings, mail_findings)
    return tuple(finding for check in checks for finding in check(day))


def expected_modules(day: DayEvidence) -> tuple[str, ...]:
    """The modules that must have worked that day, judged by how far the run came."""
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
    """The run completed, and no trade was left out."""
    result = day.result
    if isinstance(result, RunFailed):
        missing = f"; missing: {', '.join(result.missing)}" if result.missing else ""
        what = f"failed in {result.state}: {result.reason}: {result.detail}{missing}"
        yield Finding(day.run.run_id, what, "mend the cause; the next session can be traded")
    elif day.run.state is not RunState.COMPLETED:
        yield Finding(day.run.run_id, f"is still {day.run.state}", "run inv run-day again: it goes on from there")
    for trade, outcome in day.outcomes.items():
        reason = getattr(outcome, "reason", None)
        if reason is not None:
            yield Finding(trade, f"was not filled whole: {reason}", "see the trade's detail in the report")


def _handler_findings(day: DayEvidence) -> Iterator[Finding]:
    for module in expected_modules(day):
        log = day.functions.get(module)
        if log is None or not log.handled:
            yield Finding(module, "handled no message that day", _LOGS)
    yield from log_findings(day.functions.values())
    yield from backlog_findings(day.backlogs)
    yield from dead_letter_findings(day.backlogs)


def ledger_findings(day: DayEvidence) -> Iterator[Finding]:
    """One ledger entry a filled order of the exchange, equal in what was filled; nothing rests at the exchange."""
    orders = {order.id: order for order in day.after.orders if order.filled_quantity}
    entries = {entry.order_id: entry for entry in day.ledger}
    for order in day.after.orders:
        if not order.is_done:
            yield Finding(order.client_order_id, f"is still {order.status} at the exchange", _ACCOUNT)
    for order_id in sorted(orders.keys() - entries.keys()):
        yield Finding(orders[order_id].client_order_id, "was filled, and the ledger has no entry for it", _LEDGER)
    for order_id in sorted(entries.keys() - orders.keys()):
        yield Finding(entries[order_id].client_order_id, "is in the ledger, and no such fill is known", _LEDGER)
    for order_id in sorted(orders.keys() & entries.keys()):
        yield from _differences(orders[order_id], entries[order_id])
    if len(entries) != len(day.ledger):
        yield Finding("ledger", f"{len(day.ledger)} entries for {len(entries)} orders", _LEDGER)


def _differences(order: Order, entry: LedgerEntry) -> Iterator[Finding]:
    filled = (order.symbol, order.side, order.filled_quantity, order.filled_avg_price)
    entered = (entry.symbol, entry.side, entry.quantity, entry.price)
    if filled != entered:
        what = f"filled as {_told(filled)}, entered as {_told(entered)}"
        yield Finding(order.client_order_id, what, _LEDGER)
    attributed = sum(entry.attribution.values(), _ZERO)
    if attributed != (entry.quantity if entry.side is Side.BUY else -entry.quantity):
        yield Finding(order.client_order_id, f"{attributed} shares attributed of {entry.quantity}", _LEDGER)


def _told(fill: tuple[object, ...]) -> str:
    return " ".join(str(part) for part in fill)


def position_findings(day: DayEvidence) -> Iterator[Finding]:
    """The broker holds what the plan aimed at, within the rounding of quantities."""
    if day.plan is None or day.run.state is not RunState.COMPLETED:
        return
    held = {position.symbol: position.quantity for position in day.after.positions}
    wanted = dict(_targets(day))
    for symbol in sorted(held.keys() | wanted.keys()):
        have, want = held.get(symbol, _ZERO), wanted.get(symbol, _ZERO)
        if abs(have - want) > QUANTITY_ROUNDING:
            yield Finding(symbol, f"{have} shares are held, the plan aimed at {want}", _ACCOUNT)


def _targets(day: DayEvidence) -> Iterator[tuple[str, Decimal]]:
    """Shares by symbol: the plan's targets, a buy that was scaled down to the money there was as it was released."""
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
    """Cash and positions add up to equity, and the fills explain the cash: both to the cent."""
    account = day.after.account
    values: Mapping[str, Decimal] = {position.symbol: position.market_value for position in day.after.positions}
    total = account.cash + sum(values.values(), _ZERO)
    if total != account.equity:
        yield Finding("account", f"cash and positions come to {total}, equity is {account.equity}", _ACCOUNT)
    for position in day.after.positions:
        worth = (position.quantity * position.current_price).quantize(CENT, ROUND_HALF_UP)
        if worth != position.market_value:
            yield Finding(position.symbol, f"is worth {worth}, and counted as {position.market_value}", _ACCOUNT)
    if day.plan is not None:
        expected = day.plan.cash + sum((entry.cash for entry in day.ledger), _ZERO)
        if account.cash != expected:
            yield Finding("account", f"cash is {account.cash}; by the ledger it should be {expected}", _LEDGER)


def mail_findings(day: DayEvidence) -> Iterator[Finding]:
    """One mail about the run, and one more when the monitor found symbols unfit."""
    if not day.run.state.is_final:
        return
    expected = 1 + bool(day.verdict and day.verdict.quarantined)
    if len(day.mails) != expected:
        subjects = "; ".join(mail.subject for mail in day.mails) or "none"
        yield Finding("notifications_v2", f"{expected} mail(s) expected, {len(day.mails)} sent: {subjects}", _LOGS)
