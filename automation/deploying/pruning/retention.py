"""Which releases must stay restorable, and which digests they use.

Every zip, template, plan and contract is stored under a digest, by our own upload (SHA-256) and by SAM's (MD5). A
digest that is written anywhere in a release or in its templates is in use.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from automation.deploying.releases import records as releases
from automation.deploying.releases.records import Release

_DIGEST = re.compile(r"(?<![0-9a-f])(?:[0-9a-f]{64}|[0-9a-f]{32})(?![0-9a-f])")


def kept(known: Sequence[Release], running: Release | None, *, newest: int, young_since: datetime) -> frozenset[int]:
    """Return the numbers of the releases of which nothing may be deleted.

    These are the newest ones, the one that runs, those that a rollback would choose by itself, and young ones, whose
    deployment may not be finished.

    Args:
        known: all releases, newest first.
        running: None when it is not known.
        newest: how many of the newest stay.
        young_since: when the oldest young release was made, aware.
    """
    numbers = {release.number for release in known[:newest]}
    numbers |= {release.number for release in known if _is_young(release, young_since)}

    starts = [known[0].number + 1] if known else []
    if running is not None:
        numbers.add(running.number)
        starts += [running.number, running.rollback_to or running.number]
    for start in starts:
        good = releases.last_good(known, before=start)
        numbers |= {good.number} if good else set()
    return frozenset(numbers)


def digests_in(texts: Iterable[str]) -> frozenset[str]:
    """Return every digest that is written in the texts, in hexadecimal."""
    digests: set[str] = set()
    for text in texts:
        digests.update(_DIGEST.findall(text))
    return frozenset(digests)


def _is_young(release: Release, since: datetime) -> bool:
    # Without a time it may be young.
    return not release.created_at or datetime.fromisoformat(release.created_at) > since
