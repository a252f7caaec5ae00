"""The quality verdict: `quality/v1/latest.json`, written by the monitor, read before anything is decided."""

import hashlib
from collections.abc import Mapping
from datetime import date

from pydantic import AwareDatetime, ValidationError

from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.shared.market_data.objects import ObjectStore, StoredObject
from the_alchemiser.shared.messaging.messages import Symbol, Value

VERDICT_KEY = "quality/v1/latest.json"


class VerdictMalformedError(AlchemiserError):
    """The verdict is not one of ours; the monitor's next check replaces it."""


class Verdict(Value):
    """Which symbols are unfit for decisions on closes through as_of, each with its reason.

    `checked_at` is business time, UTC.
    """

    checked_at: AwareDatetime
    as_of: date
    quarantined: Mapping[Symbol, str]

    @property
    def digest(self) -> str:
        """Of what was found; when it was found does not change it."""
        found = self.model_dump_json(include={"as_of", "quarantined"})
        return hashlib.sha256(found.encode()).hexdigest()[:16]


def read_verdict(objects: ObjectStore) -> Verdict | None:
    """The latest verdict; None when there is none.

    Raises:
        VerdictMalformedError: what lies there is no verdict.
        StateUnavailableError: the store did not answer.
    """
    stored = objects.get(VERDICT_KEY)
    return None if stored is None else _parsed(stored, objects.url(VERDICT_KEY))


def write_verdict(objects: ObjectStore, verdict: Verdict, *, keep_newer: bool) -> bool:
    """Put the verdict in the place of the one that stands; False when that one was kept.

    Args:
        keep_newer: leave a verdict of a later as_of alone, as a late message should.

    Raises:
        ObjectChangedError: another check was faster.
        StateUnavailableError: the store did not answer.
    """
    stored = objects.get(VERDICT_KEY)
    if stored is not None and keep_newer and _is_newer(stored, verdict.as_of):
        return False
    objects.put(
        VERDICT_KEY,
        verdict.model_dump_json(indent=2).encode(),
        content_type="application/json",
        replaces=None if stored is None else stored.version,
    )
    return True


def _is_newer(stored: StoredObject, as_of: date) -> bool:
    try:
        return _parsed(stored, VERDICT_KEY).as_of > as_of
    except VerdictMalformedError:
        return False


def _parsed(stored: StoredObject, where: str) -> Verdict:
    try:
        return Verdict.model_validate_json(stored.body)
    except ValidationError as error:
        raise VerdictMalformedError(f"{where} is not a verdict: {error}") from error
