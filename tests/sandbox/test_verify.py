from dataclasses import replace
from decimal import Decimal

import pytest

from sandbox.evidence import DayEvidence
from sandbox.function_logs import LogError
from sandbox.verify import expected_modules, verify_day
from tests.sandbox import days
from tests.the_alchemiser.results import FILLED_LATE, settled
from the_alchemiser.shared.broker.models import OrderStatus
from the_alchemiser.shared.market_data.verdict import Verdict
from the_alchemiser.shared.messaging import outbox
from the_alchemiser.shared.run.runs import PLAN, SETTLEMENT, RunItem


def faults(day: DayEvidence) -> list[tuple[str, str]]:
    return [(finding.where, finding.what) for finding in verify_day(day)]


def after(day: DayEvidence, **changes: object) -> DayEvidence:
    return replace(day, after=replace(day.after, **changes))  # type: ignore[arg-type]  # the tests name real fields


def test_verify_day_of_a_good_day_finds_nothing() -> None:
    assert verify_day(days.good_day()) == ()


def test_verify_day_names_a_function_that_did_not_run() -> None:
    day = days.good_day()
    functions = {name: log for name, log in day.functions.items() if name != "metrics_v2"}

    assert faults(replace(day, functions=functions)) == [("metrics_v2", "handled no message that day")]


def test_verify_day_with_a_denial_names_function_and_action() -> None:
    day = days.good_day()
    log = replace(days.log("metrics_v2"), errors=(LogError("failed: …", "cloudwatch:PutMetricData"), LogError("x")))

    findings = faults(replace(day, functions={**day.functions, "metrics_v2": log}))
    assert findings == [("metrics_v2", "stack-metrics_v2 is not allowed to call cloudwatch:PutMetricData")]


def test_verify_day_finds_a_message_left_in_an_inbox() -> None:
    assert faults(replace(days.good_day(), backlogs=days.backlogs(data_v2=(1,)))) == [
        ("data_v2", "1 message left in its inbox data_v2-inbox")
    ]


def test_verify_day_finds_dead_letters() -> None:
    findings = faults(replace(days.good_day(), backlogs=days.backlogs(metrics_v2_dlq=(4, 4))))

    assert findings == [("metrics_v2", "2 messages in its dead-letter queue metrics_v2-dlq")]


def test_verify_day_finds_a_fill_without_a_ledger_entry() -> None:
    day = replace(days.good_day(), ledger=(days.entry_of(days.SOLD),))

    assert (days.BOUGHT.fills[0].client_order_id, "was filled, but has no ledger entry") in faults(day)


def test_verify_day_finds_a_ledger_entry_without_a_fill() -> None:
    day = after(days.good_day(), orders=(days.order_of(days.SOLD),))

    assert (days.BOUGHT.fills[0].client_order_id, "has a ledger entry, but no fill at the exchange") in faults(day)


def test_verify_day_finds_a_fill_entered_twice() -> None:
    day = days.good_day()

    assert ("ledger", "has 3 entries for 2 orders") in faults(replace(day, ledger=(*day.ledger, day.ledger[0])))


def test_verify_day_finds_a_fill_with_another_price() -> None:
    day = days.good_day()
    wrong = day.ledger[1]._replace(price=Decimal("100.02"))

    where = days.BOUGHT.fills[0].client_order_id
    assert (where, "was filled as SPY BUY 990 100.01, but the ledger has SPY BUY 990 100.02") in faults(
        replace(day, ledger=(day.ledger[0], wrong))
    )


def test_verify_day_finds_shares_of_no_strategy() -> None:
    day = days.good_day()
    wrong = day.ledger[1]._replace(attribution={"calm": Decimal(900)})

    where = days.BOUGHT.fills[0].client_order_id
    assert faults(replace(day, ledger=(day.ledger[0], wrong))) == [
        (where, "900 of 990 shares are attributed to strategies")
    ]


def test_verify_day_finds_an_order_that_still_rests() -> None:
    day = days.good_day()
    resting = day.after.orders[0]._replace(id="another", status=OrderStatus.NEW, filled_quantity=Decimal(0))

    findings = faults(after(day, orders=(*day.after.orders, resting)))
    assert findings == [(resting.client_order_id, "is still new at the exchange")]


