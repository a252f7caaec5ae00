"""GitHub on this machine: comments of pull requests and identity tokens, with faults that a test plants."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

REPOSITORY = "shop/till"
TOKEN = "job-token"
BOT, PERSON = {"login": "github-actions[bot]", "type": "Bot"}, {"login": "ann", "type": "User"}
MAX_CHARS = 65_536


@dataclass
class Fault:
    """A planted answer to one request.

    Attributes:
        status: 0 closes the connection without an answer.
        is_late: the request has its effect before the answer is lost or replaced.
        is_half: the answer ends in its middle.
        is_slow: the answer waits until the server stops.
    """

    status: int = 0
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    is_late: bool = False
    is_half: bool = False
    is_slow: bool = False


@dataclass
class GitHub:
    """What the server holds, and what it was asked: method and path of each request, and the headers of the last."""

    url: str = ""
    comments: list[dict[str, Any]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    identity: str = "identity-token for {audience}"
    stopped: Event = field(default_factory=Event)

    def variables(self, folder: Path, *, number: int = 7, fork: bool = False, **more: str) -> dict[str, str]:
        """Return the environment variables of a job; without a number it is not for a pull request."""
        repository = "stranger/till" if fork else REPOSITORY
        event = {"pull_request": {"number": number, "head": {"repo": {"full_name": repository}}}} if number else {}
        (folder / "event.json").write_text(json.dumps(event))
        names = {"EVENT_PATH": "event.json", "STEP_SUMMARY": "summary.md"}
        files = {f"GITHUB_{name}": str(folder / file) for name, file in names.items()}
        return {**files, "GITHUB_REPOSITORY": REPOSITORY, "GITHUB_API_URL": self.url, "GITHUB_TOKEN": TOKEN, **more}

    def add(self, body: str, user: dict[str, str]) -> None:
        self.comments.append({"id": len(self.comments) + 100, "body": body, "user": user})

    def bodies(self) -> list[str]:
        return [comment["body"] for comment in self.comments]

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Return the status and the body of the answer to a request."""
        parts = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/token":
            return (200, {"value": self.identity.replace("{audience}", query["audience"])})
        if body is not None and len(body["body"]) > MAX_CHARS:
            return (422, {"message": "Validation Failed"})
        match method, parts.path:
            case "GET", "/repos/shop/till/issues/7/comments":
                size, page = min(int(query["per_page"]), 100), int(query["page"])
                return (200, self.comments[size * (page - 1) : size * page])
            case "POST", "/repos/shop/till/issues/7/comments":
                self.add(body["body"], BOT)
                return (201, {"html_url": f"{self.url}/7#{self.comments[-1]['id']}"})
            case "PATCH", path:
                for comment in self.comments:
                    if path == f"/repos/shop/till/issues/comments/{comment['id']}":
                        comment["body"] = body["body"]
                        return (200, {"html_url": f"{self.url}/7#{comment['id']}"})
        return (404, {"message": "Not Found"})


@contextmanager
def served() -> Iterator[GitHub]:
    """Run the server while the block goes on."""
    github = GitHub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Own", (Handler,), {"github": github}))
    server.daemon_threads = True
    github.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=lambda: server.serve_forever(0.01), daemon=True)
    thread.start()
    try:
        yield github
    finally:
        github.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()


class Handler(BaseHTTPRequestHandler):
    """Answers for one GitHub."""

    github: GitHub

    def _respond(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = json.loads(content) if content else None
        self.github.headers = dict(self.headers)
        self.github.requests.append(f"{self.command} {self.path}")
        fault = self.github.faults.pop(0) if self.github.faults else None
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            self._send(401, json.dumps({"message": "Bad credentials"}))
        elif fault is None:
            status, value = self.github.answer(self.command, self.path, body)
            self._send(status, json.dumps(value))
        else:
            self._fail(fault, body)

    def _fail(self, fault: Fault, body: Any) -> None:
        if fault.is_late:
            self.github.answer(self.command, self.path, body)
        if fault.is_slow:
            self.github.stopped.wait(10)
        if fault.status:
            self._send(fault.status, fault.body, headers=fault.headers, is_half=fault.is_half)
        self.close_connection = True

    def _send(self, status: int, text: str, *, headers: dict[str, str] | None = None, is_half: bool = False) -> None:
        content = text.encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if is_half else content)

    do_GET = do_POST = do_PATCH = _respond  # noqa: N815 - the names that the server calls

    def log_message(self, *_arguments: object) -> None:
        pass
