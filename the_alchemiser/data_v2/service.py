"""Refreshing the lake with the broker's bars: the book's universe every night, single symbols on request."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from itertools import batched

from the_alchemiser.data_v2.corporate_actions import ActionsRefresher
from the_alchemiser.data_v2.fetch_requests import FetchRequests
from the_alchemiser.data_v2.history import fetch_start, full_fetch_start, history_start, join_bars
from the_alchemiser.data_v2.market import Market, fetch_bars
from the_alchemiser.shared.corporate_actions import CorporateActions
from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.shared.market_data.bars import Bars
from the_alchemiser.shared.market_data.calendar import BusinessTime, read_business_time
from the_alchemiser.shared.market_data.lake import (
    Description,
    FetchOrigin,
    Lake,
    LakeEntry,
    StoredDescription,
)
from the_alchemiser.shared.market_data.objects import digest_of
from the_alchemiser.shared.messaging.commands import RefreshMarketData
from the_alchemiser.shared.messaging.messages import MarketDataFetchRequested, MarketDataRefreshed, envelope
from the_alchemiser.shared.messaging.wiring import Reaction
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.threads import map_in_threads

MODULE = "data_v2"
SYMBOLS_AT_ONCE = 25


class EmptyUniverseError(AlchemiserError):
    """The book has no symbols, so there is nothing to refresh and no strategy could trade."""


class StaleBarsError(AlchemiserError):
    """The broker's last bar is older than the last completed session. The bars it has were stored."""


class Horizon(Frozen):
    """The history to fetch, from `start` through `as_of`, the business time of the refresh, and the known splits."""

    time: BusinessTime
    start: date
    actions: CorporateActions

    @property
    def as_of(self) -> date:
        """Return the last completed session."""
        return self.time.as_of


class StoredSymbol(Frozen):
    """What the lake contains for a symbol before the refresh."""

    entry: LakeEntry
    stored_description: StoredDescription

    @property
    def description(self) -> Description | None:
        """Return the description, or None when it is missing or cannot be parsed."""
        return self.stored_description.description


class RefreshOutcome(Frozen):
    """The result for one symbol: its digests before and after, and the error when it is not up to date."""

    before: str
    after: str
    error: AlchemiserError | None = None


