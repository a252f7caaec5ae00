"""`inv diff`: show what a deployment would change, ranked and with a verdict, and change nothing.

With --against it compares templates only, and needs neither credentials nor a connection.
"""

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from types import MappingProxyType

from automation import affected, preparing, sizes
from automation.building import built
from automation.deploying import asked_parameters, assessing, candidates, contract_store, plan_files, plans, sessions
from automation.deploying import scope as scopes
from automation.deploying.adoption import choices
from automation.deploying.candidates import Candidate
from automation.deploying.changes import comparison, expansion, references
from automation.deploying.changes.expansion import SamTemplate
from automation.deploying.changes.model import Expanded, ResourceChange, Verdict
from automation.deploying.changes.references import StackTemplate
from automation.deploying.checks import hooks
from automation.deploying.connections import Connections
from automation.deploying.plans import NextRelease, Plan
from automation.deploying.scope import Scope
from automation.deploying.sessions import Session
from automation.deploying.verdict import dangers
from automation.deploying.verdict.aspects import Facts
from automation.deploying.views import plan_json, plan_markdown, plan_text
from automation.deploying.views.plan_view import PlanView, StackView
from automation.project import model
from automation.sizing import history
from automation.system import console, git
from automation.system.errors import CHANGES, AutomationError, CheckFailedError, Finding, UsageError

EXIT_CODES = {Verdict.NOTHING: 0, Verdict.SAFE: CHANGES, Verdict.CONSENT: CHANGES, Verdict.FORBIDDEN: 3}
_NOT_REHEARSED = "the target is an emulator: quotas, time-outs and refusals of AWS are not rehearsed here"


@dataclass(frozen=True, slots=True)
class Options:
    """What the user chose.

    Attributes:
        out: the file to save the plan to; empty for none.
        against: a git revision or a template file to compare with; empty for the deployed stacks.
        allow: names of dangers, such as `replace:Ledger`.
        adopt: decisions about resources of earlier stacks, such as `Ledger=new`.
        set: values of parameters that a person is asked for, as `NAME=VALUE`.
        comment: publish the plan as a review comment, or in the summary of the job; changes end with 0 then.
    """

    json: bool = False
    markdown: bool = False
    out: str = ""
    against: str = ""
    allow: tuple[str, ...] = ()
    adopt: tuple[str, ...] = ()
    set: tuple[str, ...] = ()
    comment: bool = False


def diff(
    root: Path,
    name: str,
    *,
    variables: Mapping[str, str],
    options: Options,
    start_target: Callable[[], None] = lambda: None,
    connect: Callable[[Scope], Connections] | None = None,
) -> int:
    """Show what a deployment to the environment `name` would change.

    Args:
        variables: the process's environment variables.
        start_target: called before the first call to the target.
        connect: opens the connections.

    Returns:
        The exit code: 0 nothing to do, or changes that were published; 7 changes, 3 forbidden.

    Raises:
        AutomationError: a step failed; nothing was changed.
    """
    require_consistent(options)
    if options.against:
        view = compare(root, name, variables=variables, options=options)
        show(view, options)
        return EXIT_CODES[view.assessment.verdict]
    if options.comment and _is_skipped(name, variables):
        return EXIT_CODES[Verdict.NOTHING]

    scope = scopes.read(root, name, variables=variables)
    chosen = asked_parameters.parse(options.set)
    asked_parameters.require_settable(scope, chosen)
    start_target()
    tree = git.read_work_tree(root, apart_from=preparing.inside(root, options.out))
    session = sessions.begin(scope, preparing.open_connections(scope, connect), tree, chosen=chosen)
    session = with_placeholders(session, options)
    preparing.prepare(session.scope)
    digests = candidates.digests(session.scope)
    # A saved plan is made in any case: what is deployed by it need not know whether there is anything to do.
    if sessions.is_up_to_date(session, digests) and not options.out:
        _show_and_publish(unchanged_view(session), options, variables)
        return EXIT_CODES[Verdict.NOTHING]

    plan = make_plan(session, digests, allow=options.allow, decisions=choices.parse(options.adopt))
    _show_and_save(plan, options, variables)
    is_reported = options.comment and plan.verdict is not Verdict.FORBIDDEN
    return EXIT_CODES[Verdict.NOTHING if is_reported else plan.verdict]


def require_consistent(options: Options) -> None:
    """Refuse options that exclude each other.

    Raises:
        UsageError: two of them do.
    """
    if options.json and options.markdown:
        raise UsageError("--json and --markdown exclude each other; use one of them", where="diff")
    if options.against and options.out:
        message = "--out saves a plan, but --against only compares templates; use one of them"
        raise UsageError(message, where="diff")
    if options.against and options.comment:
        message = "--comment is about the deployed stacks, but --against only compares templates; use one of them"
        raise UsageError(message, where="diff")


