import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from automation.building import built
from automation.lambda_runtime import places, runtime
from automation.lambda_runtime.mounts import Mount
from automation.lambda_runtime.places import Place
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
def place(tmp_path: Path) -> Iterator[Place]:
    with place_of(tmp_path / "project") as place:
        yield place


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a body that sets `result`, and return that."""

    def start(place: Place, body: str) -> Any:
        script, file = tmp_path / "script.py", tmp_path / "result.json"
        script.write_text(REPORT.format(body=body))
        finished = runtime.run(place, script, [file], root=tmp_path / "project", timeout_s=30)
        assert file.is_file(), finished.tail()
        return json.loads(file.read_text())

    return start


def mount_of(root: Path, changes: Mapping[str, str] | None = None, template: str = TEMPLATE) -> Mount:
    return built.mounts_of_project(make(root, changes, template=template))[0]


@contextmanager
def place_of(root: Path, changes: Mapping[str, str] | None = None, template: str = TEMPLATE) -> Iterator[Place]:
    mount = mount_of(root, changes, template)
    with places.opened(root) as new_places, new_places.of(mount) as place:
        yield place


def test_run_search_path_is_task_layers_runtime_then_stdlib(place: Place, run: Run, tmp_path: Path) -> None:
    search_path = run(place, "result = sys.path")

    modules, site = place.opt / "python", runtime.ensure(tmp_path / "project").site
    layers = [str(modules / "lib" / "python3.12" / "site-packages"), str(modules)]
    assert search_path[:4] == [str(place.mount.task), *layers, str(site)]
    assert all("site-packages" not in folder for folder in search_path[4:])


def test_run_environment_is_that_of_lambda_and_template(
    place: Place, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a real one")
    monkeypatch.setenv("HOME", "/home/somebody")

    environment = run(place, "result = dict(os.environ)")

    assert (environment["STAGE"], environment["TABLE"]) == ("test", "value-of-TABLE")
    assert (environment["AWS_LAMBDA_FUNCTION_NAME"], environment["AWS_ACCESS_KEY_ID"]) == ("One", "none")
    assert (environment["PWD"], environment["LAMBDA_TASK_ROOT"]) == (str(place.mount.task), str(place.mount.task))
    assert "HOME" not in environment


def test_run_home_is_the_missing_one_of_lambda(place: Place, run: Run) -> None:
    body = "import pathlib\nresult = [os.path.expanduser('~'), str(pathlib.Path.home()), pathlib.Path.home().exists()]"

    assert run(place, body) == ["/home/sbx_user1051", "/home/sbx_user1051", False]


def test_run_cache_below_the_home_is_refused(place: Place, run: Run) -> None:
    body = "import pathlib\ntry:\n    (pathlib.Path.home() / '.cache').mkdir(parents=True)\n"

    assert run(place, f"{body}except OSError as error:\n    result = [error.errno, *ATTEMPTS]") == [30, "write"]


def test_run_files_of_the_project_are_hidden(place: Place, run: Run, tmp_path: Path) -> None:
    body = f"try:\n    open({str(tmp_path / 'project' / 'template.yaml')!r})\n"

    assert run(place, f"{body}except OSError as error:\n    result = [error.errno, *ATTEMPTS]") == [2, "outside"]


def test_run_module_of_the_project_folder_is_not_found(place: Place, run: Run, tmp_path: Path) -> None:
    folder = str(tmp_path / "project" / "layers" / "common")
    body = (
        f"import importlib.util as u\nsys.path[:] = [{folder!r}]\nresult = [u.find_spec('shared') is None, *ATTEMPTS]"
    )

    assert run(place, body) == [True, "outside"]


def test_run_working_folder_is_the_task(place: Place, run: Run) -> None:
    assert run(place, "result = os.getcwd()") == str(place.mount.task)


def test_run_finds_the_sdk_and_no_other_package(place: Place, run: Run) -> None:
    body = "import importlib.util as u\nresult = [n for n in ('boto3', 'pytest', 'rich') if u.find_spec(n)]"

    assert run(place, body) == ["boto3"]


@pytest.mark.parametrize("path", ["log.txt", "/var/log/x", "/opt/x"])
def test_run_writing_outside_tmp_is_refused(place: Place, run: Run, path: str) -> None:
    body = f"try:\n    open({path!r}, 'w')\nexcept OSError as error:\n    result = [error.errno, *ATTEMPTS]"

    assert run(place, body) == [30, "write"]


def test_run_removing_a_file_of_the_code_is_refused(place: Place, run: Run) -> None:
    attempts = run(place, "try:\n    os.remove('app.py')\nexcept OSError:\n    result = ATTEMPTS")

    assert attempts == ["write"]
    assert (place.mount.task / "app.py").is_file()


def test_run_writing_to_tmp_is_allowed(place: Place, run: Run) -> None:
    body = "import tempfile\nwith tempfile.TemporaryFile() as file:\n    result = file.write(b'x')"

    assert run(place, body) == 1


def test_run_connection_is_refused(place: Place, run: Run) -> None:
    body = "import socket\ntry:\n    socket.create_connection(('127.0.0.1', 9))\nexcept OSError:\n    result = ATTEMPTS"

    assert run(place, body) == ["network"]


def test_run_writes_nothing_beside_the_code(place: Place, run: Run) -> None:
    before = sorted(place.mount.task.rglob("*"))

    run(place, "import app, shared\nresult = 0")

    assert sorted(place.mount.task.rglob("*")) == before


def test_run_path_file_of_the_task_is_read(tmp_path: Path, run: Run) -> None:
    files = {"functions/one/x.pth": "vendor\n", "functions/one/vendor/y.py": "Z = 3\n"}

    with place_of(tmp_path / "project", files) as place:
        assert run(place, "import y\nresult = y.Z") == 3


def test_run_pythonpath_of_the_template_replaces_the_layers(tmp_path: Path, run: Run) -> None:
    template = TEMPLATE.replace("STAGE: test", "STAGE: test, PYTHONPATH: '/var/task/src:/opt/code'")

    with place_of(tmp_path / "project", template=template) as place:
        search_path = run(place, "result = sys.path[:3]")

    task = place.mount.task
    assert search_path == [str(task), str(task / "src"), str(place.opt / "code")]


def test_run_endless_script_is_a_tool_error(place: Place, tmp_path: Path) -> None:
    script = tmp_path / "loop.py"
    script.write_text("while True: pass")

    with pytest.raises(ToolError, match="took longer than 1 s"):
        runtime.run(place, script, root=tmp_path / "project", timeout_s=1)


def test_run_flags_reach_the_interpreter(place: Place, tmp_path: Path) -> None:
    script = tmp_path / "empty.py"
    script.write_text("import app")

    finished = runtime.run(place, script, root=tmp_path / "project", timeout_s=30, flags=("-X", "importtime"))

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
        ("Runtime: python3.12", "Runtime: ruby3.3", "its runtime is ruby3.3, this interpreter is python3.12"),
        ("Runtime: python3.12", "Runtime: python3.12, Architectures: [riscv]", "riscv"),
    ],
)
def test_why_not_importable_another_target_is_named(tmp_path: Path, old: str, new: str, reason: str) -> None:
    mount = mount_of(tmp_path, template=TEMPLATE.replace(old, new))

    assert reason in runtime.why_not_importable(mount, tmp_path)


def test_environment_own_variables_override_those_of_globals(tmp_path: Path) -> None:
    own = "Handler: app.handler, Environment: {Variables: {STAGE: own, DEBUG: true}}, Layers"
    mount = mount_of(tmp_path, template=TEMPLATE.replace("Handler: app.handler, Layers", own))

    environment = runtime.environment(mount, Path("/opt"))

    assert (environment["STAGE"], environment["DEBUG"], environment["TABLE"]) == ("own", "true", "value-of-TABLE")


@pytest.mark.parametrize("name", ["KB_REGION", "AwsRegion", "region_name", "REGIONS"])
def test_environment_unknown_region_is_a_real_one(tmp_path: Path, name: str) -> None:
    mount = mount_of(tmp_path, template=TEMPLATE.replace("TABLE:", f"{name}:"))

    assert runtime.environment(mount, Path("/opt"))[name] == "us-east-1"


def test_environment_unknown_value_beside_a_region_stays_a_placeholder(tmp_path: Path) -> None:
    mount = mount_of(tmp_path, template=TEMPLATE.replace("TABLE:", "REGION_TABLE:"))

    assert runtime.environment(mount, Path("/opt"))["REGION_TABLE"] == "value-of-REGION_TABLE"


@pytest.mark.parametrize(
    ("text", "name"),
    [("no such table: VALUE-OF-TABLE/x", "TABLE"), ("value-of-STAGE", ""), ("value of TABLE", "")],
)
def test_placeholder_in_a_text_names_the_unknown_variable(tmp_path: Path, text: str, name: str) -> None:
    assert runtime.placeholder_in(text, mount_of(tmp_path)) == name


def test_project_of_another_name_needs_no_settings(tmp_path: Path) -> None:
    make(tmp_path)

    assert settings.read(tmp_path) == Settings()
