"""What a prune finds in an account with a long history: exactly what the oldest five of 25 releases left over."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from automation.deploying import sessions
from automation.deploying.pruning import survey
from automation.deploying.pruning.selection import Selection
from automation.deploying.releases import records as releases
from automation.deploying.releases.records import ReleasedStack, Smoke, Status
from automation.deploying.sessions import Session
from automation.system.errors import CheckFailedError, DeploymentError, Finding
from automation.system.leftovers import StoredObject, WaitingChangeSet
from automation.system.stacks import Stage
from tests.automation.deploying.pruning.prunable_shop import BUCKET, FOLDER, NOW, OLD, PrunableShop
from tests.automation.fake_stacks import FakeStack
from tests.automation.fake_templates import Content
from tests.automation.release_tables import ANN, FakeReleaseTable
from tests.automation.release_tables import LOCK as RELEASE_LOCK

OLDEST = {1, 2, 3, 4, 5}
CHANGE_SET = WaitingChangeSet("arn:set", "release-0123abcd", "arn:app", "shop-live", OLD)
LIVE_LOCK = replace(RELEASE_LOCK, expires_at=NOW + timedelta(minutes=1))


def select(session: Session, prunable: PrunableShop, *, newest: int = 20) -> Selection:
    return survey.select(sessions.refresh(session), prunable.leftovers(), newest=newest)


def keys_of(prunable: PrunableShop, numbers: set[int]) -> set[str]:
    """Return the keys of all artifacts of releases."""
    texts = [json.dumps(releases.as_document(prunable.release(number))) for number in numbers]
    return {key for key in prunable.stored() if any(key.rpartition("/")[2].partition(".")[0] in text for text in texts)}


def keys(selected: Selection) -> set[str]:
    return {entry.key for entry in selected.objects}


def test_select_chooses_what_the_oldest_left_over(session: Session, prunable: PrunableShop) -> None:
    prunable.change_sets.waiting.append(CHANGE_SET)

    selected = select(session, prunable)

    assert {release.number for release in selected.releases} == OLDEST
    assert {version.version for version in selected.functions} == OLDEST
    assert {version.version for version in selected.layers} == OLDEST
    assert keys(selected) == keys_of(prunable, OLDEST)
    assert len(selected.objects) == 5 * len(OLDEST)
    assert selected.change_sets == (CHANGE_SET,)


def test_select_keeps_more_when_asked(session: Session, prunable: PrunableShop) -> None:
    assert [release.number for release in select(session, prunable, newest=24).releases] == [1]
    assert select(session, prunable, newest=25).is_empty


def test_select_keeps_the_running_release(session: Session, prunable: PrunableShop) -> None:
    """However old it is: the session looks at the newest hundred only."""
    for stack in prunable.aws.stacks.stacks.values():
        stack.changed_at = prunable.release(2).stacks[0].changed_at
    prunable.change(1, smoke=Smoke.FAILED)
    refreshed = replace(sessions.refresh(session), running=None)

    selected = survey.select(refreshed, prunable.leftovers(), newest=20)

    assert {release.number for release in selected.releases} == OLDEST - {2}
    assert keys(selected) == keys_of(prunable, OLDEST - {2})
    assert {version.version for version in selected.functions} == OLDEST - {2}


def test_select_keeps_the_last_good_release(session: Session, prunable: PrunableShop) -> None:
    for number in range(4, 26):
        prunable.change(number, smoke=Smoke.FAILED)

    assert {release.number for release in select(session, prunable).releases} == OLDEST - {3}


def test_select_keeps_young_releases(session: Session, prunable: PrunableShop) -> None:
    prunable.change(4, created_at=(OLD + timedelta(seconds=1)).isoformat())

    selected = select(session, prunable)

    assert {release.number for release in selected.releases} == OLDEST - {4}
    assert keys(selected) == keys_of(prunable, OLDEST - {4})


def test_select_counts_time_as_the_account_does(session: Session, prunable: PrunableShop) -> None:
    prunable.aws.table.now = NOW - timedelta(seconds=1)

    selected = select(session, prunable)

    assert (selected.functions, selected.layers, selected.objects) == ((), {}, ())


def test_select_after_pruning_has_no_releases_again(session: Session, prunable: PrunableShop) -> None:
    """What an interrupted prune has marked, the next one deletes."""
    prunable.change(1, pruned=True)

    selected = select(session, prunable)

    assert {release.number for release in selected.releases} == OLDEST - {1}
    assert keys(selected) == keys_of(prunable, OLDEST)


def test_select_takes_left_overs_without_a_release(session: Session, prunable: PrunableShop) -> None:
    key = f"{FOLDER}/{prunable.put('an upload that was interrupted', '.zip')}.zip"

    assert key in keys(select(session, prunable))


def test_select_takes_every_version_of_an_old_object(session: Session, prunable: PrunableShop) -> None:
    old, kept = min(keys_of(prunable, {1})), min(keys_of(prunable, {25}))
    versions = [StoredObject(BUCKET, key, "v0", 1, OLD, is_latest=False) for key in (old, kept)]
    prunable.objects.replaced += versions

    selected = select(session, prunable)

    assert versions[0] in selected.objects
    assert versions[1] not in selected.objects


def test_select_leaves_objects_of_other_programs(session: Session, prunable: PrunableShop) -> None:
    sha256 = "0" * 64
    others = {f"{FOLDER}/report.json", f"{FOLDER}/shop/{sha256}.zip", f"{FOLDER}-prod/{sha256}.zip", f"{sha256}.zip"}
    prunable.aws.store.objects |= dict.fromkeys(((BUCKET, key) for key in others), b"x")

    assert not keys(select(session, prunable)) & others


def test_select_keeps_what_the_templates_of_kept_releases_name(session: Session, prunable: PrunableShop) -> None:
    """SAM has uploaded code and nested templates whose names no release records."""
    code, inner = "a1" * 16, "b2" * 16
    prunable.aws.store.objects |= {
        (BUCKET, f"{FOLDER}/{code}"): b"\x80 not text",
        (BUCKET, f"{FOLDER}/{inner}.template"): f'{{"CodeUri": "s3://{BUCKET}/{FOLDER}/{code}"}}'.encode(),
    }
    nested = {f"{FOLDER}/{code}", f"{FOLDER}/{inner}.template"}
    assert nested <= keys(select(session, prunable))

    template = prunable.put(f'{{"TemplateURL": "https://s3/{BUCKET}/{FOLDER}/{inner}.template"}}', ".json")
    stack = replace(prunable.release(20).stacks[0], template=f"s3://{BUCKET}/{FOLDER}/{template}.json")
    prunable.change(20, stacks=(stack,))

    assert not nested & keys(select(session, prunable))


def test_select_keeps_what_the_deployed_templates_name(session: Session, prunable: PrunableShop) -> None:
    """Somebody has deployed without this program, so no release says what runs."""
    sha256 = prunable.put("code of r1", ".zip")
    seen: list[str] = []
    prunable.aws.stacks.on_call = lambda name, argument: seen.append(f"{name} {argument}")
    prunable.aws.stacks.edit("shop-live", lambda text: text.replace("AWS::Lambda::Function", sha256))

    selected = select(session, prunable)

    assert f"{FOLDER}/{sha256}.zip" not in keys(selected)
    assert f"template shop-live {Stage.ORIGINAL}" in seen


def test_select_keeps_layers_that_functions_use(session: Session, prunable: PrunableShop) -> None:
    """Not only those of the stacks: the account's."""
    arn = next(version.arn for version in prunable.versions.layers["code"] if version.version == 3)
    prunable.versions.users["somebody's", "$LATEST"] = (arn,)

    assert {version.version for version in select(session, prunable).layers} == OLDEST - {3}


