"""The corporate actions in `corporate-actions/v1/latest.json`: data_v2 writes them, plans and figures need them."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal

import msgspec

from the_alchemiser.shared.corporate_actions import CorporateAction, CorporateActionKind, CorporateActions
from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.shared.market_data.objects import ObjectStore, StoredObject
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.values import UtcDatetime, Value

ACTIONS_PREFIX = "corporate-actions/v1"
ACTIONS_KEY = f"{ACTIONS_PREFIX}/latest.json"


class CorporateActionsMalformedError(AlchemiserError):
    """The stored corporate actions cannot be parsed. A split may be among them, so nothing continues without them."""


class StoredAction(Value):
    """One corporate action as the object has it; see CorporateAction."""

    symbol: str
    ex_date: date
    kind: str
    old_rate: Decimal
    new_rate: Decimal
    cash: Decimal


class StoredActions(Value):
    """The content of the object.

    Attributes:
        fetched_at: business time of the latest fetch, UTC.
        symbols: whose actions were fetched, now or earlier.
    """

    fetched_at: UtcDatetime
    symbols: tuple[str, ...]
    actions: tuple[StoredAction, ...]


class ActionsFetch(Frozen):
    """What the broker knows of some symbols: every action with an ex-date from `start` through `end`."""

    fetched_at: datetime
    symbols: tuple[str, ...]
    start: date
    end: date
    actions: tuple[CorporateAction, ...]


class ActionsEntry(Frozen):
    """The object as it was read; without anything when there is none.

    Attributes:
        symbols: whose actions were fetched, now or earlier.
        fetched_at: business time of the latest fetch, UTC.
        version: of the object.
    """

    actions: CorporateActions = CorporateActions()
    symbols: tuple[str, ...] = ()
    fetched_at: datetime | None = None
    version: str | None = None


def read_actions(objects: ObjectStore) -> CorporateActions:
    """Return the stored corporate actions, none when there is no object.

    Raises:
        CorporateActionsMalformedError: the stored object cannot be parsed.
        StateUnavailableError: the store did not answer.
    """
    return read_actions_entry(objects).actions


def read_actions_entry(objects: ObjectStore) -> ActionsEntry:
    """Return the stored object.

    Raises:
        CorporateActionsMalformedError: the stored object cannot be parsed.
        StateUnavailableError: the store did not answer.
    """
    stored = objects.get(ACTIONS_KEY)
    if stored is None:
        return ActionsEntry()
    content = _parse(stored, objects.url(ACTIONS_KEY))
    actions = CorporateActions(tuple(map(_action, content.actions)))
    return ActionsEntry(actions, content.symbols, content.fetched_at, stored.version)


def write_actions(objects: ObjectStore, entry: ActionsEntry, fetch: ActionsFetch) -> CorporateActions:
    """Replace what is stored of the fetched symbols and dates; keep everything else, and return all of it.

    Actions that are older than any fetch stay: lots that were opened before them need them as long as they are open.

    Args:
        entry: what `read_actions_entry` returned; the write fails if the stored object has changed since then.

    Raises:
        ObjectChangedError: another writer changed the object; nothing was written.
        StateUnavailableError: it is not known whether the object was written.
    """
    kept = (action for action in entry.actions.actions if not _is_covered(action, fetch))
    actions = CorporateActions(tuple(sorted((*kept, *fetch.actions))))
    content = StoredActions(
        fetched_at=fetch.fetched_at,
        symbols=tuple(sorted({*entry.symbols, *fetch.symbols})),
        actions=_stored(actions.actions),
    )

    # Conditional on the version that was read: of two fetches at the same time, one fails and is repeated.
    body = content.to_json(indent=2).encode()
    objects.put(ACTIONS_KEY, body, content_type="application/json", replaces=entry.version)
    return actions


def _is_covered(action: CorporateAction, fetch: ActionsFetch) -> bool:
    return action.symbol in fetch.symbols and fetch.start <= action.ex_date <= fetch.end


def _parse(stored: StoredObject, where: str) -> StoredActions:
    try:
        return StoredActions.read_json(stored.body)
    except ValueError as error:
        advice = "delete it, and refresh the market data"
        raise CorporateActionsMalformedError(f"{where} cannot be parsed; {advice}: {error}") from error


def _stored(actions: Iterable[CorporateAction]) -> tuple[StoredAction, ...]:
    return tuple(StoredAction(**msgspec.structs.asdict(action)) for action in actions)


def _action(stored: StoredAction) -> CorporateAction:
    return CorporateAction(
        symbol=stored.symbol,
        ex_date=stored.ex_date,
        kind=CorporateActionKind.of(stored.kind),
        old_rate=stored.old_rate,
        new_rate=stored.new_rate,
        cash=stored.cash,
    )
