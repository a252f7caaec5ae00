"""A deployment plan as people read it: what it says, folded into few lines. plan_text.py and the others render it."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from automation.deploying.changes.model import Action, Assessment, Danger, Rank, RankedChange, Verdict
from automation.deploying.verdict.aspects import REFUSED_BY_AWS, noun

MAX_NAMES = 8
RANKS = {
    Rank.DATA_LOSS: "data loss",
    Rank.REPLACEMENT: "replacement",
    Rank.PERMISSIONS: "permissions",
    Rank.MONITORING: "monitoring",
    Rank.WATCHED: "watched setting",
    Rank.CODE: "code",
    Rank.LAYERS: "layers",
    Rank.OTHER: "other",
}


@dataclass(frozen=True, slots=True)
class StackView:
    """One stack of a plan.

    Attributes:
        name: in pyproject.toml.
        stack_name: in AWS.
        status: such as `new`, `changes` or `unchanged`.
        is_new: whether the stack does not exist yet: what is added to it is counted, not listed.
        provisional: why its plan is only a comparison of templates; empty when AWS made its change set.
    """

    name: str
    stack_name: str
    status: str = ""
    is_new: bool = False
    provisional: str = ""


@dataclass(frozen=True, slots=True)
class PlanView:
    """What a plan shows.

    Attributes:
        environment: its name; empty for a comparison without an environment.
        target: in words, such as `AWS account 123456789012, us-east-1`.
        from_release: what runs now, such as `r7` or a git revision; empty for nothing or unknown.
        to_commit: what would be deployed.
        stacks: in the order of deployment.
        notes: what else a reader must know, such as what is not rehearsed here.
    """

    environment: str
    target: str
    assessment: Assessment = field(default_factory=Assessment)
    from_release: str = ""
    to_commit: str = ""
    stacks: tuple[StackView, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The environment, the target, and from what to what."""
        versions = " -> ".join(version for version in (self.from_release, self.to_commit) if version)
        place = f"{self.environment}: {self.target}" if self.environment else self.target
        return f"{place}, {versions}" if versions else place

    @property
    def all_notes(self) -> tuple[str, ...]:
        """The notes, with those about names that no danger has."""
        unused = self.assessment.unused
        return (*self.notes, *(f"--allow {name}: this plan has no such danger" for name in unused))


def folded(view: PlanView) -> tuple[RankedChange, ...]:
    """Return the changes in few lines: one for all resources about which the same is said, one for a new stack."""
    new_stacks = {stack.name for stack in view.stacks if stack.is_new}
    added: dict[str, list[RankedChange]] = {stack.name: [] for stack in view.stacks if stack.is_new}
    groups: dict[tuple[object, ...], list[RankedChange]] = {}
    for change in view.assessment.changes:
        if change.stack in new_stacks and change.what.startswith("added"):
            added[change.stack].append(change)
            continue
        key = (change.rank, change.stack, change.type, change.action, change.what, change.needs_attention)
        groups.setdefault(key, []).append(change)
    return (*map(_fold, groups.values()), *(_new_stack(lines) for lines in added.values() if lines))


def is_allowable(danger: Danger) -> bool:
    """Return whether a danger can be allowed by name; what AWS refuses cannot."""
    return danger.kind not in REFUSED_BY_AWS


def explain(dangers: Iterable[Danger]) -> str:
    """Return the names of dangers and what each would do as one text."""
    return "; ".join(f"{danger.name}: {danger.what}" for danger in dangers)


def allow_options(dangers: Iterable[Danger]) -> str:
    """Return the options that allow the dangers, such as `--allow replace:Ledger --allow widen:Role`."""
    return " ".join(f"--allow {danger.name}" for danger in dangers if is_allowable(danger))


def verdict_line(assessment: Assessment) -> str:
    """Return the verdict in one sentence."""
    total = _count(len(assessment.changes), "change")
    match assessment.verdict:
        case Verdict.FORBIDDEN:
            names = ", ".join(danger.name for danger in assessment.dangers)
            return f"{Verdict.FORBIDDEN}: {_count(len(assessment.dangers), 'danger')} of {total}: {names}"
        case Verdict.CONSENT:
            attention = sum(change.needs_attention for change in assessment.changes)
            names = ", ".join(danger.name for danger in assessment.allowed)
            allowed = f"; allowed by name: {names}" if names else ""
            verb = "needs" if len(assessment.changes) == 1 else "need"
            return f"{Verdict.CONSENT}: {attention} of {total} {verb} attention{allowed}"
        case Verdict.SAFE:
            return f"{Verdict.SAFE}: {total}"
        case _:
            return str(Verdict.NOTHING)


def _new_stack(changes: list[RankedChange]) -> RankedChange:
    names = sorted(noun(change.type) for change in changes)
    counts = ", ".join(_count(names.count(name), name) for name in dict.fromkeys(names))
    needs_attention = any(change.needs_attention for change in changes)
    stack = changes[0].stack
    return RankedChange(Rank.OTHER, stack, "new stack", "", Action.ADD, f"added: {counts}", needs_attention)


def _fold(changes: list[RankedChange]) -> RankedChange:
    return replace(changes[0], resource=_joined([change.resource for change in changes]))


def _joined(names: list[str]) -> str:
    shown = ", ".join(names[:MAX_NAMES])
    return shown if len(names) <= MAX_NAMES else f"{shown} and {len(names) - MAX_NAMES} more"


def _count(number: int, name: str) -> str:
    plural = f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"
    return f"{number} {name if number == 1 else plural}"
