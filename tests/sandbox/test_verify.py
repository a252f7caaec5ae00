from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from msgspec import structs

from automation.system.errors import Finding
from sandbox.evidence import DayEvidence
from sandbox.function_logs import LogFailure
from sandbox.verify import needs_settlement, verify_day
from tests.sandbox import days
from tests.sandbox.book_checks import BY_HAND, DIFFER_SUBJECT, NOBODY_KNOWS, books
from tests.the_alchemiser.results import FILLED_LATE, settled
from the_alchemiser.shared.broker.models import OrderStatus
from the_alchemiser.shared.market_data.verdict import Verdict
from the_alchemiser.shared.messaging import outbox
from the_alchemiser.shared.messaging.messages import TradeExecuted, TradeFailed
from the_alchemiser.shared.run.runs import PLAN, SETTLEMENT, RunItem, RunState


def faults(day: DayEvidence) -> list[tuple[str, str]]:
    return [(finding.where, finding.what) for finding in verify_day(day)]


def after(day: DayEvidence, **changes: object) -> DayEvidence:
    return replace(day, after=replace(day.after, **changes))  # type: ignore[arg-type]  # the tests name real fields


def test_verify_day_of_a_good_day_finds_nothing() -> None:
    assert verify_day(days.good_day()) == ()


def test_verify_day_of_a_completed_run_needs_its_metrics() -> None:
    day = replace(days.good_day(), has_metrics=False)

    assert faults(day) == [("metrics_v2", "stored no performance of the account for this run")]
    failed = [where for where, _ in faults(replace(day, run=days.failed_run()))]
    assert "metrics_v2" not in failed


def test_verify_day_with_a_denial_names_function_and_action() -> None:
    day = days.good_day()
    log = replace(
        days.log("metrics_v2"), failures=(LogFailure("failed: …", "cloudwatch:PutMetricData"), LogFailure("x"))
    )

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
    wrong = day.ledger[1].changed(price=Decimal("100.02"))

    where = days.BOUGHT.fills[0].client_order_id
    assert (where, "was filled as SPY BUY 990 100.01, but the ledger has SPY BUY 990 100.02") in faults(
        replace(day, ledger=(day.ledger[0], wrong))
    )


def test_verify_day_finds_shares_of_no_strategy() -> None:
    day = days.good_day()
    wrong = day.ledger[1].changed(attribution={"calm": Decimal(900)})

    where = days.BOUGHT.fills[0].client_order_id
    assert faults(replace(day, ledger=(day.ledger[0], wrong))) == [
        (where, "900 of 990 shares are attributed to strategies")
    ]


def test_verify_day_finds_an_order_that_still_rests() -> None:
    day = days.good_day()
    resting = day.after.orders[0].changed(id="another", status=OrderStatus.NEW, filled_quantity=Decimal(0))

    findings = faults(after(day, orders=(*day.after.orders, resting)))
    assert findings == [(resting.client_order_id, "is still new at the exchange")]


def test_verify_day_finds_a_position_beside_the_plan() -> None:
    findings = faults(days.with_quantity(days.good_day(), "SPY", "989"))

    assert ("SPY", "989 shares are held, but by the plan and its fills it should be 990") in findings


def test_verify_day_accepts_a_position_within_rounding() -> None:
    assert verify_day(days.with_quantity(days.good_day(), "SPY", "990.000001")) == ()


def test_verify_day_finds_a_position_outside_the_plan() -> None:
    day = days.good_day()
    extra = days.position("XYZ", "1", "0")

    assert faults(after(day, positions=(*day.after.positions, extra))) == [
        ("XYZ", "1 shares are held, but by the plan and its fills it should be 0")
    ]


def test_verify_day_finds_equity_that_does_not_add_up() -> None:
    day = days.good_day()
    wrong = day.after.account.changed(equity=Decimal("99990.01"))

    findings = [("account", "cash plus positions is 99990.00, but equity is 99990.01")]
    assert faults(after(day, account=wrong)) == findings


def test_verify_day_finds_cash_the_ledger_does_not_explain() -> None:
    day = days.good_day()
    wrong = day.after.account.changed(cash=Decimal("989.99"), equity=Decimal("99989.99"))

    assert faults(after(day, account=wrong)) == [("account", "cash is 989.99, but by the ledger it should be 990.00")]


def test_verify_day_names_a_mail_that_was_not_sent() -> None:
    what = f"sent no mail {days.COMPLETED_SUBJECT!r}; the mails: "

    assert faults(replace(days.good_day(), mails=())) == [("notifications_v2", what + "none")]
    assert faults(replace(days.good_day(), mails=(days.mail("first"), days.mail("second")))) == [
        ("notifications_v2", what + "first; second")
    ]


def test_verify_day_finds_a_mail_that_was_sent_three_times() -> None:
    day = replace(days.good_day(), mails=(days.mail(),) * 3)

    assert faults(day) == [("notifications_v2", f"sent the mail {days.COMPLETED_SUBJECT!r} 3 times")]


