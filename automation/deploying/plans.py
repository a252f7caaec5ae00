"""The plan of a deployment: the planned stacks with their verdict, as it is shown, saved and carried out."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import MappingProxyType

from automation.deploying import adopting, assessing, plan_files, planning, stack_inputs
from automation.deploying.adoption import model
from automation.deploying.candidates import Candidate
from automation.deploying.changes.model import Assessment, RankedChange, Verdict
from automation.deploying.plan_files import SavedPlan
from automation.deploying.planning import PlannedStack
from automation.deploying.releases.records import Release
from automation.deploying.remarks import Level
from automation.deploying.sessions import Session
from automation.deploying.stacks import stack_states
from automation.deploying.views.plan_view import PlanView, StackView
from automation.deploying.watching import replaced
from automation.system.errors import CheckFailedError, Finding
from automation.system.stacks import StackDescription

_SHORT = 9


@dataclass(frozen=True, slots=True)
class NextRelease:
    """The release that a plan would make.

    Attributes:
        commit: what would be deployed; empty when it is not known.
        contracts: where the schemas of its messages are; empty without any.
        breaking: the messages and items that it or the running release cannot read from the other.
        rollback_to: the release that it restores; 0 for a deployment.
    """

    number: int
    commit: str = ""
    is_dirty: bool = False
    contracts: str = ""
    breaking: tuple[str, ...] = ()
    rollback_to: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan that can be carried out.

    Attributes:
        stacks: in the order in which they are changed.
    """

    session: Session
    release: NextRelease
    stacks: tuple[PlannedStack, ...]
    assessment: Assessment

    @property
    def verdict(self) -> Verdict:
        return self.assessment.verdict


def make(
    session: Session,
    release: NextRelease,
    candidates: Sequence[Candidate],
    *,
    allow: Sequence[str] = (),
    lines: Sequence[RankedChange] = (),
    reasons: Callable[[], Mapping[str, str]] = dict,
    decisions: Mapping[str, str] = MappingProxyType({}),
) -> Plan:
    """Find what new stacks adopt, create the change sets, compare the templates, and pass the verdict.

    Args:
        candidates: in the order in which the stacks will be changed.
        allow: the dangers that were allowed by name.
        lines: changes that no stack shows.
        reasons: returns why the code of functions changes.
        decisions: about resources of earlier stacks; see adopting.find.

    Raises:
        CheckFailedError, UsageError: as adopting.find.
        DeploymentError: CloudFormation refused a change set, or AWS did not answer; no change set is left behind.
    """
    if continued := unfinished(session, candidates):
        release = replace(release, number=continued.number)
    adoptions = adopting.find(session, candidates, decisions)
    stacks = planning.plan_stacks(candidates, session.connections.stacks, session.surroundings, adoptions=adoptions)
    try:
        every_line = [*lines, *adopted_lines(stacks), *replaced.lines(session.watched.replaced)]
        assessment = assess(session, stacks, allow=allow, lines=every_line, reasons=reasons)
    except BaseException:
        planning.discard(stacks, session.connections.stacks)
        raise
    return Plan(session, release, stacks, assessment)


def adopted_lines(stacks: Iterable[PlannedStack]) -> Iterator[RankedChange]:
    """Yield one line per resource that a plan adopts."""
    for stack in stacks:
        yield from (model.line(stack.name, resource) for resource in stack.adoption.resources)


def assess(
    session: Session,
    stacks: Sequence[PlannedStack],
    *,
    allow: Sequence[str],
    lines: Sequence[RankedChange] = (),
    reasons: Callable[[], Mapping[str, str]] = dict,
) -> Assessment:
    """Pass the verdict on planned stacks by the settings of the session's project and environment.

    Raises:
        DeploymentError, ToolError: as assessing.assess.
    """
    return assessing.assess(
        stacks,
        watched=session.scope.project.settings.watched,
        tables=session.connections.tables,
        allow=allow,
        enforce=not session.scope.environment.is_sandbox,
        reasons=reasons,
        lines=lines,
    )


def unfinished(session: Session, candidates: Sequence[Candidate]) -> Release | None:
    """Return the release that an interrupted deployment of the same content has left unfinished; None without one."""
    return session.unfinished({candidate.released.stack_name: candidate.released.digest for candidate in candidates})


def discard(plan: Plan) -> None:
    """Delete the change sets of a plan that is not carried out.

    Raises:
        DeploymentError: CloudFormation refused, or did not answer.
    """
    planning.discard(plan.stacks, plan.session.connections.stacks)


def view(plan: Plan, *, notes: Sequence[str] = ()) -> PlanView:
    """Return what a person reads."""
    session, running, release = plan.session, plan.session.running, plan.release
    commit = release.commit[:_SHORT] + (" (dirty)" if release.is_dirty else "")
    return PlanView(
        environment=session.environment,
        target=session.scope.target_text,
        assessment=plan.assessment,
        from_release=running.name if running else "",
        to_commit=f"r{release.number} {commit}".strip(),
        stacks=tuple(stack_view(stack) for stack in plan.stacks),
        notes=(*notes, *_left_over(plan)),
    )


