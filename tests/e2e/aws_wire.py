"""Requests to AWS and their responses on the wire: what they ask for, errors in each protocol, and a server."""

import json
import re
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from email.utils import formatdate
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree as ET

_SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request")
_HOP_BY_HOP = frozenset({"connection", "content-length", "date", "expect", "keep-alive", "server", "transfer-encoding"})
_REST = (
    ("lambda", "GET", re.compile(r"/2016-08-19/account-settings/?"), "GetAccountSettings"),
    ("lambda", "POST", re.compile(r"/2015-03-31/functions/[^/]+/invocations"), "Invoke"),
    ("s3", "PUT", re.compile(r"/[^/?]+/[^?]+"), "PutObject"),
)


@dataclass(frozen=True, slots=True)
class Request:
    """A request to AWS.

    Attributes:
        service: as in the signature, such as `cloudformation`; empty for an unsigned request.
        operation: such as `DescribeStacks`; empty for one that no test asks for.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def service(self) -> str:
        scope = _SCOPE.search(self.headers.get("authorization", ""))
        return scope[1] if scope else ""

    @property
    def operation(self) -> str:
        if target := self.headers.get("x-amz-target"):
            return target.rpartition(".")[2]
        path = urlsplit(self.path).path
        rest = (
            name
            for service, method, pattern, name in _REST
            if (service, method) == (self.service, self.method) and pattern.fullmatch(path)
        )
        return self.parameters.get("Action") or next(rest, "")

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of a query request."""
        is_query = self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True)) if is_query else {}

    def is_about(self, stack: str) -> bool:
        """Return whether a request names the stack, by its name or its id."""
        name = self.parameters.get("StackName", "")
        return name == stack or f":stack/{stack}/" in name


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    headers: Mapping[str, str]
    body: bytes


class DroppedError(Exception):
    """The connection is to be closed without an answer."""


class WireHandler(BaseHTTPRequestHandler):
    """Reads requests and writes responses; a subclass says what to respond."""

    protocol_version = "HTTP/1.1"

    def respond(self, request: Request) -> Response:
        raise NotImplementedError

    def is_cut(self, request: Request) -> bool:
        raise NotImplementedError

    def _handle(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
        length = int(self.headers.get("Content-Length", 0))
        request = Request(self.command, self.path, headers, b"")
        if self.is_cut(request):
            self.rfile.read(length // 2)
            self._hang_up()
            return

        try:
            response = self.respond(replace(request, body=self.rfile.read(length)))
        except (DroppedError, OSError, HTTPException):
            self._hang_up()
        else:
            self._send(response)

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _handle  # noqa: N815 - http.server looks for these names

    def _send(self, response: Response) -> None:
        headers = {name: value for name, value in response.headers.items() if name.lower() not in _HOP_BY_HOP}
        date = response.headers.get("Date") or formatdate(usegmt=True)
        length = response.headers.get("Content-Length") or response.headers.get("content-length")
        self.send_response_only(response.status)
        for name, value in {**headers, "Date": date}.items():
            self.send_header(name, value)
        # The answer to HEAD has the length of the body that it does not have.
        self.send_header("Content-Length", length if self.command == "HEAD" and length else str(len(response.body)))
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(response.body)

    def _hang_up(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_arguments: Any) -> None:
        """Print nothing."""


def error(request: Request, code: str, message: str, status: int) -> Response:
    """Return an error in the protocol of the request's service."""
    if request.service == "s3":
        body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        return Response(status, {"Content-Type": "application/xml"}, body.encode())
    if request.parameters:
        text = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        body = f"<ErrorResponse>{text}<RequestId>1</RequestId></ErrorResponse>"
        return Response(status, {"Content-Type": "text/xml"}, body.encode())
    headers = {"Content-Type": "application/x-amz-json-1.0", "x-amzn-ErrorType": code}
    return Response(status, headers, json.dumps({"__type": code, "message": message}).encode())


def text_of(body: bytes, tag: str) -> str:
    """Return the text of the first element of that name in an answer."""
    return ET.fromstring(body).findtext(f".//{{*}}{tag}", "")  # noqa: S314 - the emulator's own answer


def with_status(body: bytes, stack: str, status: str) -> bytes:
    """Return the answer of DescribeStacks with the status of a stack changed; other answers stay as they are."""
    document = ET.fromstring(body)  # noqa: S314 - the emulator's own answer
    for member in document.iterfind(".//{*}Stacks/{*}member"):
        name, element = member.find("{*}StackName"), member.find("{*}StackStatus")
        if name is not None and element is not None and name.text == stack:
            element.text = status
    return ET.tostring(document)


def without_end(body: bytes, stack: str) -> bytes:
    """Return the answer of DescribeStackEvents without the newest events, which end a change of the stack."""
    document = ET.fromstring(body)  # noqa: S314 - the emulator's own answer
    for events in document.iterfind(".//{*}StackEvents"):
        for event in list(events):
            if event.findtext("{*}LogicalResourceId") == stack:
                if event.findtext("{*}ResourceStatus", "").endswith("_IN_PROGRESS"):
                    break
                events.remove(event)
    return ET.tostring(document)
