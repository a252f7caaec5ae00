"""Invoke a handler once, as the managed runtime does, and write what it returned to a file. Run by `bootstrap.py`.

Argument: a JSON document with the `handler` as the template names it, the `event` as text, the files for the `result`
(JSON) and for the `stack` of a handler that is stopped, the `memory_mb` and `timeout_s` of the function, and what its
context says: `request_id`, `function`, `arn`, `log_group`, `log_stream`.
"""

import faulthandler
import importlib
import json
import logging
import os
import sys
import time
import traceback

TYPE_CHECKING = False  # the runtime has not imported typing, so the probe must not either
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

# The imported code may replace any of these functions; the probe keeps the originals.
_DUMPS, _OPEN, _WRITE, _END = json.dumps, os.open, os.write, os._exit
_FORMAT = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(message)s"


class Context:
    """What Lambda gives a handler beside the event."""

    client_context = identity = None
    function_version = "$LATEST"

    def __init__(self, request: "Mapping[str, Any]") -> None:
        self.aws_request_id = request["request_id"]
        self.function_name = request["function"]
        self.invoked_function_arn = request["arn"]
        self.memory_limit_in_mb = str(request["memory_mb"])
        self.log_group_name = request["log_group"]
        self.log_stream_name = request["log_stream"]
        self._deadline: float = time.monotonic() + request["timeout_s"]

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until the function is stopped."""
        return max(0, round((self._deadline - time.monotonic()) * 1000))


def invoke(request: "Mapping[str, Any]", stop_after: "Any") -> "dict[str, Any]":
    """Import the handler's module and call the handler; return its `answer`, or its `error`, as Lambda reports them.

    Args:
        stop_after: called with the seconds after which to end this process, before the import and before the call.
    """
    name, _, attribute = request["handler"].rpartition(".")
    started = time.perf_counter()
    try:
        stop_after(request["timeout_s"])
        handler = getattr(importlib.import_module(name.replace("/", ".")), attribute)
        imported = time.perf_counter()
        stop_after(request["timeout_s"])
        returned = handler(json.loads(request["event"]), Context(request))
        finished = time.perf_counter()
    except BaseException as error:
        return {"error": _described(error)}

    times = {"init_ms": (imported - started) * 1000, "duration_ms": (finished - imported) * 1000}
    try:
        return {"answer": json.loads(_DUMPS(returned)), **times}
    except (TypeError, ValueError) as error:
        what = {"errorType": "Runtime.MarshalError", "errorMessage": f"Unable to marshal response: {error}"}
        return {"error": {**what, "stackTrace": []}, **times}


def _described(error: BaseException) -> "dict[str, Any]":
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename != __file__ and not frame.filename.startswith("<frozen")]
    return {
        "errorType": type(error).__name__,
        "errorMessage": str(error),
        "stackTrace": traceback.format_list(own),
    }


def peak_mb(status: str = "/proc/self/status") -> float:
    """Return the most memory that this process has used, in MB of 1,048,576 bytes, as Lambda counts them."""
    try:
        with open(status, "rb") as file:  # noqa: PTH123 - the runtime imports no pathlib
            lines = file.read().decode().splitlines()
    except OSError:  # the process has ended
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), 0.0)


def main(document: str) -> None:
    request = json.loads(document)
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(format=_FORMAT, datefmt="%Y-%m-%dT%H:%M:%S", stream=sys.stdout)
    stack = _OPEN(request["stack"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)

    def stop_after(seconds: float) -> None:
        # The stack of every thread is the answer to what the handler was doing.
        if not request["is_debugged"]:
            faulthandler.dump_traceback_later(seconds, exit=True, file=stack)

    result = invoke(request, stop_after)
    faulthandler.cancel_dump_traceback_later()
    sys.stdout.flush()
    result["peak_mb"] = peak_mb()
    _WRITE(_OPEN(request["result"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), _DUMPS(result).encode())
    # Threads that the handler has started are frozen on Lambda; here they must not keep the process alive.
    _END(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
