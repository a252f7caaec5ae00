"""HTTP requests to the broker: explicit time-outs, parsed JSON, named errors, and retries of reads."""

from collections.abc import Callable, Generator, Mapping
from decimal import Decimal
from typing import NamedTuple

import httpx

from the_alchemiser.shared.broker.credentials import Credentials
from the_alchemiser.shared.broker.errors import (
    BrokerError,
    BrokerTimeoutError,
    BrokerUnreachableError,
    RateLimitedError,
    UnexpectedResponseError,
    error_from_response,
)
from the_alchemiser.shared.broker.rate_limit import Pace, Retries, cancel_with_retry, read_with_retries

Params = Mapping[str, str]


class Timeouts(NamedTuple):
    """Seconds to wait for a connection and for bytes. Three attempts take less than 20 s, waits for the limit aside."""

    connect_s: float = 2.0
    read_s: float = 4.0


class Wire:
    """Requests to one host. A GET is repeated when the broker is unavailable, a DELETE when it was over the rate limit.

    Every method raises BrokerError when the response is not a success.
    """

    def __init__(self, client: httpx.Client, base_url: str, retries: Retries, pace: Pace) -> None:
        self._client = client
        self._base_url = base_url.rstrip("/")
        self._retries = retries
        self._pace = pace

    def get(self, path: str, params: Params | None = None) -> object:
        def send() -> object:
            return self._send("GET", path, params=params)

        return read_with_retries(send, self._retries, self._pace)

    def post(self, path: str, body: Mapping[str, str]) -> object:
        # Sent once: after a lost response the order may exist, so only its client order id can settle what happened.
        return self._send("POST", path, body=body)

    def delete(self, path: str) -> None:
        def send() -> object:
            return self._send("DELETE", path)

        cancel_with_retry(send, self._retries, self._pace)

    def _send(
        self, method: str, path: str, *, params: Params | None = None, body: Mapping[str, str] | None = None
    ) -> object:
        where = f"{method} {path}"

        try:
            response = self._client.request(method, self._base_url + path, params=params, json=body)
        except httpx.TimeoutException as error:
            raise BrokerTimeoutError(f"{where}: no response in time ({type(error).__name__})") from error
        except httpx.TransportError as error:
            raise BrokerUnreachableError(f"{where}: {str(error) or type(error).__name__}") from error

        self._pace.note(response.headers)
        if not response.is_success:
            raise self._error(response, where)
        return _parsed(response, where)

    def _error(self, response: httpx.Response, where: str) -> BrokerError:
        error = error_from_response(response.status_code, response.text, where=where)
        if isinstance(error, RateLimitedError):
            error.retry_after_s = self._pace.resets_in_s or None
        return error


class KeyAuth(httpx.Auth):
    """Add the broker's two key headers to every request. The keys are not read before the first request.

    A request that is refused because of its keys is sent once more when the secret has other keys by now. An order is
    not: reading the secret takes time, and what was checked right before the order may have changed meanwhile.
    """

    def __init__(self, keys: Callable[[], Credentials], reread: Callable[[], Credentials] | None) -> None:
        self._keys = keys
        self._reread = reread

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        keys = self._keys()
        response = yield _signed(request, keys)
        if response.status_code != httpx.codes.UNAUTHORIZED or self._reread is None or request.method == "POST":
            return

        current = self._reread()
        if (current.key, current.secret) != (keys.key, keys.secret):
            yield _signed(request, current)


def _signed(request: httpx.Request, keys: Credentials) -> httpx.Request:
    request.headers["APCA-API-KEY-ID"] = keys.key
    request.headers["APCA-API-SECRET-KEY"] = keys.secret
    return request


def http_client(
    keys: Callable[[], Credentials],
    *,
    reread: Callable[[], Credentials] | None = None,
    timeouts: Timeouts,
    transport: httpx.BaseTransport | None,
) -> httpx.Client:
    """Return a connection pool that reaches only the configured hosts: it uses no proxy and follows no redirect.

    Args:
        keys, reread: see Broker.
    """
    return httpx.Client(
        auth=KeyAuth(keys, reread),
        timeout=httpx.Timeout(timeouts.read_s, connect=timeouts.connect_s),
        transport=transport,
        trust_env=False,
        follow_redirects=False,
    )


def _parsed(response: httpx.Response, where: str) -> object:
    if not response.content:
        return None
    try:
        parsed: object = response.json(parse_float=Decimal)
    except ValueError as error:
        raise UnexpectedResponseError(
            f"{where}: {response.status_code} with a body that is not JSON: {response.text!r:.200}",
            status=response.status_code,
        ) from error
    return parsed
