"""Which release a rollback restores, what each stack gets, and why it can be impossible."""

from dataclasses import replace

import pytest

from automation.deploying.releases import rollbacks
from automation.deploying.releases.records import Release, ReleasedStack, Smoke, Status
from automation.deploying.releases.rollbacks import Rollback
from automation.system.errors import CheckFailedError, Finding, UsageError

BASE = ReleasedStack("base", "shop-base", template="s3://b/base.json", parameters={"Stage": "live"})
APP = ReleasedStack("app", "shop-app", template="s3://b/app.json")
GOOD = Release(status=Status.DEPLOYED, smoke=Smoke.PASSED, commit="c0ffee", stacks=(BASE, APP))
FIRST, SECOND, THIRD = (replace(GOOD, number=number) for number in (1, 2, 3))
ALL = (THIRD, SECOND, FIRST)


def plan(known: tuple[Release, ...], to: int, running: Release | None, *missing: str) -> Rollback:
    return rollbacks.plan_rollback(known, to, running, environment="live", missing=lambda _: missing)


def test_plan_rollback_default_is_the_last_good_before_the_running_one() -> None:
    assert plan(ALL, 0, THIRD).release == SECOND
    assert plan((THIRD, replace(SECOND, smoke=Smoke.FAILED), FIRST), 0, THIRD).release == FIRST


def test_plan_rollback_twice_goes_further_back() -> None:
    """r3 restores r2: the release before it is r1, not r2 again."""
    restoring = replace(THIRD, rollback_to=2)

    assert plan((restoring, SECOND, FIRST), 0, restoring).release == FIRST


def test_plan_rollback_unknown_running_release_goes_to_the_newest_good() -> None:
    assert plan(ALL, 0, None).release == THIRD


def test_plan_rollback_stacks_are_in_reverse_with_what_they_get() -> None:
    planned = plan(ALL, 2, THIRD)

    assert (planned.stacks, planned.kept) == ((APP, BASE), ())


def test_plan_rollback_keeps_stacks_that_the_release_did_not_have() -> None:
    smaller = replace(FIRST, stacks=(BASE,))

    planned = plan((THIRD, smaller), 1, THIRD)

    assert (planned.stacks, planned.kept) == ((BASE,), ("shop-app",))


def test_plan_rollback_names_an_unproven_release_on_request() -> None:
    assert plan((THIRD, replace(SECOND, smoke=Smoke.PENDING)), 2, THIRD).release.number == 2
    assert plan((THIRD, replace(SECOND, status=Status.ROLLED_BACK)), 2, THIRD).release.number == 2


@pytest.mark.parametrize(
    ("known", "message"),
    [
        (ALL, "--to: live has no release r9; the newest is r3; see inv releases --env live"),
        ((), "--to: live has no release r9; there is none; see inv releases --env live"),
    ],
)
def test_plan_rollback_unknown_release_is_refused(known: tuple[Release, ...], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        plan(known, 9, THIRD)

    assert str(caught.value) == message


@pytest.mark.parametrize("status", [Status.DEPLOYING, Status.FAILED])
def test_plan_rollback_release_that_never_ran_is_refused(status: Status) -> None:
    with pytest.raises(UsageError) as caught:
        plan((THIRD, replace(SECOND, status=status)), 2, THIRD)

    assert str(caught.value) == f"--to: r2 is {status}: it never ran on every stack; see inv releases --env live"


@pytest.mark.parametrize("running", [SECOND, replace(THIRD, rollback_to=2)])
def test_plan_rollback_to_the_running_release_is_refused(running: Release) -> None:
    with pytest.raises(UsageError) as caught:
        plan(ALL, 2, running)

    assert str(caught.value) == "--to: r2 already runs in live; see inv releases --env live"


def test_plan_rollback_nothing_good_is_an_error() -> None:
    with pytest.raises(CheckFailedError) as caught:
        plan((FIRST,), 0, FIRST)

    assert str(caught.value) == "there is nothing to go back to; nothing was changed"
    assert caught.value.findings == (
        Finding(
            "live",
            "no earlier release was fully deployed and passed its smoke test",
            "choose one with --to (inv releases --env live), or fix the code and run inv deploy --env live",
        ),
    )


def test_plan_rollback_without_releases_is_an_error() -> None:
    with pytest.raises(CheckFailedError, match="there is nothing to go back to"):
        plan((), 0, None)


def test_plan_rollback_missing_artifacts_are_all_named() -> None:
    with pytest.raises(CheckFailedError) as caught:
        plan(ALL, 2, THIRD, "s3://b/1.zip", "s3://b/2.zip")

    assert str(caught.value) == "live: r2 cannot be restored; nothing was changed"
    fix = "build it again: git checkout c0ffee && inv deploy --env live"
    what = "the artifact of r2 does not exist any more"
    assert caught.value.findings == (Finding("s3://b/1.zip", what, fix), Finding("s3://b/2.zip", what, fix))


def test_plan_rollback_pruned_release_is_refused() -> None:
    pruned = replace(SECOND, pruned=True)

    with pytest.raises(CheckFailedError) as caught:
        plan((THIRD, pruned), 2, THIRD, "s3://b/1.zip")

    assert str(caught.value) == "live: r2 cannot be restored; nothing was changed"
    fix = "build it again: git checkout c0ffee && inv deploy --env live"
    assert caught.value.findings == (Finding("r2", "inv prune has deleted its artifacts", fix),)


@pytest.mark.parametrize("release", [replace(SECOND, is_dirty=True), replace(SECOND, commit="")])
def test_plan_rollback_release_that_git_does_not_have_names_another_way(release: Release) -> None:
    with pytest.raises(CheckFailedError) as caught:
        plan((THIRD, replace(release, pruned=True)), 2, THIRD)

    assert caught.value.findings[0].fix == "choose another one: inv releases --env live"


def test_plan_rollback_default_passes_over_pruned_releases() -> None:
    assert plan((THIRD, replace(SECOND, pruned=True), FIRST), 0, THIRD).release == FIRST
