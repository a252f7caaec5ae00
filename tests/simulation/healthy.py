"""A small history in which everything went well: the tests of the invariants each break one thing of it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec import structs

from sandbox.exchange.orders import Fill, Order, OrderStatus, OrderType, Side, TimeInForce
from tests.simulation.end_state import (
    AccountView,
    Attempt,
    BooksChange,
    EndState,
    Notice,
    Post,
    Published,
    RunChange,
    TraceLine,
)
from tests.simulation.invariants import INVARIANTS
from tests.simulation.reading import Reading
from tests.simulation.scenario import DayKind, Scenario
from tests.the_alchemiser.run_builders import decision
from the_alchemiser.shared.books.checks import BooksCheck, CheckState
from the_alchemiser.shared.ledger.ledger import LedgerEntry
from the_alchemiser.shared.run.plan import RebalancePlan
from the_alchemiser.shared.run.runs import PLAN, Run, RunItem, RunState
from the_alchemiser.shared.values import Side as TradeSide

DAY = date(2022, 6, 15)
RUN = "dev-2022-06-15"
SELL, BUY = f"{RUN}-SELL-AAA", f"{RUN}-BUY-BBB"
SELL_ID, BUY_ID, EARLIER_ID = UUID(int=1), UUID(int=2), UUID(int=9)
BEGAN = datetime(2022, 6, 15, 19, 45, tzinfo=UTC)
SOLD, BOUGHT, ENDED, SETTLED = (BEGAN + timedelta(minutes=minutes) for minutes in (1, 2, 3, 10))
RERUN = f"{RUN}-r1"
INVOCATION = "trade.1"


def after(minutes: float) -> datetime:
    """Return so many minutes after the run began."""
    return BEGAN + timedelta(minutes=minutes)


def order(
    order_id: UUID, client_order_id: str, side: Side, symbol: str, quantity: str, at: datetime, **changes: Any
) -> Order:
    """Return an order that filled at once, at $100."""
    filled = Order(
        id=order_id,
        client_order_id=client_order_id,
        symbol=symbol,
        side=side,
        type=OrderType.LIMIT,
        time_in_force=TimeInForce.DAY,
        qty=Decimal(quantity),
        notional=None,
        limit_price=Decimal(100),
        extended_hours=False,
        reserve_price=Decimal(100),
        status=OrderStatus.FILLED,
        submitted_at=at,
        updated_at=at,
        expires_at=at,
        filled_qty=Decimal(quantity),
        filled_value=Decimal(quantity) * 100,
        filled_at=at,
    )
    return replace(filled, **changes)


def fill(order_id: UUID, side: Side, symbol: str, quantity: str, at: datetime, *, price: str = "100") -> Fill:
    """Return the only fill of an order."""
    shares, sign = Decimal(quantity), 1 if side is Side.SELL else -1
    return Fill(
        id=f"{at.isoformat()}::{order_id}",
        order_id=order_id,
        at=at,
        symbol=symbol,
        side=side,
        qty=shares,
        price=Decimal(price),
        cum_qty=shares,
        leaves_qty=Decimal(0),
        order_status=OrderStatus.FILLED,
        cash=sign * shares * Decimal(price),
    )


def entry(order_id: UUID, trade_id: str, side: TradeSide, symbol: str, quantity: str, at: datetime) -> LedgerEntry:
    """Return the ledger's entry of an order that filled at $100."""
    shares, sign = Decimal(quantity), 1 if side is TradeSide.BUY else -1
    return LedgerEntry(
        symbol=symbol,
        filled_at=at,
        order_id=str(order_id),
        fill="1",
        client_order_id=f"{trade_id}-1",
        trade_id=trade_id,
        run_id=RUN,
        side=side,
        quantity=shares,
        price=Decimal(100),
        cash=-sign * shares * 100,
        attribution={"calm": sign * shares},
    )


def trade_item(trade_id: str, order_id: UUID, quantity: str) -> RunItem:
    """Return the recorded outcome of a trade that filled with one order."""
    fills = [{"order_id": str(order_id), "quantity": quantity}]
    return RunItem(
        f"TRADE#{trade_id}", {"message": {"quantity": quantity, "filled_quantity": quantity, "fills": fills}}
    )


def published(kind: str, *, at: datetime = ENDED, function: str = "trade_aggregator", **detail: Any) -> Published:
    """Return a message of the run."""
    return Published(at, function, kind, f"{RUN}/{kind}/run", RUN, detail)


def completed(**changes: Any) -> Published:
    """Return the run's RunCompleted."""
    outcomes = [_outcome(SELL, "10"), _outcome(BUY, "5")]
    return published("RunCompleted", **{"outcomes": outcomes, "degraded": False, "equity_after": "1000", **changes})


def _outcome(trade_id: str, quantity: str, reason: str | None = None) -> dict[str, Any]:
    return {"trade_id": trade_id, "symbol": trade_id[-3:], "filled_quantity": quantity, "reason": reason}


def sent(trade_id: str, at: datetime) -> Published:
    """Return a trade that the trade queue accepted."""
    message_id = f"{RUN}/TradeRequested/{trade_id}"
    return Published(at, "trade_aggregator", "TradeRequested", message_id, RUN, {"trade_id": trade_id, "quantity": "5"})


def notice(
    message_id: str = f"{RUN}/RunCompleted/run", at: datetime = ENDED, *, text: str = "$1,000.00, P&L of the day"
) -> Notice:
    """Return a notice about a message."""
    return Notice(at, "a subject", message_id, text)


