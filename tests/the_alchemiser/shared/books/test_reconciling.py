"""A look reads the account and the books once each, and waits while an order may not be final."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from tests.the_alchemiser import run_builders as make
from tests.the_alchemiser.coordinator_v2.office import Floor
from tests.the_alchemiser.fakes import InMemoryLedger, InMemoryRunStore
from tests.the_alchemiser.shared.books.test_checks import EVENING, MONDAY, OURS, TUESDAY, base, fill, order, split
from the_alchemiser.shared.books.checks import BooksCheck, CheckState
from the_alchemiser.shared.books.reconciling import Look, Recent, Reconciler
from the_alchemiser.shared.broker.account_check import WrongAccountError
from the_alchemiser.shared.broker.models import OrderStatus
from the_alchemiser.shared.corporate_actions import CorporateAction, CorporateActionKind, CorporateActions
from the_alchemiser.shared.ledger.ledger import LedgerEntry
from the_alchemiser.shared.messaging.messages import Difference
from the_alchemiser.shared.run.runs import Run, RunState
from the_alchemiser.shared.values import Side

RUN_ID = "local-2022-03-15"
NOW = datetime(2022, 3, 15, 20, 10, tzinfo=UTC)
FRIDAY = date(2022, 3, 11)


@dataclass
class LaggingLedger(InMemoryLedger):
    """Its index by run does not have the entries of `unindexed` symbols yet; notes which symbols were read."""

    unindexed: frozenset[str] = frozenset()
    read: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def entries_of_run(self, run_id: str) -> tuple[LedgerEntry, ...]:
        return tuple(entry for entry in super().entries_of_run(run_id) if entry.symbol not in self.unindexed)

    def entries_of(self, symbol: str) -> tuple[LedgerEntry, ...]:
        self.read.append(symbol)
        return super().entries_of(symbol)


@dataclass
class Desk:
    """An account with 10 SPY and 3 TLT, as Monday evening's check says, and a settled run of Tuesday."""

    floor: Floor = field(default_factory=lambda: Floor(held={"SPY": Decimal(10), "TLT": Decimal(3)}))
    store: InMemoryRunStore = field(default_factory=InMemoryRunStore)
    ledger: LaggingLedger = field(default_factory=LaggingLedger)
    actions: tuple[CorporateAction, ...] = ()
    account: str = ""

    def reconciler(self) -> Reconciler:
        actions = CorporateActions(self.actions)
        return Reconciler("local", self.account, self.floor, self.store, self.ledger, lambda: actions)

    def add_run(self, day: date = TUESDAY, number: str = "", *, settled: bool = True) -> Run:
        run_id = f"local-{day}{number}"
        run = make.loaded(make.evaluating(run_id), run_id)
        run = replace(run, trading_date=day, state=RunState.COMPLETED, settled=settled)
        self.store.runs[run_id] = run
        return run

    def look(
        self, check: BooksCheck | None = None, *runs: Run, since: date = TUESDAY, settles_since: date = MONDAY
    ) -> Look | None:
        return self.reconciler().look(check or base(), Recent(runs, since, settles_since), NOW)

    def seen(self, check: BooksCheck | None = None, *runs: Run) -> Look:
        look = self.look(check, *runs)
        assert look is not None
        return look


@pytest.fixture
def desk() -> Desk:
    return Desk()


def holding(symbol: str, broker: str, books: str, cause: str = "") -> Difference:
    return Difference(symbol=symbol, broker=Decimal(broker), books=Decimal(books), cause=cause)


def test_look_at_an_account_that_agrees_reads_each_thing_once(desk: Desk) -> None:
    look = desk.seen()

    assert look == Look(NOW, "PA1", desk.floor.held, look.expected, (), ())
    assert {symbol: shares.kept for symbol, shares in look.expected.items()} == desk.floor.held
    assert desk.floor.calls == ["account", "positions"]
    assert (desk.floor.asked_open, desk.floor.asked) == ([EVENING], [])
    assert desk.ledger.read == []


def test_look_counts_the_fills_of_the_runs_since_the_base(desk: Desk) -> None:
    run = desk.add_run()
    desk.ledger.record(fill("SPY", Side.BUY, "2"))
    desk.floor.held["SPY"] = Decimal(12)

    look = desk.seen(None, run)

    assert (look.differences, look.runs) == ((), (RUN_ID,))


def test_look_does_not_count_the_runs_that_the_base_includes(desk: Desk) -> None:
    run = desk.add_run()
    desk.ledger.record(fill("SPY", Side.BUY, "2"))
    at_noon = base(held_at=NOW - timedelta(hours=4), runs=(RUN_ID,))

    look = desk.seen(at_noon, run)

    assert (look.differences, look.runs) == ((), (RUN_ID,))


