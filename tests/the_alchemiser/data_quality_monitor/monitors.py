"""A monitor over a lake in memory."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from tests.the_alchemiser.data_quality_monitor.source_fake import InMemorySource
from tests.the_alchemiser.shared.market_data.in_memory_market import InMemoryMarket
from tests.the_alchemiser.shared.market_data.in_memory_objects import InMemoryObjects
from tests.the_alchemiser.shared.market_data.samples import ORIGIN, sessions
from the_alchemiser.data_quality_monitor.scorecards import Scorecard, read_scorecards
from the_alchemiser.data_quality_monitor.service import Monitor
from the_alchemiser.shared.corporate_actions import CorporateAction
from the_alchemiser.shared.exchange_time import new_york
from the_alchemiser.shared.market_data.bars import Bars
from the_alchemiser.shared.market_data.corporate_actions import (
    ActionsFetch,
    read_actions_entry,
    write_actions,
)
from the_alchemiser.shared.market_data.exchange_calendar import ExchangeCalendar
from the_alchemiser.shared.market_data.lake import Lake
from the_alchemiser.shared.market_data.verdict import Verdict, read_verdict
from the_alchemiser.shared.messaging.commands import CheckDataQuality
from the_alchemiser.shared.messaging.messages import DataQualityChecked, MarketDataRefreshed
from the_alchemiser.shared.messaging.wiring import Reaction

DAYS = sessions(60)
CHECK = CheckDataQuality(command="check-data-quality")


WEEKDAYS = ExchangeCalendar(DAYS[0], DAYS[59] + timedelta(days=365), frozenset(), {})


@dataclass
class InMemoryMonitor:
    """A monitor over a lake in memory, whose second source agrees with it until a test says otherwise."""

    today: date = DAYS[59]
    universe: tuple[str, ...] = ("QQQ", "SPY")
    objects: InMemoryObjects = field(default_factory=InMemoryObjects)
    source: InMemorySource = field(default_factory=InMemorySource)
    sample: int = 0
    calendar: ExchangeCalendar = WEEKDAYS

    def __post_init__(self) -> None:
        self.monitor = Monitor(
            exchange=InMemoryMarket({}, self.today),
            objects=self.objects,
            universe=lambda: self.universe,
            stage="local",
            second_source=lambda: self.source,
            sample=self.sample,
            calendar=self.calendar,
        )
        self.store_actions(self.today)

    def store_actions(self, fetched_on: date, *actions: CorporateAction) -> None:
        """Store the corporate actions as a fetch at 20:30 in New York on that day did."""
        at = datetime.combine(fetched_on, time(20, 30), new_york())
        fetch = ActionsFetch(at, ("QQQ", "SPY"), date.min, date.max, actions)
        write_actions(self.objects, read_actions_entry(self.objects), fetch)

    def store(self, symbol: str, history: Bars) -> None:
        lake = Lake(self.objects)
        lake.replace(lake.read(symbol), history, origin=ORIGIN)

    def check(self, as_of: date = DAYS[59]) -> DataQualityChecked:
        """Let the monitor check after a refresh."""
        return only_message(self.monitor.after_refresh(refreshed(as_of)))

    def verdict(self) -> Verdict:
        verdict = read_verdict(self.objects)
        assert verdict is not None
        return verdict

    def card(self, symbol: str) -> Scorecard:
        return read_scorecards(self.objects).by_symbol()[symbol]


def refreshed(as_of: date = DAYS[59]) -> MarketDataRefreshed:
    return MarketDataRefreshed(
        message_id=f"data-local-{as_of}/MarketDataRefreshed/abc",
        run_id=f"data-local-{as_of}",
        occurred_at=datetime(2022, 3, 26, tzinfo=UTC),
        as_of=as_of,
        refreshed=("QQQ", "SPY"),
    )


def only_message(reaction: Reaction) -> DataQualityChecked:
    (message,) = reaction.messages
    assert isinstance(message, DataQualityChecked)
    return message
