"""Simulate one history: a scenario in, everything that is known at its end out."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sandbox.exchange.positions import Position
from sandbox.exchange.sessions import at_new_york, session_before, session_on
from tests.simulation.calendar_events import firings
from tests.simulation.deployment import STAGE, Schedule, read_deployment
from tests.simulation.end_state import AccountView, EndState
from tests.simulation.functions import Ends, installed
from tests.simulation.lake import DATA_INBOX, NIGHT, REFRESH, evening_before, plant_splits, prepared_lake
from tests.simulation.people import People
from tests.simulation.process_ends import uncollected
from tests.simulation.scenario import ActKind, Scenario
from tests.simulation.system import System, build_system
from tests.simulation.world import microseconds, moment
from the_alchemiser.shared.books.dynamo_books import BOOKS
from the_alchemiser.shared.ledger.dynamo_ledger import DynamoLedger
from the_alchemiser.shared.ledger.ledger import LedgerEntry
from the_alchemiser.shared.market_data.corporate_actions import read_actions
from the_alchemiser.shared.market_data.objects import S3Objects
from the_alchemiser.shared.run.dynamo_runs import DynamoRunStore
from the_alchemiser.shared.run.runs import Run
from the_alchemiser.shared.values import Side

STRATEGY = "calm"
"""The strategy that bought the positions of earlier days."""

_TRUE, _FALSE = {"BOOL": True}, {"BOOL": False}
_BEFORE_FIRST = timedelta(minutes=6)
_LATE = timedelta(minutes=3)
_BOOKS_AFTER = timedelta(minutes=5)
_DAY_CHECK_AFTER = timedelta(minutes=50)
_EVENING_AFTER = timedelta(minutes=90)
_HORIZON = timedelta(hours=4, minutes=30)
_PATIENCE = timedelta(minutes=20)


def simulate(scenario: Scenario, *, keep_logs: bool = False) -> EndState:
    """Let a history happen, from the evening before its first session until everything has come to rest.

    Schedules that look after runs (the sweep, the check of the day) begin a few minutes before the first start of a day
    and end when the day is at rest: in between they would find nothing.
    """
    with uncollected():
        return _History(scenario, keep_logs=keep_logs).run()


class _History:
    def __init__(self, scenario: Scenario, *, keep_logs: bool) -> None:
        self.scenario = scenario
        self.start = evening_before(scenario.dates[0]) - timedelta(minutes=1)
        self.system = build_system(
            self.start,
            seed=scenario.seed,
            plan=scenario.account,
            faults=scenario.faults,
            skews=scenario.skews,
            requests_per_minute=scenario.requests_per_minute,
        )
        self.people = People(self.system)
        self.logs: list[str] | None = [] if keep_logs else None
        # Prepared before anything of this history is installed: a lake is written by a history of its own.
        needs_earlier = scenario.real_data or scenario.late_data
        earlier = (session_before(scenario.dates[0]).date,) if needs_earlier else ()
        nights = (*earlier, *(() if scenario.real_data else scenario.dates))
        self.lakes = {day: prepared_lake(day, scenario.splits) for day in nights}

    def run(self) -> EndState:
        system, scenario = self.system, self.scenario
        plant_splits(system, scenario.splits)
        self._plant_odd_positions()
        opening = _view(system)

        ends = Ends(system.world, system.account, system.brokerage, scenario.settings)
        with installed(ends, self.logs):
            self._record_opening_trades()
            self.people.plan(scenario.acts, scenario.conditions)
            for number, day in enumerate(scenario.dates):
                self._prepare_lake(day, is_late=scenario.late_data and number == 0)
                self._trade_day(day)
            state = self._end_state(opening)
            system.world.close()
        return state

    # --- before -----------------------------------------------------------------------------------------------------

    def _plant_odd_positions(self) -> None:
        for odd in self.scenario.account.odd:
            price = odd.price or Decimal(1)
            self.system.exchange.account.positions[odd.symbol] = Position(
                odd.symbol, odd.quantity, price, odd.asset_class, is_quoted=False, fixed_price=odd.price
            )

    def _record_opening_trades(self) -> None:
        """Enter the positions of earlier days into the ledger."""
        ledger = DynamoLedger(self.system.account.client("dynamodb"), "Ledger")
        day = session_before(session_before(self.scenario.dates[0]).date)
        for symbol, quantity in sorted(self.scenario.account.opened_by_strategies.items()):
            position = self.system.exchange.account.positions[symbol]
            trade = f"{STAGE}-{day.date}-BUY-{symbol}"
            ledger.record(
                LedgerEntry(
                    symbol=symbol,
                    filled_at=day.closes - timedelta(minutes=10),
                    order_id=f"opening-{symbol}",
                    fill="1",
                    client_order_id=f"{trade}-1",
                    trade_id=trade,
                    run_id=f"{STAGE}-{day.date}",
                    side=Side.BUY,
                    quantity=quantity,
                    price=position.avg_entry_price,
                    cash=-(quantity * position.avg_entry_price).quantize(Decimal("0.01")),
                    attribution={STRATEGY: quantity},
                )
            )

    def _prepare_lake(self, day: date, *, is_late: bool) -> None:
        """Let the night's data arrive: by the real functions, or as a copy of what they once wrote."""
        system, night = self.system, evening_before(day)
        before = session_before(day).date
        if before in self.lakes and not system.account.objects:
            system.account.objects.update(self.lakes[before])
        arrives = night if not is_late else _first_start(day) + _LATE

        if self.scenario.real_data:
            system.world.schedule(microseconds(arrives), lambda: system.send(DATA_INBOX, REFRESH))
        else:
            objects = self.lakes[day]
            system.world.schedule(microseconds(arrives), lambda: system.account.objects.update(objects))

    # --- during -----------------------------------------------------------------------------------------------------

    def _trade_day(self, day: date) -> None:
        world = self.system.world
        close = _close(day)
        conditions = [condition.start for condition in self.scenario.conditions]
        last = max([close, *self._of_day(day, [act.at for act in self.scenario.acts] + conditions)])
        checks = 0

        for at, schedule in self._schedules(day):
            world.run(microseconds(at))
            if "sweep" in schedule.body and not self._is_of_interest(at, day):
                continue
            if "check-day" in schedule.body:
                if at < close + _DAY_CHECK_AFTER or checks:
                    continue
                checks += 1
            self.system.send(schedule.queue, schedule.body)
        world.run(max(world.now, microseconds(last)) + _PATIENCE // timedelta(microseconds=1))

    def _is_of_interest(self, at: datetime, day: date) -> bool:
        """Return whether a sweep may find something. Late in the evening every sixth is enough for what stays open."""
        close = _close(day)
        if at > close + _EVENING_AFTER and at.minute % 30:
            return False
        is_at_rest = self._is_at_rest() and (at < close + _BOOKS_AFTER or self._is_checked(day))
        return not is_at_rest or self._starts_soon(at, day)

    def _schedules(self, day: date) -> Iterator[tuple[datetime, Schedule]]:
        """Yield the day's schedules that matter, in the order of their times."""
        acts = [act.at for act in self.scenario.acts if act.kind is not ActKind.REDRIVE]
        begins = min([_first_start(day), *self._of_day(day, acts)]) - _BEFORE_FIRST
        if not self._is_at_rest():
            begins = evening_before(day)  # something is left of the day before: the morning's sweeps look after it
        ends = _close(day) + _HORIZON
        due = [row for row in _firings(day) if begins <= row[0] <= ends]
        due = [row for row in due if row[1].queue != DATA_INBOX]
        yield from sorted(due, key=lambda row: (row[0], row[1].name))

    @staticmethod
    def _of_day(day: date, moments: list[datetime]) -> list[datetime]:
        """Return the moments between the evening before a day and its own evening."""
        return [at for at in moments if evening_before(day) <= at < at_new_york(day, NIGHT)]

    def _starts_soon(self, at: datetime, day: date) -> bool:
        """Return whether a run may start within some minutes: then a sweep is of interest, though all is at rest."""
        starts = [_first_start(day), *(act.at for act in self.scenario.acts)]
        return any(at <= start + timedelta(minutes=1) <= at + _BEFORE_FIRST for start in starts)

    def _is_at_rest(self) -> bool:
        """Return whether a sweep would find nothing to do: no message, no run to settle, no outbox to publish."""
        if not self.system.is_quiet:
            return False
        rows = list(self.system.tables.data["Runs"].items())
        is_sent = all(row.get("sent", _TRUE)["BOOL"] for row in rows)
        return is_sent and all(row.get("settled", _FALSE)["BOOL"] for row in rows if "state" in row)

    def _is_checked(self, day: date) -> bool:
        """Return whether a sweep has nothing to do for the books: the day is checked, or there are none yet."""
        checks = self.system.tables.data["Runs"].partitions.get(BOOKS, {})
        return not checks or (BOOKS, f"CHECK#{day.isoformat()}") in checks

    # --- after ------------------------------------------------------------------------------------------------------

    def _end_state(self, opening: AccountView) -> EndState:
        system, world, account = self.system, self.system.world, self.system.account
        system.exchange.advance(world.at)
        return EndState(
            scenario=self.scenario,
            started_at=self.start,
            ended_at=world.at,
            is_quiet=system.is_quiet,
            runs=_runs(system),
            days=_days(system),
            ledger=_ledger(system),
            opening=opening,
            account=_view(system),
            orders=tuple(system.exchange.account.orders.values()),
            fills=tuple(system.exchange.account.fills),
            owner_order_ids=frozenset(self.people.owner_orders),
            mails=tuple(account.mails),
            notices=tuple(account.notices),
            dead_letters={
                inbox.queue.dead_letters: tuple(letter.body for letter in inbox.dead)
                for inbox in system.inboxes.values()
                if inbox.dead
            },
            published=tuple(account.published),
            trade_messages=tuple(account.trades),
            switch=tuple((moment(at), text) for at, text in account.switch),
            changes=tuple(system.changes),
            checks=tuple(system.checks),
            actions=read_actions(S3Objects(account.client("s3"), "Lake")),
            adjustments=tuple(system.exchange.account.adjustments),
            gauges=tuple(account.gauges),
            posts=tuple(system.brokerage.posts),
            attempts=tuple(sorted(_attempts(system), key=lambda attempt: (attempt.at, attempt.function))),
            kills=tuple(world.kills),
            faults=dict(world.draws.fired),
            trace=world.lines(),
            logs=tuple(self.logs or ()),
        )


@lru_cache(maxsize=500)
def _firings(day: date) -> tuple[tuple[datetime, Schedule], ...]:
    """Return when each schedule fires on a day; many histories have the same days."""
    return tuple(firings(read_deployment().schedules, day))


def _close(day: date) -> datetime:
    session = session_on(day)
    assert session is not None, day
    return session.closes


def _first_start(day: date) -> datetime:
    """Return when the schedule starts that may start the day's run: a quarter of an hour before the close."""
    return _close(day) - timedelta(minutes=15)


def _view(system: System) -> AccountView:
    account = system.exchange.account
    return AccountView(account.cash, {symbol: held.qty for symbol, held in sorted(account.positions.items())})


def _runs(system: System) -> dict[str, Run]:
    store = DynamoRunStore(system.account.client("dynamodb"), "Runs")
    rows = system.tables.data["Runs"].items()
    ids = [item["pk"]["S"].removeprefix("RUN#") for item in rows if item["sk"]["S"] == "META" and "state" in item]
    runs = {run_id: store.load(run_id) for run_id in ids}
    return {run_id: run for run_id, run in runs.items() if run is not None}


def _days(system: System) -> dict[str, str]:
    rows = system.tables.data["Runs"].items()
    return {item["pk"]["S"]: item["run_id"]["S"] for item in rows if item["pk"]["S"].startswith("DAY#")}


def _ledger(system: System) -> tuple[LedgerEntry, ...]:
    ledger = DynamoLedger(system.account.client("dynamodb"), "Ledger")
    symbols = sorted({item["symbol"]["S"] for item in system.tables.data["Ledger"].items()})
    entries: list[LedgerEntry] = []
    for symbol in symbols:
        entries.extend(ledger.entries_of(symbol))
    return tuple(entries)


def _attempts(system: System) -> list[Any]:
    attempts: list[Any] = []
    for inbox in system.inboxes.values():
        attempts.extend(inbox.attempts)
    return attempts
