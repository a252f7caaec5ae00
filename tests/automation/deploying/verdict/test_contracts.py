"""Schemas of two releases: what one writes and the other cannot read, in both directions."""

from typing import Any

import pytest
from pydantic import BaseModel

from automation.deploying.verdict import contracts

TEXT = {"type": "string"}
NUMBER = {"type": "number"}
INTEGER = {"type": "integer"}


def record(required: tuple[str, ...] = (), **fields: Any) -> dict[str, Any]:
    return {"type": "object", "properties": fields, "required": list(required)}


def strict(required: tuple[str, ...] = (), **fields: Any) -> dict[str, Any]:
    return {**record(required, **fields), "additionalProperties": False}


def enum(*values: Any) -> dict[str, Any]:
    return {"enum": list(values), "type": "string"}


@pytest.mark.parametrize(
    ("writer", "reader", "fault"),
    [
        (record(), record(("a",), a=TEXT), "a is required, but is missing"),
        (record(a=TEXT), record(("a",), a=TEXT), "a is required, but may be missing"),
        (record(a=TEXT, b=TEXT), strict(a=TEXT), "b is unknown, and unknown fields are refused"),
        (record(a=TEXT), record(a=INTEGER), "a is string, not integer"),
        (record(a=NUMBER), record(a=INTEGER), "a is number, not integer"),
        (record(a=enum("x", "y")), record(a=enum("x")), "a may be y, but only x is accepted"),
        (record(a=TEXT), record(a=enum("x", "z")), "a may be any value, but only x, z is accepted"),
        (record(a={"const": 2}), record(a={"const": 1}), "a may be 2, but only 1 is accepted"),
        (record(a={"const": "z"}), record(a=enum("x", "y")), "a may be z, but only x, y is accepted"),
        (record(a=TEXT), record(a={**TEXT, "pattern": "^a"}), "a must have the pattern ^a"),
        (
            record(a={**TEXT, "format": "date"}),
            record(a={**TEXT, "format": "date-time"}),
            "a must have the format date-time",
        ),
        (record(a=INTEGER), record(a={**INTEGER, "minimum": 1}), "a must have the minimum 1"),
        (record(a={**INTEGER, "minimum": 0}), record(a={**INTEGER, "minimum": 1}), "a must have the minimum 1"),
        (record(a={**TEXT, "maxLength": 9}), record(a={**TEXT, "maxLength": 8}), "a must have the maxLength 8"),
        (record(a={"anyOf": [TEXT, {"type": "null"}]}), record(a=TEXT), "a may be null"),
        (record(a={"oneOf": [TEXT, NUMBER]}), record(a={"anyOf": [TEXT, INTEGER]}), "a may be number"),
        (record(a={"type": ["string", "null"]}), record(a=TEXT), "a may be null"),
        (record(a=TEXT), record(a={"type": ["integer", "null"]}), "a may be string"),
        (
            record(a={"type": "array", "items": TEXT}),
            record(a={"type": "array", "items": NUMBER}),
            "a[] is string, not number",
        ),
        (
            record(a={"type": "object", "additionalProperties": TEXT}),
            record(a={"type": "object", "additionalProperties": NUMBER}),
            "a[] is string, not number",
        ),
        (record(a=record(b=TEXT)), record(a=record(("b",), b=TEXT)), "a.b is required, but may be missing"),
        (TEXT, NUMBER, "it is string, not number"),
        ({}, enum("x"), "it is any value, not string"),
    ],
)
def test_unreadable_names_the_field_and_the_fault(writer: Any, reader: Any, fault: str) -> None:
    assert contracts.unreadable(writer, reader) == (fault,)


