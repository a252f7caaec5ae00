"""Importing a handler always returns a value, whatever its code does at import."""

import itertools
import signal
from pathlib import Path
from typing import Any

import pytest

from automation.building import built
from automation.lambda_runtime import places
from automation.lambda_runtime.limits import StallWatch
from automation.project.model import Project
from automation.proof import import_probe, imports
from automation.proof.imports import Frame, ImportResult, Outcome
from tests.automation.proof.small import TEMPLATE, make


def import_app(root: Path, text: str, *, template: str = TEMPLATE, **limits: Any) -> ImportResult:
    return import_one(make(root, {"functions/one/app.py": text}, template=template), **limits)


def import_one(project: Project, **limits: Any) -> ImportResult:
    mount = built.mounts_of_project(project)[0]
    with places.opened(project.root) as new_places, new_places.of(mount) as place:
        return imports.import_handler(place, root=project.root, **limits)


def test_import_handler_sound_handler_is_resolved(tmp_path: Path) -> None:
    result = import_app(tmp_path, "def handler(event, context): ...\n")

    assert (result.outcome, result.module) == (Outcome.RESOLVED, "app")
    assert result.seconds > 0


@pytest.mark.parametrize(("readings", "seconds"), [([5.0, 4.9], 0.0), ([5.0, 5.5], 0.5)])
def test_examine_import_takes_no_less_than_nothing(readings: list[float], seconds: float) -> None:
    ticks = iter(readings)

    assert import_probe.examine("json.dumps", lambda: next(ticks))["seconds"] == seconds


def test_import_handler_slash_becomes_a_dotted_module(tmp_path: Path) -> None:
    template = TEMPLATE.replace("Handler: app.handler, Layers", "Handler: ./app.handler, Layers").replace(
        "./app", "shared/x"
    )
    project = make(tmp_path, {"layers/common/shared/x.py": "def handler(e, c): ...\n"}, template=template)

    result = import_one(project)

    assert (result.outcome, result.module) == (Outcome.RESOLVED, "shared.x")


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("handler = 3\n", Outcome.NOT_CALLABLE),
        ("def handle(event, context): ...\n", Outcome.NO_ATTRIBUTE),
        ("import nowhere\n", Outcome.FAILED),
        ("import sys\nsys.exit(0)\n", Outcome.FAILED),
        ("raise KeyboardInterrupt\n", Outcome.FAILED),
        ("import os\nos._exit(0)\n", Outcome.ENDED),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n", Outcome.ENDED),
        ("import ctypes\nctypes.string_at(0)\n", Outcome.ENDED),
    ],
)
def test_import_handler_misbehaving_code_has_an_outcome(tmp_path: Path, text: str, outcome: Outcome) -> None:
    assert import_app(tmp_path, text).outcome is outcome


@pytest.mark.parametrize(
    "text",
    [
        'import sys\nprint(\'{"outcome": "failed"}\' * 20000)\nsys.stdout = sys.stderr = None\n',
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()\n",
        "import json, os\njson.dumps = os.write = os.open = None\n",
        "import atexit, os\natexit.register(os.abort)\n",
        "import subprocess\nsubprocess.Popen(['sleep', '60'])\n",
    ],
)
def test_import_handler_noisy_code_is_resolved(tmp_path: Path, text: str) -> None:
    result = import_app(tmp_path, f"{text}\ndef handler(event, context): ...\n")

    assert result.outcome is Outcome.RESOLVED


def test_import_handler_endless_code_is_hung_with_its_stack(tmp_path: Path) -> None:
    result = import_app(tmp_path, "x = 1\nwhile True:\n    x = 2\n", cpu_s=1)

    assert (result.outcome, result.text) == (Outcome.HUNG, "needs more than 1 s of CPU time")
    assert result.stack[-1].file == tmp_path / ".aws-sam/build/One/app.py"


def test_import_handler_waiting_code_is_hung_with_its_stack(tmp_path: Path) -> None:
    waits = tmp_path / "waits"
    text = (
        f"import threading, time\nthreading.Thread(target=print).start()\nopen({str(waits)!r}, 'w')\ntime.sleep(60)\n"
    )
    # However long the process takes until it waits, the clock stands still until then.
    clock = itertools.count(30.0, 30.0)
    watch = StallWatch(20.0, is_busy=lambda: False, clock=lambda: next(clock) if waits.exists() else 0.0)

    result = import_app(tmp_path / "project", text, watch=watch)

    assert (result.outcome, result.text) == (Outcome.HUNG, "waits for more than 20 s")
    assert result.stack[-1] == Frame(tmp_path / "project/.aws-sam/build/One/app.py", 4)