def with_placeholders(session: Session, options: Options) -> Session:
    """Return the session with examples for the parameters that inv deploy will ask for and that have no default.

    Raises:
        CheckFailedError: the plan is to be saved, or a template does not allow the example.
    """
    questions = asked_parameters.questions(session.scope)
    needed = [question for question in questions if options.out or not question.has_usable_example]
    if needed:
        command = _typed(session.environment, options, asked_parameters.set_words(questions))
        findings = [Finding(question.name, "has no value yet", command) for question in needed]
        message = f"{'a saved plan' if options.out else 'the plan'} needs these values; nothing was changed"
        raise CheckFailedError(message, where=session.environment, findings=findings)

    for question in questions:
        default = question.default
        used = f"its default {default!r}" if default is not None else question.example
        console.warning(f"{question.name} has no value yet: inv deploy asks for it; this plan has {used}")
    examples = {question.name: question.example for question in questions if question.default is None}
    return replace(session, scope=asked_parameters.fill(session.scope, {}, examples))


def make_plan(
    session: Session,
    digests: Mapping[str, str],
    *,
    allow: tuple[str, ...] = (),
    decisions: Mapping[str, str] = MappingProxyType({}),
) -> Plan:
    """Upload the build, create its change sets and assess what they change.

    Args:
        digests: of the build; see candidates.digests.
        decisions: about resources of earlier stacks; see adopting.find.

    Raises:
        AutomationError: a step failed; no change set is left behind.
    """
    to_deploy = upload(session, digests)
    changes, location = compare_contracts(session, to_deploy[0].released.template)
    release = next_release(session, contracts=location, breaking=changes.breaking)
    return plans.make(
        session,
        release,
        to_deploy,
        allow=allow,
        lines=changes.lines,
        reasons=lambda: code_reasons(session),
        decisions=decisions,
    )


def upload(session: Session, digests: Mapping[str, str]) -> tuple[Candidate, ...]:
    """Upload the build, and return what each stack would become, with its sizes for `inv size --history`.

    Raises:
        AutomationError: as candidates.of_build.
    """
    connections, stamp = session.connections, session.stamp(digests)
    to_deploy = candidates.of_build(session.scope, connections.stacks, connections.store, digests=digests, stamp=stamp)
    measured = sizes.measure(built.as_built(session.scope.project))
    return candidates.with_sizes(to_deploy, history.contents_by_stack(measured), history.mounts_by_stack(measured))


def next_release(session: Session, *, contracts: str = "", breaking: tuple[str, ...] = ()) -> NextRelease:
    """Return the release that a deployment of the working copy would make.

    Args:
        contracts: where the schemas of its messages are.
        breaking: the messages that it or the running release cannot read from the other.
    """
    tree = session.tree
    return NextRelease(
        number=session.next_number,
        commit=tree.commit if tree else "",
        is_dirty=tree.is_dirty if tree else False,
        contracts=contracts,
        breaking=breaking,
    )


def compare_contracts(session: Session, beside: str) -> tuple[contract_store.ContractChanges, str]:
    """Compare the schemas of messages and stored items with those of the running release, and store the new ones.

    Returns:
        What breaks, and the location of the new schemas.

    Raises:
        ConfigurationError: a hook failed.
        DeploymentError: S3 did not answer.
    """
    scope, store = session.scope, session.connections.store
    functions = scope.project.settings.hooks.contracts
    if not functions:
        return contract_store.ContractChanges(), ""
    context = hooks.context_of(scope, now=session.now, account=session.identity.account)
    schemas = hooks.documents("contracts", functions, context, root=scope.root, target=scope.target)
    deployed = contract_store.load(session.running.contracts if session.running else "", store)
    return contract_store.compare(deployed, schemas), contract_store.save(schemas, beside, store)


def code_reasons(session: Session) -> Mapping[str, str]:
    """Return why the code of each function changes since the commit of the release that runs; empty when unknown."""
    commit = session.running.commit if session.running else ""
    if not commit or not session.tree:
        return {}
    try:
        changes = affected.find(session.scope.root, since=commit)
    except AutomationError:
        # This clone may not have the commit. The reasons are a help, not a check.
        return {}
    return {redeployment.name: redeployment.reason for redeployment in changes.redeployments}


