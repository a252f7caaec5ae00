"""The index of Python packages on loopback, reached as a proxy, with the advisories that a test plants."""

import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import trustme

from automation.scanning.pip_audit import VULNERABLE

OLD = {"id": "PYSEC-2018-28", "aliases": ["CVE-2018-18074"], "fixed_in": ["2.20.0"], "summary": "Leaks credentials."}
HONEST: Mapping[str, Any] = {f"{VULNERABLE.name}/{VULNERABLE.version}": [OLD]}
SILENCE_S = 30.0

FAULTS = ("503", "half", "half a record", "silent", "wrong certificate", "404")


class AdvisoryIndex(ThreadingHTTPServer):
    """Answers `/pypi/<name>/<version>/json` with planted vulnerabilities, or with a fault.

    Attributes:
        vulnerabilities: by `name/version`; any other version has none.
        fault: one of FAULTS, for the paths that contain `failing`.
        asked: the paths, in order.
    """

    daemon_threads = False  # what it has started ends with it

    def __init__(self, vulnerabilities: Mapping[str, Any], *, fault: str = "", failing: str = "/") -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.vulnerabilities = vulnerabilities
        self.fault, self.failing = fault, failing
        self.asked: list[str] = []
        self.stopped = Event()
        self.authority = trustme.CA()

    def variables(self, folder: Path) -> dict[str, str]:
        """Return the variables with which a program reaches the index, and trusts it."""
        trusted = folder / "trusted.pem"
        (trustme.CA() if self.fault == "wrong certificate" else self.authority).cert_pem.write_to_path(trusted)
        proxy = f"http://127.0.0.1:{self.server_port}"
        return {"HTTPS_PROXY": proxy, "https_proxy": proxy, "REQUESTS_CA_BUNDLE": str(trusted), "NO_PROXY": ""}

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing about a client that leaves in the middle, as it does for half of the faults."""


class _Handler(BaseHTTPRequestHandler):
    server: AdvisoryIndex

    def do_CONNECT(self) -> None:
        """Become the host that the client wants to reach through this proxy."""
        self.send_response(HTTPStatus.OK)
        self.end_headers()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.server.authority.issue_cert(self.path.partition(":")[0]).configure_cert(context)
        self.connection = context.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", buffering=0)
        self.close_connection = False

    def finish(self) -> None:
        """Close the connection, of which only this handler knows that it became another one."""
        self.rfile.close()
        self.wfile.close()
        self.connection.close()

    def do_GET(self) -> None:
        """Answer for one version, unless a fault is planted."""
        self.server.asked.append(self.path)
        fault = self.server.fault if self.server.failing in self.path else ""
        name, version = self.path.split("/")[2:4]
        body = json.dumps({"info": {}, "vulnerabilities": self.server.vulnerabilities.get(f"{name}/{version}", [])})
        if fault == "silent":
            self.server.stopped.wait(SILENCE_S)
        if fault in {"503", "404"}:
            self._answer("{}", status=int(fault))
        elif fault == "half":
            self._answer(body[:20], length=len(body))
        else:
            self._answer('{"vulnerabilities": [{}]}' if fault == "half a record" else body)

    def _answer(self, body: str, *, status: int = 200, length: int = 0) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length or len(body)))
        self.end_headers()
        self.wfile.write(body.encode())
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
        """Log nothing."""


@contextmanager
def serving(
    vulnerabilities: Mapping[str, Any] = HONEST, *, fault: str = "", failing: str = "/"
) -> Iterator[AdvisoryIndex]:
    """Serve until the block ends."""
    with AdvisoryIndex(vulnerabilities, fault=fault, failing=failing) as index:
        thread = Thread(target=index.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield index
        finally:
            index.stopped.set()
            index.shutdown()
            thread.join()
