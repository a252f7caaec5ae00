"""What endpoints work on (exchange, store, planted faults, rate limit, second source), and the types of endpoints."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sandbox.exchange.answers import Answer
from sandbox.exchange.exchange import Exchange, State
from sandbox.exchange.faults import FaultPlan
from sandbox.exchange.orders import PLAIN, Script
from sandbox.exchange.parameters import Params
from sandbox.exchange.rate_limit import RateLimit
from sandbox.exchange.refusals import Refusal
from sandbox.exchange.second_source import SecondSource
from sandbox.exchange.store import Store

__all__ = ("Answer", "Call", "Endpoint", "Host")


@dataclass(frozen=True, slots=True)
class Call:
    """One parsed request: path parameters, query, JSON body, and what planted faults do to it.

    Attributes:
        script: what they do with a new order.
        ignores_cancel: a cancel is answered without effect.
        pending_s: how long a cancel or a replacement takes, in seconds of exchange time.
    """

    path: Mapping[str, str]
    query: Params
    body: Mapping[str, object]
    script: Script = PLAIN
    ignores_cancel: bool = False
    pending_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A method, a path, the function that handles them, and whether it may change the state."""

    method: str
    path: str
    handle: "Callable[[Host, Call], Answer]"
    changes: bool = False


@dataclass(slots=True)
class Host:
    """One exchange with its store, faults and rate limit, and the second source beside it.

    It handles one request at a time: the server has one thread, and handlers never wait.
    """

    exchange: Exchange
    store: Store
    faults: FaultPlan = field(default_factory=FaultPlan)
    limit: RateLimit = field(default_factory=lambda: RateLimit(0))
    second: SecondSource = field(init=False)

    def __post_init__(self) -> None:
        market = self.exchange.market
        self.second = SecondSource(market.fork(), market.second_bar_faults)

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
            self.store.save(self.exchange.state)
        except OSError as error:
            self.exchange.restore(before)
            raise Refusal(500, 50010000, f"the state could not be written, nothing was done: {error}") from error
