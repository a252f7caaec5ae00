"""The venue of one server (exchange, state file, planted faults), and the types of its endpoints."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from sandbox.exchange.exchange import Exchange, State
from sandbox.exchange.faults import FaultPlan
from sandbox.exchange.parameters import Params
from sandbox.exchange.refusals import Refusal
from sandbox.exchange.store import StateFile

SANDBOX_KEY = "sandbox-key"
SANDBOX_SECRET = "sandbox-secret"  # noqa: S105 - a dummy, the same for everyone


@dataclass(frozen=True, slots=True)
class Call:
    """One parsed request: path parameters, query, JSON body, and the fraction that planted faults let an order fill."""

    path: Mapping[str, str]
    query: Params
    body: Mapping[str, object]
    fill_fraction: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class Answer:
    """A response; the payload is JSON, and None means an empty body."""

    payload: object = None
    status: int = 200


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A method, a path, the function that handles them, and whether it may change the state."""

    method: str
    path: str
    handle: "Callable[[Venue, Call], Answer]"
    changes: bool = False


@dataclass(slots=True)
class Venue:
    """The exchange, state file and faults of one server.

    It handles one request at a time: the server has one thread, and handlers never wait.
    """

    exchange: Exchange
    store: StateFile
    key: str = SANDBOX_KEY
    secret: str = SANDBOX_SECRET
    faults: FaultPlan = field(default_factory=FaultPlan)

    def answer(self, endpoint: Endpoint, call: Call) -> Answer:
        """Answer a request. A change is on disk before this returns; if it fails, the exchange is unchanged.

        Raises:
            Refusal: the exchange refuses the request, or the state cannot be written.
        """
        if not endpoint.changes:
            return endpoint.handle(self, call)

        # Saved before the client gets an answer: an acknowledged order must survive a crash.
        before = self.exchange.snapshot()
        try:
            answer = endpoint.handle(self, call)
        except Exception:
            self.exchange.restore(before)
            raise
        self._save(before)
        return answer

    def _save(self, before: State) -> None:
        try:
            self.store.save(self.exchange.snapshot())
        except OSError as error:
            self.exchange.restore(before)
            raise Refusal(500, 50010000, f"the state could not be written, nothing was done: {error}") from error