def attempt(
    subject: str, *, function: str = "notifications_v2", at: datetime = ENDED, result: str = "handled"
) -> Attempt:
    """Return an attempt that began at this moment and took a second."""
    return Attempt(at, at + timedelta(seconds=1), function, f"{subject}.1", subject, 1, result)


def line(call: str, at: datetime, *, result: str = "ok", fault: str = "", invocation: str = INVOCATION) -> TraceLine:
    """Return a line of the trace of execution_v2."""
    return TraceLine(at, "execution_v2", invocation, call, fault, result)


def post(client_order_id: str, side: str, symbol: str, at: datetime) -> Post:
    """Return an accepted request to place an order."""
    return Post(at, client_order_id, symbol, side, 200, "execution_v2", INVOCATION)


def run(**changes: Any) -> Run:
    """Return the completed run."""
    plan = RebalancePlan(
        run_id=RUN,
        equity=Decimal(10_000),
        cash=Decimal(9_000),
        deployment_fraction=Decimal(1),
        decisions=(decision("AAA", TradeSide.SELL, "10"), decision("BBB", TradeSide.BUY, "5")),
    )
    whole = Run(
        run_id=RUN,
        stage="dev",
        trading_date=DAY,
        as_of=DAY - timedelta(days=1),
        state=RunState.COMPLETED,
        allocations={"calm": Decimal(1)},
        deadline_at=ENDED,
        timeline=(),
        items={
            PLAN: RunItem(PLAN, plan.to_content()),
            f"TRADE#{SELL}": trade_item(SELL, SELL_ID, "10"),
            f"TRADE#{BUY}": trade_item(BUY, BUY_ID, "5"),
        },
        settled=True,
    )
    return structs.replace(whole, **changes)


def check(
    state: CheckState = CheckState.AGREED, *, day: date = DAY, at: datetime = SETTLED, **changes: Any
) -> BooksChange:
    """Return a check of a day that was stored a second after it was made."""
    made = BooksCheck(
        trading_date=day, state=state, checked_at=at, holdings={"BBB": Decimal(5)}, held_at=at, account="PA1", **changes
    )
    return BooksChange(at + timedelta(seconds=1), made)


OPENED = check(CheckState.OPENED, day=DAY - timedelta(days=1), at=BEGAN - timedelta(seconds=5))
AGREED = check(at=BEGAN + timedelta(minutes=20))


def history(**changes: Any) -> EndState:
    """Return the end of a history in which one run sold 10 AAA and bought 5 BBB."""
    whole = EndState(
        scenario=Scenario(seed=1, kind=DayKind.NORMAL, dates=(DAY,)),
        started_at=BEGAN,
        ended_at=after(60),
        is_quiet=True,
        runs={RUN: run()},
        days={f"DAY#{RUN}": RUN},
        ledger=(
            entry(EARLIER_ID, "earlier", TradeSide.BUY, "AAA", "10", BEGAN - timedelta(days=2)).changed(
                run_id="earlier"
            ),
            entry(SELL_ID, SELL, TradeSide.SELL, "AAA", "10", SOLD),
            entry(BUY_ID, BUY, TradeSide.BUY, "BBB", "5", BOUGHT),
        ),
        opening=AccountView(Decimal(9_000), {"AAA": Decimal(10)}),
        account=AccountView(Decimal(9_500), {"BBB": Decimal(5)}),
        orders=(
            order(SELL_ID, f"{SELL}-1", Side.SELL, "AAA", "10", SOLD),
            order(BUY_ID, f"{BUY}-1", Side.BUY, "BBB", "5", BOUGHT),
        ),
        fills=(fill(SELL_ID, Side.SELL, "AAA", "10", SOLD), fill(BUY_ID, Side.BUY, "BBB", "5", BOUGHT)),
        owner_order_ids=frozenset(),
        mails=(notice(),),
        notices=(notice(),),
        dead_letters={},
        published=(completed(),),
        trade_messages=(sent(SELL, BEGAN), sent(BUY, SOLD)),
        switch=((BEGAN, "enabled"),),
        changes=(
            RunChange(BEGAN, RUN, "EVALUATING"),
            RunChange(ENDED, RUN, "COMPLETED"),
            RunChange(SETTLED, RUN, "settled"),
        ),
        checks=(OPENED, AGREED),
        adjustments=(),
        gauges=(),
        posts=(post(f"{SELL}-1", "sell", "AAA", SOLD), post(f"{BUY}-1", "buy", "BBB", BOUGHT)),
        attempts=(attempt(f"{RUN}/RunCompleted/run"),),
        kills=(),
        faults={},
        trace=(
            line("ssm.get_parameter", SOLD, result="enabled"),
            line("broker.POST /v2/orders", SOLD + timedelta(seconds=1), result="200"),
            line("ssm.get_parameter", BOUGHT, result="enabled"),
            line("broker.POST /v2/orders", BOUGHT + timedelta(seconds=1), result="200"),
        ),
    )
    return replace(whole, **changes)


def sentences(invariant: str, **changes: Any) -> list[str]:
    """Return what the invariant says about a healthy history with these changes."""
    return list(INVARIANTS[invariant](Reading(history(**changes))))


def rerun_at(began: datetime, *, owner: str = RERUN) -> Mapping[str, Any]:
    """Return the changes to a healthy history that add a second run, which begins at this moment."""
    changes = (*history().changes, RunChange(began, RERUN, "EVALUATING"))
    return {
        "runs": {RUN: run(), RERUN: structs.replace(run(), run_id=RERUN)},
        "changes": changes,
        "days": {f"DAY#{RUN}": owner},
    }
