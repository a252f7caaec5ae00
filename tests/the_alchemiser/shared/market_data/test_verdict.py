"""The verdict is read as it was written, and a late check does not replace the verdict on a later session."""

from datetime import UTC, date, datetime

import pytest

from tests.the_alchemiser.shared.market_data.in_memory_objects import InMemoryObjects
from the_alchemiser.shared.market_data.objects import ObjectChangedError
from the_alchemiser.shared.market_data.verdict import (
    VERDICT_KEY,
    QuarantineEntry,
    Verdict,
    VerdictMalformedError,
    is_newer_stored,
    read_verdict,
    write_verdict,
)

NOW = datetime(2022, 3, 16, 0, 5, tzinfo=UTC)
MONDAY, TUESDAY = date(2022, 3, 14), date(2022, 3, 15)


def verdict(as_of: date = TUESDAY, **quarantined: str) -> Verdict:
    return Verdict(checked_at=NOW, as_of=as_of, quarantined=quarantined)


def test_read_verdict_missing_returns_none() -> None:
    assert read_verdict(InMemoryObjects()) is None


def test_read_verdict_after_write_returns_what_was_written() -> None:
    objects = InMemoryObjects()
    write_verdict(objects, verdict(SPY="gap: 2022-03-01"), keep_newer=True)

    assert VERDICT_KEY == "quality/v1/latest.json"
    assert read_verdict(objects) == verdict(SPY="gap: 2022-03-01")


def test_write_verdict_keep_newer_keeps_the_later_session() -> None:
    objects = InMemoryObjects()
    write_verdict(objects, verdict(TUESDAY), keep_newer=True)

    assert not write_verdict(objects, verdict(MONDAY), keep_newer=True)
    assert read_verdict(objects) == verdict(TUESDAY)


def test_write_verdict_without_keep_newer_replaces_it() -> None:
    objects = InMemoryObjects()
    write_verdict(objects, verdict(TUESDAY), keep_newer=True)

    assert write_verdict(objects, verdict(MONDAY), keep_newer=False)
    assert read_verdict(objects) == verdict(MONDAY)


def test_write_verdict_after_another_check_raises() -> None:
    objects = InMemoryObjects()
    objects.before_write = lambda: objects.plant(VERDICT_KEY, b"{}")
    with pytest.raises(ObjectChangedError):
        write_verdict(objects, verdict(), keep_newer=True)


def test_read_verdict_malformed_raises_until_it_is_replaced() -> None:
    objects = InMemoryObjects()
    objects.plant(VERDICT_KEY, b'{"as_of": "yesterday"}')
    with pytest.raises(VerdictMalformedError, match=r"latest\.json"):
        read_verdict(objects)
    write_verdict(objects, verdict(), keep_newer=True)

    assert read_verdict(objects) == verdict()


def test_digest_depends_only_on_the_findings() -> None:
    later = verdict().changed(checked_at=NOW.replace(hour=1))

    assert later.digest == verdict().digest
    assert verdict(SPY="stale").digest != verdict().digest
    assert verdict(MONDAY).digest != verdict(TUESDAY).digest


def entry(expires: date) -> QuarantineEntry:
    return QuarantineEntry(symbol="SPY", code="gap", detail="2022-03-01", since=MONDAY, expires=expires)


@pytest.mark.parametrize(
    ("expirations", "as_of", "is_quarantined"),
    [
        ((), TUESDAY, True),
        ((TUESDAY,), TUESDAY, True),
        ((MONDAY,), TUESDAY, False),
        ((MONDAY, TUESDAY), TUESDAY, True),
        ((MONDAY, MONDAY), TUESDAY, False),
    ],
)
def test_reason_ends_when_every_entry_has_expired(
    expirations: tuple[date, ...], as_of: date, *, is_quarantined: bool
) -> None:
    checked = verdict(SPY="gap: 2022-03-01").changed(entries=tuple(map(entry, expirations)))

    assert checked.reason("SPY", as_of) == ("gap: 2022-03-01" if is_quarantined else None)


def test_reason_of_another_symbol_is_none() -> None:
    assert verdict(SPY="gap: 2022-03-01").reason("TLT", TUESDAY) is None


def test_verdict_of_an_earlier_release_has_no_entries() -> None:
    text = '{"as_of": "2022-03-15", "checked_at": "2022-03-16T00:05:00Z", "quarantined": {"SPY": "gap: 2022-03-01"}}'

    assert Verdict.read_json(text) == verdict(SPY="gap: 2022-03-01")


@pytest.mark.parametrize(("as_of", "is_newer"), [(MONDAY, True), (TUESDAY, False)])
def test_is_newer_stored_compares_sessions(as_of: date, *, is_newer: bool) -> None:
    objects = InMemoryObjects()
    assert not is_newer_stored(objects, as_of)
    write_verdict(objects, verdict(TUESDAY), keep_newer=True)

    assert is_newer_stored(objects, as_of) == is_newer
