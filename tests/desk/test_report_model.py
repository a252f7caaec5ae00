from dataclasses import replace
from decimal import Decimal

from desk.report_model import MODULES, build_report_day
from tests.desk.evidence import failed_day, odd_day, whole_day


def test_build_report_day_steps_are_in_time_order_with_mail_last() -> None:
    steps = build_report_day(whole_day()).steps

    assert [step.name for step in steps] == [
        "EVALUATING", "AGGREGATED", "PLANNED", "SELLING", "BUYING", "COMPLETED", "MAIL",
    ]  # fmt: skip
    assert [step.since_ms for step in steps] == [0, 742, 961, 1088, 1544, 3902, 4127]
    assert steps[0].lasts_ms == 742
    assert steps[-1].lasts_ms is None


def test_build_report_day_signal_parts_sum_to_weight() -> None:
    lines = build_report_day(whole_day()).signal

    assert [line.symbol for line in lines][:2] == ["SPY", "GLD"]
    for line in lines:
        assert sum(part for _, part in line.parts) == line.weight


def test_trade_line_slippage_is_positive_for_worse_fills() -> None:
    trades = {trade.outcome.symbol: trade for trade in build_report_day(whole_day()).trades}

    assert trades["QQQ"].slippage == Decimal("61.5") * (Decimal("341.17") - Decimal("341.1359"))
    assert trades["SPY"].slippage > 0
    bps = trades["SPY"].slippage_bps
    assert bps is not None
    assert round(bps, 1) == 1


def test_trade_line_unfilled_has_no_price_and_no_slippage() -> None:
    day = build_report_day(whole_day(missed="UNH"))

    (missed,) = day.missed
    assert missed.avg_price is None
    assert missed.slippage_bps is None
    assert missed.notional == missed.slippage == 0
    assert missed.failure == "not filled: 87.250000 shares did not fill in time"


def test_trade_line_orders_match_its_client_order_ids() -> None:
    for trade in build_report_day(whole_day()).trades:
        assert [order.symbol for order in trade.orders] == [trade.outcome.symbol]


def test_build_report_day_failed_run_shows_why_no_weights() -> None:
    strategies = {line.name: line.failure for line in build_report_day(failed_day()).strategies}

    assert strategies["trend_following"] == "it returned no result"
    assert "XOM has 120 bars" in str(strategies["sector_momentum"])


def test_build_report_day_lists_all_functions_even_idle_ones() -> None:
    day = build_report_day(failed_day())

    assert [line.module for line in day.functions] == list(MODULES)
    assert {line.module for line in day.functions if line.ran} == {
        "data_v2", "data_quality_monitor", "coordinator_v2", "strategy_v2", "aggregator_v2", "notifications_v2",
    }  # fmt: skip


def test_report_day_leftovers_show_queue_and_message_count() -> None:
    assert build_report_day(failed_day()).leftovers == ("strategy-dead-letters: 1 message",)
    assert build_report_day(whole_day()).leftovers == ()


def test_report_day_positions_and_cash_sum_to_equity() -> None:
    day = build_report_day(whole_day())

    assert day.invested + day.evidence.after.account.cash == day.evidence.equity_after


def test_build_report_day_without_decision_path_has_no_sentences() -> None:
    evidence = replace(whole_day(), decisions={})

    assert {line.path for line in build_report_day(evidence).strategies} == {()}


def test_report_day_with_an_unpriced_holding_values_the_others() -> None:
    day, usual = build_report_day(odd_day()), build_report_day(whole_day())

    assert day.invested == usual.invested
    assert day.positions[-1].symbol == "628ESC012"


def test_report_day_omissions_are_explained_by_symbol() -> None:
    day = build_report_day(odd_day())

    assert day.quarantined == (
        ("628ESC012", "its symbol is not that of a listed stock or fund"),
        ("BTCUSD", "it is not a US stock or fund"),
    )
    assert day.untradable == (("AAA", "the broker does not trade it now"),)
    assert day.is_degraded


def test_report_day_of_a_run_without_plan_has_no_omissions() -> None:
    day = build_report_day(failed_day())

    assert (day.quarantined, day.untradable, day.is_degraded) == ((), (), False)


def test_trade_line_failure_says_that_an_order_may_rest() -> None:
    (line,) = build_report_day(whole_day(missed="UNH")).missed
    unsettled = replace(line, outcome=line.outcome.changed(unsettled=True))

    assert line.failure == "not filled: 87.250000 shares did not fill in time"
    assert unsettled.failure == f"{line.failure}; an order of it could still rest at the broker"
