"""Delete what a prune has chosen. Every step may be repeated, so an interrupted prune is finished by the next one."""

from collections.abc import Callable
from dataclasses import replace
from itertools import groupby

from automation.deploying.pruning.selection import Selection
from automation.deploying.pruning.survey import Leftovers
from automation.deploying.releases import records as releases
from automation.deploying.sessions import Session
from automation.deploying.stacks import change_sets, stack_states
from automation.deploying.stacks.change_sets import ChangeSet
from automation.system import console
from automation.system.leftovers import WaitingChangeSet


def remove(selected: Selection, session: Session, leftovers: Leftovers, *, renew: Callable[[], None]) -> None:
    """Delete everything that was chosen.

    Args:
        renew: renews the lock when that is due.

    Raises:
        DeploymentError: AWS refused a request, or did not answer; what was deleted before stays deleted.
    """
    # The releases first: a record must never promise artifacts that are gone.
    for release in selected.releases:
        releases.save(session.connections.table, replace(release, pruned=True))
        renew()
    for waiting in selected.change_sets:
        _discard(waiting, session)
        renew()

    # Functions before layers: a version of a function uses its layers.
    with console.steps("deleting versions", len(selected.functions) + len(selected.layers)) as advance:
        for function in selected.functions:
            leftovers.versions.delete_function_version(function)
            advance(function.function)
            renew()
        for layer in selected.layers:
            leftovers.versions.delete_layer_version(layer)
            advance(layer.layer)
            renew()
    for bucket, objects in groupby(selected.objects, key=lambda entry: entry.bucket):
        with console.progress(f"deleting artifacts in {bucket}"):
            leftovers.objects.delete(tuple(objects), owner=session.identity.account)
        renew()


def _discard(waiting: WaitingChangeSet, session: Session) -> None:
    """Delete a change set, and the empty stack that was created for it."""
    states = {state.name: state for state in session.states}
    is_new_stack = stack_states.is_new(states[waiting.stack_name])
    change_set = ChangeSet(waiting.id, waiting.stack_id, waiting.stack_name, is_new_stack, "", False, {})
    change_sets.discard(change_set, session.connections.stacks)