def test_import_handler_long_wait_beside_other_processes_is_a_doubt(tmp_path: Path) -> None:
    class Doubt(StallWatch):
        is_in_doubt = True

    watch = Doubt(20.0)

    result = import_app(tmp_path / "waited", "def handler(event, context): ...\n", watch=watch)
    failed = import_app(tmp_path / "failed", "import nowhere\n", watch=watch)

    assert result == ImportResult(Outcome.WAITED, text="waits for more than 20 s, unless this machine was too busy")
    assert failed.outcome is Outcome.FAILED


def test_import_handler_crash_has_its_line(tmp_path: Path) -> None:
    result = import_app(tmp_path, "import ctypes\n\nctypes.string_at(0)\n")

    assert "Segmentation fault" in result.text
    assert ("app.py", 3) in [(frame.file.name, frame.line) for frame in result.stack]


def test_import_handler_exception_is_described(tmp_path: Path) -> None:
    result = import_app(tmp_path, "x = 1\nimport nowhere.at_all\n")

    assert (result.kinds[0], result.name) == ("ModuleNotFoundError", "nowhere")
    assert [(frame.file, frame.line) for frame in result.stack][-1] == (tmp_path / ".aws-sam/build/One/app.py", 2)


def test_import_handler_exception_text_has_the_paths_of_lambda(tmp_path: Path) -> None:
    result = import_app(tmp_path, "from shared import nothing\n")

    assert result.text == "cannot import name 'nothing' from 'shared' (/opt/python/shared/__init__.py)"


def test_import_handler_missing_variable_is_the_key(tmp_path: Path) -> None:
    assert import_app(tmp_path, "import os\nos.environ['NAME']\n").key == "NAME"


def test_import_handler_sets_variables_known_only_at_deploy_time(tmp_path: Path) -> None:
    text = "import os\nos.environ['TABLE']\n\ndef handler(event, context): ...\n"

    assert import_app(tmp_path, text).outcome is Outcome.RESOLVED


@pytest.mark.parametrize(
    ("text", "attempt"),
    [("open('x', 'w')\n", "write"), ("import boto3\nboto3.client('s3').list_buckets()\n", "network")],
)
def test_import_handler_records_refused_attempts(tmp_path: Path, text: str, attempt: str) -> None:
    assert attempt in import_app(tmp_path, text).attempts


def test_import_handler_stdlib_shadow_lists_the_files_that_use_it(tmp_path: Path) -> None:
    sources = {"functions/one/queue.py": "Q = 1\n", "functions/one/app.py": "import queue\n\ndef handler(e, c): ...\n"}
    result = import_one(make(tmp_path, sources))

    assert result.borrowed == {"queue": (str(tmp_path / ".aws-sam/build/One/app.py"),)}


def test_import_handler_built_in_name_has_its_own_outcome(tmp_path: Path) -> None:
    template = TEMPLATE.replace("Handler: app.handler, Layers", "Handler: time.handler, Layers")

    assert import_app(tmp_path, "", template=template).outcome is Outcome.BUILT_IN


def test_crashed_without_a_stack_names_the_signal() -> None:
    assert imports.crashed("", exit_code=-9, output="", limit="").text == "killed by signal 9"


STACK = """Thread 0x01 (most recent call first):
  File "/t/pool.py", line 9 in wait

Current thread 0x02 (most recent call first):
  File "/t/app.py", line 3 in <module>
  File "<frozen importlib._bootstrap>", line 1 in _call
  File "/t/probe.py", line 5 in main
"""


def test_crashed_stopped_import_has_the_stack_of_the_main_thread() -> None:
    result = imports.crashed(STACK, exit_code=-signal.SIGXCPU, output="", limit="waits")

    assert (result.outcome, result.text) == (Outcome.HUNG, "waits")
    assert result.stack == (Frame(Path("/t/probe.py"), 5), Frame(Path("/t/app.py"), 3))


@pytest.mark.parametrize(
    ("stack", "output", "exit_code", "text"),
    [
        (
            "Fatal Python error: Aborted\n\nThread 0x1",
            "printed\n",
            -6,
            "Fatal Python error: Aborted (killed by signal 6)",
        ),
        ("", "first\nlast\n", 3, "last (exit code 3)"),
        ("", "", 0, "exit code 0"),
        ("", "", -1, "killed by signal 1"),
    ],
)
def test_crashed_text_is_the_first_line_of_the_stack_or_the_last_printed(
    stack: str, output: str, exit_code: int, text: str
) -> None:
    result = imports.crashed(stack, exit_code=exit_code, output=output, limit="limit")

    assert result == ImportResult(Outcome.ENDED, text=text)