class Refresher(Frozen):
    """Refreshes the lake.

    Attributes:
        universe: returns the symbols of the book.
        source: host of the data API; it is stored with the bars.
        history_years: how much history to keep, in years before the last completed session.
    """

    market: Market
    lake: Lake
    actions: ActionsRefresher
    requests: FetchRequests
    universe: Callable[[], Iterable[str]]
    stage: str
    source: str
    history_years: int

    def refresh(self, command: RefreshMarketData) -> Reaction:
        """Fetch the latest bars of the universe, or the full history of the symbols that the command names.

        Raises:
            EmptyUniverseError: the command names no symbols, and the book has none.
            AlchemiserError: no symbol could be refreshed, and a retry may help.
        """
        symbols = tuple(command.symbols or self.universe())
        if not symbols:
            raise EmptyUniverseError("the book has no symbols: check the strategies in it")
        return Reaction((self._refresh(symbols, is_full=bool(command.symbols), caused_by=None),))

    def fetch(self, message: MarketDataFetchRequested) -> Reaction:
        """Fetch the full history of the requested symbols, except those fetched within the cooldown.

        Raises:
            StateUnavailableError: the cooldown of a symbol could not be read.
            AlchemiserError: no symbol could be fetched, and a retry may help.
        """
        claimed = [symbol for symbol in message.symbols if self.requests.claim(symbol, message_id=message.message_id)]
        if not claimed:
            return Reaction()
        return Reaction((self._refresh(claimed, is_full=True, caused_by=message.message_id),))

    def _refresh(self, symbols: Iterable[str], *, is_full: bool, caused_by: str | None) -> MarketDataRefreshed:
        time = read_business_time(self.market)
        stored = self._read(symbols)
        # The actions first: a split decides which bars are fetched again.
        actions = self.actions.refresh(stored, time)
        horizon = Horizon(time, history_start(time.as_of, years=self.history_years), actions)
        outcomes = self._refresh_each(stored, horizon, is_full=is_full)
        _raise_if_retry_may_help(outcomes)
        return _refreshed(outcomes, run_id=f"data-{self.stage}-{time.as_of}", time=time, caused_by=caused_by)

    def _read(self, symbols: Iterable[str]) -> Mapping[str, StoredSymbol]:
        entries = self.lake.read_all(symbols)
        descriptions = self.lake.describe_all(entries)
        return {symbol: StoredSymbol(entry, descriptions[symbol]) for symbol, entry in entries.items()}

    def _refresh_each(
        self, stored: Mapping[str, StoredSymbol], horizon: Horizon, *, is_full: bool
    ) -> Mapping[str, RefreshOutcome]:
        # Years of bars of many symbols may take longer than the function has. The next attempt continues after the
        # symbols that are stored by then.
        outcomes: dict[str, RefreshOutcome] = {}
        for symbols in batched(stored, SYMBOLS_AT_ONCE):
            batch = {symbol: stored[symbol] for symbol in symbols}
            outcomes.update(self._refresh_batch(batch, horizon, is_full=is_full))
        return outcomes

    def _refresh_batch(
        self, stored: Mapping[str, StoredSymbol], horizon: Horizon, *, is_full: bool
    ) -> Mapping[str, RefreshOutcome]:
        fetched, failed = self._fetch(stored, horizon, is_full=is_full)

        def outcome(symbol: str) -> RefreshOutcome:
            if symbol in failed:
                digest = stored[symbol].entry.digest
                return RefreshOutcome(digest, digest, failed[symbol])
            return self._store(stored[symbol], fetched[symbol], horizon)

        return map_in_threads(outcome, stored)

    def _fetch(
        self, stored: Mapping[str, StoredSymbol], horizon: Horizon, *, is_full: bool
    ) -> tuple[Mapping[str, Bars], Mapping[str, AlchemiserError]]:
        """Return the new history of each symbol, and the errors of the symbols that could not be fetched."""
        full_starts = {symbol: full_fetch_start(known.description, horizon.start) for symbol, known in stored.items()}
        starts = full_starts if is_full else _fetch_starts(stored, horizon)
        first = fetch_bars(self.market, starts, horizon.as_of)

        histories: dict[str, Bars] = {}
        outdated: dict[str, date] = {}
        for symbol, bars in first.bars.items():
            is_overlap = starts[symbol] > full_starts[symbol]
            joined = join_bars(stored[symbol].entry.bars, bars) if is_overlap else bars
            if joined is None:
                outdated[symbol] = full_starts[symbol]
            else:
                histories[symbol] = joined

        second = fetch_bars(self.market, outdated, horizon.as_of)
        return {**histories, **second.bars}, {**first.failed, **second.failed}

    def _store(self, stored: StoredSymbol, bars: Bars, horizon: Horizon) -> RefreshOutcome:
        before = stored.entry.digest
        origin = FetchOrigin(self.source, horizon.time.now, full_fetch_start(stored.description, horizon.start))
        try:
            after = self.lake.replace(stored.entry, bars, origin=origin).digest
        except AlchemiserError as error:
            return RefreshOutcome(before, before, error)

        if bars[-1].date != horizon.as_of:
            stale = StaleBarsError(f"last bar {bars[-1].date}, expected {horizon.as_of}")
            return RefreshOutcome(before, after, stale)
        return RefreshOutcome(before, after)


def _fetch_starts(stored: Mapping[str, StoredSymbol], horizon: Horizon) -> Mapping[str, date]:
    starts: dict[str, date] = {}
    for symbol, known in stored.items():
        splits = (split.ex_date for split in horizon.actions.splits(symbol))
        starts[symbol] = fetch_start(
            known.entry, known.description, as_of=horizon.as_of, start=horizon.start, splits=splits
        )
    return starts


def _raise_if_retry_may_help(outcomes: Mapping[str, RefreshOutcome]) -> None:
    """Raise a retryable error when every symbol failed; otherwise the message reports the failures."""
    errors = [outcome.error for outcome in outcomes.values() if outcome.error is not None]
    retryable = next((error for error in errors if error.retryable), None)
    if retryable is not None and len(errors) == len(outcomes):
        raise retryable


def _refreshed(
    outcomes: Mapping[str, RefreshOutcome], *, run_id: str, time: BusinessTime, caused_by: str | None
) -> MarketDataRefreshed:
    return MarketDataRefreshed(
        **envelope(MarketDataRefreshed, run_id, _change(outcomes), occurred_at=time.now, caused_by=caused_by),
        as_of=time.as_of,
        refreshed=tuple(symbol for symbol, outcome in outcomes.items() if outcome.error is None),
        failed={symbol: _describe(outcome.error) for symbol, outcome in outcomes.items() if outcome.error is not None},
    )


def _change(outcomes: Mapping[str, RefreshOutcome]) -> str:
    # With the digests before, not only after: a lake that returns to an earlier state must be checked again.
    steps = [
        f"{symbol} {outcome.before} {outcome.after} {outcome.error is None}" for symbol, outcome in outcomes.items()
    ]
    return digest_of("\n".join(steps).encode())[:16]


def _describe(error: AlchemiserError) -> str:
    return f"{error.reason}: {error}"
