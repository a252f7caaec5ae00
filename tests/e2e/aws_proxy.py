"""A proxy in front of the emulator that plays what the emulator never does: stack states, refusals, broken connections.

A test adds faults to the proxy while a command runs against `proxy.url`. Requests that no fault wants pass unchanged.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from http.client import HTTPConnection
from http.server import ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.e2e.aws_wire import DroppedError, Request, Response, WireHandler, error, text_of, with_status, without_end

type Forward = Callable[[Request], Response]


@dataclass(slots=True)
class Fault:
    """What happens to some requests.

    Attributes:
        wants: whether the fault is for a request.
        answer: returns the response, with or without asking the emulator, or raises DroppedError.
        times: to how many requests it still happens.
    """

    wants: Callable[[Request], bool]
    answer: Callable[[Request, Forward], Response]
    times: float = float("inf")


@dataclass
class AwsProxy:
    """A proxy before one emulator. When several faults want a request, the last one that was added is nearest to it."""

    emulator_url: str
    calls: list[Request] = field(default_factory=list)
    _faults: list[Fault] = field(default_factory=list)
    _cuts: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def serve(self) -> Iterator["AwsProxy"]:
        """Serve on a free port until the context ends."""
        proxy = self

        class Handler(WireHandler):
            def respond(self, request: Request) -> Response:
                return proxy.respond(request)

            def is_cut(self, request: Request) -> bool:
                return proxy.is_cut(request)

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            server.daemon_threads = True
            self._server = server
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
            thread.start()
            yield self
            server.shutdown()
            thread.join()

    def respond(self, request: Request) -> Response:
        """Return the response that the faults make of the emulator's.

        Raises:
            DroppedError: a fault drops the connection.
        """
        with self._lock:
            self.calls.append(request)
            faults = [fault for fault in self._faults if fault.times > 0 and fault.wants(request)]
            for fault in faults:
                fault.times -= 1

        forward: Forward = self.forward
        for fault in reversed(faults):
            forward = _chained(fault, forward)
        return forward(request)

    def is_cut(self, request: Request) -> bool:
        """Return whether the connection of a request is cut while its body arrives."""
        with self._lock:
            is_cut = self._cuts > 0 and request.operation == "PutObject"
            self._cuts -= is_cut
        return is_cut

    def forward(self, request: Request) -> Response:
        """Send a request to the emulator."""
        address = urlsplit(self.emulator_url)
        connection = HTTPConnection(address.hostname or "", address.port, timeout=120)
        try:
            connection.request(request.method, request.path, request.body, dict(request.headers))
            response = connection.getresponse()
            return Response(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def clear(self) -> None:
        """Forget all faults and calls."""
        with self._lock:
            self._faults.clear()
            self.calls.clear()
            self._cuts = 0

    def operations(self, service: str) -> list[str]:
        """Return the operations of a service that were called, in order."""
        return [request.operation for request in self.calls if request.service == service]

    # The faults.

    def refuse(
        self, operation: str, code: str, message: str = "refused", *, status: int = 400, times: float = 1
    ) -> None:
        """Answer an operation with an error of AWS."""

        def answer(request: Request, _forward: Forward) -> Response:
            return error(request, code, message, status)

        self._add(lambda request: request.operation == operation, answer, times)

    def rewrite(self, operation: str, change: Callable[[bytes], bytes], *, times: float = float("inf")) -> None:
        """Change the body of an operation's responses."""

        def answer(request: Request, forward: Forward) -> Response:
            response = forward(request)
            return replace(response, body=change(response.body))

        self._add(lambda request: request.operation == operation, answer, times)

    def report_status(self, stack: str, status: str, *, times: float = float("inf")) -> None:
        """Report a status of a stack that it does not have."""

        def answer(request: Request, forward: Forward) -> Response:
            response = forward(request)
            return replace(response, body=with_status(response.body, stack, status))

        self._add(lambda request: request.operation == "DescribeStacks" and request.is_about(stack), answer, times)

    def hold_update(self, stack: str, *, polls: int, status: str = "UPDATE_IN_PROGRESS") -> None:
        """Keep a stack in progress for the first polls after its change set was executed.

        Its status is `status`, and the event that ends the change is missing.
        """
        change_sets: set[str] = set()
        executed, remaining = threading.Event(), iter(range(polls))

        def create(request: Request, forward: Forward) -> Response:
            response = forward(request)
            change_sets.add(text_of(response.body, "Id"))
            return response

        def execute(request: Request, forward: Forward) -> Response:
            executed.set()
            return forward(request)

        def answer(request: Request, forward: Forward) -> Response:
            response = forward(request)
            if next(remaining, None) is None:
                return response
            return replace(response, body=without_end(with_status(response.body, stack, status), stack))

        def is_executed(request: Request) -> bool:
            return request.operation == "ExecuteChangeSet" and request.parameters["ChangeSetName"] in change_sets

        def is_poll(request: Request) -> bool:
            is_polled = request.operation in {"DescribeStacks", "DescribeStackEvents"}
            return executed.is_set() and is_polled and request.is_about(stack)

        self._add(lambda request: request.operation == "CreateChangeSet" and request.is_about(stack), create)
        self._add(is_executed, execute)
        self._add(is_poll, answer)

    def call_at(self, operation: str, callback: Callable[[], object]) -> None:
        """Call back once, after the emulator has answered an operation and before the client sees the answer."""

        def answer(request: Request, forward: Forward) -> Response:
            response = forward(request)
            callback()
            return response

        self._add(lambda request: request.operation == operation, answer, 1)

    def drop(self, operation: str = "", *, times: float = float("inf")) -> None:
        """Drop the connections of an operation, or of all, without an answer."""

        def answer(_request: Request, _forward: Forward) -> Response:
            raise DroppedError

        self._add(lambda request: operation in {"", request.operation}, answer, times)

    def cut_uploads(self, *, times: int) -> None:
        """Cut the connections of the next uploads half way; the emulator sees nothing of them."""
        with self._lock:
            self._cuts = times

    def delay(self, operation: str, seconds: float, *, times: float = 1) -> None:
        """Answer an operation late."""

        def answer(request: Request, forward: Forward) -> Response:
            time.sleep(seconds)
            return forward(request)

        self._add(lambda request: request.operation == operation, answer, times)

    def skew_clock(self, seconds: float) -> None:
        """Answer everything with a Date that lies in the past, or in the future."""

        def answer(request: Request, forward: Forward) -> Response:
            response = forward(request)
            return replace(
                response, headers={**response.headers, "Date": formatdate(time.time() + seconds, usegmt=True)}
            )

        self._add(lambda _request: True, answer)

    def limit_account(self, *, code_bytes: int, concurrency: int) -> None:
        """Report small quotas of Lambda."""

        def change(body: bytes) -> bytes:
            settings = json.loads(body)
            limits = settings["AccountLimit"]
            limits |= {"TotalCodeSize": code_bytes, "ConcurrentExecutions": concurrency}
            limits |= {"UnreservedConcurrentExecutions": concurrency}
            return json.dumps(settings).encode()

        self.rewrite("GetAccountSettings", change)

    def fail_invocation(self, function: str, error_type: str = "KeyError", *, times: float = 1) -> None:
        """Let a function fail as its runtime reports it; `function` is a part of its name."""
        body = json.dumps({"errorType": error_type, "errorMessage": "planted", "stackTrace": []}).encode()
        headers = {"Content-Type": "application/json", "X-Amz-Function-Error": "Unhandled"}

        def wants(request: Request) -> bool:
            return request.operation == "Invoke" and function in request.path

        self._add(wants, lambda _request, _forward: Response(200, headers, body), times)

    def _add(
        self,
        wants: Callable[[Request], bool],
        answer: Callable[[Request, Forward], Response],
        times: float = float("inf"),
    ) -> None:
        with self._lock:
            self._faults.append(Fault(wants, answer, times))


def _chained(fault: Fault, forward: Forward) -> Forward:
    return lambda request: fault.answer(request, forward)
