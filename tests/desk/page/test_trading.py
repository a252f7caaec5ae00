"""When the next run starts, when each function worked, and what is read of an environment."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from desk.page.function_steps import FunctionStep, StepState
from desk.page.live import Connection
from desk.page.trading import Bar, bars, day_of, gather, next_start
from tests.desk.evidence import DAY, STARTED
from tests.desk.operations.duty import RUN_ID, UNREACHABLE, FakeBroker, FakeEnvironment, World, environment, run, stored
from tests.desk.operations.records import whole_record
from tests.desk.page.desks import VERDICT, situation
from tests.the_alchemiser.coordinator_v2.test_admission import MONDAY
from tests.the_alchemiser.shared.performance.account_rows import account_row
from the_alchemiser.shared.dynamo import typed
from the_alchemiser.shared.performance.rows import row_of
from the_alchemiser.shared.values import Clock

NOW = datetime(2022, 11, 28, 20, 45, tzinfo=UTC)


@dataclass
class Tables:
    """DynamoDB with the account's latest figures, the index of runs, and no claims."""

    measured: str = ""
    runs: tuple[tuple[str, str], ...] = ()

    def get_paginator(self, operation: str) -> Any:
        assert operation in {"scan", "query"}
        return self

    def paginate(self, **request: Any) -> Any:
        if "IndexName" in request:
            rows = [{"pk": f"RUN#{run_id}", "trading_date": day} for run_id, day in self.runs]
            return [{"Items": [typed(row) for row in rows]}]
        assert request["TableName"] == "performance"
        row = account_row(MONDAY, "100").changed(run_id=self.measured)
        return [{"Items": [typed(row_of(row))] if self.measured else []}]

    def get_item(self, **request: Any) -> Any:
        return {}


def connection(world: World, tables: Tables, **outputs: str) -> Connection:
    deployed = environment(world)
    named = {**deployed.outputs, "PerformanceTable": "performance", **outputs}
    replaced: FakeEnvironment = replace(deployed, client=lambda _: tables, outputs=named)
    return Connection(replaced, world.broker)  # type: ignore[arg-type] # a fake broker


@pytest.mark.parametrize(
    ("time", "text"),
    [
        ("09:00", "The next one starts at 15:45 ET."),
        ("15:44", "The next one starts at 15:45 ET."),
        ("15:45", "The schedule of today is over."),
        ("16:05", "The next one starts at 15:45 ET on Thursday, 17 March."),
    ],
)
def test_next_start_is_fifteen_minutes_before_the_close(time: str, text: str) -> None:
    assert next_start(situation(time=time), is_sandbox=False) == text


def test_next_start_of_a_half_day_is_earlier() -> None:
    now = situation(time="09:00")
    assert now.market is not None
    close = now.market.clock.next_close - timedelta(hours=3)
    clock = Clock(now.market.clock.timestamp, True, now.market.clock.next_open, close)

    half = replace(now, market=replace(now.market, clock=clock))

    assert next_start(half, is_sandbox=False) == "The next one starts at 12:45 ET."


def test_next_start_is_unknown_without_the_broker_and_up_to_a_person_in_the_sandbox() -> None:
    assert next_start(replace(situation(), market=None), is_sandbox=False) == ""
    assert next_start(situation(), is_sandbox=True) == "The next one starts when you trade the next session."


def test_bars_are_percentages_of_the_run() -> None:
    def step(module: str, began: int, ended: int | None) -> FunctionStep:
        end = None if ended is None else STARTED + timedelta(seconds=ended)
        return FunctionStep(module, StepState.DONE, "", STARTED + timedelta(seconds=began), end)

    steps = (step("a", 0, 5), step("b", 5, 20), step("c", 20, None), FunctionStep("d", StepState.WAITING))

    assert bars(steps) == {"a": Bar(0, 25), "b": Bar(25, 75), "c": Bar(100, 0)}
    assert bars((step("a", 3, 3),)) == {"a": Bar(0, 0)}
    assert bars(()) == {}


def test_day_of_a_run_has_its_orders_and_the_verdict_of_its_data() -> None:
    record = whole_record()

    day = day_of(record, VERDICT)

    assert len(day.trades) == 6
    assert all(trade.orders for trade in day.trades)
    assert day.evidence.verdict == VERDICT
    assert day_of(record, VERDICT.changed(as_of=DAY)).evidence.verdict is None


def test_gather_reads_todays_run_and_whether_it_was_measured() -> None:
    world = World(store=stored(run(settled=True)))
    tables = Tables(measured=RUN_ID)

    trading = gather(connection(world, tables), now=lambda: NOW)

    assert trading.todays_record is not None
    assert trading.todays_record.run.run_id == RUN_ID
    assert trading.steps[-1].state is StepState.DONE
    assert (trading.stage, trading.is_sandbox, trading.findings) == ("prod", False, ())
    assert set(trading.bars) == {"coordinator_v2", "notifications_v2", "metrics_v2"}


def test_gather_without_a_run_today_shows_the_latest_one() -> None:
    earlier = run(run_id="prod-2022-11-25", day=date(2022, 11, 25))
    tables = Tables(runs=(("prod-2022-11-25", "2022-11-25"),))

    trading = gather(connection(World(store=stored(earlier)), tables), now=lambda: NOW)

    assert trading.record is not None
    assert (trading.record.run, trading.todays_record) == (earlier, None)
    assert {step.state for step in trading.steps[2:]} == {StepState.WAITING}
    assert trading.next_start == "The schedule of today is over."


def test_gather_before_the_first_run_and_without_the_broker() -> None:
    trading = gather(connection(World(broker=FakeBroker(error=UNREACHABLE)), Tables()), now=lambda: NOW)

    assert (trading.record, trading.day, trading.next_start) == (None, None, "")
    assert [finding.where for finding in trading.findings] == ["broker"]
