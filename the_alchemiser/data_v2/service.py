"""Refreshing the lake with the broker's bars: the book's universe every night, single symbols on request."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date

from the_alchemiser.data_v2.corporate_actions import ActionsRefresher
from the_alchemiser.data_v2.fetch_requests import FetchRequests
from the_alchemiser.data_v2.history import fetch_start, full_fetch_start, history_start, join_bars
from the_alchemiser.data_v2.market import Market, Span, fetch_bars
from the_alchemiser.data_v2.progress import (
    Attempt,
    Invocation,
    ProgressStore,
    RefreshIncompleteError,
    Request,
    SymbolOutcome,
)
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
_NAMED = 3  # of the symbols that failed, in the log
NOT_REFRESHED = "not_refreshed: the function's time was over"


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

    @property
    def damage(self) -> str:
        """Return what is wrong with the stored object; empty when it is whole or missing."""
        return (self.entry.fault or "") if self.entry.version else ""

    @property
    def last_date(self) -> date:
        """Return the date of the last bar; the first possible date when there is none."""
        return max((bar.date for bar in self.entry.bars), default=date.min)


class Refresher(Frozen):
    """Refreshes the lake.

    Attributes:
        progress: of the requests that have an id.
        universe: returns the symbols of the book.
        source: host of the data API; it is stored with the bars.
        history_years: how much history to keep, in years before the last completed session.
        invocation: the current one.
    """

    market: Market
    lake: Lake
    actions: ActionsRefresher
    requests: FetchRequests
    progress: ProgressStore
    universe: Callable[[], Iterable[str]]
    stage: str
    source: str
    history_years: int
    invocation: Invocation

    def refresh(self, command: RefreshMarketData) -> Reaction:
        """Fetch the latest bars of the universe, or the full history of the symbols that the command names.

        Raises:
            EmptyUniverseError: the command names no symbols, and the book has none.
            RefreshIncompleteError: some symbols are not refreshed, and a retry may help.
            BrokerError, StateUnavailableError: nothing was refreshed.
        """
        symbols = tuple(command.symbols or self.universe())
        if not symbols:
            raise EmptyUniverseError("the book has no symbols: check the strategies in it")
        return self._refresh(Request(self.invocation.request_id, symbols, is_full=bool(command.symbols)))

    def fetch(self, message: MarketDataFetchRequested) -> Reaction:
        """Fetch the full history of the requested symbols, except those fetched within the cooldown.

        Raises:
            RefreshIncompleteError: some symbols are not fetched, and a retry may help.
            BrokerError, StateUnavailableError: nothing was fetched.
        """
        claim, message_id = self.requests.claim, message.message_id
        claimed = tuple(symbol for symbol in message.symbols if claim(symbol, message_id=message_id))
        if not claimed:
            return Reaction()
        return self._refresh(Request(message_id, claimed, is_full=True, caused_by=message_id))

    def give_up(self, content: object, error: Exception) -> Reaction:  # noqa: ARG002 - the error has all of it
        """Publish what was refreshed, when the last delivery fails too.

        Raises:
            Exception: the error itself, when nothing was refreshed; its message moves to the dead-letter queue.
        """
        if not isinstance(error, RefreshIncompleteError):
            raise error
        if error.refreshed is None:
            error.finish()
            raise error
        return Reaction((error.refreshed,), error.finish)

    def _refresh(self, request: Request) -> Reaction:
        attempt = Attempt(request, self.progress, self.invocation.time_left_s)
        attempt.resume()
        time = read_business_time(self.market)
        if attempt.left:
            # The actions first: a split decides which bars are fetched again.
            actions = self.actions.refresh(request.symbols, time)
            horizon = Horizon(time, history_start(time.as_of, years=self.history_years), actions)
            # Bars are read and stored in batches: the memory does not grow with the universe, and the next attempt
            # continues after the symbols that are stored by then.
            for symbols in attempt.batches():
                attempt.record(self._refresh_batch(symbols, horizon, is_full=request.is_full))

        refreshed = self._refreshed(attempt, time)
        if incomplete := _describe_incomplete(attempt):
            raise RefreshIncompleteError(incomplete, refreshed if refreshed.refreshed else None, attempt.finish)
        return Reaction((refreshed,), attempt.finish)

    def _refresh_batch(self, symbols: Iterable[str], horizon: Horizon, *, is_full: bool) -> Mapping[str, SymbolOutcome]:
        reads = map_in_threads(self._read, symbols)
        stored = {symbol: known for symbol, known in reads.items() if isinstance(known, StoredSymbol)}
        unread = {symbol: _failure("", error) for symbol, error in reads.items() if isinstance(error, AlchemiserError)}
        fetched, failed = self._fetch(stored, horizon, is_full=is_full)

        def outcome(symbol: str) -> SymbolOutcome:
            if symbol in failed:
                return _failure(stored[symbol].entry.digest, failed[symbol])
            return self._store(stored[symbol], fetched[symbol], horizon)

        return {**unread, **map_in_threads(outcome, stored)}

    def _read(self, symbol: str) -> StoredSymbol | AlchemiserError:
        """Return what is stored, or why it cannot be read. It is read before the fetch.

        The write then succeeds only if the stored bars are still these. So what is stored was always fetched later than
        what it replaces.
        """
        try:
            return StoredSymbol(self.lake.read(symbol), self.lake.describe(symbol))
        except AlchemiserError as error:
            return error

    def _fetch(
        self, stored: Mapping[str, StoredSymbol], horizon: Horizon, *, is_full: bool
    ) -> tuple[Mapping[str, Bars], Mapping[str, AlchemiserError]]:
        """Return the new history of each symbol, and the errors of the symbols that could not be fetched."""
        full = {symbol: _full_span(known, horizon) for symbol, known in stored.items()}
        spans = full if is_full else {symbol: _span(known, horizon) for symbol, known in stored.items()}
        first = fetch_bars(self.market, spans)

        histories: dict[str, Bars] = {}
        outdated: dict[str, Span] = {}
        for symbol, bars in first.bars.items():
            is_overlap = spans[symbol].start > full[symbol].start
            joined = join_bars(stored[symbol].entry.bars, bars) if is_overlap else bars
            if joined is None:
                outdated[symbol] = full[symbol]
            else:
                histories[symbol] = joined

        second = fetch_bars(self.market, outdated)
        return {**histories, **second.bars}, {**first.failed, **second.failed}

    def _store(self, stored: StoredSymbol, bars: Bars, horizon: Horizon) -> SymbolOutcome:
        before = stored.entry.digest
        origin = FetchOrigin(self.source, horizon.time.now, full_fetch_start(stored.description, horizon.start))
        try:
            after = self.lake.replace(stored.entry, bars, origin=origin).digest
        except AlchemiserError as error:
            return _failure(before, error)

        outcome = SymbolOutcome(before=before, after=after, repaired=stored.damage)
        if bars[-1].date < horizon.as_of:
            stale = StaleBarsError(f"last bar {bars[-1].date}, expected {horizon.as_of}")
            return outcome.changed(error=f"{stale.reason}: {stale}")
        return outcome

    def _refreshed(self, attempt: Attempt, time: BusinessTime) -> MarketDataRefreshed:
        untried = SymbolOutcome(before="", after="", error=NOT_REFRESHED, is_retryable=True)
        outcomes = {**attempt.outcomes, **dict.fromkeys(attempt.left, untried)}
        run_id, caused_by = f"data-{self.stage}-{time.as_of}", attempt.request.caused_by
        change = _change(attempt.request.id, outcomes)
        return MarketDataRefreshed(
            **envelope(MarketDataRefreshed, run_id, change, occurred_at=time.now, caused_by=caused_by),
            as_of=time.as_of,
            refreshed=tuple(symbol for symbol in sorted(outcomes) if not outcomes[symbol].error),
            failed={symbol: outcomes[symbol].error for symbol in sorted(outcomes) if outcomes[symbol].error},
            repaired={symbol: outcomes[symbol].repaired for symbol in sorted(outcomes) if outcomes[symbol].repaired},
        )


def _full_span(stored: StoredSymbol, horizon: Horizon) -> Span:
    return Span(full_fetch_start(stored.description, horizon.start), _end(stored, horizon))


def _span(stored: StoredSymbol, horizon: Horizon) -> Span:
    splits = (split.ex_date for split in horizon.actions.splits(stored.entry.symbol))
    start = fetch_start(stored.entry, stored.description, as_of=horizon.as_of, start=horizon.start, splits=splits)
    return Span(start, _end(stored, horizon))


def _end(stored: StoredSymbol, horizon: Horizon) -> date:
    # A refresh that began before a session's end, and comes to this symbol after another one has stored that session's
    # bar, must not lose the bar.
    return max(horizon.as_of, stored.last_date)


def _describe_incomplete(attempt: Attempt) -> str:
    """Return what a later delivery may still refresh; empty when it cannot refresh more."""
    failed = {symbol: outcome.error for symbol, outcome in attempt.outcomes.items() if outcome.is_retryable}
    reasons = [f"{symbol} failed ({failed[symbol]})" for symbol in sorted(failed)[:_NAMED]]
    if len(failed) > _NAMED:
        reasons.append(f"{len(failed) - _NAMED} more failed")
    if attempt.left:
        reasons.append(f"{len(attempt.left)} symbols are left, because the function's time is over")
    return "; ".join(reasons)


def _failure(digest: str, error: AlchemiserError) -> SymbolOutcome:
    text = f"{error.reason}: {error}"
    return SymbolOutcome(before=digest, after=digest, error=text, is_retryable=error.retryable)


def _change(request_id: str, outcomes: Mapping[str, SymbolOutcome]) -> str:
    # With the request: who refreshes again wants another check, also of the same bars, because the second source may
    # answer now. With the digests before, too: a lake that returns to an earlier state must be checked again.
    steps = [f"{symbol} {step.before} {step.after} {not step.error}" for symbol, step in sorted(outcomes.items())]
    return digest_of("\n".join([request_id, *steps]).encode())[:16]
