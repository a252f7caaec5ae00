"""Everything that the stores know reaches the mail, and nothing that they do not know stops it."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from tests.desk.decisions import DECISIONS
from tests.the_alchemiser import run_builders as make
from tests.the_alchemiser.fakes import InMemoryRunStore
from tests.the_alchemiser.notifications_v2.in_memory_rows import InMemoryRows, Waiting
from tests.the_alchemiser.notifications_v2.samples import LATEST, VERDICT
from tests.the_alchemiser.notifications_v2.test_figures_of_run import all_rows
from tests.the_alchemiser.results import FILLED_LATE, checked, completed, differing, failed, refused, settled
from tests.the_alchemiser.shared.market_data.in_memory_objects import InMemoryObjects
from the_alchemiser.notifications_v2.background import NOTHING_KNOWN, Background, BackgroundReader
from the_alchemiser.notifications_v2.subject import News
from the_alchemiser.shared.market_data.verdict import VERDICT_KEY, write_verdict
from the_alchemiser.shared.messaging import outbox
from the_alchemiser.shared.run.runs import PLAN, STRATEGY, TRADE, RunItem
from the_alchemiser.shared.values import Side

RUN_ID = "local-2022-03-15"
PLANNED = make.plan(make.decision("SPY", None), run_id=RUN_ID)
SHOW = f"`inv run.show {RUN_ID} --env prod`"
UNREAD = {
    "run": f"The stored run could not be read; {SHOW} shows it.",
    "decisions": f"The decisions of calm could not be read; {SHOW} shows them.",
    "verdict": "The verdict on the market data could not be read; `inv data.quality --env prod` shows it.",
    "figures": "P&L and contributions could not be read; `inv pnl --env prod` shows them.",
    "not ready": "The P&L of this run was not computed yet; `inv pnl --env prod` shows them.",
    "superseded": "A later run of the day has replaced the figures of this one; `inv pnl --env prod` shows them.",
    "latest": "The latest figures could not be read; `inv pnl --env prod` shows them.",
}


class Stores:
    """All stores of a run of two strategies; one failed to answer, and each trade has a result."""

    def __init__(self) -> None:
        self.waiting = Waiting()
        self.objects = InMemoryObjects()
        self.rows = InMemoryRows(*all_rows())
        self.runs = InMemoryRunStore()
        self.runs.create(make.new_run(RUN_ID), by="coordinator_v2", at=make.WALL, outbox=())
        calm = make.evaluated("calm", {"SPY": "1"}, run_id=RUN_ID)
        calm = calm.changed(path_ref=self.objects.url("decisions/v1/calm.json"))
        for sk, body in (
            (f"{STRATEGY}#calm", outbox.encode(calm)),
            (f"{STRATEGY}#bold", outbox.encode(make.strategy_failed("bold", run_id=RUN_ID))),
            (PLAN, PLANNED.to_content()),
            (f"{TRADE}#b", outbox.encode(make.trade_failed("TLT", Side.BUY, "5", run_id=RUN_ID))),
            (f"{TRADE}#a", outbox.encode(make.executed("SPY", Side.BUY, "5", run_id=RUN_ID))),
        ):
            self.runs.put_once(RUN_ID, RunItem(sk, body))
        self.plant_path(DECISIONS["calm_balance"])
        write_verdict(self.objects, VERDICT, keep_newer=False)

    def plant_path(self, path: Any) -> None:
        self.objects.plant("decisions/v1/calm.json", json.dumps({"path": path}).encode())

    def read(self, message: News, *, seconds: float = 6) -> Background:
        patience = self.waiting.patience(seconds)
        return BackgroundReader("prod", self.runs, self.objects, self.rows, patience).read(message)


def test_completed_run_has_plan_answers_verdict_and_figures() -> None:
    background = Stores().read(completed())

    assert background.plan == PLANNED
    assert [(answer.strategy, answer.decision_count) for answer in background.answers] == [("calm", 1)]
    assert background.strategy_count == 1
    assert background.verdict == VERDICT
    assert background.history is not None
    assert background.history.names == ("calm", "trend", "unattributed")
    assert (background.latest, background.trades, background.unread) == (None, (), ())


def test_failed_run_has_plan_trades_verdict_and_the_account_before() -> None:
    stores = Stores()
    stores.rows.rows = [LATEST]

    background = stores.read(failed())

    assert (background.plan, background.verdict, background.latest) == (PLANNED, VERDICT, LATEST)
    assert [trade.symbol for trade in background.trades] == ["SPY", "TLT"]
    assert (background.history, background.answers, background.unread) == (None, (), ())


def test_refused_start_has_the_account_before() -> None:
    stores = Stores()
    stores.rows.rows = [LATEST]

    assert stores.read(refused()) == Background(latest=LATEST)


@pytest.mark.parametrize("message", [settled(FILLED_LATE), differing(), checked(passed=False)])
def test_other_news_read_nothing(message: News) -> None:
    stores = Stores()

    assert stores.read(message) == NOTHING_KNOWN
    assert stores.rows.reads == []


def lose_run(stores: Stores) -> None:
    del stores.runs.runs[RUN_ID]


def damage_plan(stores: Stores) -> None:
    run = stores.runs.runs[RUN_ID]
    stores.runs.runs[RUN_ID] = run.changed(items={**run.items, PLAN: RunItem(PLAN, {"run_id": 1})})


def hide_path(stores: Stores) -> None:
    stores.objects.unreadable.add("decisions/v1/calm.json")


def lose_path(stores: Stores) -> None:
    del stores.objects.objects["decisions/v1/calm.json"]


def damage_path(stores: Stores) -> None:
    stores.plant_path({"steps": [{"fragile": True}]})


def hide_verdict(stores: Stores) -> None:
    stores.objects.unreadable.add(VERDICT_KEY)


def damage_verdict(stores: Stores) -> None:
    stores.objects.plant(VERDICT_KEY, b"{")


def break_rows(stores: Stores) -> None:
    stores.rows.failure = KeyError("account")


def forget_rows(stores: Stores) -> None:
    stores.rows.rows.clear()


def replace_rows(stores: Stores) -> None:
    stores.rows.rows = [row.changed(run_id="another") for row in stores.rows.rows]


@pytest.mark.parametrize(
    ("fault", "unread"),
    [
        (lose_run, "run"),
        (damage_plan, "run"),
        (hide_path, "decisions"),
        (lose_path, "decisions"),
        (damage_path, "decisions"),
        (hide_verdict, "verdict"),
        (damage_verdict, "verdict"),
        (break_rows, "figures"),
        (forget_rows, "not ready"),
        (replace_rows, "superseded"),
    ],
)
def test_what_cannot_be_read_is_named_and_the_rest_is_there(
    fault: Callable[[Stores], None], unread: str, caplog: pytest.LogCaptureFixture
) -> None:
    stores, whole = Stores(), Stores().read(completed())
    fault(stores)

    with caplog.at_level(logging.WARNING):
        background = stores.read(completed())

    assert background.unread == (UNREAD[unread],)
    assert [record.getMessage() for record in caplog.records] == [f"left out of the mail: {UNREAD[unread]}"]
    kept = {
        "run": ("verdict", "history"),
        "decisions": ("plan", "strategy_count", "verdict", "history"),
        "verdict": ("plan", "answers", "history"),
    }.get(unread, ("plan", "answers", "verdict"))
    assert [getattr(background, name) for name in kept] == [getattr(whole, name) for name in kept]


@pytest.mark.parametrize("message", [failed(), refused()])
def test_unreadable_figures_of_a_failed_day_are_named(message: News) -> None:
    stores = Stores()
    break_rows(stores)

    background = stores.read(message)

    assert (background.latest, background.unread) == (None, (UNREAD["latest"],))


def test_missing_verdict_is_no_fault() -> None:
    stores = Stores()
    del stores.objects.objects[VERDICT_KEY]

    background = stores.read(completed())

    assert (background.verdict, background.unread) == (None, ())


def test_waiting_for_the_figures_ends_in_time() -> None:
    stores = Stores()
    forget_rows(stores)

    stores.read(completed(), seconds=6)

    assert sum(stores.waiting.pauses) == 5.5


def test_stores_that_take_all_the_time_leave_the_rest_unread() -> None:
    """A store that does not answer uses up the time, and the others are not asked any more."""
    stores = Stores()
    load = stores.runs.load

    def slow(run_id: str) -> Any:
        stores.waiting.now += 6
        return load(run_id)

    stores.runs.load = slow  # type: ignore[method-assign]

    background = stores.read(completed())

    assert background.plan == PLANNED
    assert background.unread == tuple(sorted((UNREAD["decisions"], UNREAD["figures"], UNREAD["verdict"])))
    assert stores.rows.reads == []
