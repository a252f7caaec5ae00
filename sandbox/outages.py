"""Wait while a server of the sandbox does not answer: it may be frozen, or stopped and started again."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Concatenate, Protocol

from botocore import exceptions as botocore_errors
from botocore.exceptions import ClientError

from automation.system.errors import ToolError
from the_alchemiser.shared.errors import AlchemiserError

SERVER_ERROR = 500
UP_HINT = "run inv sandbox.up, then the same command again"
_POLL_S = 0.5


class UnreachableError(ToolError):
    """A server of the sandbox does not answer now; it may answer later."""

    def __init__(self, message: str, *, where: str = "") -> None:
        super().__init__(f"{message}; {UP_HINT}", where=where)


@dataclass(frozen=True, slots=True)
class WallClock:
    """The wall clock in seconds: `read` returns the time, `sleep` waits."""

    read: Callable[[], float]
    sleep: Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Outages:
    """Repeats the calls to one server while it does not answer; `report` takes a line of progress."""

    server: str
    wall: WallClock
    report: Callable[[str], None]
    limit_s: float

    def survive[T](self, call: Callable[[], T]) -> T:
        """Return the result of the call, which may be made several times.

        Raises:
            UnreachableError: there was no answer within `limit_s`; also what the call raises for another reason.
        """
        started, is_reported = self.wall.read(), False
        while True:
            try:
                result = call()
            except Exception as error:
                if not _is_outage(error):
                    raise
                if self.wall.read() - started >= self.limit_s:
                    if isinstance(error, UnreachableError):
                        raise
                    raise UnreachableError(str(error), where=self.server) from error
            else:
                if is_reported:
                    self.report(f"{self.server} answers again after {self.wall.read() - started:.0f} s")
                return result
            if not is_reported:
                self.report(f"{self.server} does not answer; waiting up to {self.limit_s:.0f} s for it")
                is_reported = True
            self.wall.sleep(_POLL_S)


class Caller(Protocol):
    """An adapter whose calls survive outages."""

    @property
    def outages(self) -> Outages: ...


def survives_outages[S: Caller, **P, T](
    method: Callable[Concatenate[S, P], T],
) -> Callable[Concatenate[S, P], T]:
    """Repeat the method while its server does not answer; so it must do no harm when it is called twice."""

    @wraps(method)
    def repeated(self: S, /, *args: P.args, **options: P.kwargs) -> T:
        return self.outages.survive(lambda: method(self, *args, **options))

    return repeated


def _is_outage(error: Exception) -> bool:
    """Return whether the error says only that the server gave no answer, or not yet."""
    if isinstance(error, AlchemiserError):
        return error.retryable
    if isinstance(error, ClientError):
        return error.response["ResponseMetadata"]["HTTPStatusCode"] >= SERVER_ERROR
    return isinstance(error, UnreachableError | botocore_errors.HTTPClientError | botocore_errors.ConnectionError)


def never_wait(server: str) -> Outages:
    """Return what makes each call once, and fails at the first outage."""
    return Outages(server, WallClock(lambda: 0.0, lambda _: None), lambda _: None, limit_s=0.0)