def test_look_on_a_later_day_names_the_runs_of_that_day_only(desk: Desk) -> None:
    monday = desk.add_run(MONDAY, "-r1")

    assert desk.seen(None, monday, desk.add_run()).runs == (RUN_ID,)
    assert desk.seen(base(held_at=NOW, runs=("an-earlier",)), desk.store.runs[RUN_ID]).runs == ("an-earlier", RUN_ID)


@pytest.mark.parametrize("is_read", [True, False], ids=["read before", "read by the look"])
def test_look_waits_for_a_run_that_is_not_settled(desk: Desk, *, is_read: bool) -> None:
    run = desk.add_run(settled=False)

    read = (run,) if is_read else ()
    since = TUESDAY if is_read else TUESDAY + timedelta(days=1)
    assert desk.look(None, *read, since=since) is None
    assert desk.floor.calls == []


def test_look_does_not_wait_for_a_run_that_no_sweep_settles_any_more(desk: Desk) -> None:
    run = desk.add_run(settled=False)

    assert desk.look(None, run, settles_since=TUESDAY) is None
    assert desk.look(None, run, settles_since=TUESDAY + timedelta(days=1)) is not None


def test_look_reads_the_runs_of_the_days_that_were_not_read_yet(desk: Desk) -> None:
    for day in (FRIDAY, MONDAY):
        desk.add_run(day, "-r7")
        desk.ledger.record(fill("SPY", Side.BUY, "2", number=str(day)).changed(run_id=f"local-{day}-r7"))
    desk.floor.held["SPY"] = Decimal(12)

    # Friday's run is older than the base, Monday's was forced after it.
    assert desk.seen().differences == ()


def test_look_reads_no_run_twice(desk: Desk) -> None:
    desk.add_run()
    desk.ledger.record(fill("SPY", Side.BUY, "2"))
    desk.floor.held["SPY"] = Decimal(12)
    unread = Recent.unread(TUESDAY, settles_since=MONDAY)

    look = desk.reconciler().look(base(), unread, NOW)

    assert unread == Recent((), date(2022, 3, 16), MONDAY)
    assert look is not None
    assert (look.differences, look.runs) == ((), (RUN_ID,))


def test_look_stops_reading_at_the_first_run_that_is_not_settled(desk: Desk) -> None:
    class Watched(InMemoryRunStore):
        """Notes the days whose runs were read."""

        def runs_on(self, trading_date: date) -> tuple[str, ...]:
            days.append(trading_date)
            return super().runs_on(trading_date)

    days: list[date] = []
    desk.store = Watched()
    desk.add_run(settled=False)

    assert desk.look(since=date(2022, 3, 17)) is None
    assert days == [date(2022, 3, 16), TUESDAY]


def test_look_that_differs_reads_these_symbols_again(desk: Desk) -> None:
    run = desk.add_run()
    for symbol in ("SPY", "TLT"):
        desk.ledger.record(fill(symbol, Side.BUY, "2"))
        desk.floor.held[symbol] += 2
    desk.ledger.unindexed = frozenset({"TLT"})

    assert desk.seen(None, run).differences == ()
    assert desk.ledger.read == ["TLT"]


def test_look_again_counts_only_the_fills_of_its_runs(desk: Desk) -> None:
    run = desk.add_run()
    desk.ledger.record(fill("SPY", Side.BUY, "5").changed(run_id="local-2022-03-14"))
    desk.floor.held["SPY"] = Decimal(15)

    assert desk.seen(None, run).differences == (holding("SPY", "15", "10"),)


def test_look_explains_a_difference_by_the_orders_since_the_base(desk: Desk) -> None:
    desk.floor.held["SPY"] = Decimal(12)
    desk.floor.listed = [order("by-hand", status=OrderStatus.FILLED)]

    assert desk.seen().differences == (holding("SPY", "12", "10", "ordered by hand: BUY 2"),)
    assert desk.floor.asked == [EVENING]


def test_look_lists_the_orders_of_a_week_at_most(desk: Desk) -> None:
    desk.floor.held["SPY"] = Decimal(12)

    desk.seen(base(held_at=NOW - timedelta(days=8), runs=("local-2022-03-07",)))

    assert desk.floor.asked == desk.floor.asked_open == [NOW - timedelta(days=7)]


