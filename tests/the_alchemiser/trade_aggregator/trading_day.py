"""A planned run of four trades with its surroundings, for the tests of the trade aggregator."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from tests.the_alchemiser import run_builders as make
from tests.the_alchemiser.broker_fake import InMemoryBroker
from tests.the_alchemiser.fakes import InMemoryRunStore
from the_alchemiser.shared.exchange_time import new_york
from the_alchemiser.shared.messaging.messages import (
    Message,
    RebalancePlanned,
    RunCompleted,
    TradeExecuted,
    TradeFailed,
    TradeRequested,
)
from the_alchemiser.shared.messaging.wiring import Reaction
from the_alchemiser.shared.run.plan import RebalancePlan, TradeDecision
from the_alchemiser.shared.run.runs import RunState, RunStore
from the_alchemiser.shared.values import Clock, Side
from the_alchemiser.trade_aggregator.release import DayLimits
from the_alchemiser.trade_aggregator.service import TradeAggregator
from the_alchemiser.trade_aggregator.time_needed import Pace

SELLS = (make.decision("GLD", Side.SELL, "10"), make.decision("TLT", Side.SELL, "20"))
BUYS = (make.decision("BIL", Side.BUY, "5"), make.decision("SPY", Side.BUY, "25"))
PACE = Pace(trade_s=60)
PRICES = dict.fromkeys(("GLD", "TLT", "BIL", "SPY"), Decimal(100))

Outcome = TradeExecuted | TradeFailed


@dataclass
class DayBroker(InMemoryBroker):
    """A broker on the day of the run; `left` is the time to the close."""

    left: timedelta = timedelta(minutes=14)
    date: date = make.DAY

    def clock(self) -> Clock:
        now = datetime.combine(self.date, time(15, 46), new_york())
        next_open = now + timedelta(hours=18)
        return Clock(now, is_open=self.left > timedelta(0), next_open=next_open, next_close=now + self.left)


@dataclass
class Day:
    """A planned run and its surroundings; `published` holds the messages in order."""

    plan: RebalancePlan
    broker: DayBroker = field(default_factory=lambda: DayBroker(PRICES, cash=Decimal(4000)))
    limits: DayLimits = field(default_factory=DayLimits)
    account: str = ""
    store: InMemoryRunStore = field(default_factory=make.evaluating)
    published: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.planned: RebalancePlanned = make.planned(self.store, self.plan)

    @property
    def aggregator(self) -> TradeAggregator:
        return self.aggregator_with(self.store)

    def aggregator_with(self, store: RunStore) -> TradeAggregator:
        """Return an aggregator like the day's own, with another store."""
        return TradeAggregator(store, self.broker, self.limits, PACE, make.wall_clock, self.account)

    @property
    def state(self) -> RunState:
        return make.loaded(self.store).state

    def start(self) -> None:
        self.finish(self.aggregator.handle_plan(self.planned))

    def receive(self, *outcomes: Outcome) -> None:
        for outcome in outcomes:
            self.finish(self.aggregator.handle_outcome(outcome))

    def finish(self, reaction: Reaction) -> None:
        self.published.extend(reaction.messages)
        reaction.on_published()

    def requests(self) -> list[TradeRequested]:
        return [message for message in self.published if isinstance(message, TradeRequested)]

    def requested(self, side: Side) -> list[str]:
        return [trade.symbol for trade in self.requests() if trade.side is side]

    def result(self) -> RunCompleted:
        [result] = [message for message in self.published if isinstance(message, RunCompleted)]
        return result


def outcomes_of(decisions: Sequence[TradeDecision]) -> tuple[Outcome, ...]:
    return tuple(make.executed(d.symbol, d.side, str(d.quantity)) for d in decisions if d.side is not None)


def two_phases() -> Day:
    return Day(make.plan(*SELLS, *BUYS))
