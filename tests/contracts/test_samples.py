"""Releases read each other's messages and items: today's readers take every stored sample, and variants of it."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from automation.deploying.verdict.contracts import breaking
from desk.deployment.contracts import reader_schema, schemas
from desk.deployment.stored_items import STORED_ITEMS
from tests.contracts.reading import read
from tests.contracts.samples import FOLDER, KINDS, add_samples, kind_of, missing_samples, sample_name
from tests.contracts.variants import UNKNOWN, Sample, with_json_decoded
from tests.contracts.written import as_json, written
from the_alchemiser.shared.messaging.commands import COMMANDS, Command
from the_alchemiser.shared.messaging.messages import BY_NAME, RunFailed
from the_alchemiser.shared.values import Value

CONTRACTS = schemas({})
EVERY_SAMPLE = pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)


def content_of(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def test_every_kind_has_a_sample_of_its_present_form() -> None:
    assert missing_samples(CONTRACTS) == []


def test_missing_samples_of_a_changed_form_says_how_to_add_one() -> None:
    changed = {**CONTRACTS["RunFailed"], "required": ["run_id"]}

    [advice] = missing_samples({**CONTRACTS, "RunFailed": changed})

    name = sample_name("RunFailed", changed)
    assert advice == (
        f"RunFailed has a new form and no sample of it: add tests/contracts/samples/{name} "
        "by `python -m tests.contracts.samples`, keep the earlier samples, and commit it"
    )


def test_add_samples_writes_each_kind_once(tmp_path: Path) -> None:
    added = add_samples(tmp_path)

    assert [name.rpartition("-")[0] for name in added] == list(KINDS)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(added)
    assert add_samples(tmp_path) == []


@EVERY_SAMPLE
def test_sample_is_read(path: Path) -> None:
    assert read(kind_of(path), content_of(path)) is not None


@EVERY_SAMPLE
def test_sample_of_a_message_is_written_as_it_was(path: Path) -> None:
    message = BY_NAME.get(kind_of(path))
    content = content_of(path)
    if message is None or path.name != sample_name(kind_of(path), CONTRACTS[kind_of(path)]):
        return  # an item, or a form that no release writes any more

    assert json.loads(message.read(content).to_json()) == content


@EVERY_SAMPLE
def test_sample_with_unknown_fields_is_read_as_without(path: Path) -> None:
    kind, content = kind_of(path), content_of(path)
    later = Sample(kind, content, CONTRACTS).with_unknown_fields()

    assert UNKNOWN in later
    assert read(kind, later) == read(kind, content)


@EVERY_SAMPLE
def test_sample_without_an_optional_field_is_read(path: Path) -> None:
    kind = kind_of(path)

    unread: list[str] = []
    for field, content in Sample(kind, content_of(path), CONTRACTS).without_optional_fields():
        try:
            read(kind, content)
        except Exception as error:
            unread.append(f"{field}: {error!r}")

    assert unread == []


def test_variants_reach_nested_values_recorded_messages_and_payloads() -> None:
    meta = Sample("RunMeta", as_json(written()["RunMeta"]), CONTRACTS)
    plan = Sample("RunPlan", as_json(written()["RunPlan"]), CONTRACTS)

    paths = {path for path, _ in meta.objects()}
    assert {(), ("timeline", 0), ("outbox", 0), ("outbox", 0, "message"), ("at_FAILED",)} <= paths
    assert ("at_BUYING", "refused", "local-2022-03-16-BUY-TLT") in paths
    assert {("body",), ("body", "decisions", 0)} <= {path for path, _ in plan.objects()}
    assert "at_SELLING.factor" in dict(meta.without_optional_fields())
    assert "outbox.0.message.caused_by" in dict(meta.without_optional_fields())


def test_sample_without_a_required_field_is_not_read() -> None:
    content = as_json(written()["RunPlan"])
    body = json.loads(content["body"])
    del body["equity"]

    with pytest.raises(ValueError, match="equity"):
        read("RunPlan", content | {"body": json.dumps(body)})


@pytest.mark.parametrize("model", STORED_ITEMS, ids=lambda model: model.__name__)
def test_stored_item_lists_exactly_what_the_product_writes(model: type[Value]) -> None:
    content = as_json(written()[model.__name__])

    model(**with_json_decoded(content))

    assert content.keys() == CONTRACTS[model.__name__]["properties"].keys()


def test_stored_item_with_an_attribute_of_its_own_is_noticed() -> None:
    content = as_json(written()["LedgerFill"]) | {"venue": "NYSE"}
    [model] = [item for item in STORED_ITEMS if item.__name__ == "LedgerFill"]

    with pytest.raises(TypeError, match="venue"):
        model(**with_json_decoded(content))


@pytest.mark.parametrize("command", COMMANDS.values(), ids=lambda command: command.__name__)
def test_contract_of_a_command_refuses_unknown_fields(command: type[Command]) -> None:
    assert CONTRACTS[command.__name__]["additionalProperties"] is False


def test_contracts_of_messages_and_items_ignore_unknown_fields() -> None:
    refusals = [name for name in KINDS if '"additionalProperties": false' in json.dumps(CONTRACTS[name])]

    assert refusals == []


def test_contracts_have_no_notes_but_keep_fields_of_these_names() -> None:
    class Book(msgspec.Struct):
        """A docstring becomes a description."""

        title: str
        description: str = "none"

    assert reader_schema(Book) == {
        "type": "object",
        "required": ["title"],
        "properties": {"title": {"type": "string"}, "description": {"type": "string", "default": "none"}},
    }
    assert "title" not in json.dumps(CONTRACTS[RunFailed.__name__])


def test_contracts_break_none_that_a_release_recorded_with_pydantic() -> None:
    recorded = json.loads(Path(__file__).with_name("recorded_schemas.json").read_text())

    assert {*recorded} == {"BooksDiffer", "BooksOfDay", "RefreshMarketData", "RunMeta", "TradeExecuted"}
    assert breaking(recorded, CONTRACTS) == {}


def test_contracts_have_the_words_of_those_that_pydantic_described() -> None:
    recorded = json.loads(Path(__file__).with_name("recorded_schemas.json").read_text())

    assert recorded["TradeExecuted"] == json.loads(json.dumps(CONTRACTS["TradeExecuted"]))
    assert recorded["RefreshMarketData"] == json.loads(json.dumps(CONTRACTS["RefreshMarketData"]))


def test_contracts_describe_the_content_of_json_in_a_string() -> None:
    assert CONTRACTS["RunPlan"]["properties"]["body"] == {"$ref": "#/$defs/RebalancePlan"}
