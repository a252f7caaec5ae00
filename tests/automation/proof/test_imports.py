"""The import as it is run: what the code does at import comes back as a value, whatever it is."""

from pathlib import Path

import pytest

from automation.building import built
from automation.lambda_runtime import runtime
from automation.proof import imports
from automation.proof.imports import Imported, Outcome
from tests.automation.proof.small import TEMPLATE, make


def examine(root: Path, text: str, *, template: str = TEMPLATE, timeout_s: float = 30) -> Imported:
    mount = built.mounts_of_project(make(root, {"functions/one/app.py": text}, template=template))[0]
    with runtime.mounted(mount) as opt:
        return imports.examine(mount, opt, root=root, timeout_s=timeout_s)


def test_examine_sound_handler_is_resolved(tmp_path: Path) -> None:
    found = examine(tmp_path, "def handler(event, context): ...\n")

    assert (found.outcome, found.module) == (Outcome.RESOLVED, "app")
    assert found.seconds > 0


def test_examine_handler_with_a_slash_is_a_dotted_module(tmp_path: Path) -> None:
    template = TEMPLATE.replace("Handler: app.handler, Layers", "Handler: ./app.handler, Layers").replace(
        "./app", "shared/x"
    )
    make(tmp_path, {"layers/common/shared/x.py": "def handler(e, c): ...\n"}, template=template)
    mount = built.mounts_of_project(
        make(tmp_path / "again", {"layers/common/shared/x.py": "def handler(e, c): ...\n"}, template=template)
    )[0]

    with runtime.mounted(mount) as opt:
        found = imports.examine(mount, opt, root=tmp_path / "again")

    assert (found.outcome, found.module) == (Outcome.RESOLVED, "shared.x")


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
def test_examine_code_that_misbehaves_has_an_outcome(tmp_path: Path, text: str, outcome: Outcome) -> None:
    assert examine(tmp_path, text).outcome is outcome


@pytest.mark.parametrize(
    "text",
    [
        'import sys\nprint(\'{"outcome": "failed"}\' * 20000)\nsys.stdout = sys.stderr = None\n',
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()\n",
        "import json, os\njson.dumps = os.write = os.open = None\n",
        "import atexit, os\natexit.register(os.abort)\n",
    ],
)
def test_examine_code_that_makes_noise_does_not_confuse(tmp_path: Path, text: str) -> None:
    found = examine(tmp_path, f"{text}\ndef handler(event, context): ...\n")

    assert found.outcome is Outcome.RESOLVED


def test_examine_code_that_does_not_end_tells_where(tmp_path: Path) -> None:
    found = examine(tmp_path, "x = 1\nwhile True:\n    x = 2\n", timeout_s=1.5)

    assert found.outcome is Outcome.HUNG
    assert found.stack[-1].file.name == "app.py"


def test_examine_crash_tells_the_line(tmp_path: Path) -> None:
    found = examine(tmp_path, "import ctypes\n\nctypes.string_at(0)\n")

    assert "Segmentation fault" in found.text
    assert ("app.py", 3) in [(frame.file.name, frame.line) for frame in found.stack]


def test_examine_exception_is_described(tmp_path: Path) -> None:
    found = examine(tmp_path, "x = 1\nimport nowhere.at_all\n")

    assert (found.kinds[0], found.name) == ("ModuleNotFoundError", "nowhere")
    assert [(frame.file, frame.line) for frame in found.stack][-1] == (tmp_path / ".aws-sam/build/One/app.py", 2)


def test_examine_exceptions_text_names_paths_as_on_lambda(tmp_path: Path) -> None:
    found = examine(tmp_path, "from shared import nothing\n")

    assert found.text == "cannot import name 'nothing' from 'shared' (/opt/python/shared/__init__.py)"


def test_examine_missing_variable_is_the_key(tmp_path: Path) -> None:
    assert examine(tmp_path, "import os\nos.environ['NAME']\n").key == "NAME"


def test_examine_variable_only_cloudformation_knows_is_there(tmp_path: Path) -> None:
    text = "import os\nos.environ['TABLE']\n\ndef handler(event, context): ...\n"

    assert examine(tmp_path, text).outcome is Outcome.RESOLVED


@pytest.mark.parametrize(
    ("text", "attempt"),
    [("open('x', 'w')\n", "write"), ("import boto3\nboto3.client('s3').list_buckets()\n", "network")],
)
def test_examine_what_was_refused_is_told(tmp_path: Path, text: str, attempt: str) -> None:
    assert attempt in examine(tmp_path, text).attempts


def test_examine_module_that_stands_in_for_the_stdlib_names_who_holds_it(tmp_path: Path) -> None:
    sources = {"functions/one/queue.py": "Q = 1\n", "functions/one/app.py": "import queue\n\ndef handler(e, c): ...\n"}
    mount = built.mounts_of_project(make(tmp_path, sources))[0]

    with runtime.mounted(mount) as opt:
        found = imports.examine(mount, opt, root=tmp_path)

    assert [Path(file).name for file in found.borrowed["queue"]] == ["app.py"]


def test_examine_built_in_name_is_an_outcome_of_its_own(tmp_path: Path) -> None:
    template = TEMPLATE.replace("Handler: app.handler, Layers", "Handler: time.handler, Layers")

    assert examine(tmp_path, "", template=template).outcome is Outcome.BUILT_IN


def test_crashed_without_a_stack_tells_the_signal() -> None:
    assert imports.crashed("", exit_code=-9, said="").text == "killed by signal 9"
