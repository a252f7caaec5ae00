"""Run a script in a clean interpreter that sees what Lambda shows a function, but nothing more of this machine."""

import json
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from automation.lambda_runtime import handlers, interpreters, libraries, mounts
from automation.lambda_runtime.limits import CPU_S
from automation.lambda_runtime.mounts import Mount
from automation.lambda_runtime.paths import LAYER_MODULES, OPT_ROOT, TASK_ROOT, site_packages, temporary_folder
from automation.lambda_runtime.places import Place
from automation.project import architectures, templates
from automation.project.templates import Unresolved
from automation.system import files, processes, tools

REGION = "us-east-1"
ACCOUNT = "000000000000"  # in ARNs, where nothing is deployed
SDK_MODULES = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")  # that the runtime brings
_WAIT_S = 30.0
_REGION_NAME = re.compile(r"regions?(_?name)?$", re.IGNORECASE)
_BOOTSTRAP = Path(__file__).with_name("bootstrap.py")

# Variables that Lambda itself sets: a function may read them without a line in its template.
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
        "PWD",
        "PYTHONPATH",
        "SHLVL",
        "TZ",
        "_AWS_XRAY_DAEMON_ADDRESS",
        "_AWS_XRAY_DAEMON_PORT",
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
    }
)


@dataclass(frozen=True, slots=True)
class Runtime:
    """The stand-in for Lambda's managed runtime of this process's Python.

    Attributes:
        site: the folder of its packages: only the SDK and what the SDK needs. They are pure Python, so they serve the
            runtimes of other Pythons too.
    """

    python: Path
    site: Path


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a script may use beyond the function's own files.

    Attributes:
        cpu_s: SIGXCPU ends the script when it has used so much CPU time.
        variables: environment variables that replace those of the template.
        has_network: whether it may connect to anything.
        debugger: the folder of debugpy and the port to wait on for a debugger; empty for none.
    """

    cpu_s: int = CPU_S
    variables: Mapping[str, str] = field(default_factory=dict)
    has_network: bool = False
    debugger: tuple[str, ...] = ()

    @property
    def spec(self) -> dict[str, list[str]]:
        """Return its part of what `bootstrap.py` reads."""
        network = ["allowed"] if self.has_network else []
        return {"cpu_s": [str(self.cpu_s)], "network": network, "debugger": list(self.debugger)}


PROOF = Allowance()


def ensure(root: Path) -> Runtime:
    """Return the stand-in: the environment `.tools/runtime`, locked in `locks/runtime.txt`.

    A project without that lock gets the interpreter of this process and only the SDK of its packages, through links
    in `.alchemiser/runtime`. When this process has no boto3 either, that folder is empty.

    Raises:
        ToolError: the environment could not be created.
    """
    if tools.lock_file(root, "runtime").is_file():
        environment = tools.ensure("runtime", root=root)
        return Runtime(environment.python, environment.site)
    site = root / ".alchemiser" / "runtime"
    _link_sdk(site)
    return Runtime(Path(sys.executable), site)


def why_not_importable(mount: Mount, root: Path) -> str:
    """Return why this machine cannot run a function's code; empty when it can.

    For the Python of another runtime this may take a while, because uv may have to download it.
    """
    function, host = mount.function, architectures.host_architecture()
    if program := handlers.program(function, mount.stack):
        return f"its handler {program} is a program, which the Lambda Web Adapter starts"
    if sys.platform != "linux":
        return f"its wheels are for Linux, this machine is {sys.platform}"
    if function.architectures[0] != host:
        return f"its architecture is {function.architectures[0]}, this machine is {host}"
    return interpreters.find(str(function.runtime), root).why


@contextmanager
def mounted(mount: Mount) -> Iterator[Path]:
    """Yield a folder that shows a function's layers as Lambda mounts them at /opt; it is removed after the block."""
    with tempfile.TemporaryDirectory(prefix="opt-") as folder:
        opt = Path(folder) / "opt"
        mounts.merge_layers(mount, opt)
        yield opt


def run(
    place: Place,
    script: Path,
    arguments: Sequence[str | Path] = (),
    *,
    root: Path,
    timeout_s: float,
    flags: Sequence[str] = (),
    allowance: Allowance = PROOF,
    on_wait: Callable[[int], None] | None = None,
) -> processes.Finished:
    """Run a script in a process of its own, in the environment of a function.

    The script runs as `__main__` with Lambda's sys.path, environment, working folder and home, on the function's own
    Python. What it imports may print, end the process or hang, so the script must write its results to a file. It
    cannot write beside the code, read the project's other files or connect to anything; its global `ATTEMPTS` lists
    what was refused (`write`, `outside`, `network`).

    Args:
        place: the folders of the function, as `places` makes them.
        arguments: the script's sys.argv[1:].
        flags: more options of the interpreter, such as `-X`, `importtime`.
        allowance: what the script may use beyond the function's own files.
        on_wait: called a few times a second with the process id, while the script runs.

    Raises:
        ToolError: the script was killed after `timeout_s` seconds, or there is no interpreter.
    """
    mount = place.mount
    interpreter = interpreters.find(str(mount.function.runtime), root)
    stand_in = ensure(root)
    python: list[str | Path] = [interpreter.path or stand_in.python, "-I", "-S", "-B", *flags, _BOOTSTRAP]
    return processes.run(
        [*python, json.dumps(_spec(place, stand_in.site, root) | allowance.spec), script, *arguments],
        cwd=mount.task,
        env={**environment(mount, place.opt), **allowance.variables},
        check=False,
        timeout_s=timeout_s,
        on_wait=on_wait,
    )


