"""Every message survives JSON, fits its carrier, is frozen, and has its times in UTC."""

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.the_alchemiser.examples import AT, example
from the_alchemiser.shared.messaging import messages
from the_alchemiser.shared.messaging.messages import (
    BY_NAME,
    DATA,
    REGISTRY,
    TRADING,
    Message,
    StrategyFailed,
    envelope,
    message_id,
)
from the_alchemiser.shared.messaging.publisher import bus_event

CARRIER_LIMIT_BYTES = 256 * 1024
PRODUCT = Path(messages.__file__).parents[2]
EVERY_MESSAGE = pytest.mark.parametrize("kind", REGISTRY, ids=lambda kind: kind.__name__)


@EVERY_MESSAGE
def test_message_through_json_is_the_same(kind: type[Message]) -> None:
    message = example(kind)

    assert kind.read_json(message.to_json()) == message


@EVERY_MESSAGE
def test_message_over_200_symbols_and_12_strategies_fits_its_carrier(kind: type[Message]) -> None:
    message = example(kind, symbols=200, strategies=12)

    assert len(message.to_json().encode()) < CARRIER_LIMIT_BYTES


@EVERY_MESSAGE
def test_message_decimals_travel_as_strings(kind: type[Message]) -> None:
    assert not [value for value in _leaves(bus_event(example(kind))["detail"]) if isinstance(value, float)]


@EVERY_MESSAGE
def test_message_is_frozen(kind: type[Message]) -> None:
    with pytest.raises(AttributeError, match="immutable"):
        example(kind).run_id = "another"  # type: ignore[misc]  # what the type forbids is what is tested


@EVERY_MESSAGE
def test_message_built_with_an_unknown_field_is_refused(kind: type[Message]) -> None:
    content = example(kind).to_content() | {"surprise": 1}

    with pytest.raises(TypeError, match="surprise"):
        kind(**content)


@EVERY_MESSAGE
def test_route_names_a_source_and_modules_that_exist(kind: type[Message]) -> None:
    route = REGISTRY[kind]
    modules = {path.parent.name for path in PRODUCT.glob("*/lambda_handler.py")}

    assert route.source in (TRADING, DATA)
    assert route.consumers
    assert modules.issuperset((*route.producers, *route.consumers))


def test_registry_holds_every_message_class() -> None:
    defined = {
        value
        for value in vars(messages).values()
        if isinstance(value, type) and issubclass(value, Message) and value is not Message
    }

    assert set(REGISTRY) == defined == set(BY_NAME.values())


def test_message_with_a_naive_time_is_refused() -> None:
    content = example(StrategyFailed).to_content() | {"occurred_at": "2022-03-16T19:45:00"}

    with pytest.raises(ValueError, match="timezone"):
        StrategyFailed.read(content)


def test_message_with_a_local_time_holds_it_in_utc() -> None:
    new_york = datetime(2022, 3, 16, 15, 45, tzinfo=timezone(timedelta(hours=-4)))

    message = StrategyFailed.read(example(StrategyFailed).to_content() | {"occurred_at": new_york})

    assert message.occurred_at.isoformat() == AT.isoformat()


def test_message_of_another_schema_version_is_refused() -> None:
    content = example(StrategyFailed).to_content() | {"schema_version": 2}

    with pytest.raises(ValueError, match="schema_version"):
        StrategyFailed.read(content)


@pytest.mark.parametrize("symbol", ["spy", "BRK/B", "", "1SPY", "SPY "])
def test_symbol_not_canonical_is_refused(symbol: str) -> None:
    content = example(messages.MarketDataFetchRequested).to_content() | {"symbols": [symbol]}

    with pytest.raises(ValueError, match="symbols"):
        messages.MarketDataFetchRequested.read(content)


def test_message_id_is_run_type_and_subject() -> None:
    assert message_id("local-2022-03-16", StrategyFailed, "trend") == "local-2022-03-16/StrategyFailed/trend"
    assert message_id("local-2022-03-16", messages.RunFailed) == "local-2022-03-16/RunFailed/run"


def test_envelope_has_the_id_of_its_kind_and_subject() -> None:
    fields = envelope(StrategyFailed, "local-2022-03-16", "trend", occurred_at=AT, caused_by="a-cause")

    assert fields == {
        "message_id": "local-2022-03-16/StrategyFailed/trend",
        "run_id": "local-2022-03-16",
        "caused_by": "a-cause",
        "occurred_at": AT,
    }


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return _leaves(list(value.values()))
    if not isinstance(value, list):
        return [value]

    leaves: list[Any] = []
    for part in value:
        leaves.extend(_leaves(part))
    return leaves


def test_leaves_of_a_planted_float_are_seen() -> None:
    assert any(isinstance(leaf, float) for leaf in _leaves({"a": [{"b": 0.5}], "c": str(Decimal(1))}))
