from sandbox.milestones import list_milestones
from tests.sandbox import days
from tests.the_alchemiser import run_builders as make
from the_alchemiser.shared.messaging import outbox
from the_alchemiser.shared.run.runs import RunItem
from the_alchemiser.shared.values import Side


def texts(lines: tuple[str, ...]) -> list[str]:
    return [" ".join(line.split()) for line in lines]


def test_list_milestones_of_a_completed_run_has_every_step() -> None:
    assert texts(list_milestones(days.completed_run())) == [
        "coordinator_v2 started local-2022-03-16: 2 strategies to evaluate",
        "strategy_v2 bold: target weights for 1 symbol",
        "strategy_v2 calm: target weights for 1 symbol",
        "aggregator_v2 merged the strategies into one signal: 1 symbol",
        "portfolio_v2 planned 1 sell and 1 buy",
        "trade_aggregator selling: released 1 trade",
        "execution_v2 sell 10 OLD filled at 49.99",
        "trade_aggregator buying: released 1 trade",
        "execution_v2 buy 990 SPY filled at 100.01",
        "a test run completed",
    ]


def test_list_milestones_of_a_later_run_keeps_earlier_lines() -> None:
    earlier = list_milestones(make.loaded(days.planned_run()))

    assert set(earlier) < set(list_milestones(days.completed_run()))


def test_list_milestones_of_failures_gives_reasons() -> None:
    store = make.evaluating()
    store.put_once(make.RUN_ID, RunItem("STRATEGY#calm", outbox.encode(make.strategy_failed("calm"))))
    failed = make.trade_failed("SPY", Side.BUY, "1")
    store.put_once(make.RUN_ID, RunItem(f"TRADE#{failed.trade_id}", outbox.encode(failed)))

    assert texts(list_milestones(make.loaded(store)))[1:] == [
        "strategy_v2 calm failed: too_little_history",
        "execution_v2 buy 1 SPY failed: market_closed",
    ]


def test_list_milestones_of_a_failed_run_ends_with_failure() -> None:
    assert "run failed" in list_milestones(days.failed_run())[-1]
