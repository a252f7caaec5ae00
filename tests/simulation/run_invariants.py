"""Invariants of runs: one at a time, one end each, settled, and nothing lost on the way."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Any

from sandbox.exchange.sessions import NEW_YORK
from tests.simulation.end_state import Published
from tests.simulation.reading import FINAL, NEVER, Reading
from tests.simulation.scenario import FULL_ALLOWANCE
from the_alchemiser.shared.run.runs import TRADE, Run, RunState

_ZERO = Decimal(0)
DAYS_WITHOUT_RUN = "DaysWithoutRun"
SMALLEST_ORDER = Decimal(1)
"""USD: the broker takes no smaller order for a fraction of a share."""


def history_ends(reading: Reading) -> Iterator[str]:
    """No message and no invocation is left at the end."""
    if not reading.end.is_quiet:
        yield "messages or invocations were left when the history ended"


def one_terminal_state(reading: Reading) -> Iterator[str]:
    """Every run ends, in exactly one of the terminal states."""
    for run_id, run in reading.end.runs.items():
        if not run.state.is_final:
            yield f"{run_id} is still {run.state}"
        entered = [change.change for change in reading.end.changes if change.run_id == run_id]
        ends = [change for change in entered if change in FINAL]
        if len(ends) > 1:
            yield f"{run_id} ended {len(ends)} times: {', '.join(ends)}"


def every_run_is_settled(reading: Reading) -> Iterator[str]:
    """Every run that has ended is settled, unless the keys of its account are gone."""
    for run_id, run in reading.end.runs.items():
        if run.state.is_final and not run.settled and reading.keys_changed_at is None:
            yield f"{run_id} is {run.state}, but was never settled"


def one_run_at_a_time(reading: Reading) -> Iterator[str]:
    """A run begins only once every run before it is settled, and the day names the run that began last."""
    runs = sorted(reading.end.runs, key=reading.began_at)
    for earlier, later in pairwise(runs):
        if _day(reading, earlier) == _day(reading, later) and reading.began_at(later) < reading.settled_at(earlier):
            yield f"{later} began before {earlier} was settled"

    last = {f"{_day(reading, run_id)}": run_id for run_id in runs}
    for run_id in last.values():
        if run_id not in reading.end.days.values():
            yield f"{run_id} began last on its day, but no day names it"


def _day(reading: Reading, run_id: str) -> str:
    return reading.end.runs[run_id].trading_date.isoformat()


def trades_wait_for_their_run(reading: Reading) -> Iterator[str]:
    """Trades are sent only for runs that were selling or buying at that moment."""
    for message in reading.end.trade_messages:
        if message.at < reading.began_at(message.run_id):
            yield f"{message.message_id} was sent before its run began"


def no_trade_is_lost(reading: Reading) -> Iterator[str]:
    """Every trade that was sent has an outcome in its run, or the run failed and says that it was still missing."""
    sent = {message.detail["trade_id"]: message.run_id for message in reading.end.trade_messages}
    for trade_id, run_id in sent.items():
        run = reading.end.runs[run_id]
        if trade_id not in run.items_of(TRADE) and trade_id not in _missing(run):
            yield f"{trade_id} was sent, has no outcome, and {run_id} ({run.state}) does not name it"


def _missing(run: Run) -> tuple[str, ...]:
    failure = run.payloads.get(RunState.FAILED, {})
    return tuple(failure.get("missing", ()))


def fills_are_reported(reading: Reading) -> Iterator[str]:
    """For every order that filled, the run's outcome of its trade or RunSettled says how many shares it filled."""
    reported = _reported_fills(reading)
    for order in reading.end.orders:
        if order.id in reading.our_orders and order.filled_qty:
            quantity = reported.get(str(order.id), _ZERO)
            if quantity != order.filled_qty:
                yield f"{order.client_order_id} filled {order.filled_qty}, but people read of {quantity}"


def _reported_fills(reading: Reading) -> Mapping[str, Decimal]:
    """Return the shares that the trades' outcomes report, or RunSettled after them, by order id."""
    reported: dict[str, Decimal] = {}
    for run in reading.end.runs.values():
        for item in run.items_of(TRADE).values():
            for fill in item.body["message"]["fills"]:
                reported[fill["order_id"]] = Decimal(fill["quantity"])
    for message in _messages(reading, "RunSettled"):
        for order in message.detail["orders"]:
            reported[order["order_id"]] = Decimal(order["filled_quantity"])
    return reported


