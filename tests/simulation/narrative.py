"""Tells a history to a person: what it was made of, and what happened, one line per event."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from sandbox.exchange.sessions import NEW_YORK
from tests.simulation.end_state import EndState
from tests.simulation.scenario import FULL_ALLOWANCE, AccountPlan, Scenario
from the_alchemiser.shared.books.checks import describe as describe_difference


class Line(NamedTuple):
    """One event of a history."""

    at: datetime
    who: str
    text: str


def narrate(end: EndState, *, is_whole: bool = False) -> Iterator[str]:
    """Yield the scenario, then the events in their order, with New York times.

    Args:
        is_whole: also every call of every function, not only those that went wrong.
    """
    yield from describe(end.scenario)
    lines = [
        *_of_people(end),
        *_of_runs(end),
        *_of_books(end),
        *_of_trace(end, is_whole=is_whole),
        *_of_exchange(end),
        *_of_notices(end),
    ]
    width = max((len(line.who) for line in lines), default=0)
    for line in sorted(lines, key=lambda line: line.at):
        yield f"{_time(line.at)}  {line.who:<{width}}  {line.text}"


def describe(scenario: Scenario) -> Iterator[str]:
    """Yield the parts of a scenario, one per line."""
    days = ", ".join(day.isoformat() for day in scenario.dates)
    yield f"seed {scenario.seed}: {scenario.kind}, {days}"
    yield from _describe_account(scenario.account)
    for split in scenario.splits:
        yield f"split: {split.new} {split.symbol} for {split.old}, ex-date {split.ex_date}"
    for condition in scenario.conditions:
        hours = f"{_time(condition.start)} to {_time(condition.end)}"
        yield f"market: {condition.symbol or 'all symbols'}, {condition.kind} ({condition.size}) from {hours}"
    yield from _describe_surroundings(scenario)


def _describe_account(account: AccountPlan) -> Iterator[str]:
    yield f"account: ${account.cash:,} in {'margin' if account.is_margin else 'cash'}"
    for symbol, quantity in account.opened_by_strategies.items():
        yield f"  {quantity} {symbol}, bought by strategies"
    for symbol, quantity in account.opened_by_owner.items():
        yield f"  {quantity} {symbol}, the owner's"
    for odd in account.odd:
        yield f"  {odd.quantity} {odd.symbol} at {odd.price} ({odd.asset_class})"


def _describe_surroundings(scenario: Scenario) -> Iterator[str]:
    for name, value in scenario.settings.items():
        yield f"setting: {name} = {value}"
    if scenario.skews:
        yield "clocks: " + ", ".join(f"{module} {skew:+} s" for module, skew in scenario.skews.items())
    if scenario.requests_per_minute != FULL_ALLOWANCE:
        yield f"the broker allows {scenario.requests_per_minute} requests a minute"
    if scenario.late_data:
        yield "the nightly data is late"
    if scenario.real_data:
        yield "the lake is written by data_v2"


def _of_people(end: EndState) -> Iterator[Line]:
    for act in end.scenario.acts:
        detail = f" {act.quantity} {act.symbol}".rstrip() if act.quantity else ""
        yield Line(act.at, "people", f"{act.kind}{detail}")


def _of_runs(end: EndState) -> Iterator[Line]:
    for change in end.changes:
        yield Line(change.at, "run", f"{change.run_id} is {change.change}")


def _of_books(end: EndState) -> Iterator[Line]:
    for at, check in end.checks:
        differences = "".join(f"; {describe_difference(row)}; {row.cause or 'no cause'}" for row in check.differences)
        yield Line(at, "books", f"{check.trading_date} is {check.state}{differences}")


def _of_trace(end: EndState, *, is_whole: bool) -> Iterator[Line]:
    for line in end.trace:
        if is_whole or line.fault or line.result in ("killed", "timed out"):
            fault = f" [{line.fault}]" if line.fault else ""
            yield Line(line.at, line.function, f"{line.invocation}: {line.call} -> {line.result}{fault}")
    for attempt in end.attempts:
        if attempt.result != "handled" or is_whole:
            yield Line(attempt.ended_at, attempt.function, f"{attempt.invocation}: {attempt.result}")


def _of_exchange(end: EndState) -> Iterator[Line]:
    for post in end.posts:
        yield Line(post.at, "exchange", f"{post.status} for {post.side} {post.symbol} {post.client_order_id}")
    ids = {order.id: order.client_order_id for order in end.orders}
    for fill in end.fills:
        yield Line(fill.at, "exchange", f"fills {fill.qty} of {ids[fill.order_id]} at {fill.price}")
    for order in end.orders:
        if order.canceled_at is not None:
            yield Line(order.canceled_at, "exchange", f"cancels {order.client_order_id}")


def _of_notices(end: EndState) -> Iterator[Line]:
    for mail in end.mails:
        yield Line(mail.at, "mail", f"{mail.subject} ({mail.message_id})")


def _time(at: datetime) -> str:
    return f"{at.astimezone(NEW_YORK):%d %H:%M:%S.%f}"[:-3]
