"""The report counts what was reached, refuses a report in which something never was, and says how to replay."""

from dataclasses import replace

import pytest

from tests.simulation.end_state import TraceLine
from tests.simulation.evidence import SAFEGUARDS, safeguards_reached
from tests.simulation.healthy import ENDED, RUN, SELL, completed, history, published
from tests.simulation.reading import Violation
from tests.simulation.report import (
    GROUPS,
    JUDGED_FROM,
    Summary,
    Tally,
    counts,
    has_failed,
    render,
    shortcomings,
    summarise,
)
from tests.simulation.scenario import FaultKind

EVERYTHING = {group.title: frozenset(map(str, group.names)) for group in GROUPS}
FULL = Summary(1, 8, EVERYTHING, ())
BROKEN = FULL._replace(seed=9, violations=(Violation("never_short", "it was short"),))


def test_summary_of_a_healthy_history_counts_its_trades() -> None:
    summary = summarise(history())
    assert (summary.seed, summary.trades, summary.violations) == (1, 2, ())
    assert summary.reached["days"] == {"normal day"}
    assert {"EVALUATING", "COMPLETED"} <= summary.reached["states of runs"]


def test_summary_names_the_faults_that_happened() -> None:
    summary = summarise(history(faults={"a": FaultKind.LATE, "b": FaultKind.LATE}))
    assert summary.reached["faults"] == {"message is delivered late"}


def test_summary_of_a_broken_history_has_its_violations() -> None:
    assert [violation.invariant for violation in summarise(history(is_quiet=False)).violations] == ["history_ends"]


def tally(*summaries: Summary) -> Tally:
    total = Tally()
    for summary in summaries:
        total.add(summary)
    return total


def test_counts_are_of_histories_and_name_what_none_reached() -> None:
    table = counts(tally(FULL, FULL, FULL._replace(reached={**EVERYTHING, "faults": frozenset()})))
    assert set(table["days"].values()) == {3}
    assert set(table["faults"].values()) == {2}
    assert set(counts(Tally())["safeguards reached"].values()) == {0}


def test_tallies_merge_as_if_they_had_been_one() -> None:
    merged = tally(FULL)
    merged.merge(tally(FULL._replace(trades=3), BROKEN))
    assert merged == tally(FULL, FULL._replace(trades=3), BROKEN)


@pytest.mark.parametrize(("trades", "expected"), [((), 0), ((5,), 5), ((1, 9), 1), ((1, 8, 9), 8), ((9, 9, 1, 1), 1)])
def test_median_is_what_half_of_the_histories_reach(trades: tuple[int, ...], expected: int) -> None:
    assert tally(*(FULL._replace(trades=number) for number in trades)).median_trades == expected


POOR = FULL._replace(reached={**EVERYTHING, "days": EVERYTHING["days"] - {"half day"}})


def test_enough_histories_that_reached_everything_are_fine() -> None:
    full = tally(*[FULL] * JUDGED_FROM)
    assert (shortcomings(full), has_failed(full)) == ((), False)


def test_name_that_no_history_reached_fails_enough_histories() -> None:
    poor = tally(*[POOR] * JUDGED_FROM)
    assert (shortcomings(poor), has_failed(poor)) == (("days: no history reached 'half day'",), True)
    assert "\nnot enough tried: days: no history reached 'half day'\n" in render(poor, minutes=1, jobs=1)


def test_too_few_trades_are_a_shortcoming() -> None:
    expected = ("the median is 7 trades per history, expected at least 8",)
    assert shortcomings(tally(FULL._replace(trades=7))) == expected


def test_few_histories_list_what_they_missed_and_do_not_fail() -> None:
    few = tally(*[POOR] * (JUDGED_FROM - 1))
    assert not has_failed(few)
    text = "\nnot tried (judged from 2,000 on): days: no history reached 'half day'\n"
    assert text in render(few, minutes=1, jobs=1)


