from sandbox.milestones import milestones
from tests.sandbox import days
from tests.the_alchemiser import run_builders as make
from the_alchemiser.shared.messaging import outbox
from the_alchemiser.shared.messaging.messages import Side
from the_alchemiser.shared.run.runs import RunItem


def texts(lines: tuple[str, ...]) -> list[str]:
    return [" ".join(line.split()) for line in lines]


def test_milestones_of_a_completed_run_tell_every_step() -> None:
    assert texts(milestones(days.completed_run())) == [
        "coordinator_v2 local-2022-03-16: 2 strategies to decide",
        "strategy_v2 bold wants 1 symbol",
        "strategy_v2 calm wants 1 symbol",
        "aggregator_v2 one signal over 1 symbol",
        "portfolio_v2 1 sell and 1 buy planned",
        "trade_aggregator selling: 1 trade released",
        "execution_v2 sell 10 OLD at 49.99",
        "trade_aggregator buying: 1 trade released",
        "execution_v2 buy 990 SPY at 100.01",
        "a test run completed",
    ]


def test_milestones_of_a_young_run_only_grow() -> None:
    young = milestones(make.loaded(days.planned_run()))

    assert set(young) < set(milestones(days.completed_run()))


def test_milestones_of_failures_tell_the_reason() -> None:
    store = make.evaluating()
    store.put_once(make.RUN_ID, RunItem("STRATEGY#calm", outbox.encode(make.strategy_failed("calm"))))
    failed = make.trade_failed("SPY", Side.BUY, "1")
    store.put_once(make.RUN_ID, RunItem(f"TRADE#{failed.trade_id}", outbox.encode(failed)))

    assert texts(milestones(make.loaded(store)))[1:] == [
        "strategy_v2 calm failed: too_little_history",
        "execution_v2 buy 1 SPY failed: market_closed",
    ]


def test_milestones_of_a_failed_run_end_with_its_failure() -> None:
    assert "run failed" in milestones(days.failed_run())[-1]
