"""A split from the evening before to the evening after, on the paper exchange: lake, plan and figures agree with it."""

from collections.abc import Iterator
from datetime import UTC, date
from decimal import Decimal

import httpx
import pytest

from sandbox.exchange.clock import Phase
from tests.the_alchemiser import run_builders
from tests.the_alchemiser.data_quality_monitor.source_fake import InMemorySource
from tests.the_alchemiser.data_v2.refreshing import NIGHTLY, InMemoryFetchRequests, InMemoryProgress
from tests.the_alchemiser.fakes import InMemoryLedger, InMemoryRunStore
from tests.the_alchemiser.paper import Paper
from tests.the_alchemiser.shared.market_data.in_memory_objects import InMemoryObjects
from the_alchemiser.data_quality_monitor.comparing import SecondBar
from the_alchemiser.data_quality_monitor.service import Monitor
from the_alchemiser.data_v2.corporate_actions import ActionsRefresher
from the_alchemiser.data_v2.progress import Invocation
from the_alchemiser.data_v2.service import Refresher
from the_alchemiser.portfolio_v2.planning import Sources, compute_plan
from the_alchemiser.portfolio_v2.rebalance import Rules
from the_alchemiser.shared.broker.models import OrderRequest, OrderType
from the_alchemiser.shared.ledger.ledger import LedgerEntry
from the_alchemiser.shared.ledger.lots import attributed_fills, match_lots
from the_alchemiser.shared.market_data.corporate_actions import read_actions
from the_alchemiser.shared.market_data.lake import Lake
from the_alchemiser.shared.market_data.verdict import read_verdict
from the_alchemiser.shared.messaging.commands import CheckDataQuality
from the_alchemiser.shared.messaging.messages import SignalGenerated
from the_alchemiser.shared.run.runs import Run
from the_alchemiser.shared.values import Side

pytestmark = pytest.mark.enable_socket

BEFORE, EX_DATE = date(2023, 11, 28), date(2023, 11, 29)


@pytest.fixture
def split(paper: Paper) -> Iterator[Paper]:
    """Return the exchange with a reverse split of SPY, ten into one."""
    body = {"type": "reverse_split", "symbol": "SPY", "ex_date": str(EX_DATE), "old_rate": "10", "new_rate": "1"}
    httpx.post(f"{paper.url}/_control/corporate-actions", json=body).raise_for_status()
    yield paper
    httpx.delete(f"{paper.url}/_control/corporate-actions").raise_for_status()


def bought(paper: Paper, symbol: str, quantity: str) -> LedgerEntry:
    shares = Decimal(quantity)
    order = paper.broker.submit(OrderRequest(symbol, Side.BUY, shares, OrderType.MARKET, f"a-trade-{symbol}-1"))
    filled = paper.broker.order(order.id)
    assert filled.filled_at is not None
    assert filled.filled_avg_price is not None
    return LedgerEntry(
        symbol=symbol,
        filled_at=filled.filled_at.astimezone(UTC),
        order_id=order.id,
        fill="1",
        client_order_id=order.client_order_id,
        trade_id="a-trade",
        run_id="a-run",
        side=Side.BUY,
        quantity=shares,
        price=filled.filled_avg_price,
        cash=-shares * filled.filled_avg_price,
        attribution={"trend": shares},
    )


def refresher_of(paper: Paper, objects: InMemoryObjects) -> Refresher:
    return Refresher(
        market=paper.broker,
        lake=Lake(objects),
        actions=ActionsRefresher(paper.broker, objects),
        requests=InMemoryFetchRequests(),
        progress=InMemoryProgress(),
        universe=lambda: ("SPY",),
        stage="local",
        source="data.example.com",
        history_years=1,
        invocation=Invocation(),
    )


def run() -> Run:
    store = InMemoryRunStore()
    store.create(run_builders.new_run(day=EX_DATE).changed(as_of=BEFORE), by="a test", at=run_builders.WALL, outbox=())
    return run_builders.loaded(store)


def signal(close: float) -> SignalGenerated:
    weights = {"SPY": Decimal(1)}
    return SignalGenerated(
        message_id=f"{run_builders.RUN_ID}/SignalGenerated/run",
        run_id=run_builders.RUN_ID,
        occurred_at=run_builders.AT,
        weights=weights,
        contributions={"trend": weights},
        closes={"SPY": Decimal(repr(close))},
        as_of=BEFORE,
    )


def test_split_is_known_the_evening_before_and_changes_no_value(split: Paper) -> None:
    objects, ledger = InMemoryObjects(), InMemoryLedger()
    refresher = refresher_of(split, objects)
    split.control.set_clock(BEFORE, Phase.BEFORE_CLOSE)
    ledger.record(bought(split, "SPY", "100"))

    split.control.set_clock(EX_DATE, Phase.EVENING_BEFORE)
    refresher.refresh(NIGHTLY)
    evening_close = Lake(objects).read("SPY").bars[-1].close
    assert [action.ex_date for action in read_actions(objects).splits("SPY")] == [EX_DATE]

    split.control.set_clock(EX_DATE, Phase.BEFORE_CLOSE)
    sources = Sources(split.broker, ledger, lambda: read_actions(objects))
    plan = compute_plan(run(), signal(evening_close), sources, Rules())
    (decision,) = plan.decisions
    assert decision.held == 10
    assert abs(decision.price / decision.last_close - 1) < Decimal("0.05")
    assert abs(decision.last_close / Decimal(repr(evening_close)) - 10) < Decimal("0.05")
    assert set(decision.deltas) == {"trend"}

    split.control.set_clock(EX_DATE, Phase.AFTER_CLOSE)
    refresher.refresh(NIGHTLY)
    second = {bar.date: SecondBar(bar.adjusted, bar.volume) for bar in Lake(objects).read("SPY").bars}
    source = InMemorySource({"SPY": second})
    monitor = Monitor(split.broker, objects, lambda: ("SPY",), "local", second_source=lambda: source, sample=1)
    monitor.on_command(CheckDataQuality(command="check-data-quality"))
    verdict = read_verdict(objects)
    assert verdict is not None
    assert (verdict.quarantined, verdict.problems) == ({}, ())

    actions = read_actions(objects).until(EX_DATE)
    book = match_lots(attributed_fills(ledger.entries_of("SPY"), actions)["trend"], actions)
    assert book.holdings() == {position.symbol: position.quantity for position in split.broker.positions()}
    assert book.cost == sum(-entry.cash for entry in ledger.entries_of("SPY"))
