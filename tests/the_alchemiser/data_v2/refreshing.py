"""A refresher whose market, lake, fetch requests and progress are in memory."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import pytest

from tests.the_alchemiser.shared.market_data.in_memory_market import InMemoryMarket
from tests.the_alchemiser.shared.market_data.in_memory_objects import InMemoryObjects
from tests.the_alchemiser.shared.market_data.samples import sessions
from the_alchemiser.data_v2.corporate_actions import ActionsRefresher
from the_alchemiser.data_v2.progress import Invocation, RefreshIncompleteError, RefreshProgress
from the_alchemiser.data_v2.service import Refresher
from the_alchemiser.shared.errors import StateUnavailableError
from the_alchemiser.shared.market_data.bars import Bars
from the_alchemiser.shared.market_data.lake import Lake
from the_alchemiser.shared.messaging.commands import RefreshMarketData
from the_alchemiser.shared.messaging.messages import MarketDataFetchRequested, MarketDataRefreshed
from the_alchemiser.shared.messaging.wiring import Reaction

DAYS = sessions(60)
NIGHTLY = RefreshMarketData(command="refresh-market-data")


class InMemoryFetchRequests:
    """Claims that never expire."""

    def __init__(self) -> None:
        self.claims: dict[str, str] = {}

    def claim(self, symbol: str, *, message_id: str) -> bool:
        return self.claims.setdefault(symbol, message_id) == message_id


class InMemoryProgress:
    """Progress by id of the request; each write is recorded."""

    def __init__(self) -> None:
        self.writes: list[RefreshProgress] = []
        self.is_broken = False

    def read(self, request_id: str) -> RefreshProgress | None:
        return next((entry for entry in reversed(self.writes) if entry.request_id == request_id), None)

    def write(self, progress: RefreshProgress) -> None:
        if self.is_broken:
            raise StateUnavailableError("table requests: planted")
        self.writes.append(progress)


class InMemoryInvocation(Invocation):
    """An invocation with so many seconds left."""

    left_s = 30.0

    def time_left_s(self) -> float:
        return self.left_s


@dataclass
class InMemoryRefresher:
    """A refresher whose market, lake and fetch requests are in memory."""

    market: InMemoryMarket
    objects: InMemoryObjects = field(default_factory=InMemoryObjects)
    universe: tuple[str, ...] | None = None
    progress: InMemoryProgress = field(default_factory=InMemoryProgress)
    invocation: InMemoryInvocation = field(default_factory=InMemoryInvocation)

    def __post_init__(self) -> None:
        self.lake = Lake(self.objects)
        self.refresher = Refresher(
            market=self.market,
            lake=self.lake,
            actions=ActionsRefresher(self.market, self.objects),
            requests=InMemoryFetchRequests(),
            progress=self.progress,
            universe=lambda: self.market.served if self.universe is None else self.universe,
            stage="local",
            source="data.example.com",
            history_years=6,
            invocation=self.invocation,
        )

    def refresh(self, on: date, command: RefreshMarketData = NIGHTLY, *, request_id: str = "") -> MarketDataRefreshed:
        """Refresh on a day, by a message with this id."""
        self.market.today, self.invocation.request_id = on, request_id
        return published(self.refresher.refresh(command))


def published(reaction: Reaction) -> MarketDataRefreshed:
    """Return the only message, after it was published."""
    reaction.on_published()
    return only_message(reaction)


def only_message(reaction: Reaction) -> MarketDataRefreshed:
    (message,) = reaction.messages
    assert isinstance(message, MarketDataRefreshed)
    return message


def gave_up(local: InMemoryRefresher, on: date) -> MarketDataRefreshed:
    """Return what is published when the last delivery of the nightly command fails too."""
    with pytest.raises(RefreshIncompleteError) as raised:
        local.refresh(on)
    return only_message(local.refresher.give_up(NIGHTLY, raised.value))


def refresher_of(**served: Bars) -> InMemoryRefresher:
    return InMemoryRefresher(InMemoryMarket(dict(served), DAYS[-1]))


def requested(*symbols: str, subject: str = "trend") -> MarketDataFetchRequested:
    return MarketDataFetchRequested(
        message_id=f"local-2022-03-15/MarketDataFetchRequested/{subject}",
        run_id="local-2022-03-15",
        occurred_at=datetime(2022, 3, 15, 20, tzinfo=UTC),
        symbols=symbols,
        reason="missing",
    )
