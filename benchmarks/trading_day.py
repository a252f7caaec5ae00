"""Time days of trading in a sandbox: the bundled book, and a book of 100 strategies that sells and buys 100 symbols.

Each day is `inv run-day`, from the start of the process to its end. Afterwards the orders at the exchange and the
entries of the ledger are counted: every trade of the plan must be filled exactly once, and the ledger must hold the
broker's positions.
"""

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import large_book, timing
from benchmarks.checkout import Checkout, checked_out
from benchmarks.timing import Result
from tests.e2e.conftest import FIRST_DAY, Sandbox
from tests.e2e.edits import replaced
from tests.sandbox.test_servers import free_port
from the_alchemiser.shared.ledger.dynamo_ledger import DynamoLedger
from the_alchemiser.shared.values import Side
from the_alchemiser.trade_aggregator.time_needed import CALLS_PER_MINUTE

_LIMIT_S = 10.0
_STRATEGIES = 100
_IN_TIME_S = 14 * 60.0  # a run starts 15 minutes before the close, and its last order leaves a minute before the close
_RATE_LIMIT = Path("sandbox/exchange/rate_limit.py")
_SIGNS = {Side.BUY: 1, Side.SELL: -1}
_LIMITED, _UNLIMITED = f"DEFAULT_PER_MINUTE = {CALLS_PER_MINUTE}", "DEFAULT_PER_MINUTE = 0"


@dataclass(frozen=True, slots=True)
class _Day:
    """One traded day: the seconds of the whole command, those of each phase, and what differs in the books."""

    seconds: float
    phases: Mapping[str, float]
    trades: int
    differences: tuple[str, ...]

    def describe(self) -> str:
        phases = ", ".join(f"{phase} {seconds:.1f} s" for phase, seconds in self.phases.items())
        return f"{self.seconds:.1f} s ({phases})"


@dataclass(frozen=True, slots=True)
class Desk:
    """A copy of the project with a sandbox of its own; `fills` are all of the ledger, as symbol and signed shares."""

    checkout: Checkout
    sandbox: Sandbox
    variables: Mapping[str, str]
    fills: list[tuple[str, Decimal]] = field(default_factory=list)

    def inv(self, *words: str) -> str:
        return self.checkout.inv(*words, variables=self.variables)

    def trade(self, *words: str) -> _Day:
        """Trade the next day and compare its books."""
        started = time.perf_counter()
        [summary] = json.loads(self.inv("run-day", "--json", *words))
        seconds = time.perf_counter() - started
        return _Day(seconds, summary["seconds"], len(summary["trades"]), self._differences(summary))

    def limit_requests(self, *, is_limited: bool) -> None:
        """Let the exchange accept as many requests per minute as the broker, or any number; restart it."""
        path = self.checkout.path / _RATE_LIMIT
        before, after = (_UNLIMITED, _LIMITED) if is_limited else (_LIMITED, _UNLIMITED)
        path.write_text(replaced(before, after)(path.read_text()))
        for task in ("sandbox.down", "sandbox.up"):
            self.inv(task)

    def _differences(self, summary: Mapping[str, Any]) -> tuple[str, ...]:
        """Return each trade that was not filled and recorded exactly once, and each position that the ledger lacks."""
        table = self.sandbox.resources("alchemiser-local")["Ledger"]
        entries = DynamoLedger(self.sandbox.client("dynamodb"), table).entries_of_run(summary["run_id"])
        day = f"{summary['date']}T00:00:00Z"
        orders = self.sandbox.broker("/v2/orders", status="all", limit="500", after=day)
        planned = _total((trade["trade_id"], Decimal(trade["quantity"])) for trade in summary["trades"])
        filled = _total((order["client_order_id"].rpartition("-")[0], Decimal(order["filled_qty"])) for order in orders)
        recorded = _total((entry.trade_id, entry.quantity) for entry in entries)

        self.fills.extend((entry.symbol, entry.quantity * _SIGNS[entry.side]) for entry in entries)
        held = _total((row["symbol"], Decimal(row["qty"])) for row in self.sandbox.broker("/v2/positions"))
        return (*_unequal(planned, filled, recorded), *_unequal(held, _total(self.fills)))


def run(*, quick: bool) -> Iterator[Result]:
    """Trade some days of the bundled book, and three of the large one: two without the broker's limit, one with it."""
    yield from _trade_bundled_book(3 if quick else 7)
    yield from _trade_large_book(with_limit=not quick)


def _trade_bundled_book(count: int) -> Iterator[Result]:
    with open_desk() as desk:
        desk.inv("deploy", "--env", "local")
        days = [desk.trade("--date", FIRST_DAY), *(desk.trade() for _ in range(count - 1))]

    yield timing.check_limit("a day of the bundled strategies", [day.seconds for day in days], limit_s=_LIMIT_S)
    yield _compare_books("days of the bundled strategies, their books", days)


def _trade_large_book(*, with_limit: bool) -> Iterator[Result]:
    with open_desk() as desk:
        large_book.replace_book_and_market(desk.checkout.path, _STRATEGIES)
        desk.inv("deploy", "--env", "local")
        desk.limit_requests(is_limited=False)
        days = [desk.trade("--date", FIRST_DAY), desk.trade()]
        if with_limit:
            desk.limit_requests(is_limited=True)
            days.append(desk.trade())

    limits = ("no limit of requests", "no limit of requests", f"{CALLS_PER_MINUTE} requests per minute")
    for day, limit in zip(days, limits, strict=False):
        name = f"{_STRATEGIES} strategies, {day.trades} trades, {limit}"
        yield Result(name, day.describe(), "before the last order of the day", day.phases["trading"] < _IN_TIME_S)
    yield _compare_books(f"days of {_STRATEGIES} strategies, their books", days)


def _compare_books(name: str, days: Iterable[_Day]) -> Result:
    trades, differences = 0, list[str]()
    for day in days:
        trades += day.trades
        differences += day.differences
    measured = f"{trades} trades, {len(differences)} differences {' '.join(differences[:3])}".strip()
    return Result(name, measured, "nothing lost or doubled", not differences)


def _total(quantities: Iterable[tuple[str, Decimal]]) -> Mapping[str, Decimal]:
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for key, quantity in quantities:
        totals[key] += quantity
    return totals


def _unequal(*sides: Mapping[str, Decimal]) -> list[str]:
    """Return the keys whose quantities are not the same on all sides; a missing one is zero."""
    keys: set[str] = set().union(*sides)
    return sorted(key for key in keys if len({side.get(key, Decimal(0)) for side in sides}) > 1)


@contextmanager
def open_desk() -> Iterator[Desk]:
    """Copy the project, with a sandbox on free ports that is not started yet; stop the sandbox in the end."""
    emulator, exchange = free_port(), free_port()
    with checked_out() as checkout, TemporaryDirectory(prefix="trading-") as folder:
        variables = {
            "ALCHEMISER_SANDBOX_DIR": folder,
            "ALCHEMISER_EMULATOR_PORT": str(emulator),
            "ALCHEMISER_EXCHANGE_PORT": str(exchange),
        }
        sandbox = Sandbox(f"http://127.0.0.1:{emulator}", f"http://127.0.0.1:{exchange}")
        desk = Desk(checkout, sandbox, variables)
        try:
            yield desk
        finally:
            desk.inv("sandbox.down")
