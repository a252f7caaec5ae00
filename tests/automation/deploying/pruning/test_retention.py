"""Which releases stay restorable, and which digests they use."""

from dataclasses import replace
from datetime import UTC, datetime

from automation.deploying.pruning import retention
from automation.deploying.releases.records import Release, Smoke, Status

SINCE = datetime(2026, 3, 1, tzinfo=UTC)
OLD = Release(status=Status.DEPLOYED, smoke=Smoke.FAILED, created_at="2026-03-01T00:00:00+00:00")


def known(count: int, **changes: Release) -> list[Release]:
    """Return old releases, newest first, of which no test has passed; `changes` replaces some, as r3=…."""
    releases = [replace(OLD, number=number) for number in range(count, 0, -1)]
    return [changes.get(release.name, release) for release in releases]


def kept(releases: list[Release], running: Release | None = None, newest: int = 2) -> set[int]:
    return set(retention.kept(releases, running, newest=newest, young_since=SINCE))


def passed(number: int) -> Release:
    return replace(OLD, number=number, smoke=Smoke.PASSED)


def test_kept_is_the_newest() -> None:
    assert kept(known(9)) == {9, 8}
    assert kept(known(9), newest=3) == {9, 8, 7}
    assert kept([]) == set()


def test_kept_includes_the_running_release() -> None:
    assert kept(known(9), replace(OLD, number=3)) == {9, 8, 3}


def test_kept_includes_the_last_good_of_all() -> None:
    assert kept(known(9, r4=passed(4), r3=passed(3))) == {9, 8, 4}
    assert kept(known(9, r9=passed(9), r3=passed(3))) == {9, 8}


def test_kept_includes_the_good_one_before_the_running_one() -> None:
    """It is what inv rollback restores without --to."""
    releases = known(9, r9=passed(9), r5=passed(5), r3=passed(3))

    assert kept(releases, replace(OLD, number=5)) == {9, 8, 5, 3}


def test_kept_includes_the_good_ones_before_the_newest_and_before_the_running_one() -> None:
    releases = known(9, r7=passed(7), r5=passed(5), r3=passed(3))

    assert kept(releases, replace(OLD, number=5)) == {9, 8, 7, 5, 3}


def test_kept_after_a_rollback_includes_the_good_one_before_the_restored_one() -> None:
    """r9 restores r4; the next rollback restores r2, and an automatic one r5."""
    running = replace(passed(9), rollback_to=4)
    releases = known(9, r9=running, r5=passed(5), r4=passed(4), r2=passed(2), r1=passed(1))

    assert kept(releases, running) == {9, 8, 5, 2}


def test_kept_includes_young_releases() -> None:
    young = {
        "r3": replace(OLD, number=3, created_at="2026-03-01T00:00:01+00:00"),
        "r2": replace(OLD, number=2, created_at=""),
    }

    assert kept(known(9, **young)) == {9, 8, 3, 2}


def test_digests_in_finds_sha256_and_md5() -> None:
    sha256, md5 = "ab" * 32, "0123456789abcdef" * 2

    assert retention.digests_in([f"s3://b/p/{sha256}.zip", f'"{md5}"', "none"]) == {sha256, md5}


def test_digests_in_ignores_hashes_of_other_lengths() -> None:
    """A commit has 40 digits; part of it is not a digest."""
    assert retention.digests_in(["a" * 40, "b" * 31, "c" * 33, "d" * 63, "e" * 65, "F" * 32]) == set()
