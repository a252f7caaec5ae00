import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from automation.building import built
from automation.lambda_runtime import invocation, invocation_probe, places
from automation.lambda_runtime.invocation import Limits, LocalInvocation
from automation.lambda_runtime.places import Place
from automation.lambda_runtime.runtime import Allowance
from automation.system.errors import ConfigurationError
from tests.automation.proof.small import TEMPLATE, make

LIMITS = Limits(memory_mb=256, timeout_s=30)
ANSWERING = """
import os, logging
def handler(event, context):
    logging.getLogger().warning("seen %s", event)
    return {
        "event": event,
        "stage": os.environ["STAGE"],
        "table": os.environ["TABLE"],
        "name": context.function_name,
        "memory": context.memory_limit_in_mb,
        "arn": context.invoked_function_arn,
        "version": context.function_version,
        "left_ms": context.get_remaining_time_in_millis(),
    }
"""


@contextmanager
def place_of(root: Path, code: str, *, template: str = TEMPLATE) -> Iterator[Place]:
    project = make(root, {"functions/two/app.py": code}, template=template)
    mounts = built.mounts_of_project(project)
    with places.opened(root) as new_places, new_places.of(mounts[1]) as place:
        yield place


def invoke(
    root: Path, code: str, event: object = None, *, limits: Limits = LIMITS, allowance: Allowance | None = None
) -> LocalInvocation:
    with place_of(root, code) as place:
        return invocation.invoke(place, json.dumps(event), root=root, limits=limits, allowance=allowance or Allowance())


def test_invoke_returns_the_answer_the_log_and_what_it_took(tmp_path: Path) -> None:
    invoked = invoke(tmp_path, ANSWERING, {"a": 1})

    left_ms = invoked.answer.pop("left_ms")
    assert invoked.answer == {
        "event": {"a": 1},
        "stage": "test",
        "table": "value-of-TABLE",
        "name": "Two",
        "memory": "256",
        "arn": "arn:aws:lambda:us-east-1:000000000000:function:Two",
        "version": "$LATEST",
    }
    assert 0 < left_ms <= 30_000
    assert (invoked.error, invoked.stack) == ("", ())
    assert invoked.log.startswith("[WARNING]\t")
    assert invoked.log.endswith("Z\tseen {'a': 1}\n")
    assert None not in (invoked.init_ms, invoked.duration_ms)
    assert 5 < (invoked.peak_mb or 0) < 256


def test_invoke_variables_of_the_allowance_replace_those_of_the_template(tmp_path: Path) -> None:
    invoked = invoke(tmp_path, ANSWERING, allowance=Allowance(variables={"TABLE": "sales"}))

    assert (invoked.answer["table"], invoked.answer["stage"]) == ("sales", "test")


def test_invoke_error_has_its_stack_as_on_lambda(tmp_path: Path) -> None:
    invoked = invoke(tmp_path, "def handler(event, context):\n    raise KeyError('price')\n")

    assert (invoked.answer, invoked.error) == (None, "KeyError: 'price'")
    assert invoked.stack == (
        '  File "/var/task/app.py", line 2, in handler',
        "    raise KeyError('price')",
    )


def test_invoke_failed_import_is_an_error(tmp_path: Path) -> None:
    invoked = invoke(tmp_path, "import nowhere\n")

    assert invoked.error == "ModuleNotFoundError: No module named 'nowhere'"
    assert invoked.duration_ms is None


def test_invoke_answer_that_is_not_json_is_an_error(tmp_path: Path) -> None:
    invoked = invoke(tmp_path, "def handler(event, context):\n    return {1, 2}\n")

    assert invoked.error.startswith("Runtime.MarshalError: Unable to marshal response: Object of type set")


def test_invoke_time_out_stops_the_function_and_shows_where_it_was(tmp_path: Path) -> None:
    code = "import time\ndef handler(event, context):\n    print('begun', flush=True)\n    time.sleep(600)\n"
    invoked = invoke(tmp_path, code, limits=Limits(memory_mb=256, timeout_s=1))

    assert invoked.error == "Task timed out after 1.00 seconds"
    assert any('"/var/task/app.py", line 4 in handler' in line for line in invoked.stack)
    assert invoked.log == "begun\n"


def test_invoke_too_much_memory_is_an_error(tmp_path: Path) -> None:
    code = "def handler(event, context):\n    return len(bytearray(b'x') * 80_000_000)\n"

    assert invoke(tmp_path, code, limits=LIMITS).answer == 80_000_000
    invoked = invoke(tmp_path / "less", code, limits=Limits(memory_mb=64, timeout_s=30))

    assert invoked.error.startswith("Runtime.OutOfMemory: it used ")
    assert invoked.error.endswith(" MB, MemorySize is 64 MB")
    assert (invoked.answer, (invoked.peak_mb or 0) > 64) == (None, True)


