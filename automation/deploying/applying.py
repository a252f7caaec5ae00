"""Carry out a plan: record the release, execute its change sets in order, and record how it left the stacks."""

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime

from automation.deploying import adopted_values, adopting, contract_store, plan_files, planning, plans
from automation.deploying.changes.model import Verdict
from automation.deploying.connections import Stacks
from automation.deploying.planning import PlannedStack
from automation.deploying.plans import Plan
from automation.deploying.releases import records as releases
from automation.deploying.releases.records import Release, Status
from automation.deploying.sessions import Session
from automation.deploying.stacks import execution, stack_states
from automation.deploying.stacks.execution import DetachedError, Operator
from automation.deploying.watching import replaced
from automation.system import console
from automation.system.errors import DeploymentError


def carry_out(plan: Plan, operator: Operator) -> Release:
    """Apply a plan, or record what runs already when nothing is to be done; return the release, not tested.

    Raises:
        AutomationError: as `apply` and `adopt`.
    """
    if plan.verdict is not Verdict.NOTHING:
        return apply(plan, operator)
    plans.discard(plan)
    return adopt(plan)


def apply(plan: Plan, operator: Operator) -> Release:
    """Execute the change sets of a plan; return the release, deployed but not tested.

    Raises:
        DeploymentError: a change failed; CloudFormation has rolled that stack back.
        CancelledError: the user cancelled it.
        DetachedError: the user left; the release stays as `deploying`, and the next deployment finishes it.
        CheckFailedError: the change set of a provisional stack holds what the plan did not show.
    """
    waiting = list(plan.stacks)
    try:
        release = _record(plan)
        console.note(f"deploying {release.name}")
        return _change_all(waiting, plan, release, operator)
    finally:
        # Nobody executes what a failure has left over. The failure is the error to report, not one of the clean-up.
        with suppress(DeploymentError):
            planning.discard(waiting, plan.session.connections.stacks)


def adopt(plan: Plan) -> Release:
    """Record what runs already as a release, without a change; return it, not tested.

    It is what an interrupted deployment left, or what somebody deployed without this program.

    Raises:
        DeploymentError: AWS did not answer.
    """
    return _complete(plan, _record(plan))


def save(session: Session, release: Release) -> Release:
    """Store the new state of a release, and return it.

    Raises:
        DeploymentError: DynamoDB did not answer.
    """
    releases.save(session.connections.table, release)
    return release


def _record(plan: Plan) -> Release:
    """Store the release before its first change; an unfinished one with the same content is continued."""
    session, candidates = plan.session, [stack.candidate for stack in plan.stacks]
    if unfinished := plans.unfinished(session, candidates):
        return unfinished

    # A rollback changes the stacks in reverse; a record has them in the order of deployment.
    order = session.scope.stack_names
    stacks = sorted((candidate.released for candidate in candidates), key=lambda stack: order.index(stack.stack_name))
    release = Release(
        commit=plan.release.commit,
        is_dirty=plan.release.is_dirty,
        arn=session.identity.arn,
        person=session.deployer().person,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        plan=_store_plan(plan),
        verdict=plan.verdict,
        allowed=tuple(danger.name for danger in plan.assessment.allowed),
        contracts=plan.release.contracts,
        rollback_to=plan.release.rollback_to,
        stacks=tuple(stacks),
    )
    return releases.add(session.connections.table, release)


def _change_all(waiting: list[PlannedStack], plan: Plan, release: Release, operator: Operator) -> Release:
    """Change each stack, and take it off the list."""
    unfinished = f"{release.name} is deployed in part; finish it: {operator.attach_command}"
    with execution.explain_interrupt(unfinished, where=plan.session.environment):
        try:
            # Before the first change: CloudFormation changes only what differs from what it has deployed itself.
            connections = plan.session.connections
            replaced.restore(plan.session.watched, connections.code, connections.table, plan.session.environment)
            while waiting:
                change(waiting.pop(0), plan, operator)
        except (DetachedError, KeyboardInterrupt):
            raise
        except BaseException:
            _finish(plan, release, Status.FAILED)
            raise
        return _complete(plan, release)


