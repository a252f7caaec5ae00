"""The two steps that every service takes with a stored run: load it, and publish its outbox."""

from the_alchemiser.shared.errors import StateUnavailableError
from the_alchemiser.shared.messaging.wiring import Reaction
from the_alchemiser.shared.run.runs import Run, RunStore


def load_run(runs: RunStore, run_id: str) -> Run:
    """Return the run, strongly consistent.

    Raises:
        StateUnavailableError: there is no such run, or it is not visible yet.
    """
    run = runs.load(run_id)
    if run is None:
        raise StateUnavailableError(f"there is no run {run_id}")
    return run


def outbox_reaction(runs: RunStore, run: Run) -> Reaction:
    """Return the reaction that publishes what the run's last move left unsent; empty when everything is sent.

    The outbox is marked as sent only after publishing: a crash in between publishes it again, with the same ids.
    """
    if run.sent:
        return Reaction()

    def mark_sent() -> None:
        runs.mark_sent(run.run_id, state=run.state)

    return Reaction(run.outbox, on_published=mark_sent)
