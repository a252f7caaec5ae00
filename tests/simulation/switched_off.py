"""Replacements of single product functions: each behaves as if one safeguard had never been built."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from itertools import count
from typing import Any, NamedTuple

from tests.templates import test_durations
from the_alchemiser.coordinator_v2.settling import OrderSettler
from the_alchemiser.execution_v2.limits import to_tick
from the_alchemiser.execution_v2.orders import OrderDesk
from the_alchemiser.execution_v2.pricing import MarketView
from the_alchemiser.notifications_v2.channels import Delivery
from the_alchemiser.shared.broker.models import Order, OrderStatus, Position
from the_alchemiser.shared.corporate_actions import CorporateAction
from the_alchemiser.shared.dynamo import typed
from the_alchemiser.shared.ledger import dynamo_ledger
from the_alchemiser.shared.ledger.ledger import LedgerEntry
from the_alchemiser.shared.messaging import delivery
from the_alchemiser.shared.messaging.messages import TradeRequested
from the_alchemiser.shared.messaging.wiring import Reaction
from the_alchemiser.shared.run.dynamo_runs import DynamoRunStore
from the_alchemiser.shared.run.kill_switch import KillSwitch
from the_alchemiser.shared.run.runs import META, Move, NewRun, Run, RunState
from the_alchemiser.shared.values import Side


class Patch(NamedTuple):
    """One attribute of a module or class, and what it is while a safeguard is off."""

    owner: Any
    name: str
    value: object


@contextmanager
def switched_off(patches: tuple[Patch, ...]) -> Iterator[None]:
    """Replace the attributes, and put the product's own back at the end."""
    before = [(patch, patch.owner.__dict__[patch.name]) for patch in patches]
    try:
        for patch in patches:
            setattr(patch.owner, patch.name, patch.value)
        yield
    finally:
        for patch, own in before:
            setattr(patch.owner, patch.name, own)


def nothing(*_: object, **__: object) -> None:
    """Refuse nothing, do nothing."""


def yes(*_: object, **__: object) -> bool:
    """Answer yes, whatever the question."""
    return True


def no(*_: object, **__: object) -> bool:
    """Answer no, whatever the question."""
    return False


# --- messages ---


_OWN_REACT = delivery._react


def marked_before_publishing(content: Any, handler: Any, inbox: Any, *, receives: int) -> Reaction:
    """Note the outbox as sent before it is published."""
    reaction = _OWN_REACT(content, handler, inbox, receives=receives)
    reaction.on_published()
    return Reaction(reaction.messages)


def never_sent(*_: object, **__: object) -> Delivery:
    """Remember no notice that was sent."""
    return Delivery()


_OWN_DURATIONS = test_durations.durations


def short_visibilities(environment: str, *, stack: str = "") -> Mapping[str, int]:
    """Let every message appear again while its function still works on it."""
    seconds = _OWN_DURATIONS(environment, stack=stack)
    return {name: value // 5 if name.endswith("VisibilityS") else value for name, value in seconds.items()}


# --- runs ---


_OWN_MOVE = DynamoRunStore.move
_OWN_TAKE_DAY = DynamoRunStore._take_day
_OWN_MARK_SENT = DynamoRunStore.mark_sent
_OWN_LOAD = DynamoRunStore.load


def unconditional_put(client: Any, table: str, row: Mapping[str, Any], **_: object) -> bool:
    """Overwrite what is there."""
    client.put_item(TableName=table, Item=typed(row))
    return True


def unconditional_move(self: DynamoRunStore, run_id: str, move: Move) -> bool:
    """Move the run from whatever state it is in by now."""
    state = self.state_of(run_id)
    return state is not None and _OWN_MOVE(self, run_id, move.changed(leaving=state))


def take_any_day(self: DynamoRunStore, run: NewRun, replaces: str | None) -> Any:
    """Take the day, also from a run that has it."""
    write: Any = _OWN_TAKE_DAY(self, run, replaces)
    for condition in ("ConditionExpression", "ExpressionAttributeValues"):
        write["Put"].pop(condition, None)
    return write


def mark_any_sent(self: DynamoRunStore, run_id: str, sk: str = META, *, state: RunState | None = None) -> None:
    """Mark the outbox as sent, also when the run has moved on and has another one."""
    _OWN_MARK_SENT(self, run_id, sk)


def load_as_sent(self: DynamoRunStore, run_id: str) -> Run | None:
    """Believe that every outbox has been published."""
    run = _OWN_LOAD(self, run_id)
    if run is None:
        return None
    return replace(run, sent=True, items={sk: item.changed(sent=True) for sk, item in run.items.items()})


def no_reaction(*_: object, **__: object) -> Reaction:
    """Publish nothing."""
    return Reaction()


def settled_at_once(self: OrderSettler, run: Run, *, opened_at: datetime, at: datetime) -> None:
    """Take it for granted that nothing of the run rests."""
    self.runs.mark_settled(run.run_id)


def nothing_differs(*_: object, **__: object) -> tuple[()]:
    """Find no difference."""
    return ()


def expected_by_index(self: Any, _: object) -> Any:
    """Believe the index of the ledger, however far it lags behind."""
    return self.expected()


# --- orders ---


_NUMBERS = count(1)
_OWN_IS_ENABLED = KillSwitch.is_enabled


def random_id(trade_id: str, step: int) -> str:
    """Make a client order id that is new in every attempt."""
    return f"{trade_id}-{step}-{next(_NUMBERS):x}"


def empty(*_: object, **__: object) -> Mapping[Any, Any]:
    """See nothing."""
    return {}


def first_reading(self: KillSwitch) -> bool:
    """Read the switch once, and believe it from then on."""
    known: Any = self
    if not hasattr(known, "reading"):
        known.reading = _OWN_IS_ENABLED(self)
    return bool(known.reading)


def whole_remainder(trade: TradeRequested, remaining: Decimal, position: Position | None) -> Decimal:
    """Sell all that remains, whatever the account holds."""
    return remaining


def cancelled_unseen(self: OrderDesk, order: Order) -> Order:
    """Believe that a requested cancellation has happened, and that nothing filled meanwhile."""
    self._request_cancellation(order)
    return order.changed(status=OrderStatus.CANCELED)


def cancel_or_raise(self: OrderDesk, order: Order) -> None:
    """Let a refused cancellation be an error."""
    self._broker.cancel(order.id)


def far_side(self: MarketView, side: Side, fraction: Decimal) -> Decimal:
    """Set the limit at the far side of the quote, however far that is."""
    return to_tick(self.touch(side), side)


# --- books ---


_OWN_ROW = dynamo_ledger._row


def timed_row(entry: LedgerEntry) -> dict[str, Any]:
    """Let the sort key hold the time of the fill too."""
    row = _OWN_ROW(entry)
    return {**row, "sk": f"{row['filled_at']}#{row['sk']}"}


def no_splits(*_: object, **__: object) -> tuple[CorporateAction, ...]:
    """Know of no split."""
    return ()
