"""How a request reaches the broker: a port, and the connections to the configured hosts that are behind it."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from the_alchemiser.shared import wall_clock
from the_alchemiser.shared.records import Frozen

if TYPE_CHECKING:
    from urllib3 import PoolManager

_CONNECTIONS = 20
# Of sockets that were idle for longer, some may be dead without a sign: a frozen environment misses their end.
_IDLE_S = 5.0


class Timeouts(Frozen):
    """Seconds to wait for a connection and for bytes. Three attempts take less than 20 s, waits for the limit aside."""

    connect_s: float = 2.0
    read_s: float = 4.0


class Request(Frozen):
    """One request.

    Attributes:
        url: without a query.
        params: the query.
        body: sent as JSON; None for a request without a body.
    """

    method: str
    url: str
    params: Mapping[str, str] = {}
    body: Mapping[str, str] | None = None
    headers: Mapping[str, str] = {}

    @property
    def full_url(self) -> str:
        from urllib.parse import urlencode  # noqa: PLC0415 - the SDK loads it anyway, after the import of the handler

        return f"{self.url}?{urlencode(self.params)}" if self.params else self.url


class Response(Frozen):
    """One response, whatever its status. `body` is decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


class Transport(Protocol):
    """What carries requests; several threads may send at once."""

    def send(self, request: Request) -> Response:
        """Send a request once.

        Raises:
            TimeoutError: no connection or no bytes came in time.
            OSError: the connection could not be made, or broke.
        """
        ...

    def close(self) -> None:
        """Close the sockets."""
        ...


class Connections:
    """Connections that live as long as the process. They use no proxy, follow no redirect, and verify certificates.

    The client is urllib3, which the SDK of Lambda's Python runtimes needs. Like the SDK, it is loaded with the first
    request. Nothing is repeated here: a caller knows whether a request may be sent twice.
    """

    def __init__(self, timeouts: Timeouts, *, now: Callable[[], datetime] = wall_clock.now) -> None:
        self._timeouts = timeouts
        self._now = now
        self._lock = Lock()
        self._pools: PoolManager | None = None
        self._used_at = now()

    def send(self, request: Request) -> Response:
        """See Transport."""
        from urllib3 import Timeout  # noqa: PLC0415 - see the class's docstring
        from urllib3.exceptions import HTTPError  # noqa: PLC0415

        pools = self._usable_pools(request.url)
        try:
            answer = pools.urlopen(
                request.method,
                request.full_url,
                body=None if request.body is None else json.dumps(request.body, separators=(",", ":")),
                headers=_headers(request),
                timeout=Timeout(connect=self._timeouts.connect_s, read=self._timeouts.read_s),
                retries=False,
                redirect=False,
            )
        except HTTPError as error:
            raise _as_os_error(error) from error
        except ValueError:
            # Its text quotes the header, which may be a key.
            raise ConnectionError("the URL or a key has characters that HTTP does not allow") from None
        return Response(answer.status, answer.headers, answer.data)

    def close(self) -> None:
        """See Transport."""
        if self._pools is not None:
            self._pools.clear()

    def _usable_pools(self, url: str) -> "PoolManager":
        """Return the pools, without the sockets that may be dead. urllib3 itself replaces those that were closed."""
        import ssl  # noqa: PLC0415 - see the class's docstring

        from urllib3 import PoolManager  # noqa: PLC0415

        with self._lock:
            now = self._now()
            if self._pools is None:
                # Reading the certificates takes 20 ms, so connections share them; the sandbox has no TLS. The default
                # of older versions is to verify nothing.
                context = ssl.create_default_context() if url.startswith("https:") else None
                self._pools = PoolManager(maxsize=_CONNECTIONS, cert_reqs="CERT_REQUIRED", ssl_context=context)
            elif (now - self._used_at).total_seconds() > _IDLE_S:
                self._pools.clear()
            self._used_at = now
            return self._pools


def _headers(request: Request) -> dict[str, str]:
    headers = {"Accept-Encoding": "gzip", **request.headers}
    return headers if request.body is None else headers | {"Content-Type": "application/json"}


def _as_os_error(error: Exception) -> OSError:
    """Return the error of the port: it has the text of the socket's own error, which is the shortest."""
    from urllib3 import exceptions  # noqa: PLC0415 - see Connections

    root = _root(error)
    # Before version 2, a refused connection is a time-out, too.
    is_late = isinstance(error, exceptions.TimeoutError) and not isinstance(error, exceptions.NewConnectionError)
    if is_late or isinstance(root, TimeoutError):
        return TimeoutError("ConnectTimeout" if isinstance(error, exceptions.ConnectTimeoutError) else "ReadTimeout")
    return ConnectionError(str(root) or type(root).__name__)


def _root(error: BaseException) -> BaseException:
    """Return the error that caused the others. Not `__context__`: it may be of an earlier request."""
    inner = error.__cause__ or next((part for part in error.args if isinstance(part, BaseException)), None)
    return error if inner is None else _root(inner)
