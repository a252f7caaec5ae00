"""The page of messages: every message of the registry, with its route and fields."""

from collections.abc import Mapping
from decimal import Decimal
from types import NoneType
from typing import Any, Literal

import msgspec
import pytest

from desk.documentation import message_page
from the_alchemiser.shared.messaging.messages import REGISTRY, Message, Route
from the_alchemiser.shared.values import Symbol, UtcDatetime


class BreadBaked(Message):
    """Bread was baked
    in an oven.

    Attributes:
        loaves, rolls: how many, and
            in pieces.
        notes: by <oven>.
    """

    loaves: int
    rolls: int = 0
    notes: Mapping[str, str] = {}
    price: Decimal


def test_page_shows_route_and_fields() -> None:
    page = message_page.page({BreadBaked: Route("shop", ("oven", "chef"), ("till",))})

    assert page.partition("## BreadBaked\n")[2].splitlines() == [
        "",
        "Bread was baked in an oven.",
        "",
        "From `oven`, `chef` on the bus, source `shop`, to `till`.",
        "",
        "| field | type | default | meaning |",
        "|---|---|---|---|",
        "| `loaves` | `int` |  | how many, and in pieces. |",
        "| `rolls` | `int` | `0` | how many, and in pieces. |",
        "| `notes` | `Mapping[str, str]` | `{}` | by &lt;oven>. |",
        "| `price` | `Decimal` |  |  |",
    ]
    assert "| `message_id` | `str` |  | `<run_id>/<type>/<subject>`; the key of every consumer's claim. |" in page


def test_page_shows_a_queued_message() -> None:
    page = message_page.page({BreadBaked: Route("shop", ("oven",), ("till",), queued=True)})

    assert "From `oven` straight to the queue of `till`." in page


@pytest.mark.parametrize(
    ("annotation", "name"),
    [
        (str, "str"),
        (NoneType, "None"),
        (Decimal | None, "Decimal or None"),
        (tuple[str, ...], "tuple[str, …]"),
        (Mapping[Symbol, Decimal], "Mapping[str, Decimal]"),
        (UtcDatetime, "datetime"),
        (Literal["a", "b"], "'a' or 'b'"),
        (dict, "dict"),
    ],
)
def test_type_name_is_short(annotation: Any, name: str) -> None:
    assert message_page.type_name(annotation) == name


def test_page_has_every_message_and_field() -> None:
    page = message_page.page()
    sections = [line.removeprefix("## ") for line in page.splitlines() if line.startswith("## ")]

    assert sections == ["Fields of every message", *(message.__name__ for message in REGISTRY)]
    common = len(msgspec.structs.fields(Message))
    fields = sum(len(msgspec.structs.fields(message)) - common for message in REGISTRY)
    assert page.count("\n| `") == common + fields
