"""A server on loopback that answers with scripted bytes, and records the requests."""

import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from typing import BinaryIO

from trustme import CA

# In place of an answer: no more answers, but the connection stays open until the client closes it.
HOLD = None
type Script = Sequence[bytes | None]


def response(body: bytes = b"", *, status: str = "200 OK", headers: Sequence[str] = ()) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]).encode() + body


class RawServer:
    """Each connection gets the answers of one script, one per request, and is closed after the last one.

    Attributes:
        requests: heads and bodies of all connections.
        connections: how many were accepted.
    """

    def __init__(self, listener: socket.socket, scripts: Sequence[Script], tls: ssl.SSLContext | None) -> None:
        self.port = int(listener.getsockname()[1])
        self.requests: list[bytes] = []
        self.connections = 0
        self._listener = listener
        self._scripts = scripts
        self._tls = tls
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def lines(self) -> list[str]:
        """Return method and path of each request."""
        return [" ".join(request.decode().split(" ", 2)[:2]).partition("?")[0] for request in self.requests]

    def wait(self, connections: int | None = None) -> None:
        """Wait until both ends have closed the first connections, all of them by default."""
        for thread in self._threads if connections is None else self._threads[1 : connections + 1]:
            thread.join(timeout=5)
            assert not thread.is_alive()

    def _accept(self) -> None:
        for script in self._scripts:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # the test has ended
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection, script))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket, script: Script) -> None:
        connection.settimeout(5)
        with suppress(ConnectionError, ssl.SSLError):  # the client hangs up, or does not like the certificate
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection, connection.makefile("rb") as stream:
                self._answer(connection, stream, script)

    def _answer(self, connection: socket.socket, stream: BinaryIO, script: Script) -> None:
        for answer in script:
            request = _read(stream)
            self.requests += [request] if request else []
            if answer is None:
                self.requests += iter(lambda: _read(stream), b"")
            else:
                connection.sendall(answer)


@contextmanager
def serving(*scripts: Script, host: str = "127.0.0.1", tls: bool = False) -> Iterator[RawServer]:
    """Serve as many connections as there are scripts; what is left of them is dropped at the end of the block."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listener:
        server = RawServer(listener, scripts, _server_context() if tls else None)
        try:
            yield server
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            server.wait()


@cache
def authority() -> CA:
    """Return what signs the certificate of localhost, and what no client trusts."""
    return CA()


@cache
def _server_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert("localhost").configure_cert(context)
    return context


def _read(stream: BinaryIO) -> bytes:
    """Return the next request; empty when the client has closed the connection."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = stream.readline()
        if not line:
            return b""
        head += line
    size = next((int(line[16:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length: ")), 0)
    return head + stream.read(size)
