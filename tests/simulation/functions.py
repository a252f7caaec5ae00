"""The ten functions: their real handlers, each with the containers and the environment that Lambda would give it.

`installed` replaces the ends of the process (clock, pauses, AWS clients, broker connections, threads) for as long as a
history runs. A module keeps its wiring per container, as on Lambda.
"""

import concurrent.futures
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from types import MappingProxyType, ModuleType
from typing import Any, NamedTuple

from tests.simulation import book
from tests.simulation.aws_clients import Account
from tests.simulation.broker_port import Brokerage
from tests.simulation.deployment import read_deployment
from tests.simulation.process_ends import Sequential, captured, fast_deserializer, fast_serializer, read_parquet_once
from tests.simulation.world import World, travelling
from the_alchemiser.aggregator_v2 import lambda_handler as aggregator_v2
from the_alchemiser.coordinator_v2 import lambda_handler as coordinator_v2
from the_alchemiser.data_quality_monitor import lambda_handler as data_quality_monitor
from the_alchemiser.data_v2 import lambda_handler as data_v2
from the_alchemiser.execution_v2 import lambda_handler as execution_v2
from the_alchemiser.metrics_v2 import lambda_handler as metrics_v2
from the_alchemiser.notifications_v2 import lambda_handler as notifications_v2
from the_alchemiser.portfolio_v2 import lambda_handler as portfolio_v2
from the_alchemiser.shared import aws
from the_alchemiser.shared import book as product_book
from the_alchemiser.shared import dynamo as product_dynamo
from the_alchemiser.shared.broker import client as broker_client
from the_alchemiser.shared.broker import connect, credentials
from the_alchemiser.shared.market_data import bars
from the_alchemiser.strategy_v2 import lambda_handler as strategy_v2
from the_alchemiser.trade_aggregator import lambda_handler as trade_aggregator

HANDLERS: Mapping[str, ModuleType] = {
    "coordinator_v2": coordinator_v2,
    "strategy_v2": strategy_v2,
    "aggregator_v2": aggregator_v2,
    "portfolio_v2": portfolio_v2,
    "trade_aggregator": trade_aggregator,
    "execution_v2": execution_v2,
    "notifications_v2": notifications_v2,
    "metrics_v2": metrics_v2,
    "data_v2": data_v2,
    "data_quality_monitor": data_quality_monitor,
}
"""The modules of the ten handlers, by the name of the function's package."""

_CACHED = {"coordinator_v2": ("_inbox", "_gauges")}
"""What a module keeps from one invocation to the next, beside `_inbox`."""


class Ends(NamedTuple):
    """The ends of one history.

    Attributes:
        settings: environment variables that take the place of those of every function that has them.
    """

    world: World
    account: Account
    brokerage: Brokerage
    settings: Mapping[str, str] = MappingProxyType({})


class Context:
    """Lambda's context, as the product reads it."""

    def __init__(self, world: World, deadline: int) -> None:
        self._world = world
        self._deadline = deadline
        self.function_name = "simulated"
        self.aws_request_id = "simulated"

    def get_remaining_time_in_millis(self) -> int:
        return max((self._deadline - self._world.now) // 1000, 0)


@cache
def _load_book_once() -> product_book.Book:
    """Read the book once per process; it takes a tenth of a history to read it at every evaluation."""
    return product_book.load_book(book.STRATEGIES)


@contextmanager
def installed(ends: Ends, lines: list[str] | None = None) -> Iterator[None]:
    """Replace the ends of the process by those of a history.

    Args:
        lines: gets what the functions log; with None they log nothing, which is faster.
    """
    saved: list[tuple[Any, str, Any]] = []

    def replace(target: Any, name: str, value: Any) -> None:
        saved.append((target, name, getattr(target, name)))
        setattr(target, name, value)

    try:
        replace(time, "sleep", ends.world.sleep)
        replace(time, "monotonic", ends.world.monotonic)
        replace(aws, "client", ends.account.client)
        replace(broker_client, "Connections", ends.brokerage.connect)
        replace(data_quality_monitor, "Connections", ends.brokerage.connect)
        replace(product_book, "STRATEGIES", book.STRATEGIES)
        replace(concurrent.futures, "ThreadPoolExecutor", Sequential)
        replace(product_dynamo, "_deserializer", fast_deserializer)
        replace(product_dynamo, "_serializer", fast_serializer)
        replace(bars, "read_parquet", read_parquet_once)
        for module, handler in HANDLERS.items():
            if hasattr(handler, "load_book"):
                replace(handler, "load_book", _load_book_once)
            for name in _CACHED.get(module, ("_inbox",)):
                replace(handler, name, _per_container(ends, module, name, getattr(handler, name).__wrapped__))
        kept = _kept_keys(ends.world, credentials.broker_credentials.__wrapped__)
        replace(credentials, "broker_credentials", kept)
        replace(connect, "broker_credentials", kept)
        with travelling(ends.world) as traveller, captured(ends.world, lines):
            ends.world.travel(traveller)
            yield
    finally:
        for target, name, value in reversed(saved):
            setattr(target, name, value)


def _per_container(ends: Ends, module: str, name: str, build: Callable[[], Any]) -> Callable[[], Any]:
    """Return a function that builds once per container, in the environment of its function."""
    variables = read_deployment().functions[module].environment
    environment = {variable: ends.settings.get(variable, value) for variable, value in variables.items()}

    def kept() -> Any:
        invocation = ends.world.current
        assert invocation is not None
        state = invocation.container.state
        if name not in state:
            with _environment(environment):
                state[name] = build()
        return state[name]

    return kept


def _kept_keys(world: World, read: Callable[[str], Any]) -> Any:
    """Return `broker_credentials` with a cache per container."""
    outside: dict[str, Any] = {}

    def cached() -> dict[str, Any]:
        state = outside if world.current is None else world.current.container.state
        keys: dict[str, Any] = state.setdefault("broker keys", {})
        return keys

    def kept(secret: str) -> Any:
        keys = cached()
        if secret not in keys:
            keys[secret] = read(secret)
        return keys[secret]

    kept.cache_clear = lambda: cached().clear()  # type: ignore[attr-defined] # it stands for a cached function
    return kept


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Let the process have exactly these variables. A plain dict: it is written some thousand times a second."""
    before = os.environ
    os.environ = dict(variables)  # type: ignore[assignment] # noqa: B003 - see above
    try:
        yield
    finally:
        os.environ = before  # noqa: B003
