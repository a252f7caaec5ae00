"""Adopt what earlier stacks have left: find it, decide, and import it into the new stack.

The import creates the stack with exactly these resources. The ordinary update of the same deployment adds the rest.
"""

import json
import shlex
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any

from automation.deploying import adopted_values, candidates, contract_store, planning
from automation.deploying.adoption import choices, import_template, model
from automation.deploying.adoption.choices import NEW, Commands, Namesake, NewStack
from automation.deploying.adoption.model import Adoption, RetainedResource
from automation.deploying.adoption.search import Searcher
from automation.deploying.candidates import Candidate
from automation.deploying.changes import resolution
from automation.deploying.connections import Connections
from automation.deploying.planning import PlannedStack, Surroundings
from automation.deploying.sessions import Session
from automation.deploying.stacks import change_sets, execution, stack_states
from automation.deploying.stacks.change_sets import Request
from automation.deploying.stacks.execution import Operator
from automation.system import console
from automation.system.errors import CheckFailedError, Finding, UsageError


def searcher(connections: Connections, surroundings: Surroundings) -> Searcher:
    """Return the search for what deleted stacks have left.

    Raises:
        DeploymentError: CloudFormation did not answer.
    """
    cloud = connections.stacks
    return Searcher(
        stacks=cloud,
        table=connections.table,
        data=connections.data,
        read_template=partial(planning.expanded_template, cloud=cloud),
        pseudo=partial(planning.pseudo_parameters, surroundings=surroundings),
        exports=cloud.exports(),
    )


def find(session: Session, to_deploy: Sequence[Candidate], decisions: Mapping[str, str]) -> dict[str, Adoption]:
    """Return what each new stack adopts, by its name in the account.

    Args:
        decisions: of the command line: a physical id or `new`, by what a person calls the resource.

    Raises:
        UsageError: a decision is about no resource of a new stack.
        CheckFailedError: a person must decide about a resource first; nothing was changed.
        DeploymentError: AWS did not answer.
    """
    new = [candidate for candidate in to_deploy if _is_new(candidate, session)]
    labels = choices.labels({entry.released.stack: tuple(entry.template["Resources"]) for entry in to_deploy})
    existing = [candidate for candidate in to_deploy if candidate not in new]
    due = {name: value for name, value in decisions.items() if not _is_done(name, value, existing, labels, session)}
    by_stack = _by_stack(new, labels, due, environment=session.environment)
    if not new:
        return {}

    search = searcher(session.connections, session.surroundings)
    with console.progress("looking for what earlier stacks have left"):
        retained = search.find(candidate.settings.stack_name for candidate in new)
    adoptions: dict[str, Adoption] = {}
    findings: list[Finding] = []
    for candidate in new:
        stack = candidate.released.stack
        subject = _new_stack(candidate, session, retained, labels=labels[stack], decisions=by_stack[stack])
        adoption, undecided = choices.choose(subject, commands=_commands(session, decisions))
        adoptions[candidate.settings.stack_name] = adoption
        findings += undecided
    if findings:
        message = f"{len(findings)} resource(s) need a decision; nothing was changed"
        raise CheckFailedError(message, where=session.environment, findings=findings)
    return adoptions


def final_decisions(adoption: Adoption) -> dict[str, str]:
    """Return everything that is decided about a stack, for a saved plan: a physical id or `new`, by logical id."""
    adopted = {resource.logical_id: resource.physical_id for resource in adoption.resources}
    return {**adoption.decisions, **adopted}


def adopt(stack: PlannedStack, session: Session, operator: Operator) -> None:
    """Create a stack by the import of the resources that it adopts.

    Raises:
        DeploymentError: CloudFormation refused the import, or could not do it; no resource was changed.
        DetachedError: the user detached; the same command goes on where this one has stopped.
    """
    resources, connections = stack.adoption.resources, session.connections
    # Written down first: an update resets a parameter, and an interrupted one must not lose what a person has set.
    adopted_values.write(stack.stack_name, resources, connections)
    request = Request(
        stack.candidate.settings, _upload(stack, connections), {}, imports=import_template.identifiers(resources)
    )
    deployed = connections.stacks.describe(stack.stack_name)
    poll_s = stack_states.poll_s(session.scope.target)
    change_set = change_sets.create(request, deployed, connections.stacks, poll_s=poll_s)
    execution.execute(change_set, connections.stacks, operator)
    console.result(f"{stack.stack_name}: adopted {len(resources)} resource(s)")


def _is_new(candidate: Candidate, session: Session) -> bool:
    name = candidate.settings.stack_name
    return any(state.name == name and stack_states.can_be_created(state) for state in session.states)


