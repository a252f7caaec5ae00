"""The second source of prices: the port, its errors, and the adapter to Twelve Data's REST API.

A free key may ask for 8 symbols per minute. Every answer says how many are left (`api-credits-left`); a request over
the limit gets a 429, in the status or in the body. Source: the vendor's documentation of `time_series`.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from http import HTTPStatus
from typing import Any, ClassVar, Protocol

from the_alchemiser.data_quality_monitor.comparing import SecondBar
from the_alchemiser.shared import aws, wall_clock
from the_alchemiser.shared.broker.credentials import CredentialsMissingError, Secrets, read_fields
from the_alchemiser.shared.broker.transport import Request, Response, Transport
from the_alchemiser.shared.errors import AlchemiserError

PATH = "/time_series"
PAUSES_S = (0.5, 1.5)
"""The pauses before a request that had no usable answer is sent again."""
MINUTE_S = 60.0
_CREDITS_LEFT = "api-credits-left"
_WINDOW = timedelta(days=15 * 365)  # an answer has at most 5,000 bars, which are 19 years
_DAY = timedelta(days=1)
_NO_DATA = "no data is available"
_JSON = "application/json"


class SecondSourceError(AlchemiserError):
    """The second source has no bars of a symbol for us. Nothing is raised beyond a check: its verdict names it."""

    reason: ClassVar[str] = "second_source"
    is_of_symbol: ClassVar[bool] = False
    """Whether other symbols may still be asked for."""


class SecondSourceUnavailableError(SecondSourceError):
    """It did not answer, or had an error of its own, also when it was asked again."""


class SecondSourceLimitedError(SecondSourceError):
    """It allows no further request in the time that the check has."""


class SecondSourceRefusedError(SecondSourceError):
    """It does not accept the key, or the subscription does not include the data."""


class SecondSourceMalformedError(SecondSourceError):
    """The answer does not have the documented form, or has a price that cannot be one."""

    is_of_symbol: ClassVar[bool] = True


class UnknownSymbolError(SecondSourceError):
    """It does not know the symbol."""

    is_of_symbol: ClassVar[bool] = True


class SecondSourceKeyMissingError(CredentialsMissingError):
    """There is no secret with the key."""

    missing: ClassVar[str] = "second source secret"


class SecondSource(Protocol):
    """A source of daily bars that is independent of the broker."""

    def bars(self, symbol: str, start: date, end: date, *, may_wait: bool) -> Mapping[date, SecondBar]:
        """Return the adjusted bars from start through end, as far as the source has them.

        Args:
            may_wait: whether the symbol is worth waiting for the rate limit.

        Raises:
            SecondSourceError: there is no answer, or none that can be used.
        """
        ...


def read_key(secret_name: str, secrets: Secrets | None = None) -> str:
    """Return the key in a secret `{"key": …}`.

    Raises:
        SecondSourceKeyMissingError: there is no such secret.
        CredentialsUnavailableError: Secrets Manager did not answer, or denied access.
        CredentialsMalformedError: the value is not the expected JSON.
    """
    try:
        return read_fields(secret_name, secrets or aws.client("secretsmanager"), ("key",))[0]
    except CredentialsMissingError as error:
        raise SecondSourceKeyMissingError(str(error)) from error


class TwelveData:
    """SecondSource on Twelve Data, or on a server with the same API, for one check.

    Args:
        url: without a path.
        key: returns the key; called before the first request.
        budget_s: the time that all requests and waits together may take.
    """

    def __init__(
        self,
        transport: Transport,
        url: str,
        key: Callable[[], str],
        *,
        budget_s: float,
        clock: Callable[[], float] = wall_clock.monotonic,
        sleep: Callable[[float], None] = wall_clock.sleep,
    ) -> None:
        self._transport = transport
        self._url = url.rstrip("/") + PATH
        self._read_key = key
        self._key: str | None = None
        self._clock = clock
        self._sleep = sleep
        self._ends_at = clock() + budget_s
        self._credits_left: int | None = None
        self._minute_ends_at = 0.0

    def bars(self, symbol: str, start: date, end: date, *, may_wait: bool) -> Mapping[date, SecondBar]:
        """Return the adjusted bars from start through end; see SecondSource.

        Raises:
            SecondSourceError: there is no answer, or none that can be used.
            AlchemiserError: the key cannot be read.
        """
        bars: dict[date, SecondBar] = {}
        for first, last in _windows(start, end):
            answer = self._ask(symbol, first, last, may_wait=may_wait)
            bars.update((day, bar) for day, bar in _bars(symbol, answer) if start <= day <= end)
        return bars

    def _ask(self, symbol: str, start: date, end: date, *, may_wait: bool) -> Mapping[str, Any]:
        params = {
            "symbol": symbol,
            "interval": "1day",
            "start_date": start.isoformat(),
            # The end is a moment, midnight: the day after it includes the last bar, whether or not the end counts.
            "end_date": (end + _DAY).isoformat(),
            "adjust": "all",
            "order": "ASC",
        }
        if self._key is None:
            self._key = self._read_key()
        # In a header, because URLs are logged on the way.
        request = Request("GET", self._url, params, headers={"Authorization": f"apikey {self._key}"})
        while True:
            self._await_credit(may_wait=may_wait)
            answer = self._send_with_retries(request)
            if _status(answer) != HTTPStatus.TOO_MANY_REQUESTS:
                return _checked(symbol, answer)
            self._credits_left = 0
            self._minute_ends_at = self._clock() + MINUTE_S

    def _await_credit(self, *, may_wait: bool) -> None:
        """Wait until the next minute when the last answer said that this one has no request left.

        Raises:
            SecondSourceLimitedError: that takes too long.
        """
        if self._credits_left is None or self._credits_left > 0:
            return
        wait_s = max(self._minute_ends_at - self._clock(), 0.0)
        if wait_s and not may_wait:
            raise SecondSourceLimitedError("it allows no further request in this minute")
        if self._clock() + wait_s >= self._ends_at:
            raise SecondSourceLimitedError(f"it allows the next request in {wait_s:.0f} s, which is too late")
        self._sleep(wait_s)
        self._credits_left = None

    def _send_with_retries(self, request: Request) -> Mapping[str, Any]:
        for pause_s in PAUSES_S:
            try:
                return self._send(request)
            except SecondSourceUnavailableError:
                if self._clock() + pause_s >= self._ends_at:
                    raise
                self._sleep(pause_s)
        return self._send(request)

    def _send(self, request: Request) -> Mapping[str, Any]:
        if self._clock() >= self._ends_at:
            raise SecondSourceUnavailableError("it took all the time that the check has")
        try:
            response = self._transport.send(request)
        except OSError as error:
            raise SecondSourceUnavailableError(f"it does not answer: {error}") from error

        self._note_credits(response.headers)
        if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise SecondSourceUnavailableError(f"it answers {response.status}")
        return _parsed(response)

    def _note_credits(self, headers: Mapping[str, str]) -> None:
        try:
            left = int(headers[_CREDITS_LEFT])
        except (KeyError, ValueError):
            return
        if self._credits_left is None:
            self._minute_ends_at = self._clock() + MINUTE_S
        self._credits_left = left


def _windows(start: date, end: date) -> Iterator[tuple[date, date]]:
    while start <= end:
        last = min(start + _WINDOW, end)
        yield start, last
        start = last + _DAY


def _parsed(response: Response) -> Mapping[str, Any]:
    try:
        answer = json.loads(response.body)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise SecondSourceUnavailableError(f"it answers {response.status} with something else than a JSON object")
    # An error has its status in the body; some have it in the response, too.
    return answer if response.is_success else {**answer, "status": "error", "code": response.status}


def _status(answer: Mapping[str, Any]) -> int:
    """Return the status that an answer reports: 200 unless it is an error."""
    if answer.get("status") != "error":
        return HTTPStatus.OK
    code = answer.get("code")
    return code if isinstance(code, int) else HTTPStatus.BAD_REQUEST


def _checked(symbol: str, answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the answer unless it is an error.

    Raises:
        SecondSourceError: it is one.
    """
    status, message = _status(answer), str(answer.get("message", ""))[:200]
    if status == HTTPStatus.OK:
        return answer
    if status == HTTPStatus.BAD_REQUEST and _NO_DATA in message.lower():
        return {"values": []}
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        raise SecondSourceRefusedError(f"it refuses the request: {status} {message}")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise SecondSourceUnavailableError(f"it answers {status}: {message}")
    raise UnknownSymbolError(f"it has nothing for {symbol}: {status} {message}")


def _bars(symbol: str, answer: Mapping[str, Any]) -> Iterator[tuple[date, SecondBar]]:
    """Yield the bars of an answer.

    Raises:
        SecondSourceMalformedError: a value is missing or is not a price.
    """
    try:
        for row in answer["values"]:
            yield date.fromisoformat(str(row["datetime"])[:10]), SecondBar(_price(row), float(row.get("volume") or 0))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        message = f"its answer for {symbol} cannot be used: {type(error).__name__}: {error}"
        raise SecondSourceMalformedError(message) from error


def _price(row: Mapping[str, Any]) -> float:
    close = float(row["close"])
    if not (math.isfinite(close) and close > 0):
        raise ValueError(f"the close of {row['datetime']} is {close}")
    return close
