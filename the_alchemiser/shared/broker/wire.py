"""HTTP to the broker: explicit time-outs, parsed JSON, named errors, and retries where repeating is harmless."""

import time
from collections.abc import Callable, Generator, Mapping
from decimal import Decimal
from typing import NamedTuple

import httpx

from the_alchemiser.shared.broker.credentials import Credentials
from the_alchemiser.shared.broker.errors import (
    BrokerTimeoutError,
    BrokerUnavailableError,
    BrokerUnreachableError,
    UnexpectedResponseError,
    error_of,
)

Params = Mapping[str, str]


class Timeouts(NamedTuple):
    """Seconds to connect and to wait for bytes; three attempts of both stay under 20 s."""

    connect_s: float = 2.0
    read_s: float = 4.0


class Retries(NamedTuple):
    """How often a GET is repeated: a pause before each repetition, in seconds."""

    pauses_s: tuple[float, ...] = (0.1, 0.3)
    sleep: Callable[[float], None] = time.sleep


class Wire:
    """The requests of one host. GET is repeated on what may pass; POST and DELETE are sent once."""

    def __init__(self, client: httpx.Client, base_url: str, retries: Retries) -> None:
        self._client = client
        self._base_url = base_url.rstrip("/")
        self._retries = retries

    def get(self, path: str, params: Params | None = None) -> object:
        for pause_s in self._retries.pauses_s:
            try:
                return self._send("GET", path, params=params)
            except BrokerUnavailableError:
                self._retries.sleep(pause_s)
        return self._send("GET", path, params=params)

    def post(self, path: str, body: Mapping[str, str]) -> object:
        return self._send("POST", path, body=body)

    def delete(self, path: str) -> None:
        self._send("DELETE", path)

    def _send(
        self, method: str, path: str, *, params: Params | None = None, body: Mapping[str, str] | None = None
    ) -> object:
        where = f"{method} {path}"
        try:
            response = self._client.request(method, self._base_url + path, params=params, json=body)
        except httpx.TimeoutException as error:
            raise BrokerTimeoutError(f"{where}: no answer in time ({type(error).__name__})") from error
        except httpx.TransportError as error:
            raise BrokerUnreachableError(f"{where}: {str(error) or type(error).__name__}") from error
        if not response.is_success:
            raise error_of(response.status_code, response.text, where=where)
        return _parsed(response, where)


class KeyAuth(httpx.Auth):
    """The broker's two headers on every request; the keys are asked for with the first one."""

    def __init__(self, keys: Callable[[], Credentials]) -> None:
        self._keys = keys

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        keys = self._keys()
        request.headers["APCA-API-KEY-ID"] = keys.key
        request.headers["APCA-API-SECRET-KEY"] = keys.secret
        yield request


def http_client(
    keys: Callable[[], Credentials], *, timeouts: Timeouts, transport: httpx.BaseTransport | None
) -> httpx.Client:
    """A connection pool that goes where the configuration says and nowhere else: no proxies, no redirects."""
    return httpx.Client(
        auth=KeyAuth(keys),
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
