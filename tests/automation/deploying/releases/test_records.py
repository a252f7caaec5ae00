"""Which release runs, whether it is up to date, which is good to go back to, and how records survive versions."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from automation.deploying.releases import records as releases
from automation.deploying.releases.records import Release, ReleasedStack, Smoke, Status
from automation.system.errors import Finding
from automation.system.stacks import StackState
from tests.automation.release_tables import FakeReleaseTable

BASE = StackState("shop-base", "UPDATE_COMPLETE", "arn:base", "2026-01-01T00:00:00+00:00")
APP = StackState("shop-app", "UPDATE_COMPLETE", "arn:app", "2026-01-01T00:01:00+00:00")
BASE_2 = replace(BASE, changed_at="2026-01-02T00:00:00+00:00")
APP_2 = replace(APP, changed_at="2026-01-02T00:01:00+00:00")
FULL = Release(
    number=7,
    commit="c0ffee",
    is_dirty=True,
    arn="arn:ann",
    person="ann@desk",
    created_at="2026-01-02T03:04:05+00:00",
    plan="s3://bucket/plan.json",
    verdict="needs consent",
    allowed=("replace:Ledger",),
    contracts="d1",
    rollback_to=5,
    pruned=True,
    status=Status.DEPLOYED,
    smoke=Smoke.INCOMPLETE,
    smoke_findings=(Finding("Till", "the secret is missing", "set it"),),
    stacks=(
        ReleasedStack(
            stack="app",
            stack_name="shop-app",
            digest="d2",
            template="s3://bucket/app.json",
            parameters={"Stage": "live"},
            code={"Till": "d3"},
            sizes={"Till": 12},
            contents={"Till": {"numpy==2.4.1": 34}},
            mounts={"Till": ("Wheels", "Code")},
            stack_id="arn:app",
            changed_at="2026-01-02T03:05:00+00:00",
            content_of=7,
        ),
    ),
)
EMPTY_STACK = {
    **dict.fromkeys(("stack", "stack_name", "digest", "template", "stack_id", "changed_at"), ""),
    "parameters": {},
    "code": {},
    "sizes": {},
    "contents": {},
    "mounts": {},
    "content_of": 0,
}
DOCUMENT: dict[str, Any] = {
    "commit": "c0ffee",
    "is_dirty": True,
    "arn": "arn:ann",
    "person": "ann@desk",
    "created_at": "2026-01-02T03:04:05+00:00",
    "plan": "s3://bucket/plan.json",
    "verdict": "needs consent",
    "allowed": ["replace:Ledger"],
    "contracts": "d1",
    "rollback_to": 5,
    "pruned": True,
    "status": "deployed",
    "smoke": "incomplete",
    "smoke_findings": [{"where": "Till", "what": "the secret is missing", "fix": "set it"}],
    "stacks": [
        {
            "stack": "app",
            "stack_name": "shop-app",
            "digest": "d2",
            "template": "s3://bucket/app.json",
            "parameters": {"Stage": "live"},
            "code": {"Till": "d3"},
            "sizes": {"Till": 12},
            "contents": {"Till": {"numpy==2.4.1": 34}},
            "mounts": {"Till": ["Wheels", "Code"]},
            "stack_id": "arn:app",
            "changed_at": "2026-01-02T03:05:00+00:00",
            "content_of": 7,
        }
    ],
}


def release(number: int, status: str = Status.DEPLOYED, smoke: str = Smoke.PASSED, names: str = "base app") -> Release:
    """Return a release before its deployment has left the stacks anywhere."""
    stacks = [ReleasedStack(name, f"shop-{name}", digest=f"{name}{number}") for name in names.split()]
    return Release(number, status=status, smoke=smoke, stacks=tuple(stacks))


def left(number: int, *states: StackState, before: Release | None = None, status: str = Status.DEPLOYED) -> Release:
    """Return a release after its deployment has left the stacks in these states."""
    return releases.as_left(release(number, status), states, before=before)


def running(known: Sequence[Release], *states: StackState) -> int:
    """Return the number of the release that runs; 0 when it is not known."""
    runs = releases.running(known, states)
    return runs.number if runs else 0


# --- records


def test_document_has_every_field_but_the_number() -> None:
    table = FakeReleaseTable(rows={6: "{}"})

    assert releases.add(table, replace(FULL, number=0)) == FULL
    assert table.documents(1) == ((7, DOCUMENT),)


def test_read_returns_what_was_added() -> None:
    table = FakeReleaseTable(rows={6: "{}"})
    releases.add(table, FULL)

    assert releases.read(table) == (FULL, Release(6))
    assert releases.read(table, limit=1) == (FULL,)


def test_save_replaces_the_release() -> None:
    table = FakeReleaseTable()
    added = releases.add(table, Release(commit="a"))

    releases.save(table, replace(added, status=Status.FAILED))

    assert releases.read(table) == (Release(1, "a", status="failed"),)


def test_unknown_fields_are_kept() -> None:
    newer = DOCUMENT | {"colour": "red", "unknown": 1, "stacks": [{"stack": "app", "shape": [1]}]}
    newer["smoke_findings"] = [{"where": "Till", "what": "slow", "since": "Monday"}]

    read = releases.from_document(7, newer)
    written = releases.as_document(replace(read, status=Status.FAILED))

    assert (written["colour"], written["unknown"], written["status"]) == ("red", 1, "failed")
    assert written["stacks"][0]["shape"] == [1]
    assert read.smoke_findings == (Finding("Till", "slow"),)


def test_missing_fields_have_defaults() -> None:
    assert releases.from_document(3, {"stacks": [{}]}) == Release(3, stacks=(ReleasedStack(),))
    assert releases.as_document(Release(stacks=(ReleasedStack(),))) == {
        **dict.fromkeys(("commit", "arn", "person", "created_at", "plan", "verdict", "contracts"), ""),
        "is_dirty": False,
        "allowed": (),
        "rollback_to": 0,
        "pruned": False,
        "smoke_findings": (),
        "status": "deploying",
        "smoke": "pending",
        "stacks": [EMPTY_STACK],
    }


def test_stored_words_stay_as_they_are() -> None:
    """Records of earlier versions contain them."""
    assert [*Status] == ["deploying", "deployed", "failed", "rolled back"]
    assert [*Smoke] == ["pending", "passed", "failed", "incomplete"]
    assert (Release().number, releases.READ_LIMIT) == (0, 100)


def test_unknown_status_is_kept_and_never_good() -> None:
    newer = replace(release(1), status="paused")

    assert releases.from_document(1, releases.as_document(newer)) == newer
    assert releases.last_good([newer], before=9) is None


def test_name_and_kind_are_words() -> None:
    assert (FULL.name, FULL.kind, release(3).kind) == ("r7", "rollback to r5", "deploy")


@pytest.mark.parametrize(
    ("smoke", "expected"),
    [(Smoke.PASSED, True), (Smoke.PENDING, False), (Smoke.FAILED, False), (Smoke.INCOMPLETE, False)],
)
def test_is_proven_only_after_a_passed_test(smoke: Smoke, expected: bool) -> None:
    assert release(1, smoke=smoke).is_proven is expected


def test_table_name_is_that_of_the_last_stack() -> None:
    assert releases.table_name(["shop-base", "shop-app"]) == "shop-app-releases"


# --- which release runs


def test_running_release_left_the_stacks_as_they_are() -> None:
    first = left(1, BASE, APP)
    second = left(2, BASE_2, APP_2, before=first)

    assert running([second, first], BASE_2, APP_2) == 2


def test_running_after_an_unchanged_stack_is_the_newest() -> None:
    first = left(1, BASE, APP)

    assert running([left(2, BASE, APP_2, before=first), first], BASE, APP_2) == 2
    assert running([left(2, BASE, APP, before=first), first], BASE, APP) == 2


@pytest.mark.parametrize(
    "changed",
    [
        replace(APP, changed_at="2026-01-09T00:00:00+00:00"),
        replace(APP, stack_id="arn:again"),
        replace(APP, name="shop-other"),
        StackState("shop-app"),
        StackState("shop-app", "REVIEW_IN_PROGRESS", "arn:app", APP.changed_at),
    ],
    ids=["changed outside", "created again", "another stack", "deleted", "deleted, with a change set"],
)
def test_running_after_an_outside_change_is_unknown(changed: StackState) -> None:
    assert running([left(1, BASE, APP)], BASE, changed) == 0


def test_running_time_zone_does_not_matter() -> None:
    """boto3 returns times in the zone of the computer that asks."""
    assert running([left(1, BASE, APP)], replace(BASE, changed_at="2026-01-01T02:00:00+02:00"), APP) == 1


def test_running_mix_of_two_releases_is_unknown() -> None:
    first = left(1, BASE, APP)
    failed_app = replace(APP_2, status="UPDATE_FAILED")
    second = left(2, BASE_2, failed_app, before=first, status=Status.FAILED)

    assert running([second, first], BASE_2, APP) == 0


def test_running_new_stack_without_content_does_not_count() -> None:
    known = [left(1, BASE, APP)]

    assert running(known, BASE, APP, StackState("shop-new")) == 1
    assert running(known, BASE, APP, StackState("shop-new", "CREATE_COMPLETE", "arn:new", APP.changed_at)) == 0


def test_running_after_a_failed_change_is_the_release_before() -> None:
    """CloudFormation has rolled the second stack back; the first was not touched."""
    first = left(1, BASE, APP)
    rolled_back = replace(APP_2, status="UPDATE_ROLLBACK_COMPLETE")
    failed = left(2, BASE, rolled_back, before=first, status=Status.FAILED)

    assert running([failed, first], BASE, rolled_back) == 1


def test_running_after_a_half_deployment_is_unknown() -> None:
    """The first stack is new, the second was rolled back."""
    first = left(1, BASE, APP)
    rolled_back = replace(APP_2, status="UPDATE_ROLLBACK_COMPLETE")
    failed = left(2, BASE_2, rolled_back, before=first, status=Status.FAILED)

    assert [stack.content_of for stack in failed.stacks] == [2, 1]
    assert running([failed, first], BASE_2, rolled_back) == 0


def test_running_during_a_deployment_without_outcome_is_the_release_before() -> None:
    first = left(1, BASE, APP)

    assert running([release(2, Status.DEPLOYING), first], BASE, APP) == 1


def test_running_without_releases_or_stacks_is_none() -> None:
    assert running([], BASE, APP) == 0
    assert running([left(1, BASE, APP)], StackState("shop-base"), StackState("shop-app")) == 0


def test_running_release_beyond_the_records_is_unknown() -> None:
    failed = left(9, BASE, APP, before=left(8, BASE, APP), status=Status.FAILED)

    assert running([failed], BASE, APP) == 0


# --- as_left


def test_as_left_records_id_and_time_of_each_stack() -> None:
    [base, app] = left(4, BASE, APP).stacks

    assert (base.stack_id, base.changed_at, base.content_of) == ("arn:base", "2026-01-01T00:00:00+00:00", 4)
    assert (app.stack_id, app.changed_at, app.content_of) == ("arn:app", "2026-01-01T00:01:00+00:00", 4)


def test_as_left_successful_update_to_a_once_rolled_back_stack_is_its_own() -> None:
    """Nothing had to change in a stack that an earlier failure left in UPDATE_ROLLBACK_COMPLETE."""
    rolled_back = replace(APP, status="UPDATE_ROLLBACK_COMPLETE")

    assert [stack.content_of for stack in left(4, BASE, rolled_back).stacks] == [4, 4]


def test_as_left_failure_without_a_known_release_before_is_unknown() -> None:
    rolled_back = replace(APP, status="UPDATE_ROLLBACK_COMPLETE")

    assert [stack.content_of for stack in left(4, BASE, rolled_back, status=Status.FAILED).stacks] == [4, 0]


@pytest.mark.parametrize(
    ("status", "stack_status", "content"),
    [
        (Status.FAILED, "IMPORT_COMPLETE", 0),
        (Status.FAILED, "ROLLBACK_FAILED", 0),
        (Status.DEPLOYED, "IMPORT_COMPLETE", 7),
        (Status.FAILED, "UPDATE_COMPLETE", 7),
    ],
)
def test_as_left_failed_adoption_has_the_content_of_no_release(status: Status, stack_status: str, content: int) -> None:
    """Otherwise a stack with adopted tables and nothing else would count as this release."""
    release = Release(7, status=status, stacks=(ReleasedStack("app", "shop"),))
    state = StackState("shop", stack_status, "arn:shop", "2026-01-01T00:00:00+00:00")

    [stack] = releases.as_left(release, [state], before=Release(6)).stacks

    assert stack.content_of == content


def test_as_left_stack_that_does_not_exist_stays_unrecorded() -> None:
    review = StackState("shop-app", "REVIEW_IN_PROGRESS", "arn:app", "2026-01-01T00:00:00+00:00")
    planned = release(4, Status.FAILED)

    assert releases.as_left(planned, [review], before=None) == planned


# --- up to date


@pytest.mark.parametrize(
    ("digests", "status", "expected"),
    [
        ({"shop-base": "base1", "shop-app": "app1"}, "UPDATE_COMPLETE", True),
        ({"shop-base": "base1", "shop-app": "app1"}, "UPDATE_ROLLBACK_COMPLETE", True),
        ({"shop-base": "base1", "shop-app": "app1"}, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", False),
        ({"shop-base": "base1", "shop-app": "app1"}, "UPDATE_FAILED", False),
        ({"shop-base": "base1", "shop-app": "app2"}, "UPDATE_COMPLETE", False),
        ({"shop-base": "base1"}, "UPDATE_COMPLETE", False),
        ({"shop-base": "base1", "shop-app": "app1", "shop-new": "new1"}, "UPDATE_COMPLETE", False),
    ],
)
def test_is_up_to_date_needs_equal_digests_and_settled_stacks(
    digests: dict[str, str], status: str, expected: bool
) -> None:
    states = [BASE, replace(APP, status=status)]

    assert releases.is_up_to_date(release(1), digests, states) is expected


def test_is_up_to_date_without_digest_is_false() -> None:
    unpacked = Release(1, stacks=(ReleasedStack("app", "shop-app"),))

    assert not releases.is_up_to_date(unpacked, {"shop-app": ""}, [APP])


# --- last good


def good(known: Sequence[Release], before: int) -> int:
    release_before = releases.last_good(known, before=before)
    return release_before.number if release_before else 0


def test_last_good_passes_over_pruned_releases() -> None:
    known = [replace(release(2), pruned=True), release(1)]

    assert releases.last_good(known, before=3) == known[1]
    assert releases.last_good(known[:1], before=3) is None


def test_last_good_is_the_newest_that_passed() -> None:
    known = [release(4), release(3), release(2)]

    assert (good(known, 5), good(known, 4), good(known, 2)) == (4, 3, 0)


@pytest.mark.parametrize("smoke", [Smoke.PENDING, Smoke.FAILED])
def test_last_good_unproven_release_is_never_good(smoke: Smoke) -> None:
    assert good([release(2, smoke=smoke)], 3) == 0
    assert good([release(2, smoke=smoke), release(1)], 3) == 1


@pytest.mark.parametrize("status", [Status.DEPLOYING, Status.FAILED, Status.ROLLED_BACK])
def test_last_good_incomplete_deployment_is_never_good(status: Status) -> None:
    assert good([release(2, status)], 3) == 0


def test_last_good_incomplete_test_counts_only_without_a_passed_one() -> None:
    known = [release(4, smoke=Smoke.INCOMPLETE), release(3, smoke=Smoke.INCOMPLETE)]

    assert good(known, 5) == 4
    assert good([*known, release(1)], 5) == 1
