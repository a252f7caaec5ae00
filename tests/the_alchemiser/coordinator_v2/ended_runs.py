"""Runs that have sent trades and ended, for the tests of the settlement."""

from collections.abc import Mapping
from decimal import Decimal

from tests.the_alchemiser import run_builders as make
from tests.the_alchemiser.coordinator_v2.test_admission import RUN_ID
from tests.the_alchemiser.fakes import InMemoryRunStore
from the_alchemiser.shared.messaging import outbox
from the_alchemiser.shared.messaging.messages import Fill, TradeExecuted, TradeFailed
from the_alchemiser.shared.run.progress import Release
from the_alchemiser.shared.run.runs import TRADE, Move, RunItem, RunState
from the_alchemiser.shared.values import Refusal, Side

BUY_SPY, SELL_TLT = f"{RUN_ID}-BUY-SPY", f"{RUN_ID}-SELL-TLT"
REFUSED = Refusal(reason="day_trade_limit", detail="a test")


def send_trades(store: InMemoryRunStore, run_id: str = RUN_ID, *, buys: str = "10") -> None:
    """Plan and send, in a run that evaluates: the sale of 20 TLT, and of a planned purchase of 10 SPY so many."""
    spy, tlt = make.decision("SPY", Side.BUY, "10"), make.decision("TLT", Side.SELL, "20")
    make.planned(store, make.plan(spy, tlt, make.decision("BIL", Side.BUY, "1"), run_id=run_id))
    sold = {f"{run_id}-SELL-TLT": Decimal(20)}
    bought = {f"{run_id}-BUY-SPY": Decimal(buys)}
    _release(store, run_id, RunState.SELLING, sold, {})
    _release(store, run_id, RunState.BUYING, bought, {f"{run_id}-BUY-BIL": REFUSED})


def _release(
    store: InMemoryRunStore,
    run_id: str,
    state: RunState,
    quantities: Mapping[str, Decimal],
    refused: Mapping[str, Refusal],
) -> None:
    payload = Release(quantities=quantities, refused=refused).to_content()
    leaving = store.runs[run_id].state
    assert store.move(run_id, Move(leaving, state, "a test", make.WALL, make.DEADLINE, payload=payload))


def end(store: InMemoryRunStore, state: RunState, *, missing: tuple[str, ...] = (), run_id: str = RUN_ID) -> None:
    """End the run; a failed one was waiting for the `missing` trades."""
    payload = {"missing": list(missing)} if state is RunState.FAILED else {}
    leaving = store.runs[run_id].state
    assert store.move(run_id, Move(leaving, state, "a test", make.WALL, make.DEADLINE, payload=payload))


def record(store: InMemoryRunStore, outcome: TradeExecuted | TradeFailed) -> None:
    store.put_once(outcome.run_id, RunItem(f"{TRADE}#{outcome.trade_id}", outbox.encode(outcome)))


def fill(client_order_id: str, quantity: str) -> Fill:
    """Return the fill of the order that `office.order` returns for this id."""
    return Fill(
        order_id=f"id-{client_order_id}",
        client_order_id=client_order_id,
        quantity=Decimal(quantity),
        price=Decimal(100),
        filled_at=make.AT,
    )


def failed(*fills: Fill, unsettled: bool = False) -> TradeFailed:
    """Return the failure of the purchase of 10 SPY."""
    outcome = make.trade_failed("SPY", Side.BUY, "10", fills=fills, run_id=RUN_ID)
    return outcome.changed(unsettled=unsettled)
