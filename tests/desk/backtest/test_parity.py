from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from desk.backtest.parity import DayRecord, FilledTrade, find_differences, record_of_day, record_of_run
from tests.desk.backtest.worlds import traded
from tests.desk.evidence import ANSWERS, whole_day
from tests.the_alchemiser.strategy_v2.cases import market
from the_alchemiser.shared.messaging.messages import RunCompleted, message_id
from the_alchemiser.shared.run.runs import Run
from the_alchemiser.shared.values import Side


def backtested() -> tuple[DayRecord, ...]:
    history = market(AAA=[10, 10, 10], BBB=[5, 5, 5])
    return tuple(map(record_of_day, traded(history, {"AAA": "1"}, {"AAA": "0.5", "BBB": "0.5"})))


def completed_run(*, missed: str = "") -> Run:
    """Return a run of the deployed system that published its completion."""
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


def test_find_differences_equal_days_gives_none() -> None:
    assert find_differences(backtested(), backtested()) == ()


def with_weight(record: DayRecord) -> DayRecord:
    return record._replace(weights={**record.weights, "AAA": Decimal("0.500000001")})


def with_strategy_weights(record: DayRecord) -> DayRecord:
    return record._replace(strategy_weights={**record.strategy_weights, "one": {"AAA": Decimal("0.5")}})


def without_strategy(record: DayRecord) -> DayRecord:
    return record._replace(strategy_weights={})


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
    ("plant", "message"),
    [
        (with_weight, "merged weight of AAA: 0.500000001 deployed, 0.5 backtested"),
        (with_strategy_weights, "one: weight of BBB: nothing deployed, 0.5 backtested"),
        (without_strategy, "one: weight of AAA: nothing deployed, 0.5 backtested"),
        (without_trade, "SELL AAA: quantity: nothing deployed, 495 backtested"),
        (with_trade, "BUY CCC: price: 2 deployed, nothing backtested"),
        (with_quantity, "SELL AAA: quantity: 495.000001 deployed, 495 backtested"),
        (with_price, "SELL AAA: price: 10.01 deployed, 10 backtested"),
        (with_side, "SELL AAA: price: nothing deployed, 10 backtested"),
        (lambda record: record._replace(equity=Decimal("9999.99")), "equity: 9999.99 deployed, 10000 backtested"),
        (lambda record: record._replace(cash=Decimal(0)), "cash: 0 deployed, 100 backtested"),
    ],
)
def test_find_differences_planted_fault_is_found(plant: Callable[[DayRecord], DayRecord], message: str) -> None:
    first, last = backtested()

    findings = find_differences((first, plant(last)), (first, last))

    assert message in [finding.what for finding in findings]
    assert {finding.where for finding in findings} == {str(last.day)}


def test_find_differences_day_of_one_side_is_found() -> None:
    first, last = backtested()
    later = last._replace(day=last.day + timedelta(days=1))

    findings = find_differences((first, later), (first, last))

    assert [(finding.where, finding.what) for finding in findings] == [
        (str(last.day), "only the backtest traded that day"),
        (str(later.day), "only the deployed system traded that day"),
    ]


def test_record_of_run_has_weights_trades_and_account() -> None:
    record = record_of_run(completed_run())

    assert record.strategy_weights["trend_following"] == {
        name: Decimal(w) for name, w in ANSWERS["trend_following"].items()
    }
    assert record.weights["SPY"] == Decimal("0.39")
    assert FilledTrade("QQQ", Side.SELL, Decimal("61.5"), Decimal("341.1359")) in record.trades
    assert (record.equity, record.cash) == (Decimal("99988.63"), Decimal("1044.01"))


def test_record_of_run_omits_unfilled_trades() -> None:
    assert "XOM" not in {trade.symbol for trade in record_of_run(completed_run(missed="XOM")).trades}


def test_record_of_run_incomplete_run_raises() -> None:
    with pytest.raises(ValueError, match="did not complete"):
        record_of_run(replace(completed_run(), outbox=()))