def test_one_violation_fails_any_number_of_histories() -> None:
    assert has_failed(tally(BROKEN))


def test_report_of_a_violation_says_how_to_replay_it() -> None:
    text = render(tally(FULL, BROKEN), minutes=2, jobs=1)
    assert "violated: never_short in 1 histories" in text
    assert "  seed 9: it was short" in text
    assert "  replay: nox -s simulate -- --seed 9 --minimise" in text
    assert text.endswith("2 histories, 1 with violations; median 8 trades per history; 1 histories a minute per core")


def test_rate_is_per_core() -> None:
    assert "250 histories a minute per core" in render(tally(*[FULL] * 1_000), minutes=2, jobs=2)


def traced(call: str, result: str, *, function: str = "execution_v2") -> frozenset[str]:
    return safeguards_reached(history(trace=(TraceLine(ENDED, function, "x.1", call, "", result),)))


LOST = "ConditionalCheckFailedException"


@pytest.mark.parametrize(
    ("call", "result", "function", "name"),
    [
        ("dynamodb.put_item Claims x", LOST, "execution_v2", "duplicate claim"),
        ("dynamodb.update_item Runs x", LOST, "aggregator_v2", "conditional move lost"),
        ("dynamodb.put_item Runs x", LOST, "aggregator_v2", "put-if-absent lost"),
        ("dynamodb.put_item Ledger x", LOST, "execution_v2", "ledger entry kept"),
        ("dynamodb.transact_write_items Runs", "TransactionCanceledException", "coordinator_v2", "day item lost"),
        ("broker.GET /v2/account", "429 42910000", "portfolio_v2", "rate limit"),
        ("broker.DELETE /v2/orders/1", "422 42210000", "execution_v2", "cancel looked again"),
        ("broker.DELETE /v2/orders/1", "204", "coordinator_v2", "settlement cancelled"),
    ],
)
def test_line_of_the_trace_shows_its_safeguard(call: str, result: str, function: str, name: str) -> None:
    assert name in traced(call, result, function=function)
    assert name not in traced(call, "ok", function=function)
    assert name not in traced("s3.get_object", result, function=function)


def test_cancel_of_an_execution_is_not_one_of_the_settlement() -> None:
    assert "settlement cancelled" not in traced("broker.DELETE /v2/orders/1", "204")


def test_healthy_history_reaches_no_safeguard() -> None:
    assert safeguards_reached(history()) == frozenset()


def test_reason_of_a_trade_shows_its_safeguard() -> None:
    failed = published("TradeFailed", reason="run_ended", unsettled=True)
    assert safeguards_reached(history(published=(failed,))) == {"run_ended", "unsettled trade told"}


def test_reason_of_an_outcome_shows_its_safeguard() -> None:
    outcome = {"trade_id": SELL, "filled_quantity": "0", "reason": "limit_universe"}
    assert "limit_universe" in safeguards_reached(history(published=(completed(outcomes=[outcome]),)))


def test_overdue_run_shows_its_safeguard() -> None:
    failed = published("RunFailed", reason="overdue_SELLING")
    assert "overdue run failed" in safeguards_reached(history(published=(failed,)))


def test_message_of_another_module_that_the_coordinator_sends_was_swept() -> None:
    swept = published("SignalGenerated", function="coordinator_v2")
    assert "sweep republished" in safeguards_reached(history(published=(swept,)))


def test_message_that_the_coordinator_sends_again_was_swept() -> None:
    request = published("StrategyRequested", function="coordinator_v2")
    assert "sweep republished" not in safeguards_reached(history(published=(request,)))
    assert "sweep republished" in safeguards_reached(history(published=(request, request)))


def test_every_safeguard_has_a_name_of_its_own() -> None:
    assert len(set(SAFEGUARDS)) == len(SAFEGUARDS)


def test_scenario_of_the_healthy_history_is_the_one_of_its_run() -> None:
    assert RUN.endswith(replace(history()).scenario.dates[0].isoformat())
