"""`inv prune` shows what it would delete, asks, deletes it under the lock, and finds nothing the second time."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from automation import prune as front
from automation.deploying.releases import deployer_lock
from automation.deploying.releases.deployer_lock import LockedError
from automation.deploying.stacks.execution import DetachedError
from automation.project.model import Project
from automation.project.settings import PYPROJECT
from automation.system import console
from automation.system.cloudformation import CloudFormation
from automation.system.errors import CheckFailedError, UsageError
from automation.system.lambda_versions import LambdaVersions
from automation.system.leftovers import WaitingChangeSet
from automation.system.stored_objects import StoredObjects
from tests.automation.deploying.changing_stacks import Person
from tests.automation.deploying.fake_accounts import IDENTITY, scope_of
from tests.automation.deploying.pruning.prunable_shop import OLD, PrunableShop
from tests.automation.projects import make_shop
from tests.automation.release_tables import LOCK

TABLE = [
    "what where count size which",
    "change set shop-live 1 - release-0123abcd",
    "function version till 5 50 B 1, 2, 3, 4, 5",
    "layer version code 5 500 B 1, 2, 3, 4, 5",
]
RELEASES = "release that cannot be restored then live 5 - r5, r4, r3, r2, r1"


@pytest.fixture
def prunable() -> PrunableShop:
    prunable = PrunableShop()
    waiting = WaitingChangeSet("arn:set", "release-0123abcd", "arn:app", "shop-live", OLD)
    prunable.change_sets.waiting.append(waiting)
    prunable.aws.table.calls.clear()
    return prunable


@pytest.fixture
def prune(tmp_path: Path, prunable: PrunableShop) -> Callable[..., None]:
    root = make_shop(tmp_path)

    def run(**options: Any) -> None:
        front.prune(
            root,
            "live",
            variables={},
            options=front.Options(**options),
            connect=prunable.aws.connect,
            find_leftovers=lambda _: prunable.leftovers(),
        )

    return run


def lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


def is_untouched(prunable: PrunableShop) -> bool:
    return not (prunable.versions.deleted or prunable.objects.deleted or prunable.pruned() or prunable.aws.table.lock)


def test_prune_shows_deletes_and_reports(
    prune: Callable[..., None], prunable: PrunableShop, capsys: pytest.CaptureFixture[str]
) -> None:
    prune(yes=True)

    shown = lines(capsys.readouterr().out)
    assert shown[:4] == TABLE
    assert shown[4].startswith("artifact s3://shop-artifacts/alchemiser 25 ")
    assert RELEASES in shown
    assert shown[-2].endswith(" in total")
    assert shown[-1] == f"pruned live: deleted {shown[-2].removesuffix(' in total')}"
    assert prunable.pruned() == [5, 4, 3, 2, 1]
    assert prunable.aws.table.calls[0] == "lock"
    assert prunable.aws.table.calls[-1] == "unlock"


def test_prune_twice_has_nothing_to_do(
    prune: Callable[..., None], prunable: PrunableShop, capsys: pytest.CaptureFixture[str]
) -> None:
    prune(yes=True)
    prunable.change_sets.waiting.clear()
    capsys.readouterr()

    prune(yes=True)

    assert capsys.readouterr().out == "nothing to prune in live\n"


def test_prune_dry_run_deletes_nothing(
    prune: Callable[..., None], prunable: PrunableShop, capsys: pytest.CaptureFixture[str]
) -> None:
    prune(dry_run=True)

    assert lines(capsys.readouterr().out)[:4] == TABLE
    assert is_untouched(prunable)
    assert prunable.aws.table.calls == []


def test_prune_artifacts_are_named_by_their_digests(
    prune: Callable[..., None], prunable: PrunableShop, capsys: pytest.CaptureFixture[str]
) -> None:
    code = prunable.release(1).stacks[1].code["Till"]

    prune(dry_run=True)

    output = "".join(capsys.readouterr().out.split())
    assert f"{code[:12]}," in output
    assert code[:13] not in output


def test_prune_keeps_more_when_asked(prune: Callable[..., None], prunable: PrunableShop) -> None:
    prune(yes=True, keep=23)

    assert prunable.pruned() == [2, 1]


def test_prune_keeps_what_pyproject_says(prune: Callable[..., None], prunable: PrunableShop, tmp_path: Path) -> None:
    pyproject = tmp_path / PYPROJECT
    pyproject.write_text(pyproject.read_text().replace('package = "shop"', 'package = "shop"\nkeep_releases = 24'))

    with pytest.raises(UsageError, match="--keep must be at least 24, got 23"):
        prune(yes=True, keep=23)
    prune(yes=True)

    assert prunable.pruned() == [1]


@pytest.mark.parametrize("keep", [19, 1, -1])
def test_prune_fewer_releases_are_refused(prune: Callable[..., None], prunable: PrunableShop, keep: int) -> None:
    with pytest.raises(UsageError, match=f"^prune: --keep must be at least 20, got {keep}$"):
        prune(yes=True, keep=keep)

    assert is_untouched(prunable)


def test_prune_without_a_terminal_needs_yes(prune: Callable[..., None], prunable: PrunableShop) -> None:
    with pytest.raises(UsageError, match=r"^prune --env live: must be confirmed, and there is no terminal"):
        prune()

    assert is_untouched(prunable)


def test_prune_asks_for_the_word(prune: Callable[..., None], prunable: PrunableShop, person: Person) -> None:
    person.answers = ["live"]

    prune()

    assert person.questions == ["Type live to delete this from live for ever:"]
    assert prunable.pruned() == [5, 4, 3, 2, 1]


def test_prune_not_confirmed_deletes_nothing(
    prune: Callable[..., None], prunable: PrunableShop, person: Person
) -> None:
    person.answers = ["yes"]

    with pytest.raises(UsageError, match="cancelled: nothing was changed"):
        prune()

    assert is_untouched(prunable)


def test_prune_while_somebody_deploys_is_refused(prune: Callable[..., None], prunable: PrunableShop) -> None:
    prunable.aws.table.lock = replace(LOCK, expires_at=prunable.aws.table.now + timedelta(hours=1))

    with pytest.raises(LockedError, match="another deployer is at work"):
        prune(yes=True)

    assert not prunable.versions.deleted


def test_prune_interrupted_before_says_that_nothing_was_deleted(
    prune: Callable[..., None], prunable: PrunableShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(prunable.versions, "layer_users", interrupt)

    with pytest.raises(DetachedError, match=r"^prune --env live: interrupted; nothing was deleted$"):
        prune(yes=True)

    assert is_untouched(prunable)


def test_prune_interrupted_in_the_middle_says_how_to_go_on(
    prune: Callable[..., None], prunable: PrunableShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_version: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(prunable.versions, "delete_layer_version", interrupt)
        expected = "^prune --env live: interrupted; the rest is still there; delete it: inv prune --env live$"
        with pytest.raises(DetachedError, match=expected):
            prune(yes=True)
    assert prunable.aws.table.lock is None

    prune(yes=True)

    assert prunable.versions.deleted[5:] == ["code:1", "code:2", "code:3", "code:4", "code:5"]
    assert len(prunable.objects.deleted) == 25


def test_prune_lock_that_was_lost_while_asking_deletes_nothing(
    prune: Callable[..., None], prunable: PrunableShop, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The person answers after more than an hour; somebody else deploys by then."""

    def answer(question: str) -> str:
        prunable.aws.table.lock = LOCK
        return person.reply(question)

    person.answers = ["live"]
    monkeypatch.setattr(console, "ask", answer)
    monkeypatch.setattr(deployer_lock, "RENEW_AFTER_S", -1.0)

    with pytest.raises(LockedError):
        prune()

    assert (prunable.versions.deleted, prunable.objects.deleted, prunable.pruned()) == ([], [], [])


def test_prune_without_releases_deletes_nothing(
    prune: Callable[..., None], prunable: PrunableShop, capsys: pytest.CaptureFixture[str]
) -> None:
    prunable.aws.table.rows.clear()

    prune(yes=True)

    assert capsys.readouterr().out == "nothing to prune: live has no releases\n"
    assert is_untouched(prunable)


def test_prune_other_account_is_refused(prune: Callable[..., None], prunable: PrunableShop) -> None:
    prunable.aws.account.who = replace(IDENTITY, account="999999999999")

    with pytest.raises(CheckFailedError, match="cannot be used with these credentials"):
        prune(yes=True)

    assert is_untouched(prunable)


def test_find_leftovers_opens_the_real_connections(shop: Project) -> None:
    scope = scope_of(shop, "live")

    leftovers = front.find_leftovers(scope)

    assert leftovers.versions == LambdaVersions(scope.target)
    assert leftovers.objects == StoredObjects(scope.target)
    assert leftovers.change_sets == CloudFormation(scope.target)
