"""Contract tests of RunStore, BooksStore and Ledger: unit tests run them over the fakes, tests/e2e over the tables."""

from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from msgspec.structs import replace

from the_alchemiser.shared.books.checks import BooksCheck, CheckState
from the_alchemiser.shared.books.store import BooksStore, StoredCheck
from the_alchemiser.shared.ledger.ledger import Ledger, LedgerEntry
from the_alchemiser.shared.messaging.messages import Difference, RunFailed, message_id
from the_alchemiser.shared.run.runs import META, Move, NewRun, RunItem, RunState, RunStore
from the_alchemiser.shared.values import Side

NOW = datetime(2022, 3, 16, 19, 45, tzinfo=UTC)
DAY = date(2022, 3, 16)
THIRD = Decimal("0.333333333")


def new_run(run_id: str) -> NewRun:
    allocations = {"trend": Decimal("0.6"), "rotation": Decimal("0.4")}
    return NewRun(run_id, "local", DAY, date(2022, 3, 15), allocations, NOW + timedelta(minutes=5))


def failed(run_id: str) -> RunFailed:
    return RunFailed(
        message_id=message_id(run_id, RunFailed),
        run_id=run_id,
        occurred_at=NOW,
        trading_date=DAY,
        state="EVALUATING",
        reason="late",
        detail="trend did not answer",
        missing=("trend",),
    )


def to_aggregated(run_id: str, *, by: str = "aggregator_v2") -> Move:
    return Move(
        leaving=RunState.EVALUATING,
        entering=RunState.AGGREGATED,
        by=by,
        at=NOW,
        deadline_at=NOW + timedelta(minutes=2),
        payload={"weights": {"SPY": "0.5"}},
        outbox=(failed(run_id),),
    )


def ended(run_id: str) -> Move:
    return Move(RunState.EVALUATING, RunState.FAILED, "coordinator_v2", NOW, NOW)


def create(store: RunStore, run_id: str, *, by: str = "coordinator_v2", replaces: str | None = None) -> bool:
    return store.create(new_run(run_id), by=by, at=NOW, outbox=(), replaces=replaces)


