"""Checking the lake symbol by symbol. Faulty symbols are quarantined in a verdict, which is written, then published.

What makes no bars unusable is a problem that the verdict names: corporate actions that are not up to date, a second
source that does not answer, calendars that differ.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import chain

import msgspec

from the_alchemiser.data_quality_monitor.acceptances import Acceptances, read_acceptances
from the_alchemiser.data_quality_monitor.asking import ask
from the_alchemiser.data_quality_monitor.checks import DAYS_SHOWN, History, Sessions
from the_alchemiser.data_quality_monitor.judging import Examined, Judgement, examine, judge
from the_alchemiser.data_quality_monitor.scorecards import (
    Scorecards,
    ScorecardsEntry,
    read_scorecards,
    write_scorecards,
)
from the_alchemiser.data_quality_monitor.second_source import SecondSource
from the_alchemiser.shared.corporate_actions import CorporateActions
from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.shared.exchange_time import market_date
from the_alchemiser.shared.market_data.calendar import Exchange, read_business_time
from the_alchemiser.shared.market_data.corporate_actions import CorporateActionsMalformedError, read_actions_entry
from the_alchemiser.shared.market_data.exchange_calendar import ExchangeCalendar, differences, shipped_calendar
from the_alchemiser.shared.market_data.lake import Lake, LakeEntry
from the_alchemiser.shared.market_data.objects import ObjectChangedError, ObjectStore
from the_alchemiser.shared.market_data.verdict import Verdict, is_newer_stored, stored_as_of, write_verdict
from the_alchemiser.shared.messaging.commands import CheckDataQuality
from the_alchemiser.shared.messaging.messages import DataQualityChecked, MarketDataRefreshed, envelope
from the_alchemiser.shared.messaging.wiring import Reaction
from the_alchemiser.shared.records import Frozen

MODULE = "data_quality_monitor"
CALENDAR_ENDS_WITHIN = timedelta(days=180)
ATTEMPTS = 5  # two checks run at once, each after a refresh


class NothingToCheckError(AlchemiserError):
    """The book has no symbols. A check without symbols would always pass."""


class Examination(Frozen):
    """One check of the lake.

    Attributes:
        as_of: the last session to check.
        now: business time of the check, UTC.
        caused_by: id of the message that caused the check; None for a command.
        refresh_errors: what the refresh said of the symbols that it could not refresh.
        repaired: what the refresh has repaired.
    """

    as_of: date
    now: datetime
    caused_by: str | None = None
    refresh_errors: Mapping[str, str] = {}
    repaired: Mapping[str, str] = {}


class _Known(Frozen):
    """What a check knows besides the bars."""

    sessions: Sessions
    actions: CorporateActions
    stored: ScorecardsEntry
    acceptances: Acceptances


class Monitor(Frozen):
    """Checks the book's universe and writes the verdict.

    Attributes:
        universe: returns the symbols of the book.
        second_source: returns the connection for one check.
        sample: how many symbols that are not in doubt are compared with the second source in each check.
    """

    exchange: Exchange
    objects: ObjectStore
    universe: Callable[[], Iterable[str]]
    stage: str
    second_source: Callable[[], SecondSource]
    sample: int
    calendar: ExchangeCalendar = msgspec.field(default_factory=shipped_calendar)

    def after_refresh(self, message: MarketDataRefreshed) -> Reaction:
        """Check through the session of the refresh. Keep a verdict on a later session, and then publish nothing.

        A refresh of some symbols, between the close and the one of the whole book, does not make the others stale:
        then the check goes through the session of the verdict that it replaces.

        Raises:
            NothingToCheckError: the book has no symbols.
            ObjectChangedError, StateUnavailableError, BrokerError: no verdict was written.
        """
        now = self.exchange.clock().timestamp.astimezone(UTC)
        as_of = self._reached(message)
        examination = Examination(as_of, now, message.message_id, message.failed, message.repaired)
        return self._examine(examination, keep_newer=True)

    def _reached(self, message: MarketDataRefreshed) -> date:
        """Return the last session that a refresh leaves the book at."""
        others = set(self.universe()).difference(message.refreshed, message.failed)
        earlier = stored_as_of(self.objects) if others else None
        if earlier is None or earlier >= message.as_of:
            return message.as_of
        described = Lake(self.objects).describe_all(others).values()
        reached = [stored.description.last_date for stored in described if stored.description]
        return message.as_of if all(last >= message.as_of for last in reached) else earlier

    def on_command(self, command: CheckDataQuality) -> Reaction:
        """Check through the last completed session, and replace any verdict; or again through the command's session.

        Raises:
            NothingToCheckError: the book has no symbols.
            ObjectChangedError, StateUnavailableError, BrokerError: no verdict was written.
        """
        time = read_business_time(self.exchange)
        return self._examine(Examination(command.as_of or time.as_of, time.now), keep_newer=command.as_of is not None)

    def _examine(self, examination: Examination, *, keep_newer: bool) -> Reaction:
        symbols = tuple(self.universe())
        if not symbols:
            raise NothingToCheckError("the book has no symbols: check the strategies in it")
        if keep_newer and is_newer_stored(self.objects, examination.as_of):
            return Reaction()

        verdict = self._write_own_scorecards(symbols, examination)
        # A receiver of the message must find this verdict in the lake, so it is written before it is published.
        if not write_verdict(self.objects, verdict, keep_newer=keep_newer):
            return Reaction()
        return Reaction((self._checked(verdict, len(symbols), examination.caused_by),))

    def _write_own_scorecards(self, symbols: Sequence[str], examination: Examination) -> Verdict:
        """Check every symbol and write the scorecards. When another check was faster, check again what it has left."""
        second_source = self.second_source()
        for attempt in range(1, ATTEMPTS + 1):
            stored = read_scorecards(self.objects)
            judgements, problems = self._judge(symbols, examination, stored, second_source)
            verdict = _verdict(examination, judgements, problems)
            try:
                self._write_scorecards(verdict, judgements, stored)
            except ObjectChangedError:
                if attempt == ATTEMPTS:
                    raise
            else:
                break
        return verdict

    def _judge(
        self,
        symbols: Sequence[str],
        examination: Examination,
        stored: ScorecardsEntry,
        second_source: SecondSource,
    ) -> tuple[tuple[Judgement, ...], tuple[str, ...]]:
        """Judge every symbol, and return what else a person must look at."""
        entries = Lake(self.objects).read_all(symbols)
        actions, action_problems = self._corporate_actions(examination.as_of)
        sessions, calendar_problems = self._sessions(entries.values(), examination.as_of)
        accepted = read_acceptances(self.objects)
        known = _Known(sessions, actions, stored, accepted.acceptances)
        examined = self._examine_each(entries, examination, known)
        answers = ask(second_source, examined, actions, sample=self.sample)

        judgements = tuple(judge(symbol, *answers.of(name)) for name, symbol in examined.items())
        memory = tuple(fault for fault in (stored.fault, accepted.fault) if fault)
        return judgements, (*action_problems, *calendar_problems, *answers.problems, *memory)

    def _examine_each(
        self, entries: Mapping[str, LakeEntry], examination: Examination, known: _Known
    ) -> Mapping[str, Examined]:
        descriptions, cards = Lake(self.objects).describe_all(entries), known.stored.by_symbol()
        examined: dict[str, Examined] = {}
        for symbol, entry in entries.items():
            history = History(
                tuple(bar for bar in entry.bars if bar.date <= examination.as_of),
                known.sessions,
                examination.as_of,
                known.actions.splits(symbol),
                examination.refresh_errors.get(symbol, ""),
                examination.repaired.get(symbol, ""),
            )
            accepted = known.acceptances.of(symbol)
            examined[symbol] = examine(entry, descriptions[symbol], history, cards.get(symbol), accepted)
        return examined

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

    def _sessions(self, entries: Iterable[LakeEntry], as_of: date) -> tuple[Sessions, tuple[str, ...]]:
        """Return the sessions from the first bar on, and a problem when the two calendars differ.

        The broker's calendar decides which session is the last one, because that is when orders are possible. A day
        that only one calendar has makes no symbol faulty: the broker knows of a closure before a release can, and
        the shipped calendar knows of a session that the broker's answer lacks.
        """
        start = min((bar.date for bar in chain.from_iterable(entry.bars for entry in entries)), default=as_of)
        broker = self.exchange.calendar(min(start, as_of), as_of)
        differing = differences(self.calendar, broker, start=min(start, as_of), end=as_of)
        broker_days = {session.date for session in broker}
        shipped_days = {session.date for session in self.calendar.sessions(start, as_of)}
        # Where the shipped calendar ends, the broker's is all that is known.
        shipped_days |= {day for day in broker_days if not self.calendar.first <= day <= self.calendar.last}

        sessions = Sessions(sorted(broker_days & shipped_days), frozenset(broker_days ^ shipped_days))
        problems = [
            f"calendars differ on {difference.date}: {difference.text}" for difference in differing[-DAYS_SHOWN:]
        ]
        if len(differing) > DAYS_SHOWN:
            problems.append(
                f"calendars differ on {len(differing) - DAYS_SHOWN} earlier days, from {differing[0].date} on"
            )
        if as_of > self.calendar.last - CALENDAR_ENDS_WITHIN:
            problems.append(f"the shipped calendar ends on {self.calendar.last}: deploy a release with a longer one")
        return sessions, tuple(problems)

    def _write_scorecards(self, verdict: Verdict, judgements: Iterable[Judgement], stored: ScorecardsEntry) -> None:
        # Before the verdict: a check that is repeated finds its own scorecards, and they say the same again.
        scorecards = Scorecards(
            checked_at=verdict.checked_at,
            as_of=verdict.as_of,
            problems=verdict.problems,
            symbols=tuple(judgement.card for judgement in judgements),
        )
        write_scorecards(self.objects, scorecards, replaces=stored.version)

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


def _verdict(examination: Examination, judgements: Sequence[Judgement], problems: tuple[str, ...]) -> Verdict:
    return Verdict(
        checked_at=examination.now,
        as_of=examination.as_of,
        quarantined={
            judgement.card.symbol: "; ".join(map(str, judgement.faults)) for judgement in judgements if judgement.faults
        },
        problems=problems,
        entries=tuple(chain.from_iterable(judgement.entries() for judgement in judgements)),
    )
