"""What keeps other sites and other programs away from the page: Host, Origin and the headers of every answer.

A site that a browser visits can send requests to loopback, and can point its own name there (DNS rebinding). So the
Host must be ours, an Origin must be ours, and an answer may not be framed, embedded or cached.
"""

from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Attributes such as style="width:12%" draw the bars of the report's tables; style elements stay forbidden.
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src-elem 'self'; style-src-attr 'unsafe-inline'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "no-store",
}
_SAFE_METHODS = frozenset({"GET", "HEAD"})


def own_hosts(port: int) -> frozenset[str]:
    """Return the values of Host that name this server."""
    return frozenset({f"127.0.0.1:{port}", f"localhost:{port}"})


def refusal(method: str, headers: Headers, port: int) -> str:
    """Return why a request is refused; empty when it is not."""
    if headers.getlist("host") not in [[host] for host in own_hosts(port)]:
        return f"this page is only served at http://127.0.0.1:{port}"
    origins = headers.getlist("origin")
    if any(origin not in {f"http://{host}" for host in own_hosts(port)} for origin in origins):
        return "another site sent this request"
    if method not in _SAFE_METHODS and len(origins) != 1:
        return "the request does not say which page sent it"
    return ""


def guarded(app: ASGIApp, port: int, *, redact: Callable[[bytes], bytes]) -> ASGIApp:
    """Return the application behind the guards.

    Args:
        redact: hides secrets in the body of an answer; each body must be sent in one piece.
    """

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return

        started: list[Message] = []

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                started.append(message)
                return
            body = redact(message.get("body", b""))
            headers = MutableHeaders(raw=started[0]["headers"])
            headers.update(HEADERS)
            if "content-length" in headers:
                headers["content-length"] = str(len(body))
            await send(started[0])
            await send({**message, "body": body})

        reason = refusal(scope["method"], Headers(scope=scope), port)
        answer = PlainTextResponse(f"refused: {reason}\n", 403) if reason else app
        await answer(scope, receive, send_guarded)

    return guard