class RunStoreContract(ABC):
    """Inherit and provide a store."""

    @pytest.fixture
    @abstractmethod
    def store(self) -> RunStore: ...

    @pytest.fixture
    def run_id(self, store: RunStore) -> str:
        run_id = f"local-{uuid4()}"
        assert store.create(new_run(run_id), by="coordinator_v2", at=NOW, outbox=())
        return run_id

    def test_create_of_an_existing_run_changes_nothing(self, store: RunStore, run_id: str) -> None:
        before = store.load(run_id)

        created = store.create(new_run(run_id).changed(stage="prod"), by="another", at=NOW, outbox=())

        assert not created
        assert store.load(run_id) == before

    def test_create_by_the_same_attempt_again_is_true_and_changes_nothing(self, store: RunStore, run_id: str) -> None:
        before = store.load(run_id)

        assert create(store, run_id)
        assert store.load(run_id) == before

    def test_create_at_the_same_time_by_another_is_false(self, store: RunStore, run_id: str) -> None:
        assert not create(store, run_id, by="another")
        later = store.create(new_run(run_id), by="coordinator_v2", at=NOW + timedelta(microseconds=1), outbox=())
        assert not later

    def test_create_of_a_second_run_on_the_day_is_refused(self, store: RunStore, run_id: str) -> None:
        assert not create(store, f"{run_id}-r1")
        assert store.load(f"{run_id}-r1") is None

    def test_create_on_another_day_or_stage_is_allowed(self, store: RunStore, run_id: str) -> None:
        tomorrow = new_run(f"{run_id}-tomorrow").changed(trading_date=date(2022, 3, 17))
        prod = new_run(f"{run_id}-prod").changed(stage="prod")

        assert store.create(tomorrow, by="coordinator_v2", at=NOW, outbox=())
        assert store.create(prod, by="coordinator_v2", at=NOW, outbox=())

    def test_create_by_many_at_once_succeeds_once(self, store: RunStore) -> None:
        run_ids = [f"local-{uuid4()}" for _ in range(8)]

        with ThreadPoolExecutor(8) as pool:
            won = list(pool.map(lambda run_id: create(store, run_id), run_ids))

        assert won.count(True) == 1
        assert [store.load(run_id) is not None for run_id in run_ids] == won

    def test_create_replacing_a_run_that_moves_is_refused(self, store: RunStore, run_id: str) -> None:
        store.mark_settled(run_id)

        assert not create(store, f"{run_id}-r1", replaces=run_id)
        assert store.load(f"{run_id}-r1") is None

    def test_create_replacing_an_unsettled_run_is_refused(self, store: RunStore, run_id: str) -> None:
        store.move(run_id, ended(run_id))

        assert not create(store, f"{run_id}-r1", replaces=run_id)
        assert store.load(f"{run_id}-r1") is None

    def test_create_replacing_a_settled_run_takes_the_day_once(self, store: RunStore, run_id: str) -> None:
        store.move(run_id, ended(run_id))
        store.mark_settled(run_id)

        first = create(store, f"{run_id}-r1", replaces=run_id)
        second = create(store, f"{run_id}-r2", replaces=run_id)

        assert (first, second) == (True, False)
        assert store.state_of(f"{run_id}-r1") is RunState.EVALUATING
        assert store.load(f"{run_id}-r2") is None

    def test_create_replacing_an_unknown_run_is_refused(self, store: RunStore, run_id: str) -> None:
        assert not create(store, f"{run_id}-r1", replaces=f"{run_id}-another")

    def test_day_is_not_among_the_runs_of_its_date(self, store: RunStore, run_id: str) -> None:
        assert store.runs_on(DAY) == (run_id,)

    def test_state_of_is_that_of_the_last_move(self, store: RunStore, run_id: str) -> None:
        assert store.state_of(run_id) is RunState.EVALUATING

        store.move(run_id, to_aggregated(run_id))

        assert store.state_of(run_id) is RunState.AGGREGATED

    def test_state_of_an_unknown_run_is_none(self, store: RunStore) -> None:
        assert store.state_of(f"local-{uuid4()}") is None

    @pytest.mark.parametrize("state", [RunState.COMPLETED, RunState.FAILED])
    def test_mark_settled_marks_a_run_that_has_ended(self, store: RunStore, run_id: str, state: RunState) -> None:
        store.move(run_id, ended(run_id).changed(entering=state))
        before = store.load(run_id)
        store.mark_settled(run_id)

        run = store.load(run_id)
        assert before is not None
        assert run == replace(before, settled=True)

    def test_mark_settled_of_a_run_that_moves_changes_nothing(self, store: RunStore, run_id: str) -> None:
        store.mark_settled(run_id)
        store.mark_settled(f"{run_id}-another")

        run = store.load(run_id)
        assert run is not None
        assert not run.settled
        assert store.load(f"{run_id}-another") is None

    def test_load_of_an_unknown_run_is_none(self, store: RunStore) -> None:
        assert store.load(f"local-{uuid4()}") is None

    def test_load_returns_what_was_created(self, store: RunStore, run_id: str) -> None:
        run = store.load(run_id)

        assert run is not None
        assert (run.state, run.trading_date, run.as_of) == (RunState.EVALUATING, DAY, date(2022, 3, 15))
        assert run.allocations == {"trend": Decimal("0.6"), "rotation": Decimal("0.4")}
        assert [(line.state, line.by) for line in run.timeline] == [(RunState.EVALUATING, "coordinator_v2")]
        assert run.sent

    def test_put_once_keeps_the_first(self, store: RunStore, run_id: str) -> None:
        first = store.put_once(run_id, RunItem("STRATEGY#trend", {"weight": str(THIRD)}))
        second = store.put_once(run_id, RunItem("STRATEGY#trend", {"weight": "1"}))

        run = store.load(run_id)
        assert (first, second) == (True, False)
        assert run is not None
        assert run.items_of("STRATEGY")["trend"].body == {"weight": str(THIRD)}

    def test_move_from_its_state_stores_payload_and_outbox(self, store: RunStore, run_id: str) -> None:
        moved = store.move(run_id, to_aggregated(run_id))

        run = store.load(run_id)
        assert moved
        assert run is not None
        assert (run.state, run.sent, run.outbox) == (RunState.AGGREGATED, False, (failed(run_id),))
        assert run.payloads[RunState.AGGREGATED] == {"weights": {"SPY": "0.5"}}
        assert [line.state for line in run.timeline] == [RunState.EVALUATING, RunState.AGGREGATED]
        assert run.deadline_at == NOW + timedelta(minutes=2)

    def test_move_from_another_state_changes_nothing(self, store: RunStore, run_id: str) -> None:
        store.move(run_id, to_aggregated(run_id))
        before = store.load(run_id)

        moved = store.move(run_id, to_aggregated(run_id, by="another"))

        assert not moved
        assert store.load(run_id) == before

    def test_move_by_the_same_attempt_again_is_true_and_changes_nothing(self, store: RunStore, run_id: str) -> None:
        store.move(run_id, to_aggregated(run_id))
        before = store.load(run_id)

        assert store.move(run_id, to_aggregated(run_id))
        assert store.load(run_id) == before
        assert not store.move(run_id, to_aggregated(run_id).changed(at=NOW + timedelta(microseconds=1)))
        assert not store.move(f"{run_id}-another", to_aggregated(run_id))

    def test_move_by_many_workers_at_once_succeeds_once(self, store: RunStore, run_id: str) -> None:
        with ThreadPoolExecutor(8) as pool:
            won = list(pool.map(lambda n: store.move(run_id, to_aggregated(run_id, by=str(n))), range(8)))

        assert won.count(True) == 1

    def test_mark_sent_marks_the_outbox_of_meta_and_of_an_item(self, store: RunStore, run_id: str) -> None:
        store.move(run_id, to_aggregated(run_id))
        store.put_once(run_id, RunItem("PLAN", {}, outbox=(failed(run_id),)))

        store.mark_sent(run_id, META)
        store.mark_sent(run_id, "PLAN")

        run = store.load(run_id)
        assert run is not None
        assert run.sent
        assert run.items["PLAN"].sent

    def test_mark_sent_of_a_state_already_left_changes_nothing(self, store: RunStore, run_id: str) -> None:
        store.move(run_id, to_aggregated(run_id))

        store.mark_sent(run_id, state=RunState.EVALUATING)

        run = store.load(run_id)
        assert run is not None
        assert not run.sent

    def test_mark_sent_of_the_current_state_marks_it(self, store: RunStore, run_id: str) -> None:
        store.move(run_id, to_aggregated(run_id))

        store.mark_sent(run_id, state=RunState.AGGREGATED)

        run = store.load(run_id)
        assert run is not None
        assert run.sent

    def test_runs_on_a_date_lists_its_runs(self, store: RunStore, run_id: str) -> None:
        assert run_id in store.runs_on(DAY)
        assert run_id not in store.runs_on(date(2022, 3, 17))


