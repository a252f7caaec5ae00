"""One simulated system: world, tables, queues, bus, functions and exchange, connected as the templates say."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from sandbox.exchange.account import AccountMode
from sandbox.exchange.clock import clock_at
from sandbox.exchange.exchange import AccountTerms, Exchange, opening_state
from sandbox.exchange.positions import Position
from sandbox.exchange.rate_limit import RateLimit
from sandbox.exchange.service import Venue
from sandbox.exchange.store import NoStore
from tests.simulation.aws_clients import SECRET_KEY, Account
from tests.simulation.broker_port import Brokerage
from tests.simulation.deployment import Function, Rule, read_deployment
from tests.simulation.dynamo_tables import Item, Tables
from tests.simulation.end_state import BooksChange, RunChange
from tests.simulation.fault_draws import FaultDraws
from tests.simulation.functions import HANDLERS, Context
from tests.simulation.latencies import SECOND
from tests.simulation.market import WHOLE_SHARES, base_market
from tests.simulation.queues import Inbox, Message, sqs_event
from tests.simulation.scenario import AccountPlan, FaultPlan
from tests.simulation.world import Container, Invocation, World
from the_alchemiser.shared.books.checks import BooksCheck
from the_alchemiser.shared.books.dynamo_books import BOOKS

COLD_STARTS = 0.05
"""How often Lambda starts a new container although an idle one exists."""
_ENABLED = "enabled"
_BOOKS = {"S": BOOKS}


@dataclass(slots=True)
class System:
    """The parts of one history."""

    world: World
    tables: Tables
    account: Account
    brokerage: Brokerage
    inboxes: Mapping[str, Inbox]
    changes: list[RunChange]
    checks: list[BooksChange]
    idle: dict[str, list[Container]] = field(default_factory=dict)

    @property
    def exchange(self) -> Exchange:
        return self.brokerage.venue.exchange

    @property
    def is_quiet(self) -> bool:
        """Return whether nothing is in a queue and nothing runs."""
        return not self.world.running and all(inbox.is_empty for inbox in self.inboxes.values())

    def send(self, queue: str, body: Mapping[str, Any] | str) -> None:
        """Put a body into an inbox, as a schedule or a person does."""
        text = body if isinstance(body, str) else json.dumps(body)
        self.world.note(f"{queue} {text}", "sent")
        self.inboxes[queue].send(text)

    def serve(
        self,
        function: Function,
        subject: str,
        batch: list[Message],
        on_end: Callable[[Invocation, object, str], None],
    ) -> None:
        """Invoke a function with a batch of messages."""
        world = self.world
        inbox = self.inboxes[function.queue]
        name = world.name_of(function.module, subject)
        container = self._container(function.module, name)

        def ended(invocation: Invocation, answer: object, result: str) -> None:
            if result in {"ok", "failed"}:
                self.idle.setdefault(function.module, []).append(container)
            on_end(invocation, answer, result)

        invocation = Invocation(
            module=function.module,
            name=name,
            container=container,
            deadline=world.now + function.timeout_s * SECOND,
            visibility=inbox.queue.visibility_s * SECOND,
            on_end=ended,
        )
        event = sqs_event(inbox, batch)
        context = Context(world, invocation.deadline)
        handler = HANDLERS[function.module].lambda_handler
        world.start(invocation, lambda: cast("object", handler(event, context)))

    def _container(self, module: str, name: str) -> Container:
        idle = self.idle.get(module)
        if not idle or self.world.latencies.fraction(f"{module}/{name}/cold") < COLD_STARTS:
            return Container(module)
        return idle.pop()


def build_system(
    start: datetime,
    *,
    seed: int,
    plan: AccountPlan,
    faults: FaultPlan,
    skews: Mapping[str, float],
    requests_per_minute: int = 200,
) -> System:
    """Return a system with an account as planned, empty tables and an empty lake."""
    deployment = read_deployment()
    world = World(start, FaultDraws(seed, faults), skews)
    changes: list[RunChange] = []
    checks: list[BooksChange] = []
    tables = Tables(world, deployment.tables, _watcher(world, changes, checks))
    brokerage = Brokerage(world, _venue(world, start, plan, requests_per_minute))
    inboxes: dict[str, Inbox] = {}

    def deliver(event: Mapping[str, Any]) -> None:
        for rule in deployment.rules:
            if is_match(rule, event):
                for queue in rule.queues:
                    inboxes[queue].send(json.dumps(event))

    def send(queue: str, body: str, group: str, deduplication: str) -> None:
        inboxes[queue].send(body, group=group, deduplication=deduplication)

    account = Account(world, tables, deployment.switch, deliver, send)
    account.switch.append((world.now, _ENABLED))
    system = System(world, tables, account, brokerage, inboxes, changes, checks)
    for function in deployment.functions.values():
        inboxes[function.queue] = Inbox(world, deployment.queues[function.queue], function, system.serve)
    return system


def is_match(rule: Rule, event: Mapping[str, Any]) -> bool:
    """Return whether a rule's pattern selects an event of the bus."""
    return _matches(rule.pattern, event)


def _matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    for name, wanted in pattern.items():
        actual = event.get(name)
        if isinstance(wanted, Mapping):
            if not isinstance(actual, Mapping) or not _matches(wanted, actual):
                return False
        elif actual not in wanted:
            return False
    return True


def _venue(world: World, start: datetime, plan: AccountPlan, requests_per_minute: int) -> Venue:
    market = base_market().fork()
    mode = AccountMode.MARGIN if plan.is_margin else AccountMode.CASH
    # Fractional shorts are refused at the broker; allowed here, so that a missing `sell_to_close` would open one.
    terms = AccountTerms(plan.cash, mode, WHOLE_SHARES, fractional_shorts=plan.is_margin)
    exchange = Exchange(market, opening_state(market, terms))
    exchange.set_clock(clock_at(market, start))
    for symbol, quantity in {**plan.opened_by_owner, **plan.opened_by_strategies}.items():
        price = market.price(symbol, start)
        assert price is not None, symbol
        exchange.account.positions[symbol] = Position(symbol, quantity, price)
    venue = Venue(exchange, NoStore(), limit=RateLimit(requests_per_minute, clock=lambda: world.now / SECOND))
    venue.second.key = SECRET_KEY
    return venue


def _watcher(
    world: World, changes: list[RunChange], checks: list[BooksChange]
) -> Callable[[str, Item | None, Item | None], None]:
    """Return what records the changes of the runs' META rows, and of the checks of the books."""

    def watch(table: str, before: Item | None, after: Item | None) -> None:
        if after is not None and after.get("pk") == _BOOKS and after["body"] != (before or {}).get("body"):
            checks.append(BooksChange(world.at, BooksCheck.read_json(after["body"]["S"])))
        if table != "Runs" or after is None or after["sk"].get("S") != "META" or "state" not in after:
            return
        run_id = after["pk"]["S"].removeprefix("RUN#")
        if before is None or before.get("state") != after["state"]:
            changes.append(RunChange(world.at, run_id, after["state"]["S"]))
        is_settled = after.get("settled", {}).get("BOOL", False)
        if is_settled and not (before or {}).get("settled", {}).get("BOOL", False):
            changes.append(RunChange(world.at, run_id, "settled"))

    return watch