def _is_done(
    name: str,
    value: str,
    existing: Sequence[Candidate],
    labels: Mapping[str, Mapping[str, str]],
    session: Session,
) -> bool:
    """Return whether an interrupted deployment has carried a decision out, so that its command can be repeated."""
    stacks = [
        candidate.settings.stack_name
        for candidate in existing
        if _called(name, candidate.released.stack, labels[candidate.released.stack])
    ]
    if value == NEW:
        return bool(stacks) and session.running is None
    return session.connections.stacks.owner(value) in stacks


def _by_stack(
    new: Sequence[Candidate],
    labels: Mapping[str, Mapping[str, str]],
    decisions: Mapping[str, str],
    *,
    environment: str,
) -> dict[str, dict[str, str]]:
    """Return the decisions by stack and logical id.

    Raises:
        UsageError: one is about no resource of a new stack.
    """
    by_stack: dict[str, dict[str, str]] = {candidate.released.stack: {} for candidate in new}
    for name, value in decisions.items():
        owners = [(stack, owned[0]) for stack in by_stack if (owned := _called(name, stack, labels[stack]))]
        if not owners:
            known = sorted(chain.from_iterable(_importable(candidate, labels) for candidate in new))
            message = f"{name} is not a resource of a stack that would be created in {environment}"
            detail = f"what can be adopted: {', '.join(known)}" if known else "every stack exists"
            raise UsageError(f"{message}; {detail}", where=choices.OPTION)
        stack, logical_id = owners[0]
        by_stack[stack][logical_id] = value
    return by_stack


def _importable(candidate: Candidate, labels: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return what a person calls the resources of a stack that a deployment can adopt."""
    own, resources = labels[candidate.released.stack], candidate.template["Resources"]
    return [label for name, label in own.items() if resources[name]["Type"] in model.IDENTIFIERS]


def _called(name: str, stack: str, labels: Mapping[str, str]) -> list[str]:
    """Return the logical ids of a stack's resources that a person may call by this name."""
    return [logical_id for logical_id, label in labels.items() if name in {label, f"{stack}/{logical_id}"}]


def _new_stack(
    candidate: Candidate,
    session: Session,
    retained: Sequence[RetainedResource],
    *,
    labels: Mapping[str, str],
    decisions: Mapping[str, str],
) -> NewStack:
    cloud, stack_name = session.connections.stacks, candidate.settings.stack_name
    described = cloud.describe(stack_name)
    expanded = planning.to_deploy(candidate, candidate.template, described, session.surroundings, cloud.exports())
    wanted = resolution.resolve(expanded).resources
    own = tuple(resource for resource in retained if resource.stack_name == stack_name)
    return NewStack(
        stack=candidate.released.stack,
        wanted=wanted,
        retained=own,
        namesakes=_namesakes(stack_name, wanted, own, decisions, session.connections),
        labels=labels,
        decisions=decisions,
    )


def _namesakes(
    stack_name: str,
    wanted: Mapping[str, Mapping[str, Any]],
    retained: Sequence[RetainedResource],
    decisions: Mapping[str, str],
    connections: Connections,
) -> dict[str, Namesake]:
    """Return the resources that have a fixed name of the template, or were named by a person, and are not left over."""
    known = {resource.physical_id for resource in retained}
    ids = {
        logical_id: (kind, connections.data.find(kind, name))
        for logical_id, (kind, name) in choices.fixed_names(wanted).items()
    }
    named = {name: value for name, value in decisions.items() if value != NEW and name in wanted}
    ids |= {logical_id: (str(wanted[logical_id]["Type"]), value) for logical_id, value in named.items()}

    namesakes: dict[str, Namesake] = {}
    for logical_id, (kind, physical_id) in ids.items():
        if not physical_id or physical_id in known or kind not in model.IDENTIFIERS:
            continue
        holding = connections.data.look(kind, physical_id)
        if holding is not None:
            definition = model.of_stranger(wanted[logical_id])
            resource = RetainedResource(stack_name, logical_id, kind, physical_id, definition, holding)
            namesakes[logical_id] = Namesake(resource, connections.stacks.owner(physical_id))
    return namesakes


def _upload(stack: PlannedStack, connections: Connections) -> str:
    """Store the template of the import beside that of the deployment; return where CloudFormation reads it."""
    content = json.dumps(import_template.template(stack.adoption.resources), sort_keys=True).encode()
    written = contract_store.write(content, stack.candidate.released.template, connections.store)
    return connections.store.url(*candidates.location(written))


def _commands(session: Session, decisions: Mapping[str, str]) -> Commands:
    words = ["inv", "deploy", "--env", session.environment]
    for name, value in decisions.items():
        words += [choices.OPTION, f"{name}={value}"]
    return Commands(session.environment, session.command or shlex.join(words), session.scope.target)
