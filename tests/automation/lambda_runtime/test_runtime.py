import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from automation.building import built
from automation.lambda_runtime import runtime
from automation.lambda_runtime.mounts import Mount
from automation.project import model, settings
from automation.project.settings import Settings
from automation.system import tools
from automation.system.errors import ToolError
from tests.automation.proof.small import TEMPLATE, make

REPORT = """
import json, os, sys
{body}
with open(sys.argv[1], "w") as file:
    json.dump(found, file)
"""
Run = Callable[..., Any]


@pytest.fixture
def mount(tmp_path: Path) -> Mount:
    return mount_of(tmp_path / "project")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a body that sets `found`; returns that."""

    def start(mount: Mount, body: str, **options: Any) -> Any:
        script, result = tmp_path / "script.py", tmp_path / "result.json"
        script.write_text(REPORT.format(body=body))
        finished = runtime.run(mount, script, [result], root=tmp_path / "project", timeout_s=30, **options)
        assert result.is_file(), finished.tail()
        return json.loads(result.read_text())

    return start


def mount_of(root: Path, changes: Mapping[str, str] | None = None, template: str = TEMPLATE) -> Mount:
    return built.mounts_of_project(make(root, changes, template=template))[0]


def test_run_search_path_is_task_layers_runtime_then_stdlib(mount: Mount, run: Run) -> None:
    with runtime.mounted(mount) as opt:
        found = run(mount, "found = sys.path", opt=opt)

    stand_in = runtime.ensure(mount.task.parents[2])
    site_packages = opt / "python" / "lib" / "python3.12" / "site-packages"
    assert found[:4] == [str(one) for one in (mount.task, site_packages, opt / "python", stand_in.site)]
    assert all("site-packages" not in folder for folder in found[4:])


def test_run_environment_is_lambdas_and_the_templates(mount: Mount, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a real one")
    monkeypatch.setenv("HOME", "/home/somebody")

    found = run(mount, "found = dict(os.environ)")

    assert (found["STAGE"], found["TABLE"]) == ("test", "value-of-TABLE")
    assert (found["AWS_LAMBDA_FUNCTION_NAME"], found["AWS_ACCESS_KEY_ID"]) == ("One", "none")
    assert "HOME" not in found


def test_run_working_folder_is_the_task(mount: Mount, run: Run) -> None:
    assert run(mount, "found = os.getcwd()") == str(mount.task)


def test_run_finds_the_sdk_and_no_other_package_of_ours(mount: Mount, run: Run) -> None:
    body = "import importlib.util as u\nfound = [n for n in ('boto3', 'pytest', 'rich') if u.find_spec(n)]"

    assert run(mount, body) == ["boto3"]


@pytest.mark.parametrize("path", ["log.txt", "/var/log/x", "/opt/x"])
def test_run_writing_outside_tmp_is_refused(mount: Mount, run: Run, path: str) -> None:
    body = f"try:\n    open({path!r}, 'w')\nexcept OSError as error:\n    found = [error.errno, *ATTEMPTS]"

    assert run(mount, body) == [30, "write"]


def test_run_removing_a_file_of_the_code_is_refused(mount: Mount, run: Run) -> None:
    found = run(mount, "try:\n    os.remove('app.py')\nexcept OSError:\n    found = ATTEMPTS")

    assert found == ["write"]
    assert (mount.task / "app.py").is_file()


def test_run_writing_to_tmp_is_allowed(mount: Mount, run: Run) -> None:
    body = "import tempfile\nwith tempfile.TemporaryFile() as file:\n    found = file.write(b'x')"

    assert run(mount, body) == 1


def test_run_connection_is_refused(mount: Mount, run: Run) -> None:
    body = "import socket\ntry:\n    socket.create_connection(('127.0.0.1', 9))\nexcept OSError:\n    found = ATTEMPTS"

    assert run(mount, body) == ["network"]


def test_run_nothing_is_written_beside_the_code(mount: Mount, run: Run) -> None:
    before = sorted(mount.task.rglob("*"))

    run(mount, "import app, shared\nfound = 0")

    assert sorted(mount.task.rglob("*")) == before


def test_run_path_file_of_the_task_is_read(tmp_path: Path, run: Run) -> None:
    mount = mount_of(tmp_path / "project", {"functions/one/x.pth": "vendor\n", "functions/one/vendor/y.py": "Z = 3\n"})

    assert run(mount, "import y\nfound = y.Z") == 3


def test_run_pythonpath_of_the_template_takes_the_layers_place(tmp_path: Path, run: Run) -> None:
    template = TEMPLATE.replace("STAGE: test", "STAGE: test, PYTHONPATH: '/var/task/src:/opt/code'")
    mount = mount_of(tmp_path / "project", template=template)

    with runtime.mounted(mount) as opt:
        found = run(mount, "found = sys.path[:3]", opt=opt)

    assert found == [str(mount.task), str(mount.task / "src"), str(opt / "code")]


def test_run_that_does_not_end_is_a_tool_error(mount: Mount, tmp_path: Path) -> None:
    script = tmp_path / "loop.py"
    script.write_text("while True: pass")

    with pytest.raises(ToolError, match="took longer than 1 s"):
        runtime.run(mount, script, root=tmp_path / "project", timeout_s=1)


def test_run_interpreter_options_are_handed_on(mount: Mount, tmp_path: Path) -> None:
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


def test_ensure_link_to_another_package_is_made_again(tmp_path: Path) -> None:
    site = runtime.ensure(tmp_path).site
    (site / "six.py").unlink()

    runtime.ensure(tmp_path)

    assert (site / "six.py").exists()


def test_ensure_with_a_lock_takes_the_locked_environment(tmp_path: Path) -> None:
    lock = tmp_path / "locks" / "runtime.txt"
    lock.parent.mkdir()
    lock.write_text("")
    made = tmp_path / ".tools" / "runtime"
    (made / "bin").mkdir(parents=True)
    (made / "bin" / "python").write_text("")
    (made / "made-from").write_text(tools.stamp(b"", f"{sys.version_info.major}.{sys.version_info.minor}"))

    found = runtime.ensure(tmp_path)

    assert (found.python, found.site) == (made / "bin" / "python", made / "lib" / "python3.12" / "site-packages")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Runtime: python3.12", "Runtime: python3.11", "python3.11"),
        ("Runtime: python3.12", "Runtime: python3.12, Architectures: [riscv]", "riscv"),
    ],
)
def test_can_import_another_target_says_why_not(tmp_path: Path, old: str, new: str, said: str) -> None:
    mount = mount_of(tmp_path, template=TEMPLATE.replace(old, new))

    assert said in runtime.can_import(mount)


def test_variables_of_globals_are_under_the_functions_own(tmp_path: Path) -> None:
    own = "Handler: app.handler, Environment: {Variables: {STAGE: own, DEBUG: true}}, Layers"
    mount = mount_of(tmp_path, template=TEMPLATE.replace("Handler: app.handler, Layers", own))

    found = runtime.environment(mount, Path("/opt"))

    assert (found["STAGE"], found["DEBUG"], found["TABLE"]) == ("own", "true", "value-of-TABLE")


def test_project_of_another_name_needs_no_settings(tmp_path: Path) -> None:
    make(tmp_path)

    assert settings.read(tmp_path) == Settings()
