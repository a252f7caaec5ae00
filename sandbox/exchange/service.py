"""The venue of one server: it routes requests, limits their rate, and applies planted faults. It needs no HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from sandbox.exchange import (
    account_routes,
    activity_routes,
    control_routes,
    data_routes,
    planting_routes,
    trading_routes,
)
from sandbox.exchange.faults import NONE, Misbehaviour, refusal_of
from sandbox.exchange.host import Answer, Call, Host
from sandbox.exchange.keys import SANDBOX_KEY, SANDBOX_SECRET
from sandbox.exchange.parameters import Params
from sandbox.exchange.refusals import Refusal
from sandbox.exchange.routing import CONTROL_PATH, Router, is_data_path
from sandbox.exchange.second_source import SECOND_PATH, error_answer

__all__ = ("ROUTER", "Answer", "Reception", "Request", "Venue")


ROUTER = Router(
    (
        *account_routes.ENDPOINTS,
        *activity_routes.ENDPOINTS,
        *trading_routes.ENDPOINTS,
        *data_routes.ENDPOINTS,
        *control_routes.ENDPOINTS,
        *planting_routes.ENDPOINTS,
    )
)


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it arrives: the path is decoded and has no query. `key` is the second source's, from the header."""

    method: str
    path: str
    query: Params = field(default_factory=dict)
    body: Mapping[str, object] = field(default_factory=dict)
    key: str = ""

    @property
    def is_of_second_source(self) -> bool:
        return self.path == SECOND_PATH

    @property
    def is_control(self) -> bool:
        return self.path.startswith(CONTROL_PATH)


@dataclass(frozen=True, slots=True)
class Reception:
    """What was decided when a request arrived: its misbehaviour, and the headers of its answer."""

    misbehaviour: Misbehaviour = NONE
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Venue(Host):
    """The exchange as its clients see it."""

    key: str = SANDBOX_KEY
    secret: str = SANDBOX_SECRET

    def respond(
        self,
        method: str,
        path: str,
        query: Params | None = None,
        body: Mapping[str, object] | None = None,
        *,
        key: str = "",
    ) -> Answer:
        """Answer a request without waiting: limit the rate, apply planted faults, carry it out.

        No keys are checked. A request that hangs has no effect; the answer says so, and by how much it is delayed.
        """
        request = Request(method, path, query or {}, body or {}, key)
        reception = self.receive(request)
        answer = self.carry_out(request, reception)
        fault = reception.misbehaviour
        return answer if fault is NONE else replace(answer, delay_s=fault.delay_s, hangs=fault.hangs)

    def receive(self, request: Request) -> Reception:
        """Count a request, and decide how it misbehaves. Requests that control the exchange always pass."""
        if request.is_control:
            return Reception()
        if request.is_of_second_source:
            return Reception(self._misbehaviour(request))
        is_within = self.limit.take()
        headers = self.limit.headers()
        if not is_within:
            return Reception(Misbehaviour(refusal=refusal_of(429, is_data=is_data_path(request.path))), headers)
        return Reception(self._misbehaviour(request), headers)

    def carry_out(self, request: Request, reception: Reception) -> Answer:
        """Do what a request asks for, and return the answer; a refusal is an answer too."""
        if request.is_of_second_source:
            return self._ask_second_source(request, reception.misbehaviour)
        try:
            answer = self._carry_out(request, reception.misbehaviour)
        except Refusal as refusal:
            answer = Answer(refusal.body(), refusal.status)
        return Answer(answer.payload, answer.status, reception.headers)

    def _carry_out(self, request: Request, fault: Misbehaviour) -> Answer:
        if fault.refusal is not None:
            raise fault.refusal
        endpoint, path = ROUTER.find(request.method, request.path)
        if fault.hangs:
            raise refusal_of(504)
        call = Call(path, request.query, request.body, fault.script, fault.ignores_cancel, fault.pending_s)
        answer = self.answer(endpoint, call)
        if fault.loses_answer:
            raise refusal_of(504)
        return answer

    def _ask_second_source(self, request: Request, fault: Misbehaviour) -> Answer:
        if fault.refusal is not None:
            return error_answer(fault.refusal.status, str(fault.refusal))
        return self.second.respond(request.method, request.query, request.key, self.exchange.now)

    def _misbehaviour(self, request: Request) -> Misbehaviour:
        if not self.faults.planted:
            return NONE
        return self.faults.take(request.method, request.path, self._symbol_of(request))

    def _symbol_of(self, request: Request) -> str:
        """Return the symbol, or symbols, that a request or its order names."""
        named = request.body.get("symbol") or request.query.get("symbols") or request.query.get("symbol")
        if named:
            return str(named)
        last = request.path.rpartition("/")[2]
        try:
            order = self.exchange.account.orders.get(UUID(last))
        except ValueError:
            order = self.exchange.account.orders.by_client_id(request.query.get("client_order_id", ""))
        return last if order is None else order.symbol
