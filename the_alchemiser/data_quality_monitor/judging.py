"""Judge one symbol: its bars, what the second source says of them, and what earlier checks know. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby
from operator import attrgetter

import msgspec

from the_alchemiser.data_quality_monitor.acceptances import Acceptance, Contested, contested, of_dispute, of_doubt
from the_alchemiser.data_quality_monitor.checks import CHECKS, Fault, History, find_faults, missing_sessions
from the_alchemiser.data_quality_monitor.comparing import (
    DISAGREEMENT,
    FLAT,
    UNCONFIRMED,
    Comparison,
    Dispute,
    percent,
)
from the_alchemiser.data_quality_monitor.doubts import Doubt, DoubtKind, find_doubts
from the_alchemiser.data_quality_monitor.scorecards import (
    PASSED,
    Scorecard,
    StoredDispute,
    StoredDoubt,
    update_incidents,
)
from the_alchemiser.shared.market_data.bars import DailyBar
from the_alchemiser.shared.market_data.lake import LakeEntry, StoredDescription
from the_alchemiser.shared.market_data.verdict import QuarantineEntry
from the_alchemiser.shared.records import Frozen

VOLUME = "volume"
ALL_CHECKS = ("missing", "damaged", "digest", *CHECKS, FLAT, UNCONFIRMED, DISAGREEMENT, VOLUME)
KEPT_FOR = timedelta(days=7)
"""How long an entry of the verdict holds when no check renews it."""
LATEST_SESSIONS = 5
"""The second source is asked about a volume for so many sessions; it makes no bars unusable."""
_INCOMPARABLE = frozenset({"missing", "damaged", "duplicate", "disorder", "non-positive"})
_SAME_MOVE = 0.005


class Examined(Frozen):
    """What a symbol's bars say by themselves, and what earlier checks say of them.

    Attributes:
        card: the latest scorecard; None before the first check.
        is_comparable: whether the bars can be compared with those of the second source.
        doubts: none when they cannot.
        open_disputes: those of the card that still apply: the lake has the same move on that day.
        settled: the doubts that the second source has confirmed in an earlier check.
        acceptances: those of the symbol, whether or not they still hold.
    """

    symbol: str
    history: History
    faults: tuple[Fault, ...]
    card: Scorecard | None
    is_comparable: bool
    doubts: tuple[Doubt, ...]
    open_disputes: tuple[Dispute, ...]
    settled: frozenset[Doubt]
    acceptances: tuple[Acceptance, ...] = ()

    @property
    def needs_second_source(self) -> bool:
        """Return whether only the second source can say that the bars may be used, or that a new volume is right."""
        latest = {bar.date for bar in self.history.bars[-LATEST_SESSIONS:]}
        unsettled = [doubt for doubt in self.doubts if doubt not in self.settled]
        has_new_volume = any(doubt.kind is DoubtKind.VOLUME and doubt.date in latest for doubt in unsettled)
        return has_new_volume or not all(map(self.is_accepted, contested(self.open_disputes, unsettled)))

    def is_accepted(self, finding: Contested) -> bool:
        """Return whether the owner has accepted exactly this finding."""
        return any(acceptance.holds_for(finding) for acceptance in self.acceptances)


class Judgement(Frozen):
    """The result for one symbol."""

    card: Scorecard
    faults: tuple[Fault, ...]

    def entries(self) -> Iterable[QuarantineEntry]:
        """Yield why the symbol must not be used."""
        for incident in self.card.open_incidents:
            if incident.quarantines:
                yield QuarantineEntry(
                    symbol=self.card.symbol,
                    code=incident.code,
                    detail=incident.detail,
                    since=incident.since,
                    expires=self.card.as_of + KEPT_FOR,
                )


def examine(
    entry: LakeEntry,
    described: StoredDescription,
    history: History,
    card: Scorecard | None,
    acceptances: tuple[Acceptance, ...] = (),
) -> Examined:
    """Check a symbol's bars, and find what is doubtful about them.

    Args:
        history: the entry's bars through as_of.
        acceptances: those of the symbol.
    """
    faults = find_faults(entry, described, history)
    is_comparable = bool(history.bars) and _INCOMPARABLE.isdisjoint(fault.code for fault in faults)
    doubts = find_doubts(history.bars) if is_comparable else ()
    confirmed = {(doubt.kind, doubt.date): doubt for doubt in card.confirmed_doubts} if card else {}
    settled = frozenset(
        doubt for doubt in doubts if (known := confirmed.get((doubt.kind, doubt.date))) and doubt.is_same(known)
    )
    disputes = card.open_disputes if card and is_comparable else ()
    moves = _moves(history.bars, {dispute.date for dispute in disputes})
    still_open = tuple(dispute for dispute in disputes if _still_applies(dispute, moves, doubts))
    return Examined(entry.symbol, history, faults, card, is_comparable, doubts, still_open, settled, acceptances)


def judge(examined: Examined, comparison: Comparison | None, note: str) -> Judgement:
    """Return the scorecard of a symbol and its faults.

    Args:
        comparison: None when the second source was not asked, or gave no answer.
        note: what happened with the second source, as a phrase: `7 doubts confirmed`, `it does not answer: …`.
    """
    confirmed, disputes = _answers(examined, comparison)
    disputed = {dispute.date for dispute in disputes}
    open_doubts = [doubt for doubt in examined.doubts if doubt not in confirmed]
    volumes = [doubt for doubt in open_doubts if doubt.kind is DoubtKind.VOLUME]
    # A doubt about a day that is disputed needs no further word.
    unconfirmed = [doubt for doubt in open_doubts if doubt not in volumes and doubt.date not in disputed]
    accepted = tuple(_in_force(examined, contested(disputes, unconfirmed)))

    why = note if comparison is None else "the second source does not have these sessions"
    contradicted = [dispute for dispute in disputes if not examined.is_accepted(of_dispute(dispute))]
    doubtful = [doubt for doubt in unconfirmed if not examined.is_accepted(of_doubt(doubt))]
    faults = _merged((*examined.faults, *_dispute_faults(contradicted), *_doubt_faults(doubtful, why)))
    warnings = (*_accepted_warnings(accepted), *_volume_warnings(volumes))
    card = _card(examined, faults, warnings, comparison, note)
    return Judgement(
        card.changed(
            confirmed=_stored(sorted(confirmed)),
            disputes=tuple(StoredDispute(**msgspec.structs.asdict(dispute)) for dispute in disputes),
            unconfirmed=_stored(unconfirmed),
            accepted=accepted,
        ),
        faults,
    )


def _answers(examined: Examined, comparison: Comparison | None) -> tuple[set[Doubt], tuple[Dispute, ...]]:
    """Return the doubts that the second source has confirmed, and the disputes: what it says now, or said before."""
    if comparison is None:
        return set(examined.settled), examined.open_disputes
    # What the second source says now counts; what it no longer says anything about stays as it was.
    disputed = {dispute.date for dispute in comparison.disputes}
    remembered = {doubt for doubt in examined.settled if doubt.date not in disputed}
    return remembered | set(comparison.confirmed), comparison.disputes


def _in_force(examined: Examined, findings: Iterable[Contested]) -> Iterable[Acceptance]:
    """Yield the acceptances that hold for one of the findings."""
    present = tuple(findings)
    return (acceptance for acceptance in examined.acceptances if any(map(acceptance.holds_for, present)))


def _stored(doubts: Iterable[Doubt]) -> tuple[StoredDoubt, ...]:
    return tuple(StoredDoubt(**msgspec.structs.asdict(doubt)) for doubt in doubts)


def _card(
    examined: Examined, faults: Sequence[Fault], warnings: Sequence[Fault], comparison: Comparison | None, note: str
) -> Scorecard:
    history, card = examined.history, examined.card
    incidents = update_incidents(
        card.incidents if card else (), faults, warnings, as_of=history.as_of, repaired=history.repaired
    )
    days = [bar.date for bar in history.bars]
    details = {fault.code: fault.detail for fault in (*warnings, *faults)}
    compared_on = history.as_of if comparison is not None else card.compared_on if card else None
    disputes = comparison.disputes if comparison is not None else examined.open_disputes

    return Scorecard(
        symbol=examined.symbol,
        as_of=history.as_of,
        checks={check: details.get(check, PASSED) for check in ALL_CHECKS},
        bars=len(days),
        first_bar=min(days, default=None),
        last_bar=max(days, default=None),
        gaps=len(missing_sessions(history)),
        disagreements=len(disputes),
        compared_on=compared_on,
        comparison=note,
        quarantined_since=min(
            (incident.since for incident in incidents if incident.until is None and incident.quarantines), default=None
        ),
        incidents=incidents,
    )


def _moves(bars: Sequence[DailyBar], days: set[date]) -> Mapping[date, float]:
    """Return the moves of the adjusted close on these days."""
    if not days:
        return {}
    numbers = (number for number in range(1, len(bars)) if bars[number].date in days)
    return {bars[number].date: bars[number].adjusted / bars[number - 1].adjusted - 1 for number in numbers}


def _still_applies(dispute: Dispute, moves: Mapping[date, float], doubts: Iterable[Doubt]) -> bool:
    if dispute.code == FLAT:
        return any(doubt.kind is DoubtKind.FLAT and doubt.date == dispute.date for doubt in doubts)
    move = moves.get(dispute.date)
    return move is not None and abs(move - dispute.move) < _SAME_MOVE


def _dispute_faults(disputes: Sequence[Dispute]) -> Iterable[Fault]:
    by_code = attrgetter("code")
    for code, group in groupby(sorted(disputes, key=by_code), key=by_code):
        first, *others = sorted(group, key=attrgetter("date"))
        more = f" and on {len(others)} more day{'s' * (len(others) > 1)}" if others else ""
        yield Fault(code, first.detail + more)


def _doubt_faults(doubts: Sequence[Doubt], why: str) -> Iterable[Fault]:
    """Yield the faults of moves and flat series that nobody has confirmed."""
    moves = [f"{doubt.date} {percent(doubt.value)}" for doubt in doubts if doubt.kind is DoubtKind.MOVE]
    if moves:
        yield Fault(UNCONFIRMED, f"{_some(moves)}: {why}")
    series = [f"{doubt.date} for {doubt.value:.0f} sessions" for doubt in doubts if doubt.kind is DoubtKind.FLAT]
    if series:
        yield Fault(FLAT, f"the same price from {_some(series)}: {why}")


def _accepted_warnings(accepted: Sequence[Acceptance]) -> Iterable[Fault]:
    by_code = attrgetter("code")
    for code, group in groupby(sorted(accepted, key=by_code), key=by_code):
        texts = [f"{acceptance.detail} (accepted by {acceptance.by})" for acceptance in group]
        yield Fault(code, _some(texts))


def _volume_warnings(doubts: Iterable[Doubt]) -> Iterable[Fault]:
    texts = [f"{doubt.date} {doubt.value:.2g} times the usual" for doubt in doubts]
    if texts:
        yield Fault(VOLUME, _some(texts[::-1]))  # the latest are news


def _some(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - 3} more" if len(texts) > 3 else ""
    return ", ".join(texts[:3]) + more


def _merged(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """Return one fault per code: the bars themselves and the second source may show the same one."""
    merged: dict[str, Fault] = {}
    for fault in faults:
        known = merged.get(fault.code)
        merged[fault.code] = fault if known is None else Fault(fault.code, f"{known.detail}; {fault.detail}")
    return tuple(merged.values())
