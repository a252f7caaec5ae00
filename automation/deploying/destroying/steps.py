"""Destroy what a person has confirmed, in the reverse order of the deployment.

What stays is written down before its stack is deleted, and every step may be repeated. So an interrupted deletion is
finished by the same command.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

from automation.deploying import sessions
from automation.deploying.adoption import model
from automation.deploying.adoption.model import RetainedResource
from automation.deploying.connections import Connections
from automation.deploying.destroying.inventory import StackContents
from automation.deploying.destroying.removal import Removal
from automation.deploying.pruning import removal as pruning
from automation.deploying.pruning import survey
from automation.deploying.pruning.survey import Leftovers
from automation.deploying.releases import records as releases
from automation.deploying.sessions import Session
from automation.deploying.stacks import execution
from automation.deploying.stacks.execution import Operator
from automation.system import console, holdings


def destroy_stacks(removal: Removal, session: Session, operator: Operator) -> None:
    """Delete every stack, the last one first, and the data that were named.

    Raises:
        DeploymentError: a stack or a resource could not be deleted; what was deleted before stays deleted.
        DetachedError: the user detached; CloudFormation goes on with the deletion of one stack.
    """
    connections = session.connections
    for stack in reversed(removal.inventory.stacks):
        _write_down(stack, connections)
        _destroy_stack(stack, removal, connections, operator)
        delete_data([entry for entry in stack.retained if removal.is_named(entry)], connections, operator.on_look)
    delete_data([entry for entry in removal.inventory.left if removal.is_named(entry)], connections, operator.on_look)


def delete_data(resources: Sequence[RetainedResource], connections: Connections, renew: Callable[[], None]) -> None:
    """Delete resources that are in no stack any more, with their data.

    Args:
        renew: renews the lock when that is due.

    Raises:
        DeploymentError: a service refused it, or did not answer.
    """
    for resource in resources:
        with console.progress(f"deleting {resource.name}"):
            # Destructive, so only what a person has named gets here.
            connections.data.release(resource.type, resource.physical_id)
            connections.data.delete(resource.type, resource.physical_id)
            _strike_out(resource, connections)
        console.result(f"{resource.logical_id}: deleted {resource.text}")
        renew()


def delete_artifacts(session: Session, leftovers: Leftovers, renew: Callable[[], None]) -> None:
    """Delete what the releases of the environment have uploaded, but for what other environments use.

    Raises:
        CheckFailedError: another environment is being deployed.
        DeploymentError: AWS refused a request, or did not answer.
    """
    # A record must never promise artifacts that are gone.
    for release in releases.read(session.connections.table, limit=survey.ALL):
        releases.save(session.connections.table, replace(release, pruned=True))
        renew()
    selected = survey.select(sessions.refresh(session), leftovers, newest=0, min_age=timedelta(0))
    pruning.remove(selected, session, leftovers, renew=renew)
    console.result(f"artifacts: deleted {holdings.count(len(selected.objects), 'object')}")


def _destroy_stack(stack: StackContents, removal: Removal, connections: Connections, operator: Operator) -> None:
    # CloudFormation deletes neither a protected table nor a filled bucket. A retained one is not touched here.
    for resource in stack.data:
        if removal.is_named(resource) and resource not in stack.retained:
            connections.data.release(resource.type, resource.physical_id)
    if stack.is_protected:
        connections.stacks.protect(stack.state.name, on=False)
    retained = [resource.logical_id for resource in stack.retained]
    execution.delete(stack.state.name, connections.stacks, operator, total=stack.total, retain=retained)
    kept = holdings.count(len(stack.retained), "resource")
    console.result(f"{stack.state.name}: deleted, {kept} left in the account")


def _write_down(stack: StackContents, connections: Connections) -> None:
    """Write down what a stack will leave in the account, with what earlier stacks of its name have left."""
    name = stack.state.name
    documents = [model.as_document(resource) for resource in stack.retained]
    ids = {document["physical_id"] for document in documents}
    earlier = [document for document in connections.table.retained(name) if document["physical_id"] not in ids]
    if documents or earlier:
        connections.table.write_retained(name, [*documents, *earlier])


def _strike_out(resource: RetainedResource, connections: Connections) -> None:
    """Take a deleted resource out of the record."""
    known = connections.table.retained(resource.stack_name)
    rest = [document for document in known if document["physical_id"] != resource.physical_id]
    if len(rest) < len(known):
        connections.table.write_retained(resource.stack_name, rest)