def test_verify_day_with_a_mail_that_was_sent_twice_has_survived() -> None:
    """A killed function does not know whether its mail was sent."""
    day = replace(days.good_day(), mails=(days.mail(), days.mail(), days.mail("another")))

    assert (verify_day(day), day.survived) == ((), (f"a mail sent twice: {days.COMPLETED_SUBJECT}",))


def test_verify_day_accepts_mails_of_another_day() -> None:
    """A late mail about an earlier day, or about a refused start, says nothing about this day."""
    day = replace(days.good_day(), mails=(days.mail("[local] 2022-03-15: run completed"), days.mail()))

    assert verify_day(day) == ()


def test_verify_day_names_each_difference_of_the_books() -> None:
    day = replace(days.good_day(), books=books(BY_HAND, NOBODY_KNOWS))
    subject = DIFFER_SUBJECT.replace("1 difference", "2 differences")

    findings = verify_day(replace(day, mails=(days.mail(), days.mail(subject))))

    reconcile = "inv reconcile --env local; once it is explained, add --accept"
    assert findings == (
        Finding("books", "SPY: the broker shows 991 shares, the books say 990 (ordered by hand: BUY 1)", reconcile),
        Finding("books", "XYZ: the broker shows 1 share, the books say 0", reconcile),
    )


def test_verify_day_with_books_that_differ_expects_a_mail_about_them() -> None:
    day = replace(days.good_day(), books=books(BY_HAND))

    assert [where for where, _ in faults(day)] == ["notifications_v2", "books"]
    assert f"sent no mail {DIFFER_SUBJECT!r}" in faults(day)[0][1]


def test_verify_day_without_a_check_of_the_books_says_how_to_make_it() -> None:
    fix = "run inv trading.sweep --env local, then inv reconcile --env local; it names a run that is not settled"
    finding = Finding("books", "were not compared with the account after the close", fix)

    assert verify_day(replace(days.good_day(), books=None)) == (finding,)


UNFIT = "[local] 2022-03-15: market data FAILED its check, 1 of 41 symbols quarantined"


@pytest.mark.parametrize("faulty", [{"quarantined": {"XYZ": "gap"}}, {"quarantined": {}, "problems": ("no actions",)}])
def test_verify_day_with_unfit_data_expects_a_mail_about_it(faulty: dict[str, Any]) -> None:
    unfit = Verdict(checked_at=days.WALL, as_of=days.AS_OF, **faulty)
    day = replace(days.good_day(), verdict=unfit)

    assert verify_day(replace(day, mails=(days.mail(), days.mail(UNFIT)))) == ()
    assert [where for where, _ in faults(day)] == ["notifications_v2"]
    assert verify_day(replace(day, is_resumed=True)) == ()


def test_verify_day_with_orders_settled_late_expects_a_mail_about_them() -> None:
    day = days.good_day()
    item = RunItem(SETTLEMENT, outbox.encode(settled(FILLED_LATE)))
    run = structs.replace(day.run, items={**day.run.items, SETTLEMENT: item})

    late = "[local] 2022-03-15: 1 order SETTLED after the run"
    assert verify_day(replace(day, run=run, mails=(days.mail(), days.mail(late)))) == ()
    assert [where for where, _ in faults(replace(day, run=run))] == ["notifications_v2"]


def test_verify_day_accepts_a_quarantined_holding_without_a_price() -> None:
    day = days.good_day()
    odd = days.position("628ESC012", "5", "0").changed(current_price=None, market_value=None)
    plan = days.plan().changed(quarantined={"628ESC012": "odd_symbol"})
    run = structs.replace(day.run, items={**day.run.items, PLAN: RunItem(PLAN, plan.to_content())})

    held = after(replace(day, run=run), positions=(*day.after.positions, odd))
    assert verify_day(held) == ()
    assert faults(after(day, positions=held.after.positions)) == [
        ("628ESC012", "5 shares are held, but by the plan and its fills it should be 0")
    ]


def test_verify_day_of_a_failed_run_has_reason_and_missing() -> None:
    mails = (days.mail("[local] 2022-03-16: run FAILED in state EVALUATING: strategy failed"),)
    before = replace(days.BEFORE, orders=())
    day = replace(days.good_day(), run=days.failed_run(), ledger=(), after=before, mails=mails)

    what = "failed in EVALUATING: strategy_failed: calm: too_little_history; missing: bold"
    assert faults(day) == [(days.RUN_ID, what)]


# --- trades that did not fill, and orders that nobody knows ---------------------------------------------------------


PARTLY = days.UNSETTLED.changed(unsettled=False, reason="not_filled")


def bought(day: DayEvidence, quantity: str, outcome: TradeExecuted | TradeFailed) -> DayEvidence:
    """Return the day with another quantity bought, at the broker, in the ledger and in the outcome."""
    shares, price = Decimal(quantity), Decimal("100.01")
    order = day.after.orders[1].changed(filled_quantity=shares, status=OrderStatus.CANCELED)
    entry = day.ledger[1].changed(quantity=shares, cash=-shares * price, attribution={"calm": shares})
    cash = days.CASH_BEFORE + day.ledger[0].cash + entry.cash
    positions = (days.position("SPY", quantity, "100"),) if shares else ()
    account = days.account(cash, cash + shares * 100)
    return replace(
        day,
        run=days.run_with_outcome(outcome),
        ledger=(day.ledger[0], *((entry,) if shares else ())),
        after=replace(day.after, account=account, positions=positions, orders=(day.after.orders[0], order)),
    )