def search_path(mount: Mount, opt: Path, site: Path) -> tuple[Path, ...]:
    """Return the folders that precede the standard library on sys.path, in the order of the managed runtime."""
    python_path = str(variables(mount).get("PYTHONPATH", ""))
    if python_path:  # the runtime then adds nothing of /opt by itself
        return (
            mount.task,
            *(_built_folder(folder, mount.task, opt) for folder in python_path.split(":") if folder),
            site,
        )
    modules = opt / LAYER_MODULES
    return (mount.task, modules / site_packages(str(mount.function.runtime)), modules, site)


def environment(mount: Mount, opt: Path) -> dict[str, str]:
    """Return the complete environment of a function: Lambda's variables, overridden by the template's.

    HOME is not among them: Lambda does not set it. A value that is only known at deploy time becomes a placeholder: it
    is set on Lambda, so it must be set here.
    """
    function = mount.function
    return {
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_SESSION_TOKEN": "none",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_MAX_ATTEMPTS": "1",  # no call can succeed, so retries only take time
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
        "PWD": str(mount.task),
        "PYTHONPATH": "/var/runtime",
        "SHLVL": "0",
        "TZ": ":UTC",
        "_HANDLER": str(function.handler),
        **{name: _text(name, value) for name, value in variables(mount).items()},
    }


def variables(mount: Mount) -> dict[str, Any]:
    """Return the variables that a template and its Globals set for a function; an unknown value is Unresolved."""
    template = mount.stack.template
    resource = template.resources.get(mount.function.logical_id, {})
    property_tables = [resource.get("Properties")]
    if resource.get("Type") == "AWS::Serverless::Function":
        property_tables.insert(0, template.globals.get("Function"))

    values: dict[str, Any] = {}
    for properties in property_tables:
        values |= _mapping(_mapping(_mapping(properties).get("Environment")).get("Variables"))
    return {name: templates.resolve(value, template, {}) for name, value in values.items()}


def _spec(place: Place, site: Path, root: Path) -> dict[str, list[str]]:
    """Return what `bootstrap.py` needs to know: the folders of sys.path, and the rules of its guard."""
    task, opt = place.mount.task, place.opt
    folders = search_path(place.mount, opt, site)
    own = [task, opt, place.built.task, *(layer.tree for layer in place.built.layers)]
    packages = [site, *(entry.resolve() for entry in site.iterdir() if entry.is_symlink())] if site.is_dir() else []
    minor = int(str(place.mount.function.runtime).rpartition(".")[2])
    return {
        "path": [str(folder) for folder in folders],
        "sites": [str(folder) for folder in folders[:-1]],
        "writable": ["/tmp", "/dev", str(temporary_folder(root))],  # noqa: S108 - Lambda lets a function write there
        "read_only": [str(task), str(opt), str(root), "/dev/shm"],  # noqa: S108 - not on Lambda
        "hidden": [str(root)],
        "readable": [str(folder) for folder in (*own, *packages)],
        "libraries": sorted(libraries.of_runtime(minor).present),
        "library_folders": [str(task), f"{task}/lib", f"{opt}/lib"],
        "mounts": [f"{TASK_ROOT}={task}", f"{OPT_ROOT}={opt}"],
        "placeholders": [name for name, value in variables(place.mount).items() if not is_known(value)],
    }


def _built_folder(folder: str, task: Path, opt: Path) -> Path:
    """Return the folder on this machine that corresponds to a folder of Lambda."""
    for mount_point, tree in ((TASK_ROOT, task), (OPT_ROOT, opt)):
        if folder == mount_point or folder.startswith(f"{mount_point}/"):
            return tree / folder.removeprefix(mount_point).lstrip("/")
    return task / folder


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else _placeholder(name)


def placeholder_in(text: str, mount: Mount) -> str:
    """Return the variable of a function whose placeholder a text contains; empty when there is none."""
    unknown = (name for name, value in variables(mount).items() if not is_known(value))
    return next((name for name in unknown if f"value-of-{name}".casefold() in text.casefold()), "")


def _placeholder(name: str) -> str:
    """Return a value in place of one that is only known at deploy time; clients of AWS check the form of a region."""
    return REGION if _REGION_NAME.search(name) else f"value-of-{name}"


def is_known(value: Any) -> bool:
    """Return whether a variable's value is known before the deployment."""
    return not isinstance(value, Unresolved) and isinstance(value, str | int | float)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def own_sdk() -> dict[str, Path]:
    """Return the packages and modules of the SDK that this process can import, by the names of their files."""
    return {path.name: path for name in SDK_MODULES if (path := _installed(name))}


def _link_sdk(site: Path) -> None:
    wanted = own_sdk()
    with files.lock(site.with_suffix(".lock"), wait_s=_WAIT_S, doing="linking the SDK"):
        if site.is_dir() and {link.name: link.resolve() for link in site.iterdir()} == wanted:
            return
        files.remove(site)
        site.mkdir(parents=True)
        for name, path in wanted.items():
            files.show_at(path, site / name)


def _installed(name: str) -> Path | None:
    """Return the folder or file of a package that this process can import; None when it cannot."""
    spec = find_spec(name)
    if spec is None or not spec.origin:
        return None
    origin = Path(spec.origin).resolve()
    return origin.parent if origin.name == "__init__.py" else origin
