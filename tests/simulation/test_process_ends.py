"""What a history replaces in its process does the same as the original, and is put back at the end."""

import concurrent.futures
import gc
import logging
import os
import time
import weakref
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from tests.simulation.functions import Ends, installed
from tests.simulation.lake import evening_before, prepared_lake
from tests.simulation.process_ends import FastDeserializer, FastSerializer, Sequential, uncollected
from tests.simulation.scenario import AccountPlan, FaultPlan
from tests.simulation.system import System, build_system
from the_alchemiser.shared import aws, wall_clock

NOW = datetime(2022, 6, 15, 19, 45, tzinfo=UTC)
VALUES = ("text", "", True, Decimal("1.25"), Decimal(3), ["a", [Decimal(1)]], {"m": {"n": None}}, {"x", "y"})


@pytest.fixture
def system() -> System:
    return build_system(NOW, seed=1, plan=AccountPlan(), faults=FaultPlan(), skews={"data_v2": -2.0})


@pytest.mark.parametrize("value", VALUES)
def test_fast_deserializer_returns_what_boto3s_returns(value: Any) -> None:
    typed = TypeSerializer().serialize(value)

    assert FastDeserializer().deserialize(typed) == TypeDeserializer().deserialize(typed) == value


@pytest.mark.parametrize("value", [*VALUES, None, 7, False, {"k": [True, {"deep": Decimal("-0.5")}]}])
def test_fast_serializer_returns_what_boto3s_returns(value: Any) -> None:
    assert FastSerializer().serialize(value) == TypeSerializer().serialize(value)


def test_fast_serializer_refuses_a_float() -> None:
    with pytest.raises(TypeError, match="Float types are not supported"):
        FastSerializer().serialize([1.5])


def test_fast_deserializer_refuses_an_unknown_type() -> None:
    with pytest.raises(TypeError, match="type B is not simulated"):
        FastDeserializer().deserialize({"B": b"1"})


def test_sequential_maps_in_order_on_the_same_thread() -> None:
    with Sequential(16) as pool:
        assert list(pool.map(max, (7, 3), (2, 4))) == [7, 4]


def test_installed_shows_virtual_time_and_puts_everything_back(system: System) -> None:
    before = (time.sleep, time.monotonic, aws.client, concurrent.futures.ThreadPoolExecutor, dict(os.environ))

    with installed(Ends(system.world, system.account, system.brokerage)):
        assert (wall_clock.now(), datetime.now(UTC)) == (NOW, NOW)
        assert wall_clock.monotonic() == NOW.timestamp()

    assert before == (time.sleep, time.monotonic, aws.client, concurrent.futures.ThreadPoolExecutor, dict(os.environ))
    assert abs(wall_clock.now() - NOW).days > 365


def test_installed_restores_logging(system: System) -> None:
    level = logging.root.manager.disable
    handlers = list(logging.root.handlers)

    for lines in (None, list[str]()):
        with installed(Ends(system.world, system.account, system.brokerage), lines):
            logging.getLogger("simulated").warning("heard")
        assert (logging.root.manager.disable, logging.root.handlers) == (level, handlers)
        assert lines is None or [line.partition(" WARNING ")[2] for line in lines] == ["heard {}"]


def test_uncollected_turns_the_collector_on_again() -> None:
    with uncollected():
        assert not gc.isenabled()

    assert gc.isenabled()


def test_uncollected_leaves_no_garbage() -> None:
    class Node:
        """A node that refers to itself."""

    with uncollected():
        node: Any = Node()
        node.itself = node
        seen = weakref.ref(node)
        del node
        assert seen() is not None

    assert seen() is None


def test_evening_before_is_the_session_before_at_eight_in_the_evening() -> None:
    assert evening_before(date(2022, 6, 13)) == datetime(2022, 6, 11, 0, 0, tzinfo=UTC)


def test_prepared_lake_ends_with_the_session_before() -> None:
    objects = prepared_lake(date(2022, 6, 15), ())

    assert b'"as_of": "2022-06-14"' in objects["quality/v1/latest.json"].body
    assert "bars/v1/AAA.parquet" in objects
