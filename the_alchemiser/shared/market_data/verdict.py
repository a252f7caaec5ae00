"""The quality verdict in `quality/v1/latest.json`: the monitor writes it, and every decision reads it first."""

import json
from collections.abc import Mapping
from datetime import date

from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.shared.market_data.objects import ObjectStore, StoredObject, digest_of
from the_alchemiser.shared.values import Symbol, UtcDatetime, Value

QUALITY = "quality/v1"
VERDICT_KEY = f"{QUALITY}/latest.json"


class VerdictMalformedError(AlchemiserError):
    """The stored verdict cannot be parsed. The monitor's next check replaces it."""


class QuarantineEntry(Value):
    """One reason why a symbol's bars must not be used.

    The first check that no longer finds the fault removes the entry, and each check that finds it again renews it. So
    an entry only expires when nothing is checked any more; strategies need a check of their own day anyway.

    Attributes:
        code: never changes its spelling.
        detail: a phrase for people.
        since: the as_of of the first of the checks that have found it without a break.
        expires: the last as_of for which it holds.
    """

    symbol: Symbol
    code: str
    detail: str
    since: date
    expires: date


class Verdict(Value):
    """The result of one check of the lake.

    Attributes:
        checked_at: business time, UTC.
        as_of: the last session whose bars were checked.
        quarantined: the symbols whose bars must not be used for decisions, each with its faults.
        problems: what a person must look at, although it makes no bars unusable.
        entries: the reasons one by one, by symbol; none in the verdicts of earlier releases.
    """

    checked_at: UtcDatetime
    as_of: date
    quarantined: Mapping[Symbol, str]
    problems: tuple[str, ...] = ()
    entries: tuple[QuarantineEntry, ...] = ()

    def reason(self, symbol: str, as_of: date) -> str | None:
        """Return why a symbol's bars must not be used for a decision on as_of; None when they may."""
        entries = [entry for entry in self.entries if entry.symbol == symbol]
        if entries and all(entry.expires < as_of for entry in entries):
            return None
        return self.quarantined.get(symbol)

    @property
    def digest(self) -> str:
        """Return a short digest of the findings. It does not depend on the time of the check."""
        findings = self.to_content()
        del findings["checked_at"]
        text = json.dumps(findings, ensure_ascii=False, separators=(",", ":"))
        return digest_of(text.encode())[:16]


def read_verdict(objects: ObjectStore) -> Verdict | None:
    """Return the latest verdict, or None when there is none.

    Raises:
        VerdictMalformedError: the stored object cannot be parsed as a verdict.
        StateUnavailableError: the store did not answer.
    """
    stored = objects.get(VERDICT_KEY)
    return None if stored is None else _parse(stored, objects.url(VERDICT_KEY))


def write_verdict(objects: ObjectStore, verdict: Verdict, *, keep_newer: bool) -> bool:
    """Replace the stored verdict.

    Args:
        keep_newer: do not replace a verdict on a later session. A message that arrives late must not undo one.

    Returns:
        True when the verdict was written, False when a newer one was kept.

    Raises:
        ObjectChangedError: another check wrote its verdict in the meantime; nothing was written.
        StateUnavailableError: it is not known whether the verdict was written.
    """
    stored = objects.get(VERDICT_KEY)
    session = _as_of(stored) if stored is not None and keep_newer else None
    if session is not None and session > verdict.as_of:
        return False

    # Conditional on the version just read: of two checks at the same time, one fails and is repeated by its queue.
    objects.put(
        VERDICT_KEY,
        verdict.to_json(indent=2).encode(),
        content_type="application/json",
        replaces=None if stored is None else stored.version,
    )
    return True


def is_newer_stored(objects: ObjectStore, as_of: date) -> bool:
    """Return whether the stored verdict is on a later session.

    Raises:
        StateUnavailableError: the store did not answer.
    """
    session = stored_as_of(objects)
    return session is not None and session > as_of


def stored_as_of(objects: ObjectStore) -> date | None:
    """Return the session of the stored verdict; None without a verdict that can be parsed.

    Raises:
        StateUnavailableError: the store did not answer.
    """
    stored = objects.get(VERDICT_KEY)
    return None if stored is None else _as_of(stored)


def _as_of(stored: StoredObject) -> date | None:
    try:
        return _parse(stored, VERDICT_KEY).as_of
    except VerdictMalformedError:
        return None


def _parse(stored: StoredObject, where: str) -> Verdict:
    try:
        return Verdict.read_json(stored.body)
    except ValueError as error:
        raise VerdictMalformedError(f"{where} is not a valid verdict; run the quality check again: {error}") from error
