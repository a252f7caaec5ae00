import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from automation.building import built
from automation.lambda_runtime import runtime
from automation.lambda_runtime.mounts import Mount
from automation.project import settings
from automation.project.settings import Settings
from automation.system import tools
from automation.system.errors import ToolError
from tests.automation.proof.small import TEMPLATE, make

REPORT = """
import json, os, sys
{body}
with open(sys.argv[1], "w") as file:
    json.dump(result, file)
"""
Run = Callable[..., Any]


@pytest.fixture
def mount(tmp_path: Path) -> Mount:
    return mount_of(tmp_path / "project")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a body that sets `result`, and return that."""

    def start(mount: Mount, body: str, **options: Any) -> Any:
        script, file = tmp_path / "script.py", tmp_path / "result.json"
        script.write_text(REPORT.format(body=body))
        finished = runtime.run(mount, script, [file], root=tmp_path / "project", timeout_s=30, **options)
        assert file.is_file(), finished.tail()
        return json.loads(file.read_text())

    return start


def mount_of(root: Path, changes: Mapping[str, str] | None = None, template: str = TEMPLATE) -> Mount:
    return built.mounts_of_project(make(root, changes, template=template))[0]


def test_run_search_path_is_task_layers_runtime_then_stdlib(mount: Mount, run: Run) -> None:
    with runtime.mounted(mount) as opt:
        search_path = run(mount, "result = sys.path", opt=opt)

    stand_in = runtime.ensure(mount.task.parents[2])
    site_packages = opt / "python" / "lib" / "python3.12" / "site-packages"
    assert search_path[:4] == [str(mount.task), str(site_packages), str(opt / "python"), str(stand_in.site)]
    assert all("site-packages" not in folder for folder in search_path[4:])


def test_run_environment_is_that_of_lambda_and_template(
    mount: Mount, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a real one")
    monkeypatch.setenv("HOME", "/home/somebody")

    environment = run(mount, "result = dict(os.environ)")

    assert (environment["STAGE"], environment["TABLE"]) == ("test", "value-of-TABLE")
    assert (environment["AWS_LAMBDA_FUNCTION_NAME"], environment["AWS_ACCESS_KEY_ID"]) == ("One", "none")
    assert "HOME" not in environment


def test_run_working_folder_is_the_task(mount: Mount, run: Run) -> None:
    assert run(mount, "result = os.getcwd()") == str(mount.task)


def test_run_finds_the_sdk_and_no_other_package(mount: Mount, run: Run) -> None:
    body = "import importlib.util as u\nresult = [n for n in ('boto3', 'pytest', 'rich') if u.find_spec(n)]"

    assert run(mount, body) == ["boto3"]


@pytest.mark.parametrize("path", ["log.txt", "/var/log/x", "/opt/x"])
def test_run_writing_outside_tmp_is_refused(mount: Mount, run: Run, path: str) -> None:
    body = f"try:\n    open({path!r}, 'w')\nexcept OSError as error:\n    result = [error.errno, *ATTEMPTS]"

    assert run(mount, body) == [30, "write"]


def test_run_removing_a_file_of_the_code_is_refused(mount: Mount, run: Run) -> None:
    attempts = run(mount, "try:\n    os.remove('app.py')\nexcept OSError:\n    result = ATTEMPTS")

    assert attempts == ["write"]
    assert (mount.task / "app.py").is_file()


def test_run_writing_to_tmp_is_allowed(mount: Mount, run: Run) -> None:
    body = "import tempfile\nwith tempfile.TemporaryFile() as file:\n    result = file.write(b'x')"

    assert run(mount, body) == 1


def test_run_connection_is_refused(mount: Mount, run: Run) -> None:
    body = "import socket\ntry:\n    socket.create_connection(('127.0.0.1', 9))\nexcept OSError:\n    result = ATTEMPTS"

    assert run(mount, body) == ["network"]


def test_run_writes_nothing_beside_the_code(mount: Mount, run: Run) -> None:
    before = sorted(mount.task.rglob("*"))

    run(mount, "import app, shared\nresult = 0")

    assert sorted(mount.task.rglob("*")) == before


def test_run_path_file_of_the_task_is_read(tmp_path: Path, run: Run) -> None:
    mount = mount_of(tmp_path / "project", {"functions/one/x.pth": "vendor\n", "functions/one/vendor/y.py": "Z = 3\n"})

    assert run(mount, "import y\nresult = y.Z") == 3


def test_run_pythonpath_of_the_template_replaces_the_layers(tmp_path: Path, run: Run) -> None:
    template = TEMPLATE.replace("STAGE: test", "STAGE: test, PYTHONPATH: '/var/task/src:/opt/code'")
    mount = mount_of(tmp_path / "project", template=template)

    with runtime.mounted(mount) as opt:
        search_path = run(mount, "result = sys.path[:3]", opt=opt)

    assert search_path == [str(mount.task), str(mount.task / "src"), str(opt / "code")]


def test_run_endless_script_is_a_tool_error(mount: Mount, tmp_path: Path) -> None:
    script = tmp_path / "loop.py"
    script.write_text("while True: pass")

    with pytest.raises(ToolError, match="took longer than 1 s"):
        runtime.run(mount, script, root=tmp_path / "project", timeout_s=1)


def test_run_flags_reach_the_interpreter(mount: Mount, tmp_path: Path) -> None:
    script = tmp_path / "empty.py"
    script.write_text("import app")

    finished = runtime.run(mount, script, root=tmp_path / "project", timeout_s=30, flags=("-X", "importtime"))

    assert "| app" in finished.stderr


def test_ensure_without_a_lock_links_the_sdk_once(tmp_path: Path) -> None:
    first = runtime.ensure(tmp_path)
    stamp = first.site.stat().st_mtime_ns

    again = runtime.ensure(tmp_path)

    assert again == first
    assert again.site.stat().st_mtime_ns == stamp
    assert {path.name for path in again.site.iterdir()} >= {"boto3", "botocore", "six.py"}
    assert again.python == Path(sys.executable)


def test_ensure_missing_link_is_created_again(tmp_path: Path) -> None:
    site = runtime.ensure(tmp_path).site
    (site / "six.py").unlink()

    runtime.ensure(tmp_path)

    assert (site / "six.py").exists()


def test_ensure_with_a_lock_returns_the_locked_environment(tmp_path: Path) -> None:
    lock = tmp_path / "locks" / "runtime.txt"
    lock.parent.mkdir()
    lock.write_text("")
    folder = tmp_path / ".tools" / "runtime"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").write_text("")
    (folder / "made-from").write_text(tools.stamp(b"", tools.own_python_version()))

    stand_in = runtime.ensure(tmp_path)

    assert stand_in.python == folder / "bin" / "python"
    assert stand_in.site == folder / "lib" / "python3.12" / "site-packages"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("Runtime: python3.12", "Runtime: python3.11", "python3.11"),
        ("Runtime: python3.12", "Runtime: python3.12, Architectures: [riscv]", "riscv"),
    ],
)
def test_why_not_importable_another_target_is_named(tmp_path: Path, old: str, new: str, reason: str) -> None:
    mount = mount_of(tmp_path, template=TEMPLATE.replace(old, new))

    assert reason in runtime.why_not_importable(mount)


def test_environment_own_variables_override_those_of_globals(tmp_path: Path) -> None:
    own = "Handler: app.handler, Environment: {Variables: {STAGE: own, DEBUG: true}}, Layers"
    mount = mount_of(tmp_path, template=TEMPLATE.replace("Handler: app.handler, Layers", own))

    environment = runtime.environment(mount, Path("/opt"))

    assert (environment["STAGE"], environment["DEBUG"], environment["TABLE"]) == ("own", "true", "value-of-TABLE")


def test_project_of_another_name_needs_no_settings(tmp_path: Path) -> None:
    make(tmp_path)

    assert settings.read(tmp_path) == Settings()
