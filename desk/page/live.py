"""The connection of the page to a deployed environment: made when it is first needed, and again after a failure."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from desk.operations.environment import Environment
from desk.operations.run_record import RecordSources
from desk.operations.run_show import sources_of
from the_alchemiser.shared.broker.client import Broker
from the_alchemiser.shared.broker.errors import BrokerError


@dataclass(frozen=True, slots=True)
class Connection:
    """A deployed environment with its broker, whose credentials are read once.

    Attributes:
        decisions: the decision paths that were read, by reference; they never change.
    """

    environment: Environment
    broker: Broker
    decisions: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def record_sources(self) -> RecordSources:
        """Return the sources of a run's record, which read each decision path once."""
        sources = sources_of(self.environment, self.broker)

        def decision(path_ref: str) -> Mapping[str, Any]:
            if path_ref not in self.decisions:
                path = sources.decision(path_ref)
                if not path:
                    return path  # it may be stored later
                self.decisions[path_ref] = path
            return self.decisions[path_ref]

        return RecordSources(
            stage=sources.stage,
            runs=sources.runs,
            ledger=sources.ledger,
            broker=sources.broker,
            deliveries=sources.deliveries,
            decision=decision,
            latest_id=sources.latest_id,
        )


class LiveEnvironment:
    """Connects when it is used. Several threads may use it at once."""

    def __init__(self, connect: Callable[[], Environment]) -> None:
        self._connect = connect
        self._lock = Lock()
        self._connection: Connection | None = None

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        """Yield the connection; errors inside the block become errors that a person can act on.

        Any failure but the broker's ends the connection: the stacks may have been deployed anew or deleted.

        Raises:
            AutomationError: the environment cannot be used, is not deployed, or does not answer.
        """
        with self._lock:
            if self._connection is None:
                environment = self._connect()
                self._connection = Connection(environment, environment.broker())
            connection = self._connection
        try:
            with connection.environment.errors():
                yield connection
        except Exception as error:
            if not isinstance(error.__cause__, BrokerError):
                self._connection = None
            raise
