"""What the working copy lacks stops a deployment that is confirmed with a word, unless it is allowed by name."""

from dataclasses import replace

import pytest

from automation.deploying.checks import work_tree
from automation.deploying.remarks import Level, Remark
from automation.project.environments import Consent
from automation.system.git import WorkTree
from tests.automation.deploying.fake_accounts import PUSHED

DIRTY = replace(PUSHED, is_dirty=True)
UNPUSHED = replace(PUSHED, is_pushed=False)
WITHOUT_REMOTE = replace(UNPUSHED, has_remote=False)


@pytest.mark.parametrize("consent", list(Consent))
def test_remarks_committed_and_pushed_is_fine(consent: Consent) -> None:
    assert work_tree.remarks(PUSHED, consent, ()) == (Remark(Level.OK, "git", "v1, committed and pushed"),)


def test_remarks_dirty_tree_stops() -> None:
    fix = "see git status; git add -A && git commit; or add --allow dirty"

    assert work_tree.remarks(DIRTY, Consent.WORD, ["unpushed"]) == (
        Remark(Level.STOP, "git", "files differ from the last commit", fix),
    )


def test_remarks_unpushed_commit_stops() -> None:
    assert work_tree.remarks(UNPUSHED, Consent.WORD, ["dirty"]) == (
        Remark(Level.STOP, "git", "no remote branch contains v1", "git push; or add --allow unpushed"),
    )


def test_remarks_both_faults_are_reported_together() -> None:
    remarks = work_tree.remarks(replace(UNPUSHED, is_dirty=True), Consent.WORD, ())

    assert [remark.level for remark in remarks] == [Level.STOP, Level.STOP]


def test_remarks_allowed_faults_warn() -> None:
    remarks = work_tree.remarks(replace(UNPUSHED, is_dirty=True), Consent.WORD, ["dirty", "unpushed"])

    assert remarks == (
        Remark(Level.WARN, "git", "files differ from the last commit (allowed)"),
        Remark(Level.WARN, "git", "no remote branch contains v1 (allowed)"),
    )


def test_remarks_without_remote_warns() -> None:
    assert work_tree.remarks(WITHOUT_REMOTE, Consent.WORD, ()) == (
        Remark(Level.WARN, "git", "the repository has no remote", "run git remote add origin URL"),
    )


@pytest.mark.parametrize("consent", [Consent.NONE, Consent.CONFIRM])
@pytest.mark.parametrize("tree", [DIRTY, UNPUSHED, WITHOUT_REMOTE])
def test_remarks_elsewhere_only_inform(consent: Consent, tree: WorkTree) -> None:
    [remark] = work_tree.remarks(tree, consent, ())

    assert (remark.level, remark.where, remark.fix) == (Level.INFO, "git", "")


@pytest.mark.parametrize(
    ("consent", "level"), [(Consent.WORD, Level.WARN), (Consent.CONFIRM, Level.INFO), (Consent.NONE, Level.INFO)]
)
def test_remarks_without_git_warns(consent: Consent, level: Level) -> None:
    what = "there is no commit, so nobody can tell what is deployed"

    assert work_tree.remarks(None, consent, ()) == (
        Remark(level, "git", what, "run git init, then git add -A && git commit"),
    )