def books_check(state: CheckState = CheckState.DIFFERS, *, days: int = 0, minutes: int = 0) -> BooksCheck:
    """Return the check of a day, so many minutes after another one."""
    difference = Difference(symbol="SPY", broker=Decimal("1.5"), books=THIRD, cause="ordered by hand: BUY 1")
    return BooksCheck(
        trading_date=DAY + timedelta(days=days),
        state=state,
        checked_at=NOW + timedelta(minutes=minutes),
        holdings={"SPY": THIRD, "628ESC012": Decimal(-12)},
        held_at=NOW - timedelta(days=1),
        account="PA1",
        runs=("local-2022-03-15",),
        differences=(difference,),
        accepted_by="a-person",
    )


class BooksStoreContract(ABC):
    """Laws that every BooksStore keeps."""

    @abstractmethod
    @pytest.fixture
    def books(self) -> BooksStore: ...

    def test_latest_without_checks_is_none(self, books: BooksStore) -> None:
        assert books.latest() is None

    def test_latest_returns_what_was_put(self, books: BooksStore) -> None:
        assert books.put(books_check(CheckState.AGREED))
        assert books.latest() == StoredCheck(books_check(CheckState.AGREED), True)

    def test_latest_is_the_check_of_the_latest_day(self, books: BooksStore) -> None:
        for days in (30, 0, 1):
            books.put(books_check(days=days))

        latest = books.latest()
        assert latest is not None
        assert latest.check == books_check(days=30)

    def test_put_keeps_the_first_check_of_a_day(self, books: BooksStore) -> None:
        books.put(books_check(minutes=1))

        assert not books.put(books_check())
        assert books.latest() == StoredCheck(books_check(minutes=1), False)

    def test_put_of_the_same_check_again_is_true(self, books: BooksStore) -> None:
        books.put(books_check())

        assert books.put(books_check())

    def test_replace_of_the_stored_check_takes_its_place(self, books: BooksStore) -> None:
        books.put(books_check())

        assert books.replace(books_check(CheckState.ACCEPTED, minutes=5), previous=books_check())
        assert books.latest() == StoredCheck(books_check(CheckState.ACCEPTED, minutes=5), True)

    @pytest.mark.parametrize("stored", [books_check(minutes=1), books_check(CheckState.AGREED)])
    def test_replace_of_another_check_changes_nothing(self, books: BooksStore, stored: BooksCheck) -> None:
        books.put(stored)

        assert not books.replace(books_check(CheckState.ACCEPTED, minutes=5), previous=books_check())
        latest = books.latest()
        assert latest is not None
        assert latest.check == stored

    def test_replace_of_a_missing_check_changes_nothing(self, books: BooksStore) -> None:
        assert not books.replace(books_check(CheckState.ACCEPTED), previous=books_check())
        assert books.latest() is None

    def test_replace_by_the_same_check_again_is_true(self, books: BooksStore) -> None:
        books.put(books_check())
        books.replace(books_check(CheckState.AGREED, minutes=5), previous=books_check())

        assert books.replace(books_check(CheckState.AGREED, minutes=5), previous=books_check())

    def test_mark_sent_marks_the_check_of_its_day(self, books: BooksStore) -> None:
        for days in (0, 1):
            books.put(books_check(days=days))

        books.mark_sent(books_check(days=0))
        assert books.latest() == StoredCheck(books_check(days=1), False)
        books.mark_sent(books_check(days=1))
        assert books.latest() == StoredCheck(books_check(days=1), True)


