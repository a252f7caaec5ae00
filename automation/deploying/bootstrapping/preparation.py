"""What prepares an account: the bootstrap stack and the steps beside it, planned, shown and done."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from automation.deploying import applying, bootstrap_stack, candidates, planning, plans
from automation.deploying.bootstrapping import contents as stack_contents
from automation.deploying.bootstrapping import grants, provider, repositories, role_lines, roles, stack_template
from automation.deploying.bootstrapping.contents import Contents
from automation.deploying.bootstrapping.provider import Providers
from automation.deploying.candidates import Candidate
from automation.deploying.changes.model import Action, Assessment, Rank, RankedChange, Verdict
from automation.deploying.checks import hooks
from automation.deploying.checks.hooks import Step, StepState
from automation.deploying.plans import NextRelease, Plan
from automation.deploying.releases.records import ReleasedStack
from automation.deploying.scope import Scope
from automation.deploying.sessions import Session
from automation.deploying.stacks import stack_states
from automation.deploying.stacks.execution import Operator
from automation.deploying.views.plan_view import PlanView
from automation.project import environments, sam_configuration, templates
from automation.project.environments import StackSettings
from automation.project.model import Stack
from automation.project.settings import TABLE
from automation.project.templates import Template
from automation.system import console, git
from automation.system.errors import CheckFailedError, DeploymentError

_NAME = "bootstrap"
_ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Preparation:
    """The plan to prepare an account.

    Attributes:
        plan: of the bootstrap stack.
        assessment: of the stack and the steps, as a person reads it.
        provider_arn: of GitHub's identity provider.
        steps: the provider first, then those of the project's hooks.
        notes: what a reader must know.
    """

    plan: Plan
    assessment: Assessment
    provider_arn: str
    steps: tuple[Step, ...]
    notes: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        return self.assessment.verdict is Verdict.NOTHING


def plan(session: Session, providers: Providers, *, repository: str, allow: Sequence[str]) -> Preparation:
    """Plan the bootstrap stack and the steps; nothing is changed but for a waiting change set.

    Args:
        repository: what the user typed; empty for that of the deployed role, or of git.
        allow: the dangers that were allowed by name.

    Raises:
        UsageError: the repository is not known.
        ConfigurationError: a template, a hook or a grant of pyproject.toml is wrong, or the grants are too long.
        CheckFailedError: the stack is in a state in which it cannot be changed, or the role of temporary environments
            would reach another one.
        DeploymentError, ToolError: AWS did not answer, or a tool is missing.
    """
    scope, cloud = session.scope, session.connections.stacks
    name = bootstrap_stack.name_of(scope.name_patterns)
    deployed = cloud.describe(name)
    obstacle = stack_states.obstacle(deployed.state, scope.target)
    if obstacle and not stack_states.is_failed_creation(deployed.state):
        raise CheckFailedError("nothing was changed", where=name, findings=[obstacle])

    contents = stack_contents.read(scope, session.surroundings)
    known = deployed.outputs.get(bootstrap_stack.REPOSITORY, "")
    chosen = repositories.choose(repository, known, git.origin(scope.root))
    provider_arn = provider.arn_of(contents.partition, contents.account)
    answers = {**bootstrap_stack.answers_in(deployed.outputs), **answered(session)}
    own_bucket = deployed.outputs.get(bootstrap_stack.BUCKET, "")
    content = _content(session, contents, own_bucket=own_bucket, repository=chosen, answers=answers)
    candidate = _candidate(name, stack_template.render(content))

    steps = (provider.look(provider_arn, providers), *_hook_steps(session, applies=False))
    stacks = planning.plan_stacks([candidate], cloud, session.surroundings)
    try:
        permitted = [*allow, *chain.from_iterable(map(role_lines.allowed_names, stacks))]
        assessment = plans.assess(session, stacks, allow=permitted, lines=_lines(steps))
    except BaseException:
        # The first error is the one to report, not one of the clean-up.
        with suppress(DeploymentError):
            planning.discard(stacks, cloud)
        raise
    of_stack = Plan(session, NextRelease(0), stacks, assessment)
    shown = role_lines.summarised(replace(assessment, unused=_unused(assessment, allow)), stacks[0])
    notes = (*_notes(contents), *_overlaps(scope))
    return Preparation(of_stack, shown, provider_arn, steps, notes)


def answered(session: Session) -> dict[str, str]:
    """Return the known values of parameters that a person is asked for, without those that may not be shown."""
    values: dict[str, str] = {}
    for settings in session.scope.stacks:
        definitions = settings.stack.template.parameters
        for name in settings.asked:
            if name in settings.parameters and not templates.is_no_echo(definitions[name]):
                values[name] = settings.parameters[name]
    return values


def view(preparation: Preparation) -> PlanView:
    """Return what a person reads."""
    scope = preparation.plan.session.scope
    return PlanView(
        environment=scope.environment.name,
        target=scope.target_text,
        assessment=preparation.assessment,
        stacks=tuple(map(plans.stack_view, preparation.plan.stacks)),
        notes=preparation.notes,
    )


def carry_out(preparation: Preparation, providers: Providers, operator: Operator) -> tuple[Step, ...]:
    """Do every step, in an order in which a killed run can be completed by the next one; return what is so now.

    Raises:
        DeploymentError: a step failed.
        ConfigurationError: a hook failed.
        CancelledError, DetachedError: the user cancelled the change of the stack, or left.
    """
    session, stacks = preparation.plan.session, preparation.plan.stacks
    cloud, names = session.connections.stacks, [stack.stack_name for stack in stacks]
    # The provider first: the role trusts it.
    first = provider.ensure(preparation.provider_arn, providers)
    for stack in stacks:
        applying.change(stack, preparation.plan, operator)
    if not session.scope.environment.is_sandbox:
        applying.protect(names, cloud)
    steps = (first, *_hook_steps(session, applies=True))
    for before, after in zip(preparation.steps, steps, strict=False):
        if before.state is StepState.DUE:
            console.result(f"{after.where}: {after.what}")
    return steps


def _content(
    session: Session, contents: Contents, *, own_bucket: str, repository: str, answers: Mapping[str, str]
) -> stack_template.Content:
    """Return what the bootstrap stack contains.

    Args:
        own_bucket: the name of the bucket that the stack has already; empty before it has one.
    """
    scope = session.scope
    named = {str(settings.section.get("s3_bucket", "")) for settings in scope.stacks}
    others = {*named, *_buckets_of_releases(session)} - {"", own_bucket}
    buckets: list[Any] = [f"arn:{contents.partition}:s3:::{name}" for name in sorted(others)]
    buckets += [stack_template.BUCKET_ARN] if "" in named else []
    return stack_template.Content(
        environment=scope.environment.name,
        repository=repository,
        roles=roles.of(roles.Request(scope, contents, repository, buckets)),
        has_bucket="" in named,
        answers=answers,
    )


def _buckets_of_releases(session: Session) -> Iterator[str]:
    """Yield the buckets with artifacts of earlier releases: a rollback reads them, and stores its plan beside them."""
    for release in session.known:
        yield from (candidates.location(stack.template)[0] for stack in release.stacks if stack.template)


def _candidate(name: str, template: Mapping[str, Any]) -> Candidate:
    parsed = Template("the bootstrap stack", {}, {}, {}, {}, template["Resources"], outputs=template["Outputs"])
    stack = Stack(_NAME, parsed, build_dir="", config_env=_NAME, functions=(), layers=())
    settings = StackSettings(stack, name, _NAME, parameters={})
    return Candidate(settings, ReleasedStack(stack=_NAME, stack_name=name), template, url="")


def _hook_steps(session: Session, *, applies: bool) -> tuple[Step, ...]:
    # Nobody sets anything up for a temporary environment, and a pattern has no stacks to look at.
    is_temporary = session.scope.environment.is_temporary
    scope, functions = session.scope, () if is_temporary else session.scope.project.settings.hooks.bootstrap
    described = [session.connections.stacks.describe(name) for name in scope.stack_names] if functions else []
    context = hooks.context_of(
        scope,
        now=session.now,
        account=session.identity.account,
        outputs=[stack.outputs for stack in described],
        parameters=[stack.parameters for stack in described],
        applies=applies,
    )
    return hooks.steps(functions, context, root=scope.root, target=scope.target)


def _lines(steps: Iterable[Step]) -> list[RankedChange]:
    return [
        RankedChange(Rank.OTHER, _ACCOUNT, step.where, "", Action.ADD, step.what)
        for step in steps
        if step.state is StepState.DUE
    ]


def _unused(assessment: Assessment, allow: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in assessment.unused if name in allow)


def _notes(contents: Contents) -> Iterable[str]:
    yield (
        "not rehearsed: what the role may do only through CloudFormation, which the emulator does not check; it comes "
        "from cfn-lint's resource schemas"
    )
    if unknown := grants.unknown_types(contents):
        yield f"no schema says what CloudFormation needs for {', '.join(unknown)}; add the actions to grants of {TABLE}"


def _overlaps(scope: Scope) -> Iterator[str]:
    """Yield a note on each other environment whose resources the role would reach in the same account."""
    project, samconfig = scope.project, environments.read_samconfig(scope.root)
    for environment in project.settings.environments:
        sections = [stack.config_env.format(env=environment) for stack in project.deployed]
        names = [sam_configuration.section(samconfig, name, "deploy").get("stack_name", "") for name in sections]
        others = [name for name in map(str, names) if name not in scope.stack_names]
        reached = [name for name in others if any(grants.reaches(own, name) for own in scope.stack_names)]
        if reached and environment != scope.environment.name:
            names_text = ", ".join(reached)
            yield f"in the same account the role would reach {names_text} of {environment}: rename one of the stacks"
