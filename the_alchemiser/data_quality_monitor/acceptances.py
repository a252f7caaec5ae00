"""The findings that the owner has looked at and accepted, in `quality/v1/accepted.json`; the desk writes it.

Only what the second source contradicts or has not confirmed can be accepted. What is wrong with the bars themselves,
such as a missing session, stays a fault.
"""

from collections.abc import Iterable
from datetime import date

from the_alchemiser.data_quality_monitor.comparing import FLAT, UNCONFIRMED, Dispute, percent
from the_alchemiser.data_quality_monitor.doubts import Doubt, DoubtKind
from the_alchemiser.shared.market_data.objects import ObjectStore
from the_alchemiser.shared.market_data.verdict import QUALITY
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.values import Symbol, UtcDatetime, Value

ACCEPTED_KEY = f"{QUALITY}/accepted.json"
_SAME = 0.005


class Contested(Frozen):
    """One day of a symbol that the second source contradicts, or has not confirmed.

    Attributes:
        value: the move of the lake's close on this day; of a flat series, its sessions.
        second: the move of the second source's close; of a flat series, the range of its closes; None when it has none.
    """

    code: str
    date: date
    value: float
    second: float | None
    detail: str


class Acceptance(Value):
    """A contested day that the owner has accepted; see Contested.

    Attributes:
        by: who has accepted it.
        at: business time, UTC.
        reason: why, in the owner's words; may be empty.
    """

    symbol: Symbol
    code: str
    date: date
    value: float
    second: float | None
    detail: str
    by: str
    at: UtcDatetime
    reason: str = ""

    def holds_for(self, finding: Contested) -> bool:
        """Return whether the finding is the accepted one: the same code, day and values in both sources.

        Adjusting prices again changes a move by almost nothing.
        """
        same_day = (self.code, self.date) == (finding.code, finding.date)
        return same_day and abs(self.value - finding.value) < _SAME and _is_same(self.second, finding.second)


class Acceptances(Value):
    """The content of the object."""

    accepted: tuple[Acceptance, ...] = ()

    def of(self, symbol: str) -> tuple[Acceptance, ...]:
        """Return those of one symbol."""
        return tuple(acceptance for acceptance in self.accepted if acceptance.symbol == symbol)


class AcceptancesEntry(Frozen):
    """The acceptances as they were read, and the version of the object.

    Attributes:
        fault: why there are none although there is an object.
    """

    acceptances: Acceptances = Acceptances()
    version: str | None = None
    fault: str = ""


def contested(disputes: Iterable[Dispute], doubts: Iterable[Doubt]) -> tuple[Contested, ...]:
    """Return every contested day: the disputes, then what nobody has confirmed about other days.

    Args:
        doubts: those that the second source has not confirmed. A doubt about a volume makes no bars unusable.
    """
    findings = [of_dispute(dispute) for dispute in disputes]
    disputed = {finding.date for finding in findings}
    unconfirmed = [doubt for doubt in doubts if doubt.kind is not DoubtKind.VOLUME and doubt.date not in disputed]
    return (*findings, *map(of_doubt, unconfirmed))


def of_dispute(dispute: Dispute) -> Contested:
    """Return what the second source contradicts."""
    return Contested(dispute.code, dispute.date, dispute.move, dispute.second, dispute.detail)


def of_doubt(doubt: Doubt) -> Contested:
    """Return what the second source has not confirmed: a move or a flat series."""
    if doubt.kind is DoubtKind.FLAT:
        detail = f"the same price from {doubt.date} for {doubt.value:.0f} sessions"
        return Contested(FLAT, doubt.date, doubt.value, None, detail)
    return Contested(UNCONFIRMED, doubt.date, doubt.value, None, f"{doubt.date} {percent(doubt.value)}")


def read_acceptances(objects: ObjectStore) -> AcceptancesEntry:
    """Return the stored acceptances; none when the object cannot be parsed, so that nothing is released by mistake.

    Raises:
        StateUnavailableError: the store did not answer.
    """
    stored = objects.get(ACCEPTED_KEY)
    if stored is None:
        return AcceptancesEntry()
    try:
        return AcceptancesEntry(Acceptances.read_json(stored.body), stored.version)
    except ValueError as error:
        fault = f"{objects.url(ACCEPTED_KEY)} cannot be parsed, so no finding counts as accepted: {error}"
        return AcceptancesEntry(version=stored.version, fault=fault)


def write_acceptances(objects: ObjectStore, acceptances: Acceptances, *, replaces: str | None) -> None:
    """Replace the stored acceptances.

    Raises:
        ObjectChangedError: somebody else has changed them since they were read; nothing was written.
        StateUnavailableError: it is not known whether they were written.
    """
    body = acceptances.to_json(indent=1).encode()
    objects.put(ACCEPTED_KEY, body, content_type="application/json", replaces=replaces)


def _is_same(accepted: float | None, now: float | None) -> bool:
    if accepted is None or now is None:
        return accepted is now
    return abs(accepted - now) < _SAME
