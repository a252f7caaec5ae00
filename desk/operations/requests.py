"""`inv trading.sweep`: send the command of a schedule now, and say what to look at next."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from automation.system import console
from desk.operations.environment import COORDINATOR, Environment, connect
from the_alchemiser.shared.broker.account_check import require_account
from the_alchemiser.shared.messaging.commands import SweepRuns

type Connect = Callable[[Path, str], Environment]


def sweep(root: Path, name: str, *, connect: Connect = connect) -> None:
    """Let the coordinator of the environment `name` sweep once. Harmless, however often it is sent.

    Raises:
        UsageError: there is no such environment.
        ConfigurationError: the broker's keys are those of another account; nothing was sent.
        AutomationError: the environment cannot be used, or AWS or the broker does not answer.
    """
    environment = connect(root, name)
    # With keys of another account, the function would do nothing, and only its log would say why.
    with environment.errors(), closing(environment.broker()) as broker:
        require_account(broker.account(), environment.parameters.get("BrokerAccount", ""))
        environment.send(COORDINATOR, SweepRuns(command="sweep-runs"))
    console.results(
        (
            f"{name}: asked {COORDINATOR} to settle ended runs and, from 5 minutes after the close on, check the books",
            f"in a few seconds: inv reconcile --env {name}",
            f"what it did: inv logs --env {name} --function {COORDINATOR} --since 5m",
        )
    )