def test_verify_day_finds_a_position_beside_the_plan() -> None:
    findings = faults(days.with_quantity(days.good_day(), "SPY", "989"))

    assert ("SPY", "989 shares are held, but the plan's target is 990") in findings


def test_verify_day_accepts_a_position_within_rounding() -> None:
    assert verify_day(days.with_quantity(days.good_day(), "SPY", "990.000001")) == ()


def test_verify_day_finds_a_position_outside_the_plan() -> None:
    day = days.good_day()
    extra = days.position("XYZ", "1", "0")

    assert faults(after(day, positions=(*day.after.positions, extra))) == [
        ("XYZ", "1 shares are held, but the plan's target is 0")
    ]


def test_verify_day_finds_equity_that_does_not_add_up() -> None:
    day = days.good_day()
    wrong = day.after.account._replace(equity=Decimal("99990.01"))

    findings = [("account", "cash plus positions is 99990.00, but equity is 99990.01")]
    assert faults(after(day, account=wrong)) == findings


def test_verify_day_finds_cash_the_ledger_does_not_explain() -> None:
    day = days.good_day()
    wrong = day.after.account._replace(cash=Decimal("989.99"), equity=Decimal("99989.99"))

    assert faults(after(day, account=wrong)) == [("account", "cash is 989.99, but by the ledger it should be 990.00")]


@pytest.mark.parametrize("count", [0, 2])
def test_verify_day_finds_a_wrong_number_of_mails(count: int) -> None:
    findings = faults(replace(days.good_day(), mails=(days.mail(),) * count))

    assert findings[0][0] == "notifications_v2"


def test_verify_day_with_a_quarantine_expects_two_mails() -> None:
    unfit = Verdict(checked_at=days.WALL, as_of=days.AS_OF, quarantined={"XYZ": "gap"})

    assert verify_day(replace(days.good_day(), verdict=unfit, mails=(days.mail(), days.mail("unfit")))) == ()


def test_verify_day_with_a_problem_of_the_data_expects_two_mails() -> None:
    unfit = Verdict(checked_at=days.WALL, as_of=days.AS_OF, quarantined={}, problems=("no corporate actions",))

    assert verify_day(replace(days.good_day(), verdict=unfit, mails=(days.mail(), days.mail("unfit")))) == ()


def test_verify_day_with_orders_settled_late_expects_two_mails() -> None:
    day = days.good_day()
    item = RunItem(SETTLEMENT, outbox.encode(settled(FILLED_LATE)))
    run = replace(day.run, items={**day.run.items, SETTLEMENT: item})

    assert verify_day(replace(day, run=run, mails=(days.mail(), days.mail("settled")))) == ()
    assert faults(replace(day, run=run))[0][0] == "notifications_v2"


def test_verify_day_accepts_a_quarantined_holding_without_a_price() -> None:
    day = days.good_day()
    odd = days.position("628ESC012", "5", "0")._replace(current_price=None, market_value=None)
    plan = days.plan().model_copy(update={"quarantined": {"628ESC012": "odd_symbol"}})
    run = replace(day.run, items={**day.run.items, PLAN: RunItem(PLAN, plan.model_dump(mode="json"))})

    held = after(replace(day, run=run), positions=(*day.after.positions, odd))
    assert verify_day(held) == ()
    assert faults(after(day, positions=held.after.positions)) == [
        ("628ESC012", "5 shares are held, but the plan's target is 0")
    ]


def test_verify_day_of_a_failed_run_has_reason_and_missing() -> None:
    day = replace(days.good_day(), run=days.failed_run(), ledger=(), after=replace(days.BEFORE, orders=()))

    what = "failed in EVALUATING: strategy_failed: calm: too_little_history; missing: bold"
    assert faults(day) == [(days.RUN_ID, what)]


def test_expected_modules_of_a_resumed_day_skip_the_data_stack() -> None:
    assert expected_modules(replace(days.good_day(), is_resumed=True)) == days.MODULES[2:]


def test_expected_modules_without_trades_skip_execution() -> None:
    run = days.completed_run()
    quiet = replace(run, payloads={}, items={sk: item for sk, item in run.items.items() if not sk.startswith("TRADE")})

    assert "execution_v2" not in expected_modules(replace(days.good_day(), run=quiet))
