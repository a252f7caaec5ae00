"""Requests to the broker: their keys, parsed JSON, named errors, and retries of reads."""

import json
from collections.abc import Callable, Mapping
from decimal import Decimal

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
from the_alchemiser.shared.broker.transport import Request, Response, Transport

Params = Mapping[str, str]

_UNAUTHORIZED = 401
_JSON = json.JSONDecoder(parse_float=Decimal)


class Wire:
    """Requests to one host. A GET is repeated when the broker is unavailable, a DELETE when it was over the rate limit.

    Every method raises BrokerError when the response is not a success.
    """

    def __init__(self, transport: Transport, base_url: str, retries: Retries, pace: Pace) -> None:
        self._transport = transport
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
            response = self._transport.send(Request(method, self._base_url + path, params or {}, body))
        except TimeoutError as error:
            raise BrokerTimeoutError(f"{where}: no response in time ({error})") from error
        except OSError as error:
            raise BrokerUnreachableError(f"{where}: {str(error) or type(error).__name__}") from error

        self._pace.note(response.headers)
        if not response.is_success:
            raise self._error(response, where)
        return _parsed(response, where)

    def _error(self, response: Response, where: str) -> BrokerError:
        error = error_from_response(response.status, _text(response), where=where)
        if isinstance(error, RateLimitedError):
            error.retry_after_s = self._pace.resets_in_s or None
        return error


class Signed:
    """A transport that adds the broker's two key headers. The keys are not read before the first request.

    A request that is refused because of its keys is sent once more when the secret has other keys by now. An order is
    not: reading the secret takes time, and what was checked right before the order may have changed meanwhile.
    """

    def __init__(
        self, transport: Transport, keys: Callable[[], Credentials], reread: Callable[[], Credentials] | None
    ) -> None:
        """See Broker for the arguments."""
        self._transport = transport
        self._keys = keys
        self._reread = reread

    def send(self, request: Request) -> Response:
        """See Transport."""
        keys = self._keys()
        response = self._transport.send(_signed(request, keys))
        if response.status != _UNAUTHORIZED or self._reread is None or request.method == "POST":
            return response

        current = self._reread()
        if (current.key, current.secret) == (keys.key, keys.secret):
            return response
        return self._transport.send(_signed(request, current))

    def close(self) -> None:
        """See Transport."""
        self._transport.close()


def _signed(request: Request, keys: Credentials) -> Request:
    return request.changed(headers={"APCA-API-KEY-ID": keys.key, "APCA-API-SECRET-KEY": keys.secret})


def _text(response: Response) -> str:
    return response.body.decode(errors="replace")


def _parsed(response: Response, where: str) -> object:
    if not response.body:
        return None
    try:
        parsed: object = _JSON.decode(response.body.decode())
    except ValueError as error:
        raise UnexpectedResponseError(
            f"{where}: {response.status} with a body that is not JSON: {_text(response)!r:.200}",
            status=response.status,
        ) from error
    return parsed
