"""What follows a deployment that was carried out: the test, and after a failed one the way back.

An automatic rollback restores the last good release, in reverse order. It never does what the verdict forbids: then it
stops, and pauses the product. Only a person may accept such a loss.
"""

from collections.abc import Sequence
from dataclasses import replace

from automation.deploying import acceptance, applying, candidates, contract_store, plans, sessions
from automation.deploying.plans import NextRelease, Plan
from automation.deploying.releases import records as releases
from automation.deploying.releases.records import Release, Smoke, Status
from automation.deploying.sessions import Session
from automation.deploying.stacks import execution, stack_states
from automation.deploying.stacks.execution import DetachedError, Operator
from automation.deploying.stacks.smoke import PAUSES_S
from automation.deploying.views import plan_view
from automation.system import console
from automation.system.accounts import CallError, SecretState
from automation.system.errors import AutomationError, DeploymentError, RolledBackError


def prove(session: Session, release: Release) -> Release:
    """Test a deployed release and record the result.

    Returns:
        The release; its `smoke` says whether it works.

    Raises:
        DeploymentError: AWS did not answer.
    """
    target = session.scope.target
    pauses_s = () if target.is_loopback else PAUSES_S
    missing = missing_secrets(session)
    result = acceptance.run(
        release,
        session.connections,
        target=target,
        message=session.scope.project.settings.smoke,
        missing_secrets=missing,
        pauses_s=pauses_s,
    )
    if session.scope.environment.is_temporary:
        result = acceptance.without(result, missing)
    acceptance.show(result)
    return applying.save(session, acceptance.record(release, result))


def missing_secrets(session: Session) -> tuple[str, ...]:
    """Return the names of the declared secrets that do not exist.

    IAM denies the reading of a missing secret, so a function cannot tell by itself what is wrong.

    Raises:
        DeploymentError: Secrets Manager did not answer.
    """
    names = [secret.name_in(session.environment) for secret in session.scope.project.settings.secrets]
    try:
        return tuple(name for name in names if session.connections.account.secret(name) is not SecretState.PRESENT)
    except CallError as cause:
        raise DeploymentError(f"the secrets could not be looked up: {cause.detail}", where="smoke test") from cause


def prove_or_go_back(session: Session, release: Release, operator: Operator) -> Release:
    """Test a deployed release; after a failed test restore the last good one.

    Raises:
        RolledBackError: the test failed, and the last good release runs again.
        DeploymentError: the test failed, and nothing could be restored; the product is paused.
    """
    untested = f"{release.name} is deployed, but not tested; test it: {operator.attach_command}"
    with execution.explain_interrupt(untested, where=session.environment):
        proven = prove(session, release)
    if proven.smoke != Smoke.FAILED:
        return proven

    reason = f"{proven.name} failed its test: {acceptance.summary(proven.smoke_findings)}"
    console.warning(f"{reason}; going back to the last release that works")
    unfinished = f"{reason}; it may be rolled back in part; finish it: inv rollback --env {session.environment}"
    try:
        with execution.explain_interrupt(unfinished, where=session.environment):
            restored = _go_back(sessions.refresh(session), proven, operator)
    except DetachedError:
        pause(session)
        raise
    except AutomationError as cause:
        pause(session)
        message = f"{proven.name} failed its test, and was not rolled back: {cause}"
        environment = session.environment
        advice = f"fix it and run inv deploy --env {environment}, or inv rollback --env {environment}"
        raise DeploymentError(f"{message}; {advice}", where=environment) from cause

    message = f"{reason}; rolled back to r{restored.rollback_to}, which runs as {restored.name}"
    raise RolledBackError(
        f"{message}; fix it and run inv deploy --env {session.environment}", where=session.environment
    )


def _go_back(session: Session, failed: Release, operator: Operator) -> Release:
    good = releases.last_good(session.known, before=failed.number)
    if good is None:
        raise DeploymentError("no earlier release has passed its test")

    plan = plan_restoration(session, good)
    try:
        _require_permitted(plan, good)
        plans.require_readable(plan)
    except BaseException:
        plans.discard(plan)
        raise

    console.result(f"rolling back to {good.name}")
    restored = applying.apply(plan, replace(operator, command=session.rollback_command(good)))
    applying.save(session, replace(failed, status=Status.ROLLED_BACK))
    proven = prove(sessions.refresh(session), restored)
    if proven.smoke == Smoke.FAILED:
        raise DeploymentError(
            f"{good.name} was restored, and fails its test too: {acceptance.summary(proven.smoke_findings)}"
        )
    return proven


def _require_permitted(plan: Plan, good: Release) -> None:
    """Refuse a way back that is forbidden; there is nobody to allow it."""
    dangers = plan.assessment.dangers
    if not dangers:
        return
    allow = plan_view.allow_options(dangers)
    command = f"{plan.session.rollback_command(good)} {allow}"
    advice = f"if you want it: {command}" if allow else "AWS would refuse it"
    raise DeploymentError(f"that is forbidden: {plan_view.explain(dangers)}; {advice}")


def plan_restoration(session: Session, good: Release, *, allow: Sequence[str] = ()) -> Plan:
    """Plan the restoration of a release, the last stack first; where one must be created, in the order of deployment.

    Args:
        allow: the dangers that were allowed by name.

    Raises:
        DeploymentError, ConfigurationError: it cannot be planned.
    """
    # A stack is created after those whose exports it imports, and goes back before them.
    is_created = not any(stack_states.can_be_created(state) for state in session.states)
    stacks = tuple(reversed(good.stacks)) if is_created else good.stacks
    store = session.connections.store
    to_restore = candidates.of_release(session.scope, stacks, store)
    # After a deployment that failed halfway no release runs on every stack: its messages are those of the newest.
    present = session.running or session.known[0]
    changes = contract_store.compare(
        contract_store.load(present.contracts, store), contract_store.load(good.contracts, store)
    )
    release = NextRelease(
        number=session.next_number,
        commit=good.commit,
        is_dirty=good.is_dirty,
        contracts=good.contracts,
        breaking=changes.breaking,
        rollback_to=good.rollback_to or good.number,
    )
    return plans.make(session, release, to_restore, allow=allow, lines=changes.lines)


def pause(session: Session) -> None:
    """Bring the product to a safe halt; what the hooks say is printed, and hides no other failure."""
    try:
        remarks = session.run_hooks("pause", session.scope.project.settings.hooks.pause)
    except AutomationError as cause:
        console.warning(f"{session.environment} could not be paused: {cause}")
        return
    for remark in remarks:
        console.warning(f"{remark.where}: {remark.what}{f'; {remark.fix}' if remark.fix else ''}")
