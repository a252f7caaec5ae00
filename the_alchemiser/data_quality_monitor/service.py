"""Checking the lake symbol by symbol. Faulty symbols are quarantined in a verdict, which is written, then published.

Corporate actions that are not up to date are a problem that the verdict names; they quarantine nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime

from the_alchemiser.data_quality_monitor.checks import find_faults
from the_alchemiser.shared.corporate_actions import CorporateActions
from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.shared.exchange_time import market_date
from the_alchemiser.shared.market_data.calendar import Exchange, read_business_time
from the_alchemiser.shared.market_data.corporate_actions import CorporateActionsMalformedError, read_actions_entry
from the_alchemiser.shared.market_data.lake import Lake, LakeEntry
from the_alchemiser.shared.market_data.objects import ObjectStore
from the_alchemiser.shared.market_data.verdict import Verdict, write_verdict
from the_alchemiser.shared.messaging.commands import CheckDataQuality
from the_alchemiser.shared.messaging.messages import DataQualityChecked, MarketDataRefreshed, envelope
from the_alchemiser.shared.messaging.wiring import Reaction
from the_alchemiser.shared.records import Frozen

MODULE = "data_quality_monitor"


class NothingToCheckError(AlchemiserError):
    """The book has no symbols. A check without symbols would always pass."""


class Examination(Frozen):
    """One check of the lake.

    Attributes:
        as_of: the last session to check.
        now: business time of the check, UTC.
        caused_by: id of the message that caused the check; None for a command.
    """

    as_of: date
    now: datetime
    caused_by: str | None = None


class Monitor(Frozen):
    """Checks the book's universe and writes the verdict. `universe` returns the symbols of the book."""

    exchange: Exchange
    objects: ObjectStore
    universe: Callable[[], Iterable[str]]
    stage: str

    def after_refresh(self, message: MarketDataRefreshed) -> Reaction:
        """Check through the session of the refresh. Keep a verdict on a later session, and then publish nothing.

        Raises:
            NothingToCheckError: the book has no symbols.
            ObjectChangedError, StateUnavailableError, BrokerError: nothing was written.
        """
        now = self.exchange.clock().timestamp.astimezone(UTC)
        return self._examine(Examination(message.as_of, now, message.message_id), keep_newer=True)

    def on_command(self, command: CheckDataQuality) -> Reaction:  # noqa: ARG002 - the command has no options
        """Check through the last completed session, and replace any verdict.

        Raises:
            NothingToCheckError: the book has no symbols.
            ObjectChangedError, StateUnavailableError, BrokerError: nothing was written.
        """
        time = read_business_time(self.exchange)
        return self._examine(Examination(time.as_of, time.now), keep_newer=False)

    def _examine(self, examination: Examination, *, keep_newer: bool) -> Reaction:
        symbols = tuple(self.universe())
        if not symbols:
            raise NothingToCheckError("the book has no symbols: check the strategies in it")

        actions, problems = self._corporate_actions(examination.as_of)
        verdict = Verdict(
            checked_at=examination.now,
            as_of=examination.as_of,
            quarantined=self._quarantined(symbols, actions, examination.as_of),
            problems=problems,
        )

        # A receiver of the message must find this verdict in the lake, so it is written before it is published.
        if not write_verdict(self.objects, verdict, keep_newer=keep_newer):
            return Reaction()
        return Reaction((self._checked(verdict, len(symbols), examination.caused_by),))

    def _corporate_actions(self, as_of: date) -> tuple[CorporateActions, tuple[str, ...]]:
        """Return what is known, and a problem when splits may be missing from it."""
        try:
            entry = read_actions_entry(self.objects)
        except CorporateActionsMalformedError as error:
            return CorporateActions(), (f"{error.reason}: {error}",)

        fetched_on = None if entry.fetched_at is None else market_date(entry.fetched_at)
        if fetched_on is not None and fetched_on >= as_of:
            return entry.actions, ()
        problem = f"corporate actions were last fetched {fetched_on or 'never'}, not after the session of {as_of}"
        return entry.actions, (f"{problem}: splits since then are unknown",)

    def _quarantined(self, symbols: Iterable[str], actions: CorporateActions, as_of: date) -> Mapping[str, str]:
        lake = Lake(self.objects)
        entries = lake.read_all(symbols)
        descriptions = lake.describe_all(symbols)
        sessions = self._sessions(entries.values(), as_of)

        quarantined: dict[str, str] = {}
        for symbol, entry in entries.items():
            splits = actions.splits(symbol)
            faults = find_faults(entry, descriptions[symbol], sessions=sessions, as_of=as_of, splits=splits)
            if faults:
                quarantined[symbol] = "; ".join(faults)
        return quarantined

    def _sessions(self, entries: Iterable[LakeEntry], as_of: date) -> tuple[date, ...]:
        start = as_of
        for entry in entries:
            start = min((bar.date for bar in entry.bars if bar.date < start), default=start)
        return tuple(session.date for session in self.exchange.calendar(start, as_of))

    def _checked(self, verdict: Verdict, checked: int, caused_by: str | None) -> DataQualityChecked:
        run_id = f"data-{self.stage}-{verdict.as_of}"
        return DataQualityChecked(
            **envelope(DataQualityChecked, run_id, verdict.digest, occurred_at=verdict.checked_at, caused_by=caused_by),
            as_of=verdict.as_of,
            passed=not verdict.quarantined and not verdict.problems,
            checked=checked,
            quarantined=verdict.quarantined,
            problems=verdict.problems,
        )
