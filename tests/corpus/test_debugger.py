"""`inv invoke --debug-port`: a client of the Debug Adapter Protocol stops a function at a line, then lets it go on."""

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from io import BufferedRWPair
from pathlib import Path
from typing import Any

import pytest

from automation.building import built
from automation.lambda_runtime import invocation, places
from automation.lambda_runtime.invocation import Limits, LocalInvocation
from automation.lambda_runtime.runtime import Allowance
from automation.system import tools
from tests.automation.proof.small import make

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket]

ROOT = Path(__file__).parents[2]
CODE = "def handler(event, context):\n    total = event + 1\n    return total\n"


def connect(port: int) -> socket.socket:
    """Connect as soon as the function waits."""
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            threading.Event().wait(0.1)


def send(stream: BufferedRWPair, number: int, command: str, arguments: Mapping[str, Any]) -> None:
    body = json.dumps({"seq": number, "type": "request", "command": command, "arguments": arguments}).encode()
    stream.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    stream.flush()


def received(stream: BufferedRWPair) -> Iterator[dict[str, Any]]:
    """Yield the messages of the function's process, until it ends."""
    while header := stream.readline():
        stream.readline()
        yield json.loads(stream.read(int(header.split(b":")[1])))


def stop_once(port: int, source: Path, folder: Path) -> list[tuple[str, int]]:
    """Stop at the second line of the handler, let it go on, and return where it stopped."""
    stops: list[tuple[str, int]] = []
    with connect(port) as connection, connection.makefile("rwb") as stream:
        send(stream, 1, "initialize", {"adapterID": "test"})
        send(stream, 2, "attach", {"pathMappings": [{"localRoot": str(source), "remoteRoot": str(folder)}]})
        for message in received(stream):
            if message.get("event") == "initialized":
                lines = {"source": {"path": str(source / "app.py")}, "breakpoints": [{"line": 2}]}
                send(stream, 3, "setBreakpoints", lines)
                send(stream, 4, "configurationDone", {})
            elif message.get("event") == "stopped":
                send(stream, 5, "stackTrace", {"threadId": message["body"]["threadId"]})
            elif message.get("command") == "stackTrace":
                frame = message["body"]["stackFrames"][0]
                stops.append((frame["source"]["path"], frame["line"]))
                send(stream, 6, "continue", {"threadId": 1})
            elif message.get("event") == "terminated":
                break
    return stops


def test_debugger_stops_the_function_at_a_line_of_its_source(tmp_path: Path) -> None:
    project = make(tmp_path, {"functions/two/app.py": CODE})
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    mount = built.mounts_of_project(project)[1]
    allowance = Allowance(debugger=(str(tools.ensure("debugpy", root=ROOT).site), str(port)))
    results: list[LocalInvocation] = []

    with places.opened(tmp_path) as new_places, new_places.of(mount) as place:

        def run() -> None:
            # The time-out of 1 s must not stop a function that a person looks at.
            limits = Limits(memory_mb=512, timeout_s=1)
            results.append(invocation.invoke(place, "41", root=tmp_path, limits=limits, allowance=allowance))

        thread = threading.Thread(target=run)
        thread.start()
        source = tmp_path / "functions" / "two"
        stops = stop_once(port, source, place.mount.task)
        thread.join()

    assert stops == [(str(source / "app.py"), 2)]
    assert [(result.answer, result.error) for result in results] == [(42, "")]
