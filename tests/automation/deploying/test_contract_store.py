"""The contracts of messages: what breaks between two releases, and where their schemas are kept."""

import json
from typing import Any

import pytest

from automation.deploying import contract_store
from automation.deploying.changes.model import Action, Rank, RankedChange
from automation.deploying.contract_store import ContractChanges
from automation.system.files import digest
from tests.automation.fake_aws import FakeStore

ORDER = {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}
NUMBERED = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}
SCHEMAS: dict[str, Any] = {"Order": ORDER, "Bill": ORDER}
CONTENT = json.dumps(SCHEMAS, sort_keys=True).encode()
BESIDE = "s3://shop/code/base.json"
LOCATION = f"s3://shop/code/{digest(CONTENT)}.json"


def test_compare_same_schemas_break_nothing() -> None:
    assert contract_store.compare(SCHEMAS, dict(SCHEMAS)) == ContractChanges((), ())


def test_compare_breaking_message_is_a_line_that_needs_attention() -> None:
    changes = contract_store.compare(SCHEMAS, {**SCHEMAS, "Order": NUMBERED})

    assert changes.breaking == ("Order",)
    (line,) = changes.lines
    assert line == RankedChange(
        Rank.DATA_LOSS, "", "Order", "a contract", Action.MODIFY, line.what, needs_attention=True
    )
    assert line.what.startswith("the new release cannot read the deployed one's: id ")


def test_compare_names_every_breaking_message() -> None:
    assert contract_store.compare(SCHEMAS, {"New": ORDER}).breaking == ("Bill", "Order")


@pytest.mark.parametrize(("before", "after"), [({}, SCHEMAS), (SCHEMAS, {}), ({}, {})])
def test_compare_without_schemas_on_one_side_breaks_nothing(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert contract_store.compare(before, after) == ContractChanges()


def test_save_then_load_returns_the_schemas() -> None:
    store = FakeStore()

    location = contract_store.save(SCHEMAS, BESIDE, store)

    assert location == LOCATION
    assert contract_store.load(location, store) == SCHEMAS


def test_save_is_named_after_its_content_whatever_the_order() -> None:
    store = FakeStore()

    contract_store.save(dict(reversed(SCHEMAS.items())), BESIDE, store)

    assert store.objects == {("shop", f"code/{digest(CONTENT)}.json"): CONTENT}


def test_save_writes_the_same_content_once() -> None:
    calls: list[str] = []
    store = FakeStore(on_call=lambda name, _key: calls.append(name))

    first, second = (contract_store.save(SCHEMAS, BESIDE, store) for _ in range(2))

    assert first == second
    assert calls == ["has", "put", "has"]


def test_save_beside_an_object_without_a_folder() -> None:
    store = FakeStore()

    assert contract_store.save(SCHEMAS, "s3://shop/base.json", store) == f"s3://shop/{digest(CONTENT)}.json"
    assert list(store.objects) == [("shop", f"{digest(CONTENT)}.json")]


def test_save_without_schemas_writes_nothing() -> None:
    store = FakeStore()

    assert contract_store.save({}, BESIDE, store) == ""
    assert store.objects == {}


def test_load_of_an_empty_location_asks_nobody() -> None:
    store = FakeStore()

    assert contract_store.load("", store) == {}


def test_write_keeps_the_bytes_as_they_are() -> None:
    store = FakeStore()

    location = contract_store.write(b"[1]", BESIDE, store)

    assert location == f"s3://shop/code/{digest(b'[1]')}.json"
    assert store.read("shop", f"code/{digest(b'[1]')}.json") == b"[1]"
