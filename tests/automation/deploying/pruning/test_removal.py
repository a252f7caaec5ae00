"""What was chosen is deleted in an order that leaves no wrong record behind, and an interrupted prune is finished."""

from dataclasses import replace

import pytest

from automation.deploying.pruning import removal, survey
from automation.deploying.sessions import Session
from automation.system.errors import DeploymentError
from automation.system.leftovers import StoredObject, WaitingChangeSet
from automation.system.stacks import StackState
from tests.automation.deploying.pruning.prunable_shop import OLD, PrunableShop
from tests.automation.fake_stacks import FakeChangeSet
from tests.automation.fake_templates import Content


def remove(session: Session, prunable: PrunableShop) -> list[str]:
    """Prune, and return when the lock was renewed: what had been deleted by then."""
    renewals: list[str] = []
    selected = survey.select(session, prunable.leftovers(), newest=20)

    def renew() -> None:
        renewals.append((prunable.versions.deleted or ["none"])[-1])

    removal.remove(selected, session, prunable.leftovers(), renew=renew)
    return renewals


def test_remove_deletes_everything_that_was_chosen(session: Session, prunable: PrunableShop) -> None:
    before = prunable.stored()

    remove(session, prunable)

    assert prunable.pruned() == [5, 4, 3, 2, 1]
    functions = [f"till:{number}" for number in range(1, 6)]
    assert prunable.versions.deleted == [*functions, *(f"code:{number}" for number in range(1, 6))]
    assert len(before - prunable.stored()) == len(prunable.objects.deleted) == 25
    assert survey.select(session, prunable.leftovers(), newest=20).is_empty


def test_remove_renews_the_lock_after_each_step(session: Session, prunable: PrunableShop) -> None:
    functions = [f"till:{number}" for number in range(1, 6)]
    layers = [f"code:{number}" for number in range(1, 6)]

    assert remove(session, prunable) == [*["none"] * 5, *functions, *layers, "code:5"]


def test_remove_keeps_the_history_of_a_release(session: Session, prunable: PrunableShop) -> None:
    release = prunable.release(1)

    remove(session, prunable)

    assert prunable.release(1) == replace(release, pruned=True)


def test_remove_interrupted_is_finished_by_the_next_one(
    session: Session, prunable: PrunableShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted fault: S3 fails after everything else was deleted."""

    def fail(_objects: object, *, owner: str) -> None:
        raise DeploymentError("SlowDown", where=owner)

    with monkeypatch.context() as patch:
        patch.setattr(prunable.objects, "delete", fail)
        with pytest.raises(DeploymentError, match="SlowDown"):
            remove(session, prunable)
    assert (prunable.pruned(), prunable.objects.deleted) == ([5, 4, 3, 2, 1], [])

    remove(session, prunable)

    assert len(prunable.objects.deleted) == 25
    assert len(prunable.versions.deleted) == 10


def test_remove_marks_releases_before_it_deletes(
    session: Session, prunable: PrunableShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_version: object) -> None:
        raise DeploymentError("TooManyRequests")

    monkeypatch.setattr(prunable.versions, "delete_function_version", fail)
    with pytest.raises(DeploymentError):
        remove(session, prunable)

    assert prunable.pruned() == [5, 4, 3, 2, 1]
    assert (prunable.versions.deleted, prunable.objects.deleted) == ([], [])


def test_remove_deletes_the_objects_of_each_bucket(session: Session, prunable: PrunableShop) -> None:
    selected = survey.select(session, prunable.leftovers(), newest=20)
    other = StoredObject("other", "p/x", "v1", 1, OLD)

    both = replace(selected, objects=(*selected.objects, other))
    removal.remove(both, session, prunable.leftovers(), renew=lambda: None)

    assert prunable.objects.deleted[-1] == "p/x v1"
    assert len(prunable.objects.deleted) == 26


@pytest.mark.parametrize(
    ("status", "calls"),
    [("UPDATE_COMPLETE", ["discard shop-live"]), ("REVIEW_IN_PROGRESS", ["discard shop-live", "delete shop-live"])],
)
def test_remove_change_set_takes_its_empty_stack_along(
    session: Session, prunable: PrunableShop, status: str, calls: list[str]
) -> None:
    cloud = prunable.aws.stacks
    stack = cloud.stacks["shop-live"]
    stack.status = status
    cloud.sets["arn:set"] = FakeChangeSet("arn:set", stack, Content(), {}, {})
    prunable.change_sets.waiting.append(WaitingChangeSet("arn:set", "release-0123abcd", stack.id, stack.name, OLD))

    remove(replace(session, states=(StackState(stack.name, status, stack.id),)), prunable)

    assert cloud.calls == calls
    assert cloud.sets == {}
