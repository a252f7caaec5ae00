"""The stored corporate actions: what was fetched is replaced, what is older or of another symbol stays."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from tests.the_alchemiser.shared.market_data.in_memory_objects import InMemoryObjects
from the_alchemiser.shared.corporate_actions import CorporateAction, CorporateActionKind, CorporateActions
from the_alchemiser.shared.errors import StateUnavailableError
from the_alchemiser.shared.market_data.corporate_actions import (
    ACTIONS_KEY,
    ActionsEntry,
    ActionsFetch,
    CorporateActionsMalformedError,
    read_actions,
    read_actions_entry,
    write_actions,
)
from the_alchemiser.shared.market_data.objects import ObjectChangedError

NOW = datetime(2022, 3, 16, 0, 30, tzinfo=UTC)
START, END = date(2021, 3, 15), date(2022, 3, 25)


def split(symbol: str, ex_date: date, new: str = "2") -> CorporateAction:
    return CorporateAction(symbol, ex_date, CorporateActionKind.SPLIT, Decimal(1), Decimal(new), Decimal("0.5"))


def fetch(*actions: CorporateAction, symbols: tuple[str, ...] = ("SPY",)) -> ActionsFetch:
    return ActionsFetch(NOW, symbols, START, END, actions)


def stored(objects: InMemoryObjects, *actions: CorporateAction, symbols: tuple[str, ...] = ("SPY",)) -> ActionsEntry:
    """Store the actions as an earlier fetch of any dates did, and return what a reader gets."""
    earlier = ActionsFetch(NOW, symbols, date.min, date.max, actions)
    write_actions(objects, read_actions_entry(objects), earlier)
    return read_actions_entry(objects)


def test_read_actions_without_an_object_is_empty() -> None:
    assert read_actions(InMemoryObjects()) == CorporateActions()
    assert read_actions_entry(InMemoryObjects()) == ActionsEntry(CorporateActions(), (), None, None)


def test_read_actions_returns_what_was_written() -> None:
    objects = InMemoryObjects()
    dividend = CorporateAction("QQQ", date(2022, 3, 21), CorporateActionKind.DIVIDEND, cash=Decimal("0.43"))

    written = write_actions(objects, ActionsEntry(), fetch(split("SPY", END), dividend, symbols=("SPY", "QQQ")))

    entry = read_actions_entry(objects)
    assert written == entry.actions == read_actions(objects) == CorporateActions((dividend, split("SPY", END)))
    assert (entry.symbols, entry.fetched_at, entry.version) == (
        ("QQQ", "SPY"),
        NOW,
        objects.objects[ACTIONS_KEY].version,
    )


@pytest.mark.parametrize(
    ("action", "is_kept"),
    [
        (split("SPY", START, "3"), False),
        (split("SPY", END, "3"), False),
        (split("SPY", date(2021, 3, 14), "3"), True),  # older than the fetch: open lots may need it
        (split("SPY", date(2022, 3, 26), "3"), True),
        (split("TLT", date(2022, 3, 15), "3"), True),
    ],
)
def test_write_actions_replaces_what_was_fetched(action: CorporateAction, *, is_kept: bool) -> None:
    objects = InMemoryObjects()
    entry = stored(objects, action, symbols=("SPY", "TLT"))

    write_actions(objects, entry, fetch(split("SPY", date(2022, 3, 15))))

    expected = {split("SPY", date(2022, 3, 15)), *((action,) if is_kept else ())}
    assert set(read_actions(objects).actions) == expected
    assert read_actions_entry(objects).symbols == ("SPY", "TLT")


def test_write_actions_over_another_writer_writes_nothing() -> None:
    objects = InMemoryObjects()
    entry = read_actions_entry(objects)
    stored(objects, split("SPY", END))

    with pytest.raises(ObjectChangedError):
        write_actions(objects, entry, fetch())

    assert read_actions(objects).actions == (split("SPY", END),)


def test_read_actions_of_a_later_release_takes_an_unknown_kind_as_other() -> None:
    objects = InMemoryObjects()
    stored(objects, split("SPY", END))
    content = json.loads(objects.objects[ACTIONS_KEY].body)
    content["actions"][0]["kind"] = "tokenisation"
    objects.plant(ACTIONS_KEY, json.dumps(content).encode())

    assert [action.kind for action in read_actions(objects).actions] == [CorporateActionKind.OTHER]


@pytest.mark.parametrize("body", [b"junk", b"{}"])
def test_read_actions_that_cannot_be_parsed_is_named(body: bytes) -> None:
    objects = InMemoryObjects()
    objects.plant(ACTIONS_KEY, body)

    with pytest.raises(CorporateActionsMalformedError) as raised:
        read_actions(objects)

    assert str(raised.value).startswith(
        "s3://lake/corporate-actions/v1/latest.json cannot be parsed; delete it, and refresh the market data: "
    )
    assert (raised.value.reason, raised.value.retryable) == ("corporate_actions_malformed", False)


def test_read_actions_without_the_store_raises() -> None:
    with pytest.raises(StateUnavailableError):
        read_actions(InMemoryObjects(unreadable={ACTIONS_KEY}))