def compare(root: Path, name: str, *, variables: Mapping[str, str], options: Options) -> PlanView:
    """Compare the templates of the working copy with those of a revision or a file, without credentials.

    Raises:
        UsageError: there is no such revision, file or environment.
        ConfigurationError: a template cannot be read or expanded.
        ToolError: SAM CLI or git is missing.
    """
    project = model.load(root)
    before = references.templates_of(options.against, project, environment=name, variables=variables)
    after = references.templates_of_project(project, environment=name, variables=variables)
    if Path(options.against).is_file():
        after = {stack: template for stack, template in after.items() if stack in before}

    old, new = _expand(before, root), _expand(after, root)
    changes: list[ResourceChange] = []
    for stack in dict.fromkeys([*after, *before]):
        changes += comparison.compare(stack, old.get(stack), new.get(stack))
    pairs = [(stack, old.get(stack), expanded) for stack, expanded in new.items()]
    facts = Facts(
        watched=project.settings.watched,
        parameters=tuple(chain.from_iterable(assessing.parameter_changes(*pair) for pair in pairs)),
        lines=tuple(chain.from_iterable(assessing.output_lines(*pair) for pair in pairs)),
    )
    return PlanView(
        environment=name,
        target="templates only",
        assessment=dangers.assess(changes, facts, allow=options.allow),
        from_release=options.against,
        to_commit="the working copy",
        stacks=tuple(StackView(stack, after[stack].name, is_new=stack not in before) for stack in after),
        notes=("replacement is predicted from resource schemas; code is not compared",),
    )


def show(view: PlanView, options: Options) -> None:
    """Print a plan as text, JSON or Markdown."""
    if options.json:
        console.result_json(plan_json.as_json(view))
    elif options.markdown:
        console.result(plan_markdown.render(view))
    else:
        plan_text.show(view)


def notes(scope: Scope) -> tuple[str, ...]:
    """Return what a reader must know about a plan for this target."""
    return (_NOT_REHEARSED,) if scope.target.is_loopback else ()


def unchanged_view(session: Session) -> PlanView:
    """Return the plan that has nothing to do."""
    running = session.running
    stacks = [StackView(settings.stack.name, settings.stack_name, "unchanged") for settings in session.scope.stacks]
    if running is None:
        return PlanView(session.environment, session.scope.target_text, stacks=tuple(stacks))
    advice = f"{running.name} has not passed its smoke test: inv deploy --env {session.environment} tests it again"
    return PlanView(
        environment=session.environment,
        target=session.scope.target_text,
        from_release=running.name,
        stacks=tuple(stacks),
        notes=() if running.is_proven else (advice,),
    )


def _show_and_save(plan: Plan, options: Options, variables: Mapping[str, str]) -> None:
    """Show a plan and write its file; without a file its change sets are deleted again."""
    try:
        _show_and_publish(plans.view(plan, notes=notes(plan.session.scope)), options, variables)
        if options.out:
            plan_files.write(Path(options.out), plans.saved(plan))
    except BaseException:
        plans.discard(plan)
        raise
    if options.out:
        command = shlex.join(["inv", "deploy", "--env", plan.session.environment, "--plan", options.out])
        console.note(f"saved; deploy exactly this with {command}")
    else:
        plans.discard(plan)


def _show_and_publish(view: PlanView, options: Options, variables: Mapping[str, str]) -> None:
    show(view, options)
    if options.comment:
        from automation import reviews  # noqa: PLC0415 - only a job of GitHub Actions comments

        reviews.publish(_words(view.environment), plan_markdown.render(view), variables=variables)


def _is_skipped(environment: str, variables: Mapping[str, str]) -> bool:
    """Return whether this job has no credentials, because its pull request comes from a fork."""
    from automation import reviews  # noqa: PLC0415 - only a job of GitHub Actions comments

    return reviews.skip_of_fork(_words(environment), variables=variables)


def _words(environment: str) -> tuple[str, ...]:
    """Return the words that say which comment is replaced: there is one for each environment."""
    return ("diff", "--env", environment)


def _typed(environment: str, options: Options, more: Sequence[str]) -> str:
    """Return the command that the user typed, with more words."""
    pairs = [
        *(("--allow", name) for name in options.allow),
        *((choices.OPTION, decision) for decision in options.adopt),
        *(("--set", value) for value in options.set),
    ]
    out = ["--out", options.out] if options.out else []
    return shlex.join(["inv", "diff", "--env", environment, *out, *chain.from_iterable(pairs), *more])


def _expand(templates: Mapping[str, StackTemplate], root: Path) -> dict[str, Expanded]:
    sources = [SamTemplate(source.name, source.template, source.parameters) for source in templates.values()]
    expanded = zip(templates.items(), expansion.expand(sources, root=root), strict=True)
    return {stack: Expanded(template, source.parameters) for (stack, source), template in expanded}
