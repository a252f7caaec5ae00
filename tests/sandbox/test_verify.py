from dataclasses import replace
from decimal import Decimal

import pytest

from sandbox.evidence import DayEvidence
from sandbox.function_logs import LogError
from sandbox.verify import expected_modules, verify
from tests.sandbox import days
from the_alchemiser.shared.broker.models import OrderStatus
from the_alchemiser.shared.market_data.verdict import Verdict


def faults(day: DayEvidence) -> list[tuple[str, str]]:
    return [(finding.where, finding.what) for finding in verify(day)]


def after(day: DayEvidence, **changes: object) -> DayEvidence:
    return replace(day, after=replace(day.after, **changes))  # type: ignore[arg-type]  # the tests name real fields


def test_verify_a_good_day_finds_nothing() -> None:
    assert verify(days.good_day()) == ()


def test_verify_a_function_that_did_not_run_is_named() -> None:
    day = days.good_day()
    functions = {name: log for name, log in day.functions.items() if name != "metrics_v2"}

    assert faults(replace(day, functions=functions)) == [("metrics_v2", "handled no message that day")]


def test_verify_a_refusal_names_function_and_action() -> None:
    day = days.good_day()
    log = replace(days.log("metrics_v2"), errors=(LogError("failed: …", "cloudwatch:PutMetricData"), LogError("x")))

    found = faults(replace(day, functions={**day.functions, "metrics_v2": log}))
    assert found == [("metrics_v2", "stack-metrics_v2 may not call cloudwatch:PutMetricData")]


def test_verify_a_message_left_in_an_inbox_is_told() -> None:
    assert faults(replace(days.good_day(), backlogs=days.backlogs(data_v2=(1,)))) == [
        ("data_v2", "1 message(s) left in its inbox data_v2-inbox")
    ]


def test_verify_a_dead_letter_is_told() -> None:
    found = faults(replace(days.good_day(), backlogs=days.backlogs(metrics_v2_dlq=(4, 4))))

    assert found == [("metrics_v2", "2 message(s) in its dead-letter queue metrics_v2-dlq")]


def test_verify_a_fill_without_a_ledger_entry_is_told() -> None:
    day = replace(days.good_day(), ledger=(days.entry_of(days.SOLD),))

    assert (days.BOUGHT.fills[0].client_order_id, "was filled, and the ledger has no entry for it") in faults(day)


def test_verify_a_ledger_entry_without_a_fill_is_told() -> None:
    day = after(days.good_day(), orders=(days.order_of(days.SOLD),))

    assert (days.BOUGHT.fills[0].client_order_id, "is in the ledger, and no such fill is known") in faults(day)


def test_verify_a_fill_entered_twice_is_told() -> None:
    day = days.good_day()

    assert ("ledger", "3 entries for 2 orders") in faults(replace(day, ledger=(*day.ledger, day.ledger[0])))


def test_verify_a_fill_entered_at_another_price_is_told() -> None:
    day = days.good_day()
    wrong = day.ledger[1]._replace(price=Decimal("100.02"))

    where = days.BOUGHT.fills[0].client_order_id
    assert (where, "filled as SPY BUY 990 100.01, entered as SPY BUY 990 100.02") in faults(
        replace(day, ledger=(day.ledger[0], wrong))
    )


def test_verify_shares_attributed_to_nobody_are_told() -> None:
    day = days.good_day()
    wrong = day.ledger[1]._replace(attribution={"calm": Decimal(900)})

    where = days.BOUGHT.fills[0].client_order_id
    assert faults(replace(day, ledger=(day.ledger[0], wrong))) == [(where, "900 shares attributed of 990")]


def test_verify_an_order_that_still_rests_is_told() -> None:
    day = days.good_day()
    resting = day.after.orders[0]._replace(id="another", status=OrderStatus.NEW, filled_quantity=Decimal(0))

    found = faults(after(day, orders=(*day.after.orders, resting)))
    assert found == [(resting.client_order_id, "is still new at the exchange")]


def test_verify_a_position_beside_the_plan_is_told() -> None:
    found = faults(days.with_quantity(days.good_day(), "SPY", "989"))

    assert ("SPY", "989 shares are held, the plan aimed at 990") in found


def test_verify_a_position_within_rounding_is_right() -> None:
    assert verify(days.with_quantity(days.good_day(), "SPY", "990.000001")) == ()


def test_verify_a_position_the_plan_does_not_know_is_told() -> None:
    day = days.good_day()
    extra = days.position("XYZ", "1", "0")

    assert faults(after(day, positions=(*day.after.positions, extra))) == [
        ("XYZ", "1 shares are held, the plan aimed at 0")
    ]


def test_verify_equity_that_does_not_add_up_is_told() -> None:
    day = days.good_day()
    wrong = day.after.account._replace(equity=Decimal("99990.01"))

    found = [("account", "cash and positions come to 99990.00, equity is 99990.01")]
    assert faults(after(day, account=wrong)) == found


def test_verify_cash_the_ledger_does_not_explain_is_told() -> None:
    day = days.good_day()
    wrong = day.after.account._replace(cash=Decimal("989.99"), equity=Decimal("99989.99"))

    assert faults(after(day, account=wrong)) == [("account", "cash is 989.99; by the ledger it should be 990.00")]


@pytest.mark.parametrize("count", [0, 2])
def test_verify_any_number_of_mails_but_one_is_told(count: int) -> None:
    found = faults(replace(days.good_day(), mails=(days.mail(),) * count))

    assert found[0][0] == "notifications_v2"


def test_verify_a_quarantine_expects_a_second_mail() -> None:
    unfit = Verdict(checked_at=days.WALL, as_of=days.AS_OF, quarantined={"XYZ": "gap"})

    assert verify(replace(days.good_day(), verdict=unfit, mails=(days.mail(), days.mail("unfit")))) == ()


def test_verify_a_failed_run_tells_the_reason_and_what_was_missing() -> None:
    day = replace(days.good_day(), run=days.failed_run(), ledger=(), after=replace(days.BEFORE, orders=()))

    what = "failed in EVALUATING: strategy_failed: calm: too_little_history; missing: bold"
    assert faults(day) == [(days.RUN_ID, what)]


def test_expected_modules_of_a_resumed_day_leave_out_the_data_stack() -> None:
    assert expected_modules(replace(days.good_day(), is_resumed=True)) == days.MODULES[2:]


def test_expected_modules_of_a_day_without_trades_leave_out_execution() -> None:
    run = days.completed_run()
    quiet = replace(run, payloads={}, items={sk: item for sk, item in run.items.items() if not sk.startswith("TRADE")})

    assert "execution_v2" not in expected_modules(replace(days.good_day(), run=quiet))
