"""The account compared with the books, the strategies' lots and the last plan, symbol by symbol. Pure."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from automation.system.errors import Finding
from the_alchemiser.shared import formats
from the_alchemiser.shared.books.checks import BooksCheck, describe, shares_text
from the_alchemiser.shared.books.reconciling import Look
from the_alchemiser.shared.messaging import outbox
from the_alchemiser.shared.messaging.messages import Difference, TradeFailed
from the_alchemiser.shared.run.plan import RebalancePlan, trade_id
from the_alchemiser.shared.run.progress import plan_of, releases_of
from the_alchemiser.shared.run.runs import TRADE, Run

_ZERO = Decimal(0)


class SymbolRow(NamedTuple):
    """One symbol.

    Attributes:
        broker: shares that the account holds.
        books: shares that the books say; None before there are books.
        strategies: shares in the lots of all strategies together.
        target: shares that the last plan wanted; None without one.
        notes: what differs and why, as clauses.
    """

    symbol: str
    broker: Decimal
    books: Decimal | None
    strategies: Decimal
    target: Decimal | None
    notes: tuple[str, ...]

    @property
    def nobodys(self) -> Decimal:
        """Return the shares that belong to no strategy: the owner's, or negative when strategies lack shares."""
        return self.broker - self.strategies


class Reconciliation(NamedTuple):
    """The account and everything that it is compared with.

    Attributes:
        check: the latest check of the books; None before the first run.
        look: the account as it is now, compared with that check; None without one, or while it waits.
        run: the latest run with a plan.
        unsettled: while it waits, the runs whose orders may still fill.
    """

    account: str
    check: BooksCheck | None
    look: Look | None
    rows: tuple[SymbolRow, ...]
    run: Run | None
    unsettled: tuple[str, ...] = ()

    @property
    def is_waiting(self) -> bool:
        """Return whether nobody can compare yet, because an order of a run may still fill."""
        return self.check is not None and self.look is None

    @property
    def differences(self) -> tuple[Difference, ...]:
        return () if self.look is None else self.look.differences


def rows(
    held: Mapping[str, Decimal], look: Look | None, owned: Mapping[str, Mapping[str, Decimal]], run: Run | None
) -> tuple[SymbolRow, ...]:
    """Return a row for every symbol that the account holds, or that books, strategies or the plan name.

    Args:
        owned: shares by strategy and symbol.
        run: the latest run with a plan.
    """
    expected = {} if look is None else {symbol: shares.kept for symbol, shares in look.expected.items()}
    lots = _totals(owned)
    targets, reasons = _targets(run), _reasons(run)
    wanted = {symbol for symbol, shares in targets.items() if shares} | reasons.keys()

    symbols = held.keys() | expected.keys() | lots.keys() | wanted
    return tuple(
        SymbolRow(
            symbol,
            held.get(symbol, _ZERO),
            None if look is None else expected.get(symbol, _ZERO),
            lots.get(symbol, _ZERO),
            targets.get(symbol),
            _notes(symbol, held.get(symbol, _ZERO), lots.get(symbol, _ZERO), look, reasons),
        )
        for symbol in sorted(symbols)
    )


def _totals(owned: Mapping[str, Mapping[str, Decimal]]) -> Mapping[str, Decimal]:
    totals: dict[str, Decimal] = {}
    for shares in owned.values():
        for symbol, quantity in shares.items():
            totals[symbol] = totals.get(symbol, _ZERO) + quantity
    return totals


def _targets(run: Run | None) -> Mapping[str, Decimal]:
    plan = None if run is None else plan_of(run)
    return {} if plan is None else {decision.symbol: decision.target_quantity for decision in plan.decisions}


def _reasons(run: Run | None) -> Mapping[str, str]:
    """Return why trades of the plan did not reach their target, by symbol."""
    plan = None if run is None else plan_of(run)
    if run is None or plan is None:
        return {}
    reasons = dict(plan.untradable)
    quantities: dict[str, Decimal] = {}
    for release in releases_of(run):
        quantities.update(release.quantities)
    for decision in plan.decisions:
        reason = _reason(run, plan, decision.symbol, quantities)
        if reason:
            reasons[decision.symbol] = reason
    return reasons


def _reason(run: Run, plan: RebalancePlan, symbol: str, quantities: Mapping[str, Decimal]) -> str:
    decision = next(decision for decision in plan.decisions if decision.symbol == symbol)
    if decision.side is None:
        return ""
    name = trade_id(run.run_id, decision.side, symbol)
    item = run.items_of(TRADE).get(name)
    outcome = None if item is None else outbox.decode(item.body)
    if isinstance(outcome, TradeFailed):
        filled = f"{formats.shares(outcome.filled_quantity)} of {formats.shares(outcome.quantity)} filled"
        return f"{decision.side} failed: {outcome.reason}, {filled}"
    if outcome is None:
        return f"{decision.side} of {formats.shares(decision.quantity)} has no outcome"
    if quantities.get(name, decision.quantity) != decision.quantity:
        return f"{decision.side} scaled from {formats.shares(decision.quantity)} to {formats.shares(quantities[name])}"
    return ""


def _notes(
    symbol: str, broker: Decimal, strategies: Decimal, look: Look | None, reasons: Mapping[str, str]
) -> tuple[str, ...]:
    differences = () if look is None else look.differences
    notes = [_named(difference) for difference in differences if difference.symbol == symbol]
    if strategies > broker:
        notes.append(f"strategies own {formats.shares(strategies - broker)} more than the account holds")
    if symbol in reasons:
        notes.append(f"target not reached: {reasons[symbol]}")
    return tuple(notes)


def _named(difference: Difference) -> str:
    if difference.kind != "holding":
        return describe(difference).partition(": ")[2]
    shares = shares_text(difference.broker - difference.books)
    return f"differs by {shares}: {difference.cause or 'cause not known'}"


def findings(differences: Iterable[Difference], environment: str) -> tuple[Finding, ...]:
    """Return one finding per difference between account and books."""
    accept = f"correct the account, or inv reconcile --env {environment} --accept"
    return tuple(
        Finding(difference.symbol, describe(difference).partition(": ")[2] + _cause(difference), accept)
        for difference in differences
    )


def _cause(difference: Difference) -> str:
    return f" ({difference.cause})" if difference.cause else ""


def as_json(state: Reconciliation, *, environment: str) -> Mapping[str, Any]:
    """Return the reconciliation as JSON values; shares are strings."""
    check = state.check
    return {
        "environment": environment,
        "account": state.account,
        "books": None if check is None else _check_as_json(check),
        "run": None if state.run is None else state.run.run_id,
        "differences": [difference.to_content() for difference in state.differences],
        "symbols": [_row_as_json(row) for row in state.rows],
    }


def _check_as_json(check: BooksCheck) -> Mapping[str, Any]:
    content = check.to_content()
    del content["holdings"]
    return content


def _row_as_json(row: SymbolRow) -> Mapping[str, Any]:
    shares = {"broker": row.broker, "books": row.books, "strategies": row.strategies, "nobodys": row.nobodys}
    values = {**shares, "target": row.target}
    texts = {name: None if value is None else format(value, "f") for name, value in values.items()}
    return {"symbol": row.symbol, **texts, "notes": list(row.notes)}
