"""When a temporary environment expires, and that nothing else ever does."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from automation.deploying.releases import expiry
from automation.project.environments import Consent, Environment
from automation.system.errors import CheckFailedError, UsageError
from tests.automation.release_tables import FakeReleaseTable

NOW = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
DAY = timedelta(days=1)
TEMPORARY = Environment("pr-1", "eu-west-1", Consent.NONE, pattern="pr-*", ttl=3 * DAY)
LIVE = Environment("live", "eu-west-1", Consent.NONE)
WRITTEN = "2026-01-03T03:04:05+00:00"


def test_chosen_is_the_option_otherwise_the_setting() -> None:
    assert expiry.chosen(TEMPORARY, "") == 3 * DAY
    assert expiry.chosen(TEMPORARY, "12h") == DAY / 2
    assert expiry.chosen(LIVE, "") is None


def test_chosen_for_an_environment_that_never_expires_raises() -> None:
    with pytest.raises(UsageError) as caught:
        expiry.chosen(LIVE, "1d")

    what = "live never expires: only an environment of a pattern, such as pr-*, is temporary"
    assert str(caught.value) == f"--ttl: {what}"


def test_chosen_in_another_form_is_wrong_usage() -> None:
    with pytest.raises(
        UsageError, match=r"^--ttl: ttl must be hours or days, as in 12h or 3d, and at most 90d; got '1w'$"
    ):
        expiry.chosen(TEMPORARY, "1w")


def test_tags_have_the_time_in_utc() -> None:
    there = NOW.astimezone(timezone(timedelta(hours=-5)))

    assert expiry.tags(DAY, NOW) == expiry.tags(DAY, there) == {"expires-at": WRITTEN}
    assert expiry.tags(None, NOW) == {}


def test_extend_writes_the_time_and_says_it(capsys: pytest.CaptureFixture[str]) -> None:
    table = FakeReleaseTable()

    expiry.extend(TEMPORARY, table, DAY, now=NOW)

    assert table.labels == {"expires-at": WRITTEN}
    assert expiry.read(table) == datetime(2026, 1, 3, 3, 4, 5, tzinfo=UTC)
    assert capsys.readouterr().out == ("pr-1 expires at 2026-01-03 03:04 UTC; inv destroy --expired deletes it then\n")


def test_extend_without_a_ttl_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    table = FakeReleaseTable()

    expiry.extend(LIVE, table, None, now=NOW)

    assert (table.labels, capsys.readouterr().out) == ({}, "")


@pytest.mark.parametrize("tag", [None, "", "tomorrow", "2026-01-03", "2026-01-03T03:04:05", "1735873445"])
def test_read_of_anything_else_is_nothing(tag: str | None) -> None:
    """Planted fault: an edited tag must not make an environment expire."""
    table = FakeReleaseTable(labels={} if tag is None else {"expires-at": tag})

    assert expiry.read(table) is None


def test_require_passed_lets_only_the_expired_go_on() -> None:
    table = FakeReleaseTable(labels={"expires-at": WRITTEN})
    moment = datetime.fromisoformat(WRITTEN)

    expiry.require_passed(table, "pr-1", now=moment)
    with pytest.raises(CheckFailedError, match=r"^pr-1: it has not expired; nothing was changed$") as caught:
        expiry.require_passed(table, "pr-1", now=moment - timedelta(seconds=1))

    (finding,) = caught.value.findings
    assert (finding.where, finding.what) == ("pr-1", "it expires at 2026-01-03 03:04 UTC")
    assert finding.fix == "inv destroy --env pr-1 deletes it now"


def test_require_passed_without_a_tag_refuses() -> None:
    with pytest.raises(CheckFailedError) as caught:
        expiry.require_passed(FakeReleaseTable(name="shop-pr-1-releases"), "pr-1", now=NOW)

    assert caught.value.findings[0].what == "shop-pr-1-releases has no tag expires-at"
