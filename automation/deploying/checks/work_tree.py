"""Whether the working copy is a commit that others can see."""

from collections.abc import Collection

from automation.deploying.remarks import Level, Remark
from automation.project.environments import Consent
from automation.system.git import WorkTree

WHERE = "git"
DIRTY = "dirty"
UNPUSHED = "unpushed"


def remarks(tree: WorkTree | None, consent: Consent, allow: Collection[str]) -> tuple[Remark, ...]:
    """Check the working copy; what it lacks stops only a deployment that is confirmed with a word.

    Args:
        tree: None without git or a commit.
        allow: the names given with --allow.
    """
    if tree is None:
        level = Level.WARN if consent is Consent.WORD else Level.INFO
        fix = "run git init, then git add -A && git commit"
        return (Remark(level, WHERE, "there is no commit, so nobody can tell what is deployed", fix),)

    results: list[Remark] = []
    if tree.is_dirty:
        fix = "see git status; git add -A && git commit"
        results.append(_lack("files differ from the last commit", fix, DIRTY, consent, allow))
    if not tree.has_remote:
        results.append(_lack("the repository has no remote", "run git remote add origin URL", "", consent, allow))
    elif not tree.is_pushed:
        what = f"no remote branch contains {tree.description}"
        results.append(_lack(what, "git push", UNPUSHED, consent, allow))
    return tuple(results) or (Remark(Level.OK, WHERE, f"{tree.description}, committed and pushed"),)


def _lack(what: str, fix: str, name: str, consent: Consent, allow: Collection[str]) -> Remark:
    """Return the remark on something that is missing; without a name it never stops."""
    if consent is not Consent.WORD:
        return Remark(Level.INFO, WHERE, what)
    if not name:
        return Remark(Level.WARN, WHERE, what, fix)
    if name in allow:
        return Remark(Level.WARN, WHERE, f"{what} (allowed)")
    return Remark(Level.STOP, WHERE, what, f"{fix}; or add --allow {name}")