class LedgerContract(ABC):
    """Inherit and provide a ledger."""

    @pytest.fixture
    @abstractmethod
    def ledger(self) -> Ledger: ...

    @pytest.fixture
    def symbol(self) -> str:
        return f"S{uuid4().hex[:8]}".upper()

    def entry(self, symbol: str, *, minute: int = 45, order: str = "o1") -> LedgerEntry:
        return LedgerEntry(
            symbol=symbol,
            filled_at=NOW.replace(minute=minute),
            order_id=order,
            fill="1",
            client_order_id=f"{symbol}-1",
            trade_id=f"run-BUY-{symbol}",
            run_id=f"run-{symbol}",
            side=Side.BUY,
            quantity=Decimal("1.123456789"),
            price=Decimal("420.07"),
            cash=Decimal("-471.93"),
            attribution={"trend": Decimal("2.123456789"), "rotation": Decimal(-1)},
        )

    def test_record_twice_keeps_one(self, ledger: Ledger, symbol: str) -> None:
        first = ledger.record(self.entry(symbol))
        second = ledger.record(self.entry(symbol))

        assert (first, second) == (True, False)
        assert ledger.entries_of(symbol) == (self.entry(symbol),)

    def test_record_of_a_fill_read_with_another_time_keeps_the_first(self, ledger: Ledger, symbol: str) -> None:
        first = ledger.record(self.entry(symbol))
        second = ledger.record(self.entry(symbol, minute=46))

        assert (first, second) == (True, False)
        assert ledger.entries_of(symbol) == (self.entry(symbol),)

    def test_entries_are_sorted_by_time(self, ledger: Ledger, symbol: str) -> None:
        late, early = self.entry(symbol, minute=50, order="a"), self.entry(symbol, minute=46, order="b")

        ledger.record(late)
        ledger.record(early)

        assert ledger.entries_of(symbol) == (early, late)

    def test_entries_of_run_returns_the_runs_entries(self, ledger: Ledger, symbol: str) -> None:
        ledger.record(self.entry(symbol))

        assert ledger.entries_of_run(f"run-{symbol}") == (self.entry(symbol),)