def executed_is_filled(reading: Reading) -> Iterator[str]:
    """A trade that counts as executed has filled, but for a remainder that the broker takes no order for."""
    filled: dict[str, Decimal] = defaultdict(Decimal)
    for trade, fill in reading.our_fills:
        filled[trade.trade_id] += fill.qty
    for run in reading.end.runs.values():
        for trade_id, item in run.items_of(TRADE).items():
            message = item.body["message"]
            missing = Decimal(message["quantity"]) - filled[trade_id]
            is_failed = "reason" in message
            if not is_failed and missing * reading.trades[trade_id].decision.price >= SMALLEST_ORDER:
                yield f"{trade_id} counts as executed, but {missing} shares did not fill"


def days_are_measured_rightly(reading: Reading) -> Iterator[str]:
    """The figure behind the alarm of a day without a run is 1 exactly when no run of the day had completed."""
    for gauge in reading.end.gauges:
        if gauge.name != DAYS_WITHOUT_RUN:
            continue
        day = gauge.at.astimezone(NEW_YORK).date()
        completed = any(
            run.trading_date == day and reading.changed_at[run_id].get("COMPLETED", NEVER) < gauge.at
            for run_id, run in reading.end.runs.items()
        )
        if gauge.value != float(not completed):
            yield f"{day}: the figure of days without a run is {gauge.value:g}"


def outcomes_are_the_last_word(reading: Reading) -> Iterator[str]:
    """RunCompleted reports exactly the outcomes that the run's items hold."""
    for message in _messages(reading, "RunCompleted"):
        items = reading.end.runs[message.run_id].items_of(TRADE)
        for outcome in message.detail["outcomes"]:
            recorded = items[outcome["trade_id"]].body["message"]["filled_quantity"]
            if Decimal(recorded) != Decimal(outcome["filled_quantity"]):
                yield f"{outcome['trade_id']}: RunCompleted says {outcome['filled_quantity']}, the run {recorded}"


def _messages(reading: Reading, kind: str) -> tuple[Published, ...]:
    return tuple(message for message in reading.end.published if message.detail_type == kind)


def trouble_stays_local(reading: Reading) -> Iterator[str]:
    """When at most single symbols are in trouble, every day has one completed run, and all other symbols' trades fill.

    Trades of healthy symbols may lack the money of a sale that failed.
    """
    if _is_disturbed(reading):
        return
    for day in reading.end.scenario.dates:
        states = [run.state for run in reading.end.runs.values() if run.trading_date == day]
        if states != [RunState.COMPLETED]:
            yield f"nothing stopped the run of {day}, but the day's runs are {', '.join(states) or 'missing'}"

    in_trouble = {condition.symbol for condition in reading.end.scenario.conditions}
    excuses = {None, "insufficient_buying_power"} if in_trouble else {None}
    for message in _messages(reading, "RunCompleted"):
        for outcome in message.detail["outcomes"]:
            if outcome["symbol"] not in in_trouble and outcome["reason"] not in excuses:
                yield f"{outcome['trade_id']} failed for no reason of its symbol: {outcome['reason']}"


def _is_disturbed(reading: Reading) -> bool:
    """Return whether something may have stopped whole runs: a fault, a person, the broker, a limit, missing data."""
    scenario = reading.end.scenario
    of_everybody = any(not condition.symbol for condition in scenario.conditions)
    is_limited = bool(scenario.settings.keys() - {"BROKER_ACCOUNT"}) or scenario.requests_per_minute < FULL_ALLOWANCE
    return bool(reading.end.faults or scenario.acts or of_everybody or scenario.late_data or is_limited)


def degraded_runs_say_so(reading: Reading) -> Iterator[str]:
    """A completed run is degraded exactly when a trade failed, a holding was left alone or a target cannot trade."""
    for message in _messages(reading, "RunCompleted"):
        is_degraded = _has_trouble(message.detail)
        if message.detail["degraded"] is not is_degraded:
            yield f"{message.run_id} says degraded = {message.detail['degraded']}, expected {is_degraded}"


def _has_trouble(detail: Mapping[str, Any]) -> bool:
    failed = any(outcome["reason"] is not None for outcome in detail["outcomes"])
    return failed or bool(detail.get("quarantined")) or bool(detail.get("untradable"))


def every_end_is_published(reading: Reading) -> Iterator[str]:
    """A completed run publishes RunCompleted, a failed one RunFailed, always with the same content, and never both."""
    for run_id, run in reading.end.runs.items():
        completed = _contents(reading, "RunCompleted", run_id)
        failed = _contents(reading, "RunFailed", run_id)
        expected = (1, 0) if run.state is RunState.COMPLETED else (0, 1)
        if run.state.is_final and (len(completed), len(failed)) != expected:
            yield f"{run_id} is {run.state}; it published {len(completed)} RunCompleted and {len(failed)} RunFailed"


def _contents(reading: Reading, kind: str, run_id: str) -> set[str]:
    return {repr(message.detail) for message in _messages(reading, kind) if message.run_id == run_id}
