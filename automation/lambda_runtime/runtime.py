"""Run a script in a clean interpreter that sees what Lambda shows a function, and nothing else of this machine."""

import json
import platform
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from automation.lambda_runtime import mounts
from automation.lambda_runtime.mounts import Mount
from automation.project import templates
from automation.project.templates import Unresolved
from automation.system import files, processes, tools

TASK_ROOT = "/var/task"
OPT_ROOT = "/opt"
REGION = "us-east-1"
_WAIT_S = 30.0
_BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
_SDK = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")
_MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "arm64": "arm64", "aarch64": "arm64"}

# What Lambda itself sets; a function that reads one of these needs no line in its template.
LAMBDA_VARIABLES = frozenset(
    {
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_XRAY_CONTEXT_MISSING",
        "AWS_XRAY_DAEMON_ADDRESS",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
        "LANG",
        "LD_LIBRARY_PATH",
        "PATH",
        "PYTHONPATH",
        "TZ",
        "_AWS_XRAY_DAEMON_ADDRESS",
        "_AWS_XRAY_DAEMON_PORT",
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
    }
)


@dataclass(frozen=True, slots=True)
class Runtime:
    """What stands in for Lambda's managed runtime.

    Attributes:
        site: a folder of the packages that it brings: the SDK and what that needs, nothing else.
    """

    python: Path
    site: Path


def ensure(root: Path) -> Runtime:
    """The stand-in: `.tools/runtime`, locked in `locks/runtime.txt`.

    A project without that lock gets our own interpreter, and of our packages the SDK alone, through links under
    `.alchemiser/runtime`; without boto3 here that folder is empty.

    Raises:
        ToolError: the environment could not be made.
    """
    if tools.lock_file(root, "runtime").is_file():
        made = tools.ensure("runtime", root=root)
        return Runtime(made.python, made.path / "lib" / f"python{_own_version()}" / "site-packages")
    site = root / ".alchemiser" / "runtime"
    _link_sdk(site)
    return Runtime(Path(sys.executable), site)


def can_import(mount: Mount) -> str:
    """Empty when this machine can run a function's code, else why not."""
    function = mount.function
    machine = _MACHINES.get(platform.machine().lower(), platform.machine())
    if function.runtime != f"python{_own_version()}":
        return f"its runtime is {function.runtime}, this interpreter is python{_own_version()}"
    if function.architectures[0] != machine:
        return f"its architecture is {function.architectures[0]}, this machine is {machine}"
    return "" if sys.platform == "linux" else f"its wheels are for Linux, this machine is {sys.platform}"


@contextmanager
def mounted(mount: Mount) -> Iterator[Path]:
    """/opt as Lambda makes it of a function's layers, in a temporary folder that goes with the block."""
    with tempfile.TemporaryDirectory(prefix="opt-") as folder:
        opt = Path(folder) / "opt"
        mounts.merge_layers(mount, opt)
        yield opt


def run(
    mount: Mount,
    script: Path,
    arguments: Sequence[str | Path] = (),
    *,
    root: Path,
    timeout_s: float,
    opt: Path | None = None,
    flags: Sequence[str] = (),
) -> processes.Finished:
    """Run a script as the only process of a fresh environment of a function.

    The script runs as `__main__` with Lambda's sys.path, environment and working folder. What it imports may print,
    end the process or hang, so its results belong in a file. Nothing is written beside the code, no connection
    leaves the process, and its global `ATTEMPTS` lists what was refused (`write`, `network`).

    Args:
        arguments: what the script finds in sys.argv[1:].
        opt: what `mounted` made, where several runs share it.
        flags: more options of the interpreter, such as `-X`, `importtime`.

    Raises:
        ToolError: it took longer than `timeout_s` and was killed, or there is no interpreter.
    """
    if opt is None:
        with mounted(mount) as made:
            return run(mount, script, arguments, root=root, timeout_s=timeout_s, opt=made, flags=flags)
    stand_in = ensure(root)
    python: list[str | Path] = [stand_in.python, "-I", "-S", "-B", *flags, _BOOTSTRAP]
    return processes.run(
        [*python, json.dumps(_spec(mount, opt, stand_in.site)), script, *arguments],
        cwd=mount.task,
        env=environment(mount, opt),
        check=False,
        timeout_s=timeout_s,
    )