def test_verify_day_with_a_failed_trade_and_right_books_finds_nothing() -> None:
    """The mail lists the trade, and the next run plans from the actual positions: nobody has to act."""
    assert verify_day(bought(days.good_day(), "0", PARTLY)) == ()


def test_verify_day_with_a_trade_filled_in_part_finds_nothing() -> None:
    outcome = PARTLY.changed(filled_quantity=Decimal(400))

    assert verify_day(bought(days.good_day(), "400", outcome)) == ()


def test_verify_day_finds_a_failed_trade_whose_shares_are_held() -> None:
    day = bought(days.good_day(), "400", PARTLY.changed(filled_quantity=Decimal(400)))

    assert ("SPY", "399 shares are held, but by the plan and its fills it should be 400") in faults(
        days.with_quantity(day, "SPY", "399")
    )


def test_verify_day_finds_an_outcome_that_the_ledger_does_not_have() -> None:
    assert faults(bought(days.good_day(), "400", PARTLY)) == [
        (days.BOUGHT.trade_id, "reported 0 shares, but the ledger has 400")
    ]


def test_verify_day_finds_an_executed_trade_that_is_short() -> None:
    short = days.BOUGHT.changed(filled_quantity=Decimal("989.99"))

    assert faults(bought(days.good_day(), "989.99", short)) == [
        (days.BOUGHT.trade_id, "was executed, but 0.01 of its shares were not filled")
    ]


def test_verify_day_accepts_a_rest_that_the_broker_takes_no_order_for() -> None:
    rest = days.BOUGHT.changed(filled_quantity=Decimal("989.9901"))

    assert verify_day(bought(days.good_day(), "989.9901", rest)) == ()


def test_verify_day_adds_up_the_orders_of_a_trade() -> None:
    """A trade walks the book: several of its orders may have filled."""
    day = days.good_day()
    whole, entry = day.after.orders[1], day.ledger[1]
    orders, entries = [], []
    for number, shares in enumerate((Decimal(300), Decimal(690)), start=1):
        orders.append(whole.changed(id=f"o{number}", quantity=shares, filled_quantity=shares))
        cash = -shares * entry.price
        entries.append(entry.changed(order_id=f"o{number}", quantity=shares, cash=cash, attribution={"calm": shares}))

    split = after(day, orders=(day.after.orders[0], *orders))
    assert verify_day(replace(split, ledger=(day.ledger[0], *entries))) == ()
    assert len(faults(replace(split, ledger=(day.ledger[0], entries[1])))) > 1


def test_verify_day_finds_orders_that_nobody_has_settled() -> None:
    day = bought(days.good_day(), "0", days.UNSETTLED)

    assert faults(day) == [(days.BOUGHT.trade_id, "execution gave up, and an order may still rest at the exchange")]
    assert verify_day(replace(day, run=structs.replace(day.run, settled=True))) == ()


def test_verify_day_of_a_failed_run_compares_its_positions_too() -> None:
    day = days.good_day()
    failed = structs.replace(days.failed_run(), items=day.run.items, payloads=day.run.payloads)

    findings = faults(days.with_quantity(replace(day, run=failed), "SPY", "989"))
    assert ("SPY", "989 shares are held, but by the plan and its fills it should be 990") in findings


def test_needs_settlement_of_a_good_day_is_false() -> None:
    assert not needs_settlement(days.good_day())


def test_needs_settlement_of_unsettled_trades_until_they_are() -> None:
    day = bought(days.good_day(), "0", days.UNSETTLED)

    assert needs_settlement(day)
    assert not needs_settlement(replace(day, run=structs.replace(day.run, settled=True)))


def test_needs_settlement_of_an_order_without_a_ledger_entry() -> None:
    assert needs_settlement(replace(days.good_day(), ledger=(days.entry_of(days.SOLD),)))


def test_needs_settlement_of_a_failed_run_that_has_sent_trades() -> None:
    day = days.good_day()
    failed = structs.replace(day.run, state=RunState.FAILED)

    assert needs_settlement(replace(day, run=failed))
    assert not needs_settlement(replace(day, run=structs.replace(failed, payloads={})))


def test_needs_settlement_of_an_order_of_somebody_else_is_false() -> None:
    """The sweep looks at the orders of runs only."""
    day = days.good_day()
    resting = day.after.orders[0].changed(
        id="another", client_order_id="by-hand", status=OrderStatus.NEW, filled_quantity=Decimal(0)
    )

    assert not needs_settlement(after(day, orders=(*day.after.orders, resting)))
    own = resting.changed(client_order_id=f"{days.RUN_ID}-BUY-X-1")
    assert needs_settlement(after(day, orders=(*day.after.orders, own)))