@pytest.mark.parametrize(
    ("writer", "reader"),
    [
        (record(("a",), a=TEXT), record(("a",), a=TEXT)),
        (record(("a",), a=TEXT), record(a=TEXT)),
        (record(a=TEXT, b=TEXT), record(a=TEXT)),
        (strict(a=TEXT), strict(a=TEXT, b=TEXT)),
        (record(a=INTEGER), record(a=NUMBER)),
        (record(a=TEXT), record(a={})),
        (record(a=TEXT), record(a=True)),
        (record(a=enum("x")), record(a=enum("x", "y"))),
        (record(a={"const": "x", "type": "string"}), record(a=enum("x", "y"))),
        (record(a=enum("x")), record(a=TEXT)),
        (record(a=enum("x")), record(a={**TEXT, "pattern": "x", "maxLength": 1})),
        (record(a={**TEXT, "pattern": "^a"}), record(a=TEXT)),
        (record(a={**INTEGER, "minimum": 1, "maximum": 3}), record(a={**INTEGER, "minimum": 1, "maximum": 3})),
        (record(a={**INTEGER, "minimum": 2, "maximum": 2}), record(a={**INTEGER, "minimum": 1, "maximum": 3})),
        (record(a=TEXT), record(a={"anyOf": [TEXT, {"type": "null"}]})),
        (record(a={"anyOf": [TEXT, NUMBER]}), record(a={"anyOf": [NUMBER, TEXT]})),
        ({**record(a=TEXT), "title": "A", "description": "a"}, {**record(a=TEXT), "title": "B"}),
    ],
)
def test_unreadable_wider_reader_reads_everything(writer: Any, reader: Any) -> None:
    assert contracts.unreadable(writer, reader) == ()


@pytest.mark.parametrize("limit", ["minimum", "exclusiveMinimum", "minLength", "minItems"])
def test_unreadable_higher_lower_limit_is_a_fault(limit: str) -> None:
    assert contracts.unreadable({limit: 1}, {limit: 2}) == (f"it must have the {limit} 2",)
    assert contracts.unreadable({limit: 2}, {limit: 1}) == ()


@pytest.mark.parametrize("limit", ["maximum", "exclusiveMaximum", "maxLength", "maxItems"])
def test_unreadable_lower_upper_limit_is_a_fault(limit: str) -> None:
    assert contracts.unreadable({limit: 2}, {limit: 1}) == (f"it must have the {limit} 1",)
    assert contracts.unreadable({limit: 1}, {limit: 2}) == ()


def test_unreadable_alternative_without_type_is_named_by_its_values() -> None:
    assert contracts.unreadable({"anyOf": [{"enum": [1.5]}, TEXT]}, {"const": "a"}) == (
        "it may be [1.5]",
        "it may be string",
    )


def test_unreadable_follows_references_of_each_side() -> None:
    def schema(*sides: str) -> dict[str, Any]:
        definitions = {"Order": record(a={"$ref": "#/$defs/Side"}), "Side": enum(*sides)}
        return {"$ref": "#/$defs/Order", "$defs": definitions}

    old, new = schema("buy"), schema("buy", "sell")

    assert contracts.unreadable(old, new) == ()
    assert contracts.unreadable(new, old) == ("a may be sell, but only buy is accepted",)


def test_unreadable_schema_that_contains_itself_ends() -> None:
    def tree(leaf: Any) -> dict[str, Any]:
        return {"$defs": {"T": record(next={"$ref": "#/$defs/T"}, leaf=leaf)}, "$ref": "#/$defs/T"}

    assert contracts.unreadable(tree(TEXT), tree(NUMBER)) == ("leaf is string, not number",)
    assert contracts.unreadable(tree(TEXT), tree(TEXT)) == ()


def test_breaking_names_both_directions() -> None:
    before = {"Order": strict(("a",), a=TEXT)}
    after = {"Order": strict(("a", "b"), a=TEXT, b=TEXT), "New": record()}

    assert contracts.breaking(before, after) == {
        "Order": "the new release cannot read the deployed one's: b is required, but is missing; "
        "the deployed release cannot read the new one's: b is unknown, and unknown fields are refused"
    }


def test_breaking_removed_message_cannot_be_read() -> None:
    breaking = contracts.breaking({"B": record(), "A": record(), "Kept": record()}, {"Kept": record()})

    assert list(breaking.items()) == [
        ("A", "is removed, so what is queued or stored cannot be read"),
        ("B", "is removed, so what is queued or stored cannot be read"),
    ]


def test_breaking_removed_required_field_breaks_the_deployed_release_only() -> None:
    assert contracts.breaking({"A": record(("a",), a=TEXT)}, {"A": record()}) == {
        "A": "the deployed release cannot read the new one's: a is required, but is missing"
    }


class Order(BaseModel):
    symbol: str
    note: str | None = None


class WiderOrder(BaseModel):
    symbol: str
    note: str | None = None
    venue: str = "paper"


def test_breaking_optional_field_of_a_tolerant_model_is_fine() -> None:
    assert contracts.breaking({"Order": Order.model_json_schema()}, {"Order": WiderOrder.model_json_schema()}) == {}