def test_parse_reads_every_field() -> None:
    fields = {
        "outcome": "failed",
        "seconds": "0.5",
        "module": "app",
        "file": "/t/app.py",
        "kinds": ["KeyError", "LookupError"],
        "text": "'A'",
        "name": "n",
        "key": "A",
        "path": "/p",
        "stack": [["/t/app.py", "3"]],
        "attempts": ["write"],
        "python": "3.12.1",
        "names": ["main"],
        "borrowed": {"queue": ["/t/app.py"]},
        "foreign": ["/t/x.py"],
        "loaded": ["app", "json"],
    }

    assert imports.parse({"outcome": "resolved"}) == ImportResult(Outcome.RESOLVED)
    assert imports.parse(fields) == ImportResult(
        Outcome.FAILED,
        seconds=0.5,
        module="app",
        file="/t/app.py",
        kinds=("KeyError", "LookupError"),
        text="'A'",
        name="n",
        key="A",
        path="/p",
        stack=(Frame(Path("/t/app.py"), 3),),
        attempts=frozenset({"write"}),
        python="3.12.1",
        names=("main",),
        borrowed={"queue": ("/t/app.py",)},
        foreign=("/t/x.py",),
        loaded=frozenset({"app", "json"}),
    )


@pytest.mark.parametrize(
    ("kinds", "text", "refused"),
    [
        (("OSError",), "cannot load", ("libjade.so.1", "libzinc.so")),
        (("OSError",), "libzinc is missing", ("libzinc.so",)),
        (("ImportError",), "failed to find jade", ("libjade.so.1",)),
        (("ImportError",), "cannot load", ()),
        (("TimeoutError", "OSError"), "cannot load", ()),
        (("ModuleNotFoundError", "ImportError"), "No module named 'jade'", ()),
        (("ValueError",), "libjade.so.1", ()),
        ((), "", ()),
    ],
)
def test_refused_libraries_are_those_of_which_the_error_speaks(
    kinds: tuple[str, ...], text: str, refused: tuple[str, ...]
) -> None:
    attempts = frozenset({"library:libzinc.so", "library:libjade.so.1", "write"})

    assert ImportResult(Outcome.FAILED, kinds=kinds, text=text, attempts=attempts).refused_libraries == refused


@pytest.mark.parametrize(
    ("kinds", "text", "error"),
    [(("KeyError", "LookupError"), "'A'", "KeyError: 'A'"), (("OSError",), "", "OSError"), ((), "waits", "waits")],
)
def test_error_is_what_python_prints(kinds: tuple[str, ...], text: str, error: str) -> None:
    assert ImportResult(Outcome.FAILED, kinds=kinds, text=text).error == error


@pytest.mark.parametrize(
    ("path", "on_lambda", "attempts"),
    [
        ("{task}/../Two/x.txt", "/var/task/../Two/x.txt", {"outside"}),
        ("../x.txt", "../x.txt", {"outside"}),
        ("x.txt", "x.txt", set()),
        ("{opt}/x.txt", "/opt/x.txt", set()),
        ("{opt}/../x.txt", "/opt/../x.txt", {"outside"}),
        ("/etc/x.txt", "/etc/x.txt", set()),
        ("", "", set()),
    ],
)
def test_as_built_path_above_the_own_folders_is_outside(
    tmp_path: Path, path: str, on_lambda: str, attempts: set[str]
) -> None:
    mount = built.mounts_of_project(make(tmp_path))[0]
    with places.opened(tmp_path) as new_places, new_places.of(mount) as place:
        failed = ImportResult(Outcome.FAILED, path=path.format(task=place.mount.task, opt=place.opt))
        result = imports._as_built(failed, place)

    assert (result.path, set(result.attempts)) == (on_lambda, attempts)


def test_as_built_files_are_those_of_the_build(tmp_path: Path) -> None:
    mount = built.mounts_of_project(make(tmp_path))[0]
    with places.opened(tmp_path) as new_places, new_places.of(mount) as place:
        file = place.mount.task / "app.py"
        resolved = ImportResult(
            Outcome.RESOLVED,
            text=f"in {file}",
            stack=(Frame(file, 2),),
            borrowed={"q": (str(file),)},
            foreign=(str(file),),
        )
        result = imports._as_built(resolved, place)

    app = mount.task / "app.py"
    assert (result.text, result.stack) == ("in /var/task/app.py", (Frame(app, 2),))
    assert (result.borrowed, result.foreign) == ({"q": (str(app),)}, (str(app),))
