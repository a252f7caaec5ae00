"""The lake checked symbol by symbol, what is unfit quarantined, and the verdict written before it is told."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import NamedTuple

from the_alchemiser.data_quality_monitor.checks import faults
from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.shared.market_data.calendar import Exchange, business_time
from the_alchemiser.shared.market_data.lake import Entry, Lake
from the_alchemiser.shared.market_data.objects import ObjectStore
from the_alchemiser.shared.market_data.verdict import Verdict, write_verdict
from the_alchemiser.shared.messaging.commands import CheckDataQuality
from the_alchemiser.shared.messaging.inbox import Reaction
from the_alchemiser.shared.messaging.messages import DataQualityChecked, MarketDataRefreshed, message_id

MODULE = "data_quality_monitor"


class NothingToCheckError(AlchemiserError):
    """The book has no symbols: a verdict on nothing would pass."""


class Examination(NamedTuple):
    """One check: through which session, at what business time, and what caused it."""

    as_of: date
    now: datetime
    caused_by: str | None = None


@dataclass(frozen=True, slots=True)
class Monitor:
    """Checks the book's universe and writes the verdict. `universe` is the symbols of the book."""

    exchange: Exchange
    objects: ObjectStore
    universe: Callable[[], Iterable[str]]
    stage: str

    def after_refresh(self, message: MarketDataRefreshed) -> Reaction:
        """Check through the session of the refresh; a verdict on a later session stays, and nothing is told.

        Raises:
            NothingToCheckError: the book has no symbols.
            ObjectChangedError, StateUnavailableError, BrokerError: nothing was written.
        """
        now = self.exchange.clock().timestamp.astimezone(UTC)
        return self._examine(Examination(message.as_of, now, message.message_id), keep_newer=True)

    def on_command(self, command: CheckDataQuality) -> Reaction:  # noqa: ARG002 - it says nothing but to check
        """Check through the last completed session, whatever verdict there is.

        Raises:
            NothingToCheckError: the book has no symbols.
            ObjectChangedError, StateUnavailableError, BrokerError: nothing was written.
        """
        time = business_time(self.exchange)
        return self._examine(Examination(time.as_of, time.now), keep_newer=False)

    def _examine(self, examination: Examination, *, keep_newer: bool) -> Reaction:
        symbols = tuple(self.universe())
        if not symbols:
            raise NothingToCheckError("the book has no symbols: check its strategies")
        verdict = Verdict(
            checked_at=examination.now,
            as_of=examination.as_of,
            quarantined=self._quarantined(symbols, examination.as_of),
        )
        if not write_verdict(self.objects, verdict, keep_newer=keep_newer):
            return Reaction()
        return Reaction((self._checked(verdict, len(symbols), examination.caused_by),))

    def _quarantined(self, symbols: Iterable[str], as_of: date) -> Mapping[str, str]:
        lake = Lake(self.objects)
        entries = lake.read_all(symbols)
        described = lake.describe_all(symbols)
        sessions = self._sessions(entries.values(), as_of)
        found = {
            symbol: faults(entry, described[symbol], sessions=sessions, as_of=as_of)
            for symbol, entry in entries.items()
        }
        return {symbol: "; ".join(told) for symbol, told in found.items() if told}

    def _sessions(self, entries: Iterable[Entry], as_of: date) -> tuple[date, ...]:
        first = min((bar.date for entry in entries for bar in entry.bars), default=as_of)
        return tuple(session.date for session in self.exchange.calendar(min(first, as_of), as_of))

    def _checked(self, verdict: Verdict, checked: int, caused_by: str | None) -> DataQualityChecked:
        run_id = f"data-{self.stage}-{verdict.as_of}"
        return DataQualityChecked(
            message_id=message_id(run_id, DataQualityChecked, subject=verdict.digest),
            run_id=run_id,
            caused_by=caused_by,
            occurred_at=verdict.checked_at,
            as_of=verdict.as_of,
            passed=not verdict.quarantined,
            checked=checked,
            quarantined=verdict.quarantined,
        )