def test_select_keeps_aliased_versions_and_their_layers(session: Session, prunable: PrunableShop) -> None:
    prunable.versions.aliased["till"] = frozenset({2})

    selected = select(session, prunable)

    assert {version.version for version in selected.functions} == OLDEST - {2}
    assert {version.version for version in selected.layers} == OLDEST - {2}


def test_select_asks_for_the_content_of_unused_layers_only(session: Session, prunable: PrunableShop) -> None:
    select(session, prunable)

    assert sorted(int(arn.rpartition(":")[2]) for arn in prunable.versions.asked) == sorted(OLDEST)


def test_select_keeps_what_other_environments_can_restore(session: Session, prunable: PrunableShop) -> None:
    other = FakeReleaseTable("shop-dev-releases", now=NOW, lock=replace(LIVE_LOCK, expires_at=NOW))
    other.add(releases.as_document(replace(prunable.release(1), number=0)))
    other.add(releases.as_document(replace(prunable.release(2), number=0, pruned=True)))
    prunable.tables.append(other)

    selected = select(session, prunable)

    assert {release.number for release in selected.releases} == OLDEST
    assert keys(selected) == keys_of(prunable, OLDEST - {1})


def prepare(prunable: PrunableShop, stack: str, bucket: str) -> None:
    """Let a bootstrap stack have a bucket."""
    content = Content({"Outputs": {"ArtifactBucket": {"Value": bucket}}})
    prunable.aws.stacks.stacks[stack] = FakeStack(stack, "arn:bootstrap", "CREATE_COMPLETE", "2026-01-01", content)


