"""`inv deploy`: check, sync, build, prove, measure, ask to confirm, run `sam deploy` per stack, summarise, test."""

import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from automation import prove, sizes, validate
from automation.building import builder, built, source_copies
from automation.deploying import records, smoke, stack_states
from automation.project import environments, model
from automation.project.environments import Consent, Environment, StackSettings
from automation.project.model import Project
from automation.system import aws, console, sam
from automation.system.errors import CheckFailedError, ConfigurationError, DeploymentError, UsageError
from automation.system.processes import Finished
from automation.system.targets import Target

_NO_CHANGE = "No changes to deploy"


class Cloud(smoke.Cloud, stack_states.Cloud, Protocol):
    """The calls to AWS that a deployment needs; aws.Cloud is the real one."""

    def account(self) -> str:
        """Return the account id of the credentials."""
        ...

    def first_failure(self, name: str, *, since: datetime) -> str:
        """Return why the last change of a stack failed; empty when no event gives a reason."""
        ...


@dataclass(frozen=True, slots=True)
class DeploymentPlan:
    """The plan of a deployment; making one changes nothing and asks nobody."""

    project: Project
    environment: Environment
    target: Target
    stacks: tuple[StackSettings, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One stack after its deployment.

    Attributes:
        status: created, updated or unchanged.
        is_smoked: whether exactly this deployment has passed its smoke test before.
    """

    stack: str
    stack_name: str
    status: str
    seconds: float
    is_smoked: bool = False


def make_plan(
    project: Project, name: str, *, samconfig: Mapping[str, Any], variables: Mapping[str, str], machine: str
) -> DeploymentPlan:
    """Combine what pyproject.toml, samconfig.toml and this machine say about a deployment to the environment `name`.

    Raises:
        UsageError: there is no such environment.
        ConfigurationError: the settings are incomplete or wrong.
    """
    environment = environments.load(project, name, variables=variables, machine=machine)
    return DeploymentPlan(
        project=project,
        environment=environment,
        target=environments.target(environment, variables),
        stacks=environments.stack_settings(project, environment, samconfig),
    )


def deploy(
    root: Path,
    name: str,
    *,
    variables: Mapping[str, str],
    yes: bool = False,
    dry_run: bool = False,
    before_changes: Callable[[], None] = lambda: None,
    connect: Callable[[Target], Cloud] = aws.Cloud,
) -> tuple[Outcome, ...]:
    """Deploy every stack of the project to the environment `name`.

    Args:
        variables: the process's environment variables.
        yes: the user has confirmed on the command line.
        dry_run: print the plan and change nothing.
        before_changes: called once artifacts are built and measured, before the first change.
        connect: opens the connection to the target.

    Raises:
        AutomationError: a step failed; no later step ran.
    """
    project = model.load(root)
    samconfig = environments.read_samconfig(root) if project.settings.environments else {}
    plan = make_plan(project, name, samconfig=samconfig, variables=variables, machine=platform.machine())
    if dry_run:
        show(plan)
        return ()

    require_consent_possible(plan.environment, yes=yes, is_interactive=console.is_interactive())
    cloud = connect(plan.target)
    check_account(plan, cloud)
    prepare(plan)
    before_changes()
    require_deployable(plan, cloud)

    # Ask last, when only the deployment itself can still fail: the user confirms what has been proven.
    ask_consent(plan, yes=yes, ask=console.ask)
    outcomes = tuple(deploy_stack(settings, plan, cloud=cloud, variables=variables) for settings in plan.stacks)
    summarise(plan, outcomes)
    smoke_test(plan, outcomes, cloud)
    return outcomes


def smoke_test(plan: DeploymentPlan, outcomes: tuple[Outcome, ...], cloud: Cloud) -> None:
    """Ask every function whether it works, unless every stack has passed since it was deployed.

    A deployment that failed its test, or was interrupted before it, is tested again by the next one.

    Raises:
        DeploymentError: a function failed.
    """
    message = plan.project.settings.smoke
    if message is None or all(outcome.is_smoked for outcome in outcomes):
        return

    answers = smoke.ask_all([outcome.stack_name for outcome in outcomes], cloud, message)
    smoke.require_success(answers)

    # Marked only now, so that an unproven deployment is never reported as fine.
    for outcome in outcomes:
        records.mark_smoked(records.path_of(plan.project.root, plan.target, outcome.stack_name))
    console.result(f"{len(answers)} functions answered")


def require_deployable(plan: DeploymentPlan, cloud: Cloud) -> None:
    """Wait for running changes, then check the state of every stack before the first one is changed.

    Raises:
        CheckFailedError: stacks cannot be deployed; there is one finding per stack, with the command that helps.
        DeploymentError: AWS did not answer, or a change did not finish.
    """
    states = stack_states.wait_until_settled([settings.stack_name for settings in plan.stacks], cloud)
    obstacles = [stack_states.obstacle(state, plan.target) for state in states]
    findings = [finding for finding in obstacles if finding is not None]
    if findings:
        raise CheckFailedError(f"{len(findings)} stack(s) cannot be deployed; nothing was changed", findings=findings)


def prepare(plan: DeploymentPlan) -> None:
    """Check the templates, sync, build, prove and measure: every step before the first change."""
    validate.validate_once(plan.project)
    source_copies.sync(plan.project)
    parameters = {settings.stack.name: settings.parameters for settings in plan.stacks}
    builder.build(plan.project, parameters=parameters)

    as_built = built.as_built(plan.project)
    prove.prove_once(as_built)
    sizes.require_within_limits(sizes.measure(as_built))


def check_account(plan: DeploymentPlan, cloud: Cloud) -> None:
    """Compare the account of the credentials with the environment's, through an endpoint too.

    An endpoint without a pinned account is not asked: it may be an emulator that has not been started yet.

    Raises:
        ConfigurationError: credentials are missing, refused, or belong to another account.
    """
    expected = plan.environment.account
    if plan.target.endpoint and not expected:
        return
    account = cloud.account()
    if expected and account != expected:
        message = f"the credentials belong to account {account}, but the environment needs {expected}"
        raise ConfigurationError(f"{message}; set AWS_PROFILE to the right one", where=plan.environment.name)


def require_consent_possible(environment: Environment, *, yes: bool, is_interactive: bool) -> None:
    """Refuse at once a deployment that must be confirmed when there is no terminal to confirm it on.

    Raises:
        UsageError: it must be confirmed, `yes` is not set, and there is no terminal.
    """
    if environment.consent is not Consent.NONE and not yes and not is_interactive:
        message = "must be confirmed, and there is no terminal to confirm it on; run it in a terminal, or add --yes"
        raise UsageError(message, where=f"deploy --env {environment.name}")


def ask_consent(plan: DeploymentPlan, *, yes: bool, ask: Callable[[str], str]) -> None:
    """Show the plan and ask for the confirmation that the environment requires.

    Raises:
        UsageError: the answer does not confirm; nothing was deployed.
    """
    name, consent = plan.environment.name, plan.environment.consent
    if yes or consent is Consent.NONE:
        return

    show(plan)
    word = name if consent is Consent.WORD else "y"
    # Exactly this word: an answer that merely resembles it must not deploy to production.
    if ask(f"Type {word} to deploy to {name}:") != word:
        raise UsageError(f"cancelled: nothing was deployed (type {word} to confirm)", where=f"--env {name}")


def show(plan: DeploymentPlan) -> None:
    """Print what will be deployed, where, and with which parameters."""
    account = plan.environment.account or "of the credentials"
    console.result(f"{plan.environment.name}: {plan.target.endpoint or f'AWS account {account}'}, {plan.target.region}")
    for settings in plan.stacks:
        parameters = " ".join(f"{name}={value}" for name, value in settings.parameters.items())
        stack = settings.stack
        console.result(f"{stack.name}: {settings.stack_name} from {stack.template.path} with {parameters}")


def summarise(plan: DeploymentPlan, outcomes: tuple[Outcome, ...]) -> None:
    """Print the outcome of each stack."""
    rows = [(outcome.stack, outcome.stack_name, outcome.status, f"{outcome.seconds:.1f}") for outcome in outcomes]
    console.table(("stack", "name", "status", "seconds"), rows, right=("seconds",))
    if all(outcome.status == "unchanged" for outcome in outcomes):
        console.result(f"nothing has changed in {plan.environment.name}")


def arguments(settings: StackSettings, plan: DeploymentPlan) -> list[str | Path]:
    """Return the arguments of `sam` that deploy one stack: the built template, no questions, parameters by value."""
    root = plan.project.root
    overrides = [f"{name}={value}" for name, value in settings.parameters.items()]
    return [
        "deploy",
        *("--template-file", built.deployed_template(settings.stack, root)),
        *("--config-file", root / environments.SAMCONFIG),
        *("--config-env", settings.config_env),
        *("--stack-name", settings.stack_name),
        *("--region", plan.target.region),
        "--resolve-s3",
        "--no-confirm-changeset",
        "--no-fail-on-empty-changeset",
        *(["--parameter-overrides", *overrides] if overrides else []),
    ]


def deploy_stack(
    settings: StackSettings, plan: DeploymentPlan, *, cloud: Cloud, variables: Mapping[str, str]
) -> Outcome:
    """Deploy one stack, unless it is up to date.

    Raises:
        DeploymentError: it could not be created or updated; the message has the first failure's reason.
    """
    started, started_at = time.monotonic(), datetime.now(UTC)
    name, root = settings.stack_name, plan.project.root
    before = cloud.stack_state(name)
    digest = records.deployment_digest(built.deployed_template(settings.stack, root), settings.parameters)
    record = records.path_of(root, plan.target, name)
    if records.is_up_to_date(record, digest, before):
        seconds = time.monotonic() - started
        return Outcome(settings.stack.name, name, "unchanged", seconds, is_smoked=records.is_smoked(record))

    try:
        finished = _run_sam(settings, plan, variables)
    except KeyboardInterrupt:
        console.warning(f"{name} may still be changing; deploy again to wait for it, finish and test it")
        raise
    if finished.exit_code:
        raise DeploymentError(_failure(settings, cloud, started_at, finished.tail()), where=name)
    records.write(record, digest, cloud.stack_state(name))

    changed = "updated" if before.exists else "created"
    status = "unchanged" if _NO_CHANGE in finished.stdout else changed
    return Outcome(settings.stack.name, name, status, time.monotonic() - started)


def _run_sam(settings: StackSettings, plan: DeploymentPlan, variables: Mapping[str, str]) -> Finished:
    root, target = plan.project.root, plan.target
    # Poll every 0.1 s on loopback, where a deployment takes 2-3 s; SAM's default is 0.5 s.
    polling = {"SAM_CLI_POLL_DELAY": variables.get("SAM_CLI_POLL_DELAY", "0.1")} if target.is_loopback else {}
    with console.progress(f"deploying {settings.stack_name}") as report_line:
        return sam.run(
            sam.ensure(root),
            arguments(settings, plan),
            cwd=root,
            variables={**target.variables(), **polling},
            without=target.hidden_variables(),
            on_line=report_line,
        )


def _failure(settings: StackSettings, cloud: Cloud, since: datetime, output: str) -> str:
    """Return the reason in the first failed event; SAM's own output when there is none."""
    reason = cloud.first_failure(settings.stack_name, since=since)
    status = cloud.stack_state(settings.stack_name).status or "not created"
    if not reason:
        return f"sam deploy failed ({status}): {output}"
    return f"{reason}; the stack is {status}; fix {settings.stack.template.path} and deploy again"