def search_path(mount: Mount, opt: Path, site: Path) -> tuple[Path, ...]:
    """The folders that precede the stdlib on sys.path, in order, as the managed runtime arranges them."""
    own = str(variables(mount).get("PYTHONPATH", ""))
    if own:  # the runtime then leaves /opt to it
        return (mount.task, *(_moved(folder, mount.task, opt) for folder in own.split(":") if folder), site)
    return (mount.task, opt / "python" / "lib" / str(mount.function.runtime) / "site-packages", opt / "python", site)


def environment(mount: Mount, opt: Path) -> dict[str, str]:
    """The whole environment of a function: Lambda's variables, over them the template's.

    A value that only CloudFormation knows is `value-of-<name>`: it is set on Lambda, so it is set here.
    """
    function = mount.function
    return {
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_SESSION_TOKEN": "none",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_MAX_ATTEMPTS": "1",  # nothing is reached, so that trying again only takes time
        "AWS_REGION": REGION,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb or 128),
        "AWS_LAMBDA_FUNCTION_NAME": function.logical_id,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.logical_id}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "2025/01/01/[$LATEST]0",
        "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001",
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "LAMBDA_TASK_ROOT": str(mount.task),
        "LANG": "en_US.UTF-8",
        "LD_LIBRARY_PATH": f"{mount.task}:{mount.task}/lib:{opt}/lib",
        "PATH": f"/usr/local/bin:/usr/bin:/bin:{opt}/bin",
        "PYTHONPATH": "/var/runtime",
        "TZ": ":UTC",
        "_HANDLER": str(function.handler),
        **{name: _text(name, value) for name, value in variables(mount).items()},
    }


def variables(mount: Mount) -> dict[str, Any]:
    """The variables that a template sets for a function, by its Globals too; what cannot be known is Unresolved."""
    template = mount.stack.template
    resource = template.resources.get(mount.function.logical_id, {})
    sources = [resource.get("Properties")]
    if resource.get("Type") == "AWS::Serverless::Function":
        sources.insert(0, template.globals.get("Function"))
    found: dict[str, Any] = {}
    for source in sources:
        found |= _mapping(_mapping(_mapping(source).get("Environment")).get("Variables"))
    return {name: templates.resolve(value, template, {}) for name, value in found.items()}


def _spec(mount: Mount, opt: Path, site: Path) -> dict[str, list[str]]:
    folders = search_path(mount, opt, site)
    return {
        "path": [str(folder) for folder in folders],
        "sites": [str(folder) for folder in folders[:-1]],
        "writable": ["/tmp", "/dev", tempfile.gettempdir()],  # noqa: S108 - what Lambda lets a function write
        "read_only": [str(folder) for folder in (mount.task, opt, *(layer.tree for layer in mount.layers))],
    }


def _moved(folder: str, task: Path, opt: Path) -> Path:
    """Where a folder of Lambda's is in this mount."""
    for prefix, place in ((TASK_ROOT, task), (OPT_ROOT, opt)):
        if folder == prefix or folder.startswith(f"{prefix}/"):
            return place / folder.removeprefix(prefix).lstrip("/")
    return task / folder


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else f"value-of-{name}"


def is_known(value: Any) -> bool:
    """Does the template alone tell a variable's value?"""
    return not isinstance(value, Unresolved) and isinstance(value, str | int | float)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _own_version() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _link_sdk(site: Path) -> None:
    wanted = {found.name: found for name in _SDK if (found := _installed(name))}
    with files.lock(site.with_suffix(".lock"), wait_s=_WAIT_S, doing="linking the SDK"):
        if site.is_dir() and {link.name: link.resolve() for link in site.iterdir()} == wanted:
            return
        files.remove(site)
        site.mkdir(parents=True)
        for name, found in wanted.items():
            (site / name).symlink_to(found)


def _installed(name: str) -> Path | None:
    """The folder or the file of a package of ours."""
    spec = find_spec(name)
    if spec is None or not spec.origin:
        return None
    origin = Path(spec.origin).resolve()
    return origin.parent if origin.name == "__init__.py" else origin
