from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from desk.backtest.parity import DayRecord, FilledTrade, differences, record_of_day, record_of_run
from tests.desk.backtest.worlds import traded
from tests.desk.evidence import ANSWERS, whole_day
from tests.the_alchemiser.strategy_v2.cases import market
from the_alchemiser.shared.messaging.messages import RunCompleted, Side, message_id
from the_alchemiser.shared.run.runs import Run


def backtested() -> tuple[DayRecord, ...]:
    history = market(AAA=[10, 10, 10], BBB=[5, 5, 5])
    return tuple(map(record_of_day, traded(history, {"AAA": "1"}, {"AAA": "0.5", "BBB": "0.5"})))


def completed_run(*, missed: str = "") -> Run:
    """A run of the deployed system that told its end."""
    evidence = whole_day(missed=missed)
    run = evidence.run
    result = RunCompleted(
        message_id=message_id(run.run_id, RunCompleted),
        run_id=run.run_id,
        occurred_at=run.timeline[-1].at,
        trading_date=run.trading_date,
        as_of=run.as_of,
        weights={},
        outcomes=(),
        positions=(),
        equity_before=evidence.equity_before,
        equity_after=Decimal("99988.63"),
        cash_after=Decimal("1044.01"),
        degraded=False,
    )
    return replace(run, outbox=(result,))


def test_differences_of_the_same_days_are_none() -> None:
    assert differences(backtested(), backtested()) == ()


def with_weight(record: DayRecord) -> DayRecord:
    return record._replace(weights={**record.weights, "AAA": Decimal("0.500000001")})


def with_answer(record: DayRecord) -> DayRecord:
    return record._replace(answers={**record.answers, "one": {"AAA": Decimal("0.5")}})


def without_strategy(record: DayRecord) -> DayRecord:
    return record._replace(answers={})


def without_trade(record: DayRecord) -> DayRecord:
    return record._replace(trades=record.trades[1:])


def with_trade(record: DayRecord) -> DayRecord:
    return record._replace(trades=(*record.trades, FilledTrade("CCC", Side.BUY, Decimal(1), Decimal(2))))


def with_quantity(record: DayRecord) -> DayRecord:
    first, *rest = record.trades
    return record._replace(trades=(first._replace(quantity=first.quantity + Decimal("0.000001")), *rest))


def with_price(record: DayRecord) -> DayRecord:
    first, *rest = record.trades
    return record._replace(trades=(first._replace(price=first.price + Decimal("0.01")), *rest))


def with_side(record: DayRecord) -> DayRecord:
    first, *rest = record.trades
    return record._replace(trades=(first._replace(side=Side.BUY), *rest))


@pytest.mark.parametrize(
    ("plant", "told"),
    [
        (with_weight, "merged weight of AAA: 0.500000001 was deployed, 0.5 is tested"),
        (with_answer, "one: weight of BBB: nothing was deployed, 0.5 is tested"),
        (without_strategy, "one: weight of AAA: nothing was deployed, 0.5 is tested"),
        (without_trade, "SELL AAA: quantity: nothing was deployed, 495 is tested"),
        (with_trade, "BUY CCC: price: 2 was deployed, nothing is tested"),
        (with_quantity, "SELL AAA: quantity: 495.000001 was deployed, 495 is tested"),
        (with_price, "SELL AAA: price: 10.01 was deployed, 10 is tested"),
        (with_side, "SELL AAA: price: nothing was deployed, 10 is tested"),
        (lambda record: record._replace(equity=Decimal("9999.99")), "equity: 9999.99 was deployed, 10000 is tested"),
        (lambda record: record._replace(cash=Decimal(0)), "cash: 0 was deployed, 100 is tested"),
    ],
)
def test_differences_find_a_planted_fault(plant: Callable[[DayRecord], DayRecord], told: str) -> None:
    first, last = backtested()

    found = differences((first, plant(last)), (first, last))

    assert told in [finding.what for finding in found]
    assert {finding.where for finding in found} == {str(last.day)}


def test_differences_find_a_day_that_only_one_has() -> None:
    first, last = backtested()
    later = last._replace(day=last.day + timedelta(days=1))

    found = differences((first, later), (first, last))

    assert [(finding.where, finding.what) for finding in found] == [
        (str(last.day), "only the backtest traded that day"),
        (str(later.day), "only the deployed system traded that day"),
    ]


def test_record_of_run_has_what_the_run_recorded() -> None:
    record = record_of_run(completed_run())

    assert record.answers["trend_following"] == {name: Decimal(w) for name, w in ANSWERS["trend_following"].items()}
    assert record.weights["SPY"] == Decimal("0.39")
    assert FilledTrade("QQQ", Side.SELL, Decimal("61.5"), Decimal("341.1359")) in record.trades
    assert (record.equity, record.cash) == (Decimal("99988.63"), Decimal("1044.01"))


def test_record_of_run_leaves_out_what_did_not_fill() -> None:
    assert "XOM" not in {trade.symbol for trade in record_of_run(completed_run(missed="XOM")).trades}


def test_record_of_run_that_did_not_complete_is_refused() -> None:
    with pytest.raises(ValueError, match="did not complete"):
        record_of_run(replace(completed_run(), outbox=()))
