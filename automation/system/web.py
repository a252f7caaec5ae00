"""Send requests to the services of a CI system, with JSON in both directions."""

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from automation.system.errors import ConfigurationError, ToolError

TIMEOUT_S = 15.0
_MAX_BYTES = 10_000_000
_WAITS_S = (1.0, 3.0)
_TOO_MANY = 429
_REFUSED = 403
_MAX_WAIT_S = 60.0
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class UnreachableError(ToolError):
    """A service did not answer, or its answer was incomplete; the request may have had its effect."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of any status.

    Attributes:
        headers: the names in lower case.
        body: the parsed JSON; None when the answer has none.
    """

    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def is_ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def message(self) -> str:
        """The status with the message of the service, if it sent one."""
        message = self.body.get("message") if isinstance(self.body, Mapping) else None
        return f"{self.status} {http.client.responses.get(self.status, '')}: {message or 'no message'}"

    def wait_s(self, now: float) -> float | None:
        """Return after how many seconds the service accepts requests again; None when it does not limit them.

        Args:
            now: seconds since 1970.
        """
        if self.status not in {_TOO_MANY, _REFUSED}:
            return None
        if "retry-after" in self.headers:
            return _number(self.headers["retry-after"], 1.0)
        is_used_up = self.headers.get("x-ratelimit-remaining") == "0"
        if not is_used_up and self.status == _REFUSED:
            return None
        return max(_number(self.headers.get("x-ratelimit-reset", ""), now) - now, 1.0)


@dataclass(frozen=True, slots=True)
class Service:
    """A service with a token, which goes to no other host.

    Attributes:
        name: in messages, such as `GitHub's API`.
        timeout_s: for one request.
    """

    name: str
    token: str
    timeout_s: float = TIMEOUT_S
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.time

    def send(self, method: str, url: str, body: Any = None) -> Answer:
        """Send one request; wait and send it again when the service limits them for at most a minute.

        Raises:
            ConfigurationError: the URL is neither https nor of this machine.
            UnreachableError: there was no complete answer, the service failed (5xx), or it limits requests for longer.
        """
        _require_safe(url)
        answer = self._send(method, url, body)
        wait_s = answer.wait_s(self.clock())
        if wait_s is not None and wait_s <= _MAX_WAIT_S:
            self.sleep(wait_s)
            answer = self._send(method, url, body)
            wait_s = answer.wait_s(self.clock())
        if wait_s is not None:
            what = f"allows no more requests for {wait_s:.0f} s ({answer.message}); run it again then"
            raise UnreachableError(what, where=self.name)
        if answer.status >= 500:
            raise UnreachableError(f"failed: {answer.message}", where=self.name)
        return answer

    def read(self, url: str) -> Answer:
        """Send a GET, up to three times while there is no answer.

        Raises:
            ConfigurationError, UnreachableError: as `send`.
        """
        return self.repeat(lambda: self.send("GET", url))

    def repeat[T](self, ask: Callable[[], T]) -> T:
        """Do what may be done twice, up to three times while there is no answer.

        Raises:
            UnreachableError: of the last time.
        """
        for wait_s in _WAITS_S:
            try:
                return ask()
            except UnreachableError:
                self.sleep(wait_s)
        return ask()

    def _send(self, method: str, url: str, body: Any) -> Answer:
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json", "User-Agent": "inv"}
        data = None
        if body is not None:
            data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310 - `send` has checked the URL
        try:
            with _opener(url).open(request, timeout=self.timeout_s) as response:
                return _answer(response.status, response.headers, response.read(_MAX_BYTES))
        except urllib.error.HTTPError as error:
            with error:
                return _answer(error.code, error.headers, error.read(_MAX_BYTES))
        except (OSError, http.client.HTTPException, ValueError) as cause:
            reason = getattr(cause, "reason", "") or str(cause) or type(cause).__name__
            raise UnreachableError(f"did not answer: {reason}; run it again", where=self.name) from cause


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: it would take the token to another host."""

    def redirect_request(self, *_arguments: object, **_keywords: object) -> None:
        return None


def _opener(url: str) -> urllib.request.OpenerDirector:
    direct = [urllib.request.ProxyHandler({})] if urlsplit(url).hostname in _LOOPBACK else []
    return urllib.request.build_opener(_NoRedirect, *direct)


def _require_safe(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise ConfigurationError(f"{parts.scheme}://{parts.hostname} would get a token without encryption; use https")


def _answer(status: int, headers: Any, content: bytes) -> Answer:
    names = {name.lower(): value for name, value in headers.items()}
    try:
        body = json.loads(content) if content else None
    except ValueError:
        # A service that fails may answer in HTML; a half answer that claims success has no meaning.
        if status < 300:
            raise
        body = None
    return Answer(status, names, body)


def _number(text: str, default: float) -> float:
    try:
        return max(float(text), 0.0)
    except ValueError:
        return default
