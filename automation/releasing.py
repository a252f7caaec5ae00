"""Release what was prepared: plan, ask for exactly that, carry it out, prove that it works, or go back."""

import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from automation import diff, preparing
from automation.deploying import adopting, applying, consent, plan_files, plans, recovery, sessions
from automation.deploying.adoption import choices
from automation.deploying.adoption.model import Adoption
from automation.deploying.changes.model import Expanded, Verdict
from automation.deploying.checks import setup
from automation.deploying.deploy_options import Options, allow_words, typed
from automation.deploying.plan_files import SavedPlan
from automation.deploying.planning import PlannedStack
from automation.deploying.plans import Plan
from automation.deploying.releases.records import Release
from automation.deploying.remarks import Level
from automation.deploying.sessions import Session
from automation.deploying.stacks import change_sets, execution
from automation.deploying.stacks.execution import Operator
from automation.deploying.views import plan_text
from automation.system import console
from automation.system.accounts import CallError


def release(session: Session, digests: Mapping[str, str], options: Options, operator: Operator) -> Release:
    """Deploy what was prepared and is different from what runs, test it, and go back when the test fails.

    Args:
        session: as it is now that we hold the lock.
        digests: of the build, as candidates.digests returns them.

    Raises:
        AutomationError: a step failed; the message says what was changed, and what to type next.
    """
    if sessions.is_up_to_date(session, digests) and session.running is not None:
        preparing.report_unchanged(session, session.running)
        return _prove(session, session.running, operator)

    with execution.explain_interrupt("nothing was changed", where=f"deploy --env {session.environment}"):
        if options.plan:
            plan = _reopen(session, digests, options.plan)
        else:
            plan = diff.make_plan(session, digests, allow=options.allow, decisions=choices.parse(options.adopt))
        confirm(plan, yes=options.yes, command=_command(plan, options))
    applied = applying.carry_out(plan, operator)
    if plan.verdict is Verdict.NOTHING:
        preparing.report_unchanged(session, applied)
    return _prove(session, applied, operator)


def confirm(plan: Plan, *, yes: bool, command: str) -> None:
    """Show a plan that changes something and ask for its confirmation; without it no change set is left behind.

    Args:
        yes: ordinary changes are confirmed.
        command: what the user typed, to which --allow can be added.

    Raises:
        CheckFailedError: the plan is forbidden, or a guard of the project stops it.
        UsageError: the user did not confirm.
    """
    if plan.verdict is Verdict.NOTHING:
        return
    session, environment = plan.session, plan.session.scope.environment
    try:
        plan_text.show(
            plans.view(plan, notes=diff.notes(session.scope)), with_dangers=plan.verdict is not Verdict.FORBIDDEN
        )
        consent.require_allowed(plan.assessment, command=command)
        plans.require_readable(plan)
        ask = console.ask if console.is_interactive() else None
        consent.ask(plan.assessment, environment, yes=yes, ask=ask)
    except BaseException:
        plans.discard(plan)
        raise


def _command(plan: Plan, options: Options) -> str:
    """Return the command to which --allow must be added: a saved plan is made again."""
    environment = plan.session.environment
    if options.plan:
        allowed = allow_words(danger.name for danger in plan.assessment.allowed)
        return shlex.join(["inv", "diff", "--env", environment, "--out", options.plan, *allowed])
    return typed(environment, options)


def _prove(session: Session, release: Release, operator: Operator) -> Release:
    proven = recovery.prove_or_go_back(session, release, operator)
    console.result(f"{proven.name} runs in {session.environment}: smoke test {proven.smoke}", style="bold green")
    _report_missing(session)
    return proven


def _report_missing(session: Session) -> None:
    """Say what a person still has to set up: functions answer although nobody hears of an alarm."""
    account, environment = session.connections.account, session.environment
    try:
        deployed = [account.stack(name) for name in session.scope.stack_names]
    except CallError as cause:
        console.warning(f"what must be set up could not be checked: {cause.detail}; inv status --env {environment}")
        return
    remarks = setup.look(session.scope, account, deployed, now=session.now)
    missing = [remark.finding for remark in remarks if remark.level is Level.WARN]
    for finding in missing:
        preparing.warn(finding)
    if missing:
        look = f"inv status --env {environment}"
        console.result(f"{environment} is not ready: {len(missing)} thing(s) must be set up; see them again: {look}")


def _reopen(session: Session, digests: Mapping[str, str], file: str) -> Plan:
    """Return a saved plan, if nothing has moved since it was made.

    Raises:
        ConfigurationError: the file cannot be read.
        CheckFailedError: something has moved, or a change set is gone.
    """
    path, cloud = Path(file), session.connections.stacks
    saved = plan_files.read(path, environment=session.environment)
    to_deploy = diff.upload(session, digests)
    changes, location = diff.compare_contracts(session, to_deploy[0].released.template)
    release = diff.next_release(session, contracts=location, breaking=changes.breaking)
    described = {name: cloud.describe(name) for name in session.scope.stack_names}
    # What is decided now belongs into a new plan, so that no option can be added to this command.
    adoptions = adopting.find(replace(session, command=""), to_deploy, _saved_decisions(saved))
    present = plans.bound(
        session,
        to_deploy,
        described,
        release,
        change_sets={},
        assessment=saved.assessment,
        decisions={name: adopting.final_decisions(adoption) for name, adoption in adoptions.items()},
    )
    plan_files.require_unmoved(saved, now=present, path=path)

    stacks = []
    planned = {stack.stack_name: stack for stack in saved.stacks}
    for candidate in to_deploy:
        entry = planned[candidate.settings.stack_name]
        deployed = described[entry.stack_name]
        change_set = None
        if entry.change_set:
            stack_id = entry.stack_id or deployed.state.stack_id
            change_set = change_sets.reopen(entry.change_set, cloud, stack_id=stack_id, environment=saved.environment)
        adoption = adoptions.get(entry.stack_name, Adoption())
        after = Expanded(candidate.template)
        stacks.append(PlannedStack(candidate, deployed, None, after, (), change_set, adoption=adoption))
    return Plan(session, release, tuple(stacks), saved.assessment)


def _saved_decisions(saved: SavedPlan) -> dict[str, str]:
    """Return what a saved plan adopts, as a person would type it."""
    decisions: dict[str, str] = {}
    for stack in saved.stacks:
        decisions |= {f"{stack.stack}/{name}": value for name, value in stack.adopt.items()}
    return decisions