def test_invoke_memory_that_only_grows_is_stopped_before_the_handler_ends(tmp_path: Path) -> None:
    code = "import time\ndef handler(event, context):\n    kept = bytearray(b'x') * 80_000_000\n    time.sleep(600)\n"
    invoked = invoke(tmp_path, code, limits=Limits(memory_mb=64, timeout_s=600))

    assert invoked.error.startswith("Runtime.OutOfMemory: ")


def test_invoke_process_that_ends_itself_is_an_error(tmp_path: Path) -> None:
    invoked = invoke(tmp_path, "import os\ndef handler(event, context):\n    os._exit(7)\n")

    assert invoked.error == "Runtime.ExitError: its process ended with exit code 7"


def test_invoke_sys_exit_is_an_error(tmp_path: Path) -> None:
    assert invoke(tmp_path, "def handler(event, context):\n    raise SystemExit(3)\n").error == "SystemExit: 3"


def test_invoke_may_not_write_beside_its_code(tmp_path: Path) -> None:
    code = "import pathlib\ndef handler(event, context):\n    pathlib.Path(__file__).with_name('x').write_text('')\n"

    assert invoke(tmp_path, code).error.startswith("OSError: [Errno 30] Read-only file system")


CONNECTING = """
import socket
import threading
def handler(event, context):
    with socket.create_connection(("127.0.0.1", event)) as connection:
        return connection.recv(5).decode()
"""


@pytest.mark.enable_socket
def test_invoke_reaches_a_network_only_when_it_is_allowed(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
        refused = invoke(tmp_path / "a", CONNECTING, port)
        assert refused.error.endswith("no network here")

        with place_of(tmp_path / "b", CONNECTING) as place:

            def answer() -> None:
                connection, _ = server.accept()
                connection.sendall(b"hello")
                connection.close()

            thread = threading.Thread(target=answer)
            thread.start()
            allowance = Allowance(has_network=True)
            invoked = invocation.invoke(
                place, json.dumps(port), root=tmp_path / "b", limits=LIMITS, allowance=allowance
            )
            thread.join()
    assert (invoked.answer, invoked.error) == ("hello", "")


@pytest.mark.parametrize(
    ("properties", "limits"),
    [
        ("", Limits(128, 3)),
        (", MemorySize: 512, Timeout: 20", Limits(512, 20)),
        (", MemorySize: '512', Timeout: 20", Limits(512, 20)),
    ],
)
def test_limits_of_a_function_are_those_of_its_template_or_of_lambda(
    tmp_path: Path, properties: str, limits: Limits
) -> None:
    template = TEMPLATE.replace(
        "functions/two/, Handler: app.handler", f"functions/two/, Handler: app.handler{properties}"
    )
    with place_of(tmp_path, "", template=template) as place:
        assert invocation.limits_of(place.built) == limits


@pytest.mark.parametrize("value", ["!Ref Unknown", "true", "-1"])
def test_limits_of_a_value_that_is_not_a_number_names_the_line(tmp_path: Path, value: str) -> None:
    template = TEMPLATE.replace(
        "functions/two/, Handler: app.handler", f"functions/two/, Timeout: {value}, Handler: app.handler"
    )
    with (
        place_of(
            tmp_path, "", template=template.replace("Resources:", "Parameters: {Unknown: {Type: Number}}\nResources:")
        ) as place,
        pytest.raises(
            ConfigurationError, match=r"template.yaml: Two: Timeout is only known at deploy time; add --env ENV"
        ),
    ):
        invocation.limits_of(place.built)


def test_peak_mb_of_a_process_that_has_ended_is_0() -> None:
    assert invocation_probe.peak_mb("/proc/none/status") == 0.0


def request(**changes: object) -> Mapping[str, object]:
    parts = {"request_id": "r", "function": "f", "arn": "a", "memory_mb": 128, "timeout_s": 10}
    return {"handler": "json.loads", "event": "[]", "log_group": "g", "log_stream": "s", **parts, **changes}


def test_probe_limits_the_import_and_the_call() -> None:
    stopped: list[float] = []
    invocation_probe.invoke(request(handler="nowhere.handler"), stopped.append)
    assert stopped == [10]

    invocation_probe.invoke(request(), stopped.append)
    assert stopped == [10, 10, 10]


def test_probe_context_has_no_time_left_after_the_deadline() -> None:
    context = invocation_probe.Context(request(timeout_s=-1))

    assert context.get_remaining_time_in_millis() == 0
    assert (context.aws_request_id, context.log_group_name, context.log_stream_name) == ("r", "g", "s")