def test_look_does_not_take_a_recorded_fill_for_one_by_hand(desk: Desk) -> None:
    run = desk.add_run()
    desk.ledger.record(fill("SPY", Side.BUY, "2").changed(order_id=f"id-{OURS}"))
    desk.floor.listed = [order(status=OrderStatus.FILLED)]

    assert desk.seen(None, run).differences == (holding("SPY", "10", "12"),)


def test_look_names_our_open_order(desk: Desk) -> None:
    desk.floor.listed = [order()]

    [difference] = desk.seen().differences

    assert (difference.kind, difference.order) == ("order", OURS)


def test_look_after_a_split_compares_the_new_shares(desk: Desk) -> None:
    desk.actions = (split("SPY", TUESDAY, "1", "2"), split("TLT", date(2022, 3, 16), "1", "2"))
    desk.floor.held["SPY"] = Decimal(20)

    assert desk.seen().differences == ()


@pytest.mark.parametrize(("day", "is_named"), [(MONDAY, True), (TUESDAY, True), (FRIDAY, False)])
def test_look_names_a_split_since_the_base_as_a_cause(desk: Desk, day: date, *, is_named: bool) -> None:
    desk.actions = (split("SPY", day, "1", "2"),)
    desk.floor.held["SPY"] = Decimal(7)

    [difference] = desk.seen().differences

    assert (difference.cause == "the symbol has had a split") is is_named


def test_look_names_no_dividend_as_a_split(desk: Desk) -> None:
    dividend = split("SPY", TUESDAY, "1", "1")
    desk.actions = (dividend.changed(kind=CorporateActionKind.DIVIDEND),)
    desk.floor.held["SPY"] = Decimal(7)

    assert desk.seen().differences[0].cause == ""


def test_look_at_another_account_says_so(desk: Desk) -> None:
    desk.floor.number, desk.floor.held = "PA2", {"SPY": Decimal(10)}

    [difference] = desk.seen().differences

    assert difference.cause == "the books are those of account PA1, the broker's keys belong to PA2"


def test_look_at_an_account_that_the_environment_does_not_trade_is_refused(desk: Desk) -> None:
    desk.account = "PA2"

    with pytest.raises(WrongAccountError):
        desk.look()
    assert desk.floor.calls == ["account"]


def test_open_takes_what_the_account_holds(desk: Desk) -> None:
    assert desk.reconciler().open(MONDAY, NOW, [desk.add_run()]) == BooksCheck(
        trading_date=MONDAY,
        state=CheckState.OPENED,
        checked_at=NOW,
        holdings={"SPY": Decimal(10), "TLT": Decimal(3)},
        held_at=NOW,
        account="PA1",
        runs=(RUN_ID,),
    )


def test_open_of_another_account_is_refused(desk: Desk) -> None:
    desk.account = "PA2"

    with pytest.raises(WrongAccountError):
        desk.reconciler().open(MONDAY, NOW, ())


# --- the check that follows ---


def look_of(*differences: Difference, held: Mapping[str, Decimal] | None = None) -> Look:
    return Look(NOW, "PA2", held or {"SPY": Decimal(12)}, {}, differences, (RUN_ID,))


def test_check_of_a_look_without_differences_is_the_next_base() -> None:
    assert look_of().check(TUESDAY, base()) == BooksCheck(
        trading_date=TUESDAY,
        state=CheckState.AGREED,
        checked_at=NOW,
        holdings={"SPY": Decimal(12)},
        held_at=NOW,
        account="PA2",
        runs=(RUN_ID,),
    )


def test_check_of_a_look_that_differs_keeps_the_base() -> None:
    difference = holding("SPY", "12", "10")

    check = look_of(difference).check(TUESDAY, base(accepted_by="a-person"))

    assert check == base(
        trading_date=TUESDAY, state=CheckState.DIFFERS, checked_at=NOW, differences=(difference,), accepted_by=""
    )


def test_check_that_a_person_accepts_is_the_next_base_with_its_differences() -> None:
    difference = holding("SPY", "12", "10")

    check = look_of(difference).check(MONDAY, base(), accepted_by="a-person")

    assert check == BooksCheck(
        trading_date=MONDAY,
        state=CheckState.ACCEPTED,
        checked_at=NOW,
        holdings={"SPY": Decimal(12)},
        held_at=NOW,
        account="PA2",
        runs=(RUN_ID,),
        differences=(difference,),
        accepted_by="a-person",
    )


def test_check_without_a_difference_has_nothing_to_accept() -> None:
    check = look_of().check(MONDAY, base(), accepted_by="a-person")

    assert (check.state, check.accepted_by) == (CheckState.AGREED, "")
