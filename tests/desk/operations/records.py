"""Runs with everything that is known about them, for the tests of run.show."""

from dataclasses import replace
from decimal import Decimal

from msgspec import structs

from desk.operations.run_record import Notice, RunRecord
from sandbox.evidence import DayEvidence
from tests.desk.evidence import business, failed_day, whole_day
from the_alchemiser.notifications_v2.channels import SENT, Delivery
from the_alchemiser.shared.messaging.messages import RunCompleted, message_id
from the_alchemiser.shared.run.progress import Release
from the_alchemiser.shared.run.runs import Run, RunState
from the_alchemiser.shared.values import Refusal

RUN_ID = "local-2022-03-16"
SELL_QQQ, BUY_GLD, BUY_SPY = f"{RUN_ID}-SELL-QQQ", f"{RUN_ID}-BUY-GLD", f"{RUN_ID}-BUY-SPY"
COMPLETED_ID = f"{RUN_ID}/RunCompleted/run"


def completed_message(day: DayEvidence, *, degraded: bool = False) -> RunCompleted:
    return RunCompleted(
        message_id=message_id(RUN_ID, RunCompleted),
        run_id=RUN_ID,
        occurred_at=business(day.trading_date),
        trading_date=day.trading_date,
        as_of=day.run.as_of,
        weights={},
        outcomes=(),
        positions=(),
        equity_before=Decimal(100_000),
        equity_after=Decimal("99988.63"),
        cash_after=Decimal("1043.21"),
        degraded=degraded,
    )


def released(run: Run, *, refused: str = "", buys: bool = True) -> Run:
    """Return the run with the releases of its phases; one buy may be refused."""
    plan = whole_day().plan
    assert plan is not None
    trades = plan.by_trade_id()
    sells = {name: trade.quantity for name, trade in trades.items() if "-SELL-" in name}
    sent = {name: trade.quantity / 2 for name, trade in trades.items() if "-BUY-" in name and name != refused}
    refusals = {refused: Refusal(reason="day_notional_limit", detail="the day is full")} if refused else {}
    selling = Release(quantities=sells, refused={})
    buying = Release(quantities=sent, refused=refusals, spendable=Decimal("50000.5"), factor=Decimal("0.5"))
    releases = {RunState.SELLING: selling, **({RunState.BUYING: buying} if buys else {})}
    return structs.replace(run, payloads={state: release.to_content() for state, release in releases.items()})


def whole_record(*, missed: str = "", degraded: bool = False) -> RunRecord:
    """Return a completed and settled run; `missed` is a symbol whose trade was not filled."""
    day = whole_day(missed=missed)
    run = structs.replace(released(day.run), outbox=(completed_message(day, degraded=degraded),), settled=True)
    return RunRecord(
        run=run,
        broker_orders=day.after.orders,
        ledger=day.ledger,
        notices=(Notice(COMPLETED_ID, is_published=True, mail=SENT, topic=Delivery(unanswered=1)),),
        decisions=day.decisions,
    )


def with_stray_order() -> RunRecord:
    """Return a completed run with an order of a trade that it never planned, and others that are not its own."""
    record = whole_record()
    order = record.broker_orders[0]
    ids = (f"{RUN_ID}-BUY-ABC-9", f"{RUN_ID}-r1-BUY-ABC-1", "mine")
    others = [order.changed(id=client_id, client_order_id=client_id) for client_id in ids]
    return replace(record, broker_orders=(*record.broker_orders, *others))


def buying_record() -> RunRecord:
    """Return a run whose buys have been released and have no outcome yet, one of them refused."""
    record = whole_record()
    items = {sk: item for sk, item in record.run.items.items() if "-BUY-" not in sk}
    run = structs.replace(
        released(record.run, refused=BUY_GLD),
        state=RunState.BUYING,
        items=items,
        outbox=(),
        settled=False,
        timeline=record.run.timeline[:-1],
    )
    return replace(record, run=run, ledger=(), notices=())


def failed_record() -> RunRecord:
    """Return a run that failed because a strategy did."""
    return RunRecord(run=failed_day().run)
