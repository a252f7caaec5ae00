"""Preflight, sync, build, prove, measure, consent, `sam deploy` of each stack in order, summary."""

import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from automation import prove, sizes, validate
from automation.building import builder, built, source_copies
from automation.deploying import records, smoke
from automation.project import environments, model
from automation.project.environments import Consent, Environment, StackSettings
from automation.project.model import Project
from automation.system import aws, console, sam
from automation.system.errors import ConfigurationError, DeploymentError, UsageError
from automation.system.processes import Finished

_UNFINISHED = "ROLLBACK_COMPLETE"
_NO_CHANGE = "No changes to deploy"


class Cloud(smoke.Cloud, Protocol):
    """What a deployment asks of its target; aws.Cloud is the real one."""

    def account(self) -> str:
        """The account id of the credentials."""
        ...

    def stack_state(self, name: str) -> aws.StackState:
        """How a stack stands now."""
        ...

    def first_failure(self, name: str, *, since: datetime) -> str:
        """Why its last change failed; empty when no event tells."""
        ...


@dataclass(frozen=True, slots=True)
class Plan:
    """What a deployment will do; making it changes nothing and asks nobody."""

    project: Project
    environment: Environment
    target: aws.Target
    stacks: tuple[StackSettings, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One stack after its deployment: created, updated or unchanged."""

    stack: str
    stack_name: str
    status: str
    seconds: float


def plan(
    project: Project, name: str, *, samconfig: Mapping[str, Any], variables: Mapping[str, str], machine: str
) -> Plan:
    """Put together what pyproject.toml, samconfig.toml and the machine say about a deployment to `name`.

    Raises:
        UsageError: there is no such environment.
        ConfigurationError: the settings are incomplete or wrong.
    """
    environment = environments.load(project, name, variables=variables, machine=machine)
    return Plan(
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
    ready: Callable[[], None] = lambda: None,
    connect: Callable[[aws.Target], Cloud] = aws.Cloud,
) -> tuple[Outcome, ...]:
    """Deploy every stack of the project to an environment.

    Args:
        variables: the process's environment variables.
        yes: consent was given beforehand.
        dry_run: print the plan and change nothing.
        ready: is called once artifacts are built and measured, before the first change.
        connect: how the target is reached.

    Raises:
        AutomationError: whatever a step found; nothing after that step was done.
    """
    loaded = model.load(root)
    samconfig = environments.read_samconfig(root) if loaded.environments else {}
    made = plan(loaded, name, samconfig=samconfig, variables=variables, machine=platform.machine())
    if dry_run:
        show(made)
        return ()
    require_consent_possible(made.environment, yes=yes, is_interactive=console.is_interactive())
    cloud = connect(made.target)
    check_account(made, cloud)
    prepare(made)
    ready()
    ask_consent(made, yes=yes, ask=console.ask)
    outcomes = tuple(deploy_stack(stack, made, cloud=cloud, variables=variables) for stack in made.stacks)
    summarise(made, outcomes)
    smoke_test(made, outcomes, cloud)
    return outcomes


def smoke_test(made: Plan, outcomes: tuple[Outcome, ...], cloud: Cloud) -> None:
    """Ask every function how it is, when anything changed and the project says what to ask.

    Raises:
        DeploymentError: a function failed.
    """
    payload = smoke.message(made.project.root)
    if payload is None or all(one.status == "unchanged" for one in outcomes):
        return
    answers = smoke.ask_all([one.stack_name for one in outcomes], cloud, payload)
    smoke.require_well(answers)
    console.result(f"{len(answers)} functions answered")


def prepare(made: Plan) -> None:
    """Everything before the first change: templates, trees, artifacts, proof, sizes."""
    validate.validate_once(made.project)
    source_copies.sync(made.project)
    builder.build(made.project, parameters={one.stack.name: one.parameters for one in made.stacks})
    as_built = built.as_built(made.project)
    prove.prove_once(as_built)
    sizes.require_within(sizes.measure(as_built))


def check_account(made: Plan, cloud: Cloud) -> None:
    """Hold the credentials against the guard. A target with an endpoint of its own is no AWS account.

    Raises:
        ConfigurationError: credentials are absent, refused, or belong to another account.
    """
    if made.target.endpoint:
        return
    account = cloud.account()
    if made.environment.account and account != made.environment.account:
        message = f"the credentials belong to account {account}, but the environment is {made.environment.account}"
        raise ConfigurationError(f"{message}; set AWS_PROFILE to the right one", where=made.environment.name)


def require_consent_possible(environment: Environment, *, yes: bool, is_interactive: bool) -> None:
    """Refuse early what would have to ask somebody who is not there.

    Raises:
        UsageError: consent is needed, was not given, and there is no terminal to ask on.
    """
    if environment.consent is not Consent.NONE and not yes and not is_interactive:
        message = "needs a person's consent and there is no terminal to ask on; run it on one, or add --yes"
        raise UsageError(message, where=f"deploy --env {environment.name}")


def ask_consent(made: Plan, *, yes: bool, ask: Callable[[str], str]) -> None:
    """Ask what the environment wants asked.

    Raises:
        UsageError: the answer is not the one that consents; nothing was deployed.
    """
    name, consent = made.environment.name, made.environment.consent
    if yes or consent is Consent.NONE:
        return
    show(made)
    word = name if consent is Consent.WORD else "y"
    answer = ask(f"Type {word} to deploy to {name}:")
    if answer != word:
        raise UsageError(f"was not consented to; nothing was deployed (type {word} to consent)", where=f"--env {name}")


def show(made: Plan) -> None:
    """Print what will be deployed, where, and with which parameters."""
    where = made.target.endpoint or f"AWS account {made.environment.account or 'of the credentials'}"
    console.result(f"{made.environment.name}: {where}, {made.target.region}")
    for one in made.stacks:
        parameters = " ".join(f"{name}={value}" for name, value in one.parameters.items())
        console.result(f"{one.stack.name}: {one.stack_name} from {one.stack.template.path} with {parameters}")


def summarise(made: Plan, outcomes: tuple[Outcome, ...]) -> None:
    """Print what each stack's deployment came to."""
    rows = [(one.stack, one.stack_name, one.status, f"{one.seconds:.1f}") for one in outcomes]
    console.table(("stack", "name", "status", "seconds"), rows, right=("seconds",))
    if all(one.status == "unchanged" for one in outcomes):
        console.result(f"nothing has changed in {made.environment.name}")


def arguments(settings: StackSettings, made: Plan) -> list[str | Path]:
    """What `sam` is given to deploy one stack: the built template, no questions, every parameter by value."""
    root = made.project.root
    overrides = [f"{name}={value}" for name, value in settings.parameters.items()]
    return [
        "deploy",
        *("--template-file", built.deployed_template(settings.stack, root)),
        *("--config-file", root / "samconfig.toml"),
        *("--config-env", settings.config_env),
        *("--stack-name", settings.stack_name),
        *("--region", made.target.region),
        "--resolve-s3",
        "--no-confirm-changeset",
        "--no-fail-on-empty-changeset",
        *(["--parameter-overrides", *overrides] if overrides else []),
    ]


def deploy_stack(settings: StackSettings, made: Plan, *, cloud: Cloud, variables: Mapping[str, str]) -> Outcome:
    """Deploy one stack.

    Raises:
        DeploymentError: it could not be created or updated; the message has the first failure's reason.
    """
    started, at = time.monotonic(), datetime.now(UTC)
    before = cloud.stack_state(settings.stack_name)
    if before.status == _UNFINISHED:
        message = f"its first creation failed and left it in {_UNFINISHED}; delete it, then deploy again: "
        raise DeploymentError(f"{message}sam delete --stack-name {before.name}", where=before.name)
    root = made.project.root
    made_of = records.made_of(built.deployed_template(settings.stack, root), settings.parameters)
    record = records.path_of(root, made.target, settings.stack_name)
    if records.is_current(record, made_of, before):
        return Outcome(settings.stack.name, settings.stack_name, "unchanged", time.monotonic() - started)
    finished = _run_sam(settings, made, variables)
    if finished.exit_code:
        raise DeploymentError(_failure(settings, cloud, at, finished.tail()), where=settings.stack_name)
    records.write(record, made_of, cloud.stack_state(settings.stack_name))
    changed = "updated" if before.exists else "created"
    status = "unchanged" if _NO_CHANGE in finished.stdout else changed
    return Outcome(settings.stack.name, settings.stack_name, status, time.monotonic() - started)


def _run_sam(settings: StackSettings, made: Plan, variables: Mapping[str, str]) -> Finished:
    """On loopback SAM asks for news ten times a second: a deployment there takes no longer than two or three."""
    root = made.project.root
    speed = {"SAM_CLI_POLL_DELAY": variables.get("SAM_CLI_POLL_DELAY", "0.1")} if made.target.is_loopback else {}
    with console.progress(f"deploying {settings.stack_name}") as say:
        return sam.run(
            sam.ensure(root),
            arguments(settings, made),
            cwd=root,
            variables={**made.target.variables(), **speed},
            without=made.target.forgotten(),
            on_line=say,
        )


def _failure(settings: StackSettings, cloud: Cloud, since: datetime, said: str) -> str:
    """The first failed event tells the reason; what SAM printed serves when there is none."""
    reason = cloud.first_failure(settings.stack_name, since=since)
    status = cloud.stack_state(settings.stack_name).status or "not created"
    if not reason:
        return f"sam deploy failed ({status}): {said}"
    return f"{reason}; the stack is {status}; mend {settings.stack.template.path} and deploy again"