def saved(plan: Plan) -> SavedPlan:
    """Return the plan bound to everything that it was made from."""
    described = {stack.stack_name: stack.deployed for stack in plan.stacks}
    decisions = {stack.stack_name: adopting.final_decisions(stack.adoption) for stack in plan.stacks}
    change_sets = {
        stack.stack_name: stack.change_set.id
        for stack in plan.stacks
        if stack.change_set is not None and not stack.change_set.is_empty
    }
    return bound(
        plan.session,
        [stack.candidate for stack in plan.stacks],
        described,
        plan.release,
        change_sets=change_sets,
        assessment=plan.assessment,
        decisions=decisions,
    )


def bound(
    session: Session,
    candidates: Sequence[Candidate],
    deployed: Mapping[str, StackDescription],
    release: NextRelease,
    *,
    change_sets: Mapping[str, str],
    assessment: Assessment,
    decisions: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
) -> SavedPlan:
    """Return a plan bound to the account, the commit, the stacks and the digests.

    Args:
        deployed: the stacks as they are now, by their names in the account.
        change_sets: their ids, by the stacks' names in the account.
        decisions: as adopting.final_decisions returns them, by the stacks' names in the account.
    """
    environment, target = session.scope.environment, session.scope.target
    return SavedPlan(
        environment=environment.name,
        account=session.identity.account,
        region=target.region,
        endpoint=target.endpoint,
        consent=environment.consent,
        commit=release.commit,
        is_dirty=release.is_dirty,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        stacks=tuple(
            replace(
                _planned_stack(candidate, deployed[candidate.settings.stack_name], change_sets),
                adopt=dict(decisions.get(candidate.settings.stack_name, {})),
            )
            for candidate in candidates
        ),
        assessment=assessment,
    )


def require_consented(stack: PlannedStack, consented: Assessment, present: Assessment) -> None:
    """Check that the change set of a provisional stack holds nothing that the plan did not show.

    Args:
        present: the verdict on the change set that could be made now.

    Raises:
        CheckFailedError: it holds more.
    """
    # By resource and kind of change, not by text: values of imported exports are known only now.
    shown = {_subject(change) for change in consented.changes}
    more = [change for change in present.changes if _subject(change) not in shown]
    known = {danger.name for danger in (*consented.allowed, *consented.dangers)}
    dangers = [danger for danger in present.dangers if danger.name not in known]
    findings = [Finding(f"{stack.stack_name}: {change.resource}", change.what) for change in more]
    findings += [Finding(f"{stack.stack_name}: {danger.resource}", danger.what, danger.fix) for danger in dangers]
    if findings:
        message = "the change set holds what the plan did not show; this stack was not changed. Deploy again to see all"
        raise CheckFailedError(message, where=stack.stack_name, findings=findings)


def require_readable(plan: Plan) -> None:
    """Ask the project's guards about messages that one of the two releases cannot read.

    Raises:
        CheckFailedError: a guard refuses.
    """
    breaking = plan.release.breaking
    if not breaking:
        return
    guards = plan.session.scope.project.settings.hooks.guards
    remarks = plan.session.run_hooks("guards", guards, breaking=breaking)
    stops = [remark.finding for remark in remarks if remark.level is Level.STOP]
    if stops:
        message = f"{', '.join(breaking)} cannot be read by both releases; nothing was changed"
        raise CheckFailedError(message, where=plan.session.environment, findings=stops)


def _left_over(plan: Plan) -> Iterator[str]:
    """Yield the notes on what earlier stacks have left and the new ones do not adopt."""
    for stack in plan.stacks:
        if left := stack.adoption.left:
            names = ", ".join(sorted(resource.logical_id for resource in left))
            command = f"inv destroy --env {plan.session.environment} --data-only --dry-run"
            yield f"{stack.stack_name}: left over and not adopted: {names}; look: {command}"


def _subject(change: RankedChange) -> tuple[object, ...]:
    return (change.stack, change.resource, change.rank, change.action)


def stack_view(stack: PlannedStack) -> StackView:
    """Return what a person reads about one stack of a plan."""
    is_unchanged = stack.change_set is not None and stack.change_set.is_empty
    is_new = stack_states.can_be_created(stack.deployed.state)
    status = "new" if is_new else "unchanged" if is_unchanged else "changes"
    reasons = [f"waits for the exports {', '.join(stack.awaited)}"] if stack.awaited else []
    reasons += ["its failed creation is deleted first"] if stack.replaces_failed_creation else []
    reasons += [f"adopts {len(stack.adoption.resources)} resource(s) first"] if stack.adoption.resources else []
    provisional = "; ".join(reasons)
    return StackView(stack.name, stack.stack_name, status, is_new=is_new, provisional=provisional)


def _planned_stack(
    candidate: Candidate, deployed: StackDescription, change_sets: Mapping[str, str]
) -> plan_files.PlannedStack:
    released, state = candidate.released, deployed.state
    is_new = stack_states.can_be_created(state)
    definitions = candidate.template.get("Parameters") or {}
    return plan_files.PlannedStack(
        stack=released.stack,
        stack_name=released.stack_name,
        stack_id="" if is_new else state.stack_id,
        changed_at="" if is_new else state.changed_at,
        template=released.template,
        digest=released.digest,
        parameters=stack_inputs.masked(candidate.settings.parameters, definitions),
        code=released.code,
        change_set=change_sets.get(released.stack_name, ""),
    )
