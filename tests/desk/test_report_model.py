from dataclasses import replace
from decimal import Decimal

from desk.report_model import MODULES, day_of
from tests.desk.evidence import failed_day, whole_day


def test_day_of_steps_follow_the_clock_and_end_with_the_mail() -> None:
    steps = day_of(whole_day()).steps

    assert [step.name for step in steps] == [
        "EVALUATING", "AGGREGATED", "PLANNED", "SELLING", "BUYING", "COMPLETED", "MAIL",
    ]  # fmt: skip
    assert [step.since_ms for step in steps] == [0, 742, 961, 1088, 1544, 3902, 4127]
    assert steps[0].lasts_ms == 742
    assert steps[-1].lasts_ms is None


def test_day_of_signal_parts_sum_to_the_weight() -> None:
    lines = day_of(whole_day()).signal

    assert [line.symbol for line in lines][:2] == ["SPY", "GLD"]
    for line in lines:
        assert sum(part for _, part in line.parts) == line.weight


def test_trade_line_bought_above_and_sold_below_plan_both_cost() -> None:
    trades = {trade.outcome.symbol: trade for trade in day_of(whole_day()).trades}

    assert trades["QQQ"].slippage == Decimal("61.5") * (Decimal("341.17") - Decimal("341.1359"))
    assert trades["SPY"].slippage > 0
    bps = trades["SPY"].slippage_bps
    assert bps is not None
    assert round(bps, 1) == 1


def test_trade_line_nothing_filled_has_neither_price_nor_slippage() -> None:
    day = day_of(whole_day(missed="UNH"))

    (missed,) = day.missed
    assert missed.avg_price is None
    assert missed.slippage_bps is None
    assert missed.notional == missed.slippage == 0
    assert missed.failure == "not filled: 87.250000 shares did not fill in time"


def test_trade_line_orders_are_those_of_its_own_client_order_ids() -> None:
    for trade in day_of(whole_day()).trades:
        assert [order.symbol for order in trade.orders] == [trade.outcome.symbol]


def test_day_of_failed_run_tells_each_strategy_why_it_has_no_weights() -> None:
    strategies = {line.name: line.failure for line in day_of(failed_day()).strategies}

    assert strategies["trend_following"] == "it did not answer"
    assert "XOM has 120 bars" in str(strategies["sector_momentum"])


def test_day_of_functions_are_ten_whether_they_ran_or_not() -> None:
    day = day_of(failed_day())

    assert [line.module for line in day.functions] == list(MODULES)
    assert {line.module for line in day.functions if not line.ran} == {
        "portfolio_v2", "trade_aggregator", "execution_v2", "metrics_v2",
    }  # fmt: skip


def test_day_leftovers_name_the_queue_and_count_its_messages() -> None:
    assert day_of(failed_day()).leftovers == ("strategy-dead-letters: 1 message",)
    assert day_of(whole_day()).leftovers == ()


def test_day_positions_and_cash_add_up_to_equity() -> None:
    day = day_of(whole_day())

    assert day.invested + day.evidence.after.account.cash == day.evidence.equity_after


def test_day_of_strategy_whose_path_is_not_there_shows_none() -> None:
    evidence = replace(whole_day(), decisions={})

    assert {line.path for line in day_of(evidence).strategies} == {()}
