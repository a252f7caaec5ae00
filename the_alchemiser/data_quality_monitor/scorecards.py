"""The scorecard of each symbol in `quality/v1/scorecards.json`: what the checks found, now and before.

It is also the monitor's memory: which doubts the second source has confirmed, and which disputes are open. Both hold
without the second source for as long as the lake has the same bars.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from itertools import chain

import msgspec

from the_alchemiser.data_quality_monitor.acceptances import Acceptance, Contested, contested
from the_alchemiser.data_quality_monitor.checks import Fault
from the_alchemiser.data_quality_monitor.comparing import Dispute
from the_alchemiser.data_quality_monitor.doubts import Doubt, DoubtKind
from the_alchemiser.shared.market_data.objects import ObjectStore
from the_alchemiser.shared.market_data.verdict import QUALITY
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.values import Symbol, UtcDatetime, Value

SCORECARDS_KEY = f"{QUALITY}/scorecards.json"
INCIDENTS_KEPT = 100
PASSED = "passed"


class StoredDoubt(Value):
    """A doubt; see Doubt."""

    kind: DoubtKind
    date: date
    value: float


class StoredDispute(Value):
    """A dispute that is still open; see Dispute."""

    code: str
    date: date
    move: float
    detail: str
    second: float | None = None


class Incident(Value):
    """A fault from the check that found it first to the one that no longer found it.

    Attributes:
        detail: what the latest check said that found it.
        since: the as_of of the first check that found it.
        until: the as_of of the check that no longer found it; None while it is there.
        quarantines: whether the symbol's bars must not be used because of it; otherwise it is a warning.
    """

    code: str
    detail: str
    since: date
    until: date | None = None
    quarantines: bool = True


class Scorecard(Value):
    """Everything that is known about the bars of one symbol.

    Attributes:
        as_of: the last session that was checked.
        checks: what each check says: `passed`, or what it found.
        bars, first_bar, last_bar: through as_of.
        gaps: sessions without a bar.
        disagreements: days on which the second source has something else.
        compared_on: the as_of of the last comparison with the second source; None before the first.
        comparison: what that comparison said, or why there was none.
        quarantined_since: None when the bars may be used.
        incidents: the latest ones, by their first day.
        confirmed: the doubts that the second source has confirmed.
        unconfirmed: the doubts about moves and flat series that it has neither confirmed nor contradicted.
        accepted: the owner's acceptances that hold, each for a dispute or an unconfirmed doubt of this card.
    """

    symbol: Symbol
    as_of: date
    checks: Mapping[str, str]
    bars: int = 0
    first_bar: date | None = None
    last_bar: date | None = None
    gaps: int = 0
    disagreements: int = 0
    compared_on: date | None = None
    comparison: str = ""
    quarantined_since: date | None = None
    incidents: tuple[Incident, ...] = ()
    confirmed: tuple[StoredDoubt, ...] = ()
    disputes: tuple[StoredDispute, ...] = ()
    unconfirmed: tuple[StoredDoubt, ...] = ()
    accepted: tuple[Acceptance, ...] = ()

    @property
    def open_incidents(self) -> tuple[Incident, ...]:
        """Return the faults and warnings that the latest check found."""
        return tuple(incident for incident in self.incidents if incident.until is None)

    @property
    def confirmed_doubts(self) -> tuple[Doubt, ...]:
        return _doubts(self.confirmed)

    @property
    def open_disputes(self) -> tuple[Dispute, ...]:
        return tuple(Dispute(*msgspec.structs.astuple(stored)) for stored in self.disputes)

    @property
    def contested(self) -> tuple[Contested, ...]:
        """Return what the owner can accept, and has accepted."""
        return contested(self.open_disputes, _doubts(self.unconfirmed))

    def is_accepted(self, finding: Contested) -> bool:
        """Return whether the owner has accepted exactly this finding."""
        return any(acceptance.holds_for(finding) for acceptance in self.accepted)


class Scorecards(Value):
    """The content of the object: the scorecards of the symbols that the book needs, by symbol."""

    checked_at: UtcDatetime
    as_of: date
    problems: tuple[str, ...] = ()
    symbols: tuple[Scorecard, ...]

    def by_symbol(self) -> Mapping[str, Scorecard]:
        return {card.symbol: card for card in self.symbols}

    @property
    def accepted(self) -> tuple[Acceptance, ...]:
        """Return the acceptances that hold."""
        return tuple(chain.from_iterable(card.accepted for card in self.symbols))


class ScorecardsEntry(Frozen):
    """The scorecards as they were read, None when there are none, and the version of the object.

    Attributes:
        fault: why there are none although there is an object; the monitor's next check replaces it.
    """

    scorecards: Scorecards | None = None
    version: str | None = None
    fault: str = ""

    def by_symbol(self) -> Mapping[str, Scorecard]:
        return {} if self.scorecards is None else self.scorecards.by_symbol()


def read_scorecards(objects: ObjectStore) -> ScorecardsEntry:
    """Return the stored scorecards.

    Raises:
        StateUnavailableError: the store did not answer.
    """
    stored = objects.get(SCORECARDS_KEY)
    if stored is None:
        return ScorecardsEntry()
    try:
        return ScorecardsEntry(Scorecards.read_json(stored.body), stored.version)
    except ValueError as error:
        fault = f"{objects.url(SCORECARDS_KEY)} cannot be parsed, so earlier findings are lost: {error}"
        return ScorecardsEntry(None, stored.version, fault)


def write_scorecards(objects: ObjectStore, scorecards: Scorecards, *, replaces: str | None) -> None:
    """Replace the stored scorecards.

    Raises:
        ObjectChangedError: another check wrote its own in the meantime; nothing was written.
        StateUnavailableError: it is not known whether they were written.
    """
    body = scorecards.to_json(indent=1).encode()
    objects.put(SCORECARDS_KEY, body, content_type="application/json", replaces=replaces)


def _doubts(stored: Iterable[StoredDoubt]) -> tuple[Doubt, ...]:
    return tuple(Doubt(doubt.kind, doubt.date, doubt.value) for doubt in stored)


def update_incidents(
    earlier: Iterable[Incident],
    faults: Iterable[Fault],
    warnings: Iterable[Fault],
    *,
    as_of: date,
    repaired: str = "",
) -> tuple[Incident, ...]:
    """Return the incidents after a check: an open one goes on when its fault is still there, and otherwise ends.

    Checking a session twice changes nothing: what was found before keeps its first day.

    Args:
        repaired: a fault as `code: detail` that came and went between two checks; empty for none.
    """
    current = {fault.code: Incident(code=fault.code, detail=fault.detail, since=as_of) for fault in faults}
    for warning in warnings:
        incident = Incident(code=warning.code, detail=warning.detail, since=as_of, quarantines=False)
        current.setdefault(warning.code, incident)

    incidents: list[Incident] = []
    for incident in earlier:
        now = current.pop(incident.code, None) if incident.until is None else None
        if incident.until is not None:
            incidents.append(incident)
        elif now is None:
            incidents.append(incident.changed(until=as_of))
        else:
            incidents.append(now.changed(since=min(incident.since, as_of)))

    ended: list[Incident] = []
    if repaired:
        code, _, detail = repaired.partition(": ")
        ended = [Incident(code=code, detail=detail, since=as_of, until=as_of)]
    new = [incident for incident in ended if incident not in incidents]
    return (*incidents, *new, *current.values())[-INCIDENTS_KEPT:]
