"""Bars from the broker into the lake: the book's universe every night, single symbols when somebody misses them."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from the_alchemiser.data_v2.fetch_requests import FetchRequests
from the_alchemiser.data_v2.history import fetch_start, history_start, join, whole_start
from the_alchemiser.data_v2.market import Market, fetch
from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.shared.market_data.bars import Bars
from the_alchemiser.shared.market_data.calendar import BusinessTime, business_time
from the_alchemiser.shared.market_data.lake import Described, Description, Entry, Lake, Origin, each
from the_alchemiser.shared.messaging.commands import RefreshMarketData
from the_alchemiser.shared.messaging.inbox import Reaction
from the_alchemiser.shared.messaging.messages import MarketDataFetchRequested, MarketDataRefreshed, message_id
from the_alchemiser.shared.reasons import reason_code

MODULE = "data_v2"


class EmptyUniverseError(AlchemiserError):
    """The book holds no symbols: there is nothing to refresh, and nothing could trade."""


class StaleBarsError(AlchemiserError):
    """The broker's last bar is older than the last completed session; what there is was stored."""


class Horizon(NamedTuple):
    """Which history is wanted, and what time it is."""

    time: BusinessTime
    start: date

    @property
    def as_of(self) -> date:
        """The last session of the history."""
        return self.time.as_of


class Stored(NamedTuple):
    """What the lake holds of a symbol before the refresh."""

    entry: Entry
    described: Described

    @property
    def description(self) -> Description | None:
        """What the JSON says, if there is one."""
        return self.described.description


class Outcome(NamedTuple):
    """What became of a symbol: the digests before and after, and the error when it is not fresh."""

    before: str
    after: str
    error: AlchemiserError | None = None


@dataclass(frozen=True, slots=True)
class Refresher:
    """Refreshes the lake.

    Attributes:
        universe: the symbols of the book.
        source: host of the data API, kept with the bars.
    """

    market: Market
    lake: Lake
    requests: FetchRequests
    universe: Callable[[], Iterable[str]]
    stage: str
    source: str
    history_years: int

    def refresh(self, command: RefreshMarketData) -> Reaction:
        """Refresh the universe by an overlap, or the symbols named whole.

        Raises:
            EmptyUniverseError: no symbols at all.
            AlchemiserError: not one symbol could be refreshed, and trying again may help.
        """
        symbols = tuple(command.symbols or self.universe())
        if not symbols:
            raise EmptyUniverseError("the book has no symbols: check its strategies")
        return Reaction((self._refresh(symbols, is_whole=bool(command.symbols), caused_by=None),))

    def fetch(self, message: MarketDataFetchRequested) -> Reaction:
        """Fetch the symbols whole, but for those fetched within the cooldown."""
        claimed = [s for s in message.symbols if self.requests.claim(s, message_id=message.message_id)]
        if not claimed:
            return Reaction()
        return Reaction((self._refresh(claimed, is_whole=True, caused_by=message.message_id),))

    def _refresh(self, symbols: Iterable[str], *, is_whole: bool, caused_by: str | None) -> MarketDataRefreshed:
        time = business_time(self.market)
        horizon = Horizon(time, history_start(time.as_of, years=self.history_years))
        outcomes = self._outcomes(self._read(symbols), horizon, is_whole=is_whole)
        _raise_if_hopeless(outcomes)
        return _refreshed(outcomes, run_id=f"data-{self.stage}-{time.as_of}", time=time, caused_by=caused_by)

    def _read(self, symbols: Iterable[str]) -> Mapping[str, Stored]:
        entries = self.lake.read_all(symbols)
        described = self.lake.describe_all(entries)
        return {symbol: Stored(entry, described[symbol]) for symbol, entry in entries.items()}

    def _outcomes(self, stored: Mapping[str, Stored], horizon: Horizon, *, is_whole: bool) -> Mapping[str, Outcome]:
        joined, failed = self._gather(stored, horizon, is_whole=is_whole)

        def outcome(symbol: str) -> Outcome:
            if symbol in failed:
                digest = stored[symbol].entry.digest
                return Outcome(digest, digest, failed[symbol])
            return self._store(stored[symbol], joined[symbol], horizon)

        return each(outcome, stored)

    def _gather(
        self, stored: Mapping[str, Stored], horizon: Horizon, *, is_whole: bool
    ) -> tuple[Mapping[str, Bars], Mapping[str, AlchemiserError]]:
        whole = {symbol: whole_start(held.description, horizon.start) for symbol, held in stored.items()}
        starts = {
            symbol: fetch_start(held.entry, held.description, as_of=horizon.as_of, start=horizon.start)
            for symbol, held in stored.items()
        }
        first = fetch(self.market, whole if is_whole else starts, horizon.as_of)
        joined = {
            symbol: bars if is_whole or starts[symbol] <= whole[symbol] else join(stored[symbol].entry.bars, bars)
            for symbol, bars in first.bars.items()
        }
        moved = {symbol: whole[symbol] for symbol, bars in joined.items() if bars is None}
        again = fetch(self.market, moved, horizon.as_of)
        kept = {symbol: bars for symbol, bars in joined.items() if bars is not None}
        return {**kept, **again.bars}, {**first.failed, **again.failed}

    def _store(self, held: Stored, bars: Bars, horizon: Horizon) -> Outcome:
        before = held.entry.digest
        origin = Origin(self.source, horizon.time.now, whole_start(held.description, horizon.start))
        try:
            after = self.lake.replace(held.entry, bars, origin=origin).digest
        except AlchemiserError as error:
            return Outcome(before, before, error)
        if bars[-1].date != horizon.as_of:
            return Outcome(before, after, StaleBarsError(f"last bar {bars[-1].date}, expected {horizon.as_of}"))
        return Outcome(before, after)


def _raise_if_hopeless(outcomes: Mapping[str, Outcome]) -> None:
    errors = [outcome.error for outcome in outcomes.values() if outcome.error is not None]
    passing = next((error for error in errors if error.retryable), None)
    if passing is not None and len(errors) == len(outcomes):
        raise passing


def _refreshed(
    outcomes: Mapping[str, Outcome], *, run_id: str, time: BusinessTime, caused_by: str | None
) -> MarketDataRefreshed:
    return MarketDataRefreshed(
        message_id=message_id(run_id, MarketDataRefreshed, subject=_change(outcomes)),
        run_id=run_id,
        caused_by=caused_by,
        occurred_at=time.now,
        as_of=time.as_of,
        refreshed=tuple(symbol for symbol, outcome in outcomes.items() if outcome.error is None),
        failed={symbol: _told(outcome.error) for symbol, outcome in outcomes.items() if outcome.error is not None},
    )


def _change(outcomes: Mapping[str, Outcome]) -> str:
    # From what to what, not only to what: a lake that returns to an earlier state is checked again.
    steps = [
        f"{symbol} {outcome.before} {outcome.after} {outcome.error is None}" for symbol, outcome in outcomes.items()
    ]
    return hashlib.sha256("\n".join(steps).encode()).hexdigest()[:16]


def _told(error: AlchemiserError) -> str:
    return f"{reason_code(error)}: {error}"