def _complete(plan: Plan, release: Release) -> Release:
    """Finish a deployment that has changed every stack; an interrupted one is completed by the next."""
    session = plan.session
    if not session.scope.environment.is_sandbox:
        protect(session.scope.stack_names, session.connections.stacks)
    adopted_values.report_lost(session.scope, session.connections)
    return _finish(plan, release, Status.DEPLOYED)


def protect(stack_names: Iterable[str], cloud: Stacks) -> None:
    """Switch on the termination protection of every stack that lacks it.

    Raises:
        DeploymentError: CloudFormation did not answer.
    """
    for name in stack_names:
        described = cloud.describe(name)
        if not (described.is_protected or stack_states.can_be_created(described.state)):
            cloud.protect(name, on=True)
            console.result(f"{name}: termination protection is on")


def change(stack: PlannedStack, plan: Plan, operator: Operator) -> None:
    """Change one stack as it was planned.

    Raises:
        DeploymentError, CancelledError, DetachedError, CheckFailedError: as `apply`.
    """
    connections, change_set = plan.session.connections, stack.change_set
    if stack.replaces_failed_creation:
        # Destructive, but CloudFormation has rolled the creation back: what is left the template retains.
        retained = [resource.logical_id for resource in (*stack.adoption.resources, *stack.adoption.left)]
        execution.delete(stack.stack_name, connections.stacks, operator, retain=retained)
        console.result(f"{stack.stack_name}: its failed creation is deleted")
    if stack.adoption.resources:
        adopting.adopt(stack, plan.session, operator)
    if change_set is None:
        change_set = _planned_now(stack, plan).change_set
    if change_set is None or change_set.is_empty:
        console.result(f"{stack.stack_name}: unchanged")
    else:
        executed = execution.execute(change_set, connections.stacks, operator)
        what = "created" if executed.is_new_stack else "updated"
        console.result(f"{stack.stack_name}: {what}, {len(executed.resources)} resource(s) changed")
    adopted_values.keep(stack.stack_name, stack.adoption.resources, connections)


def _planned_now(stack: PlannedStack, plan: Plan) -> PlannedStack:
    """Create the change set that had to wait for an earlier stack, and check it against the plan."""
    session, cloud = plan.session, plan.session.connections.stacks
    now = planning.plan_stack(stack.candidate, cloud, session.surroundings, exports=cloud.exports())
    try:
        assessment = plans.assess(session, [now], allow=[danger.name for danger in plan.assessment.allowed])
        plans.require_consented(now, plan.assessment, assessment)
    except BaseException:
        planning.discard([now], cloud)
        raise
    return now


def _finish(plan: Plan, release: Release, status: Status) -> Release:
    """Record how the stacks were left; without an answer from AWS after a failure, the failure is what counts."""
    session = plan.session
    try:
        states = [session.connections.stacks.stack_state(name) for name in session.scope.stack_names]
        if any(stack_states.is_running(state) for state in states):
            # The connection or the lock was lost, and CloudFormation goes on: the next deployment finishes the release.
            return release
        final = releases.as_left(replace(release, status=status), states, before=session.running)
        return save(session, final)
    except DeploymentError as cause:
        if status is not Status.FAILED:
            raise
        console.warning(f"how {release.name} left the stacks could not be recorded: {cause}")
        return release


def _store_plan(plan: Plan) -> str:
    """Write the plan to the bucket; it is part of the release's evidence."""
    beside = plan.stacks[0].candidate.released.template
    content = json.dumps({"format": plan_files.FORMAT, "plan": asdict(plans.saved(plan))}, sort_keys=True).encode()
    return contract_store.write(content, beside, plan.session.connections.store)