def of_pattern(session: Session, prunable: PrunableShop, bucket: str) -> Session:
    """Return the session as one of a temporary environment, whose pattern has a bucket of its own."""
    scope = session.scope
    stacks = tuple(replace(entry, name_pattern=entry.stack_name.replace("live", "x-*")) for entry in scope.stacks)
    prepare(prunable, "bootstrap-shop-x", bucket)
    return replace(session, scope=replace(scope, environment=replace(scope.environment, pattern="x-*"), stacks=stacks))


def deploying_now(session: Session, prunable: PrunableShop, name: str) -> set[str]:
    """Return the environments that keep a prune out while they deploy; the table of each release says it deploys."""
    prunable.tables.append(FakeReleaseTable(f"{name}-releases", now=NOW, lock=LIVE_LOCK))
    try:
        select(session, prunable)
    except CheckFailedError as cause:
        return {finding.where for finding in cause.findings}
    return set()


@pytest.mark.parametrize(("name", "expected"), [("shop-x-2", {"shop-x-2"}), ("shop-dev", set())])
def test_select_of_a_pattern_looks_only_at_its_own(
    session: Session, prunable: PrunableShop, name: str, expected: set[str]
) -> None:
    """Its role may not read other tables, and its bucket has no artifacts of others."""
    assert deploying_now(of_pattern(session, prunable, BUCKET), prunable, name) == expected


def test_select_of_a_pattern_in_a_shared_bucket_looks_at_all(session: Session, prunable: PrunableShop) -> None:
    """Planted fault: the releases were uploaded before the pattern had a bucket of its own."""
    assert deploying_now(of_pattern(session, prunable, "new-bucket"), prunable, "shop-dev") == {"shop-dev"}


def test_select_of_a_named_environment_looks_at_all(session: Session, prunable: PrunableShop) -> None:
    """Another environment may name its bucket in samconfig.toml."""
    prepare(prunable, "bootstrap-shop-live", BUCKET)

    assert deploying_now(session, prunable, "shop-x-2") == {"shop-x-2"}


def test_select_while_another_environment_deploys_is_refused(session: Session, prunable: PrunableShop) -> None:
    prunable.tables.append(FakeReleaseTable("shop-dev-releases", now=NOW, lock=LIVE_LOCK))

    with pytest.raises(CheckFailedError) as caught:
        select(session, prunable)

    assert str(caught.value) == "live: nothing was deleted"
    what = f"{ANN} is deploying with the same bucket; the lock lapses at 2026-03-02 00:01 UTC"
    assert caught.value.findings == (Finding("shop-dev", what, "wait, then run inv prune --env live again"),)


def test_select_own_lock_is_no_obstacle(session: Session, prunable: PrunableShop) -> None:
    prunable.aws.table.lock = LIVE_LOCK

    assert not select(session, prunable).is_empty


def test_select_bucket_that_cannot_be_read_stays(
    session: Session, prunable: PrunableShop, capsys: pytest.CaptureFixture[str]
) -> None:
    prunable.objects.failing[BUCKET] = DeploymentError("AccessDenied", where=BUCKET)

    selected = select(session, prunable)

    assert selected.objects == ()
    assert {version.version for version in selected.functions} == OLDEST
    expected = f"warning: the artifacts in s3://{BUCKET}/{FOLDER} stay: {BUCKET}: AccessDenied\n"
    assert capsys.readouterr().err == expected


def test_select_artifacts_without_a_folder_stay(
    session: Session, prunable: PrunableShop, capsys: pytest.CaptureFixture[str]
) -> None:
    prunable.add_release(26, folder="")

    selected = select(session, prunable)

    assert all(entry.key.startswith(f"{FOLDER}/") for entry in selected.objects)
    expected = f"warning: {BUCKET}: artifacts without an s3_prefix stay; set one in samconfig.toml\n"
    assert capsys.readouterr().err == expected


def test_select_release_without_a_template_is_passed_over(
    session: Session, prunable: PrunableShop, capsys: pytest.CaptureFixture[str]
) -> None:
    """It failed before its first upload."""
    prunable.change(24, stacks=(ReleasedStack("app", "shop-live"),))

    assert {release.number for release in select(session, prunable).releases} == OLDEST
    assert capsys.readouterr().err == ""


def test_select_without_stacks_asks_nothing_about_them(session: Session, prunable: PrunableShop) -> None:
    prunable.aws.stacks.stacks.clear()
    prunable.change_sets.waiting.append(CHANGE_SET)

    selected = select(session, prunable)

    assert (selected.functions, selected.layers, selected.change_sets) == ((), {}, ())
    assert prunable.versions.looks_at_users == 0
    assert keys(selected) == keys_of(prunable, OLDEST)


def test_select_failed_release_leaves_too(session: Session, prunable: PrunableShop) -> None:
    prunable.change(5, status=Status.FAILED, smoke=Smoke.PENDING)

    assert 5 in {release.number for release in select(session, prunable).releases}
