import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from automation.building import built
from automation.lambda_runtime import libraries, places, runtime
from automation.lambda_runtime.mounts import Mount
from automation.lambda_runtime.paths import temporary_folder
from automation.lambda_runtime.places import Place
from automation.lambda_runtime.runtime import Runtime
from automation.project.templates import Unresolved
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


def test_run_flags_reach_the_interpreter_and_its_exit_code_returns(place: Place, tmp_path: Path) -> None:
    script = tmp_path / "empty.py"
    script.write_text("import app\nraise SystemExit(3)")

    finished = runtime.run(place, script, root=tmp_path / "project", timeout_s=30, flags=("-X", "importtime"))

    assert "| app" in finished.stderr
    assert finished.exit_code == 3


def test_ensure_without_a_lock_links_the_sdk_once(tmp_path: Path) -> None:
    first = runtime.ensure(tmp_path)
    stamp = first.site.stat().st_mtime_ns

    again = runtime.ensure(tmp_path)

    assert again == first
    assert again.site.stat().st_mtime_ns == stamp
    names = {"boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six.py", "urllib3"}
    assert {path.name for path in again.site.iterdir()} == names
    assert again == Runtime(Path(sys.executable), tmp_path / ".alchemiser" / "runtime")


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


def test_environment_has_the_variables_of_lambda(tmp_path: Path) -> None:
    mount = mount_of(tmp_path, template=TEMPLATE.replace("STAGE: test", "LEVEL: 7, RATE: 0.5, TZ: UTC"))

    assert runtime.environment(mount, Path("/x/opt")) == {
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.12",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_LAMBDA_FUNCTION_NAME": "One",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/One",
        "AWS_LAMBDA_LOG_STREAM_NAME": "2025/01/01/[$LATEST]0",
        "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_REGION": "us-east-1",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_SESSION_TOKEN": "none",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "LAMBDA_TASK_ROOT": str(mount.task),
        "LANG": "en_US.UTF-8",
        "LD_LIBRARY_PATH": f"{mount.task}:{mount.task}/lib:/x/opt/lib",
        "LEVEL": "7",
        "PATH": "/usr/local/bin:/usr/bin:/bin:/x/opt/bin",
        "PWD": str(mount.task),
        "PYTHONPATH": "/var/runtime",
        "RATE": "0.5",
        "SHLVL": "0",
        "TABLE": "value-of-TABLE",
        "TZ": "UTC",
        "_HANDLER": "app.handler",
    }


def test_environment_has_the_memory_of_the_function(tmp_path: Path) -> None:
    mount = mount_of(tmp_path, template=TEMPLATE.replace("Function: {", "Function: {MemorySize: 512, "))

    assert runtime.environment(mount, Path("/opt"))["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "512"


def test_lambda_variables_are_those_that_lambda_sets(tmp_path: Path) -> None:
    ours = {"AWS_CONFIG_FILE", "AWS_MAX_ATTEMPTS", "AWS_SHARED_CREDENTIALS_FILE", "STAGE", "TABLE"}
    only_on_lambda = {"_AWS_XRAY_DAEMON_ADDRESS", "_AWS_XRAY_DAEMON_PORT", "_X_AMZN_TRACE_ID"}

    environment = set(runtime.environment(mount_of(tmp_path), Path("/opt")))

    assert environment - ours | only_on_lambda == runtime.LAMBDA_VARIABLES


@pytest.mark.parametrize(
    ("path", "folders"),
    [
        ("", "{task} /x/opt/python/lib/python3.12/site-packages /x/opt/python /site"),
        ("/opt/a", "{task} /x/opt/a /site"),
        ("/var/task/a::/opt:b:/optional", "{task} {task}/a /x/opt {task}/b /optional /site"),
    ],
)
def test_search_path_is_that_of_the_managed_runtime(tmp_path: Path, path: str, folders: str) -> None:
    mount = mount_of(tmp_path, template=TEMPLATE.replace("STAGE: test", f"PYTHONPATH: '{path}'"))

    search_path = runtime.search_path(mount, Path("/x/opt"), Path("/site"))

    assert " ".join(map(str, search_path)) == folders.format(task=mount.task)


@pytest.mark.parametrize(
    ("value", "is_known"), [("x", True), (1, True), (0.5, True), (None, False), ([], False), (Unresolved("x"), False)]
)
def test_is_known_of_a_value_before_the_deployment(*, value: object, is_known: bool) -> None:
    assert runtime.is_known(value) is is_known


def test_why_not_importable_a_program_is_started_by_its_adapter(tmp_path: Path) -> None:
    template = TEMPLATE.replace("STAGE: test", "AWS_LAMBDA_EXEC_WRAPPER: /opt/bootstrap")
    mount = mount_of(tmp_path, template=template.replace("Handler: app.handler, Layers", "Handler: run.sh, Layers"))

    assert runtime.why_not_importable(mount, tmp_path) == (
        "its handler run.sh is a program, which the Lambda Web Adapter starts"
    )


def test_why_not_importable_on_another_system_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mount = mount_of(tmp_path)
    assert runtime.why_not_importable(mount, tmp_path) == ""

    monkeypatch.setattr(sys, "platform", "darwin")
    assert runtime.why_not_importable(mount, tmp_path) == "its wheels are for Linux, this machine is darwin"


def test_mounted_shows_the_layers_and_is_removed(tmp_path: Path) -> None:
    with runtime.mounted(mount_of(tmp_path)) as opt:
        assert opt.name == "opt"
        assert (opt / "python" / "shared" / "__init__.py").is_file()

    assert not opt.exists()


def test_spec_names_what_an_import_may_see(tmp_path: Path) -> None:
    site, package = tmp_path / "site", tmp_path / "elsewhere"
    package.mkdir()
    site.mkdir()
    (site / "boto3").symlink_to(package)
    with place_of(tmp_path / "project") as place:
        spec = runtime._spec(place, site, tmp_path / "project")

    task, opt, root = str(place.mount.task), str(place.opt), str(tmp_path / "project")
    modules = [f"{opt}/python/lib/python3.12/site-packages", f"{opt}/python"]
    build = f"{root}/.aws-sam/build"
    assert spec.pop("libraries") == sorted(libraries.of_runtime(12).present)
    assert spec == {
        "path": [task, *modules, str(site)],
        "sites": [task, *modules],
        "writable": ["/tmp", "/dev", str(temporary_folder(tmp_path / "project"))],  # noqa: S108
        "read_only": [task, opt, root, "/dev/shm"],  # noqa: S108
        "hidden": [root],
        "readable": [task, opt, f"{build}/One", f"{build}/Common", str(site), str(package)],
        "library_folders": [task, f"{task}/lib", f"{opt}/lib"],
        "mounts": [f"/var/task={task}", f"/opt={opt}"],
        "placeholders": ["TABLE"],
    }


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


@pytest.mark.parametrize(("name", "label"), [("six", "six.py"), ("boto3", "boto3"), ("absent_module", "")])
def test_installed_is_the_file_or_folder_of_a_package(name: str, label: str) -> None:
    assert getattr(runtime._installed(name), "name", "") == label
