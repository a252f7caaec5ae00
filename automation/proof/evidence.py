"""What importing and reading a function's code has shown."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from automation.lambda_runtime import runtime
from automation.lambda_runtime.mounts import Mount
from automation.proof import imports, scan
from automation.proof.imports import Imported, Outcome
from automation.proof.origins import Origins
from automation.proof.scan import Scan, Sources

_AT_ONCE = 3
# Of an exception of another kind it may be that what is only known on Lambda would have averted it.
_CERTAIN = frozenset({"ImportError", "SyntaxError", "NameError", "AttributeError", "TypeError", "SystemExit"})


class How(StrEnum):
    """How a function was proven."""

    IMPORTED = "imported"
    STATIC = "static"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One function's.

    Attributes:
        why: why it was not imported; empty when it was.
        imported: None when it was not imported.
        scan: None when it was skipped.
        guessed: an environment variable of it has a value that only CloudFormation knows.
    """

    mount: Mount
    how: How
    why: str = ""
    imported: Imported | None = None
    scan: Scan | None = None
    guessed: bool = False

    @property
    def is_certain(self) -> bool:
        """Does what came of the import tell what comes of it on Lambda?"""
        return self.how is How.IMPORTED

    @property
    def has_failed(self) -> bool:
        """Did the import fail, as it would on Lambda, or find nothing to call?"""
        return self.is_certain and self.imported is not None and self.imported.outcome is not Outcome.RESOLVED


@contextmanager
def gathering(
    mounts: tuple[Mount, ...], root: Path, *, site: Path, origins: Origins
) -> Iterator[Callable[[], tuple[Evidence, ...]]]:
    """Start importing every function, some at once, in processes of their own.

    Returns:
        A call that reads the functions' code meanwhile, waits for the imports and returns the evidence; it raises
        ToolError when there is no interpreter to import with.
    """
    with ExitStack() as stack, ThreadPoolExecutor(_AT_ONCE) as pool:
        opts = [stack.enter_context(runtime.mounted(mount)) for mount in mounts]
        running = [_start(pool, mount, opt, root) for mount, opt in zip(mounts, opts, strict=True)]

        def finish() -> tuple[Evidence, ...]:
            sources = Sources()
            scans = [_scan(mount, opt, site, origins, sources) for mount, opt in zip(mounts, opts, strict=True)]
            return tuple(map(_evidence, mounts, running, scans))

        yield finish


def is_python(mount: Mount) -> bool:
    """Does one of Lambda's Python runtimes run it?"""
    return isinstance(mount.function.runtime, str) and mount.function.runtime.startswith("python3.")


def _start(pool: ThreadPoolExecutor, mount: Mount, opt: Path, root: Path) -> "Future[Imported] | None":
    if not is_python(mount) or runtime.can_import(mount):
        return None
    return pool.submit(imports.examine, mount, opt, root=root)


def _scan(mount: Mount, opt: Path, site: Path, origins: Origins, sources: Sources) -> Scan | None:
    if not is_python(mount):
        return None
    return scan.scan(mount, opt, site=site, origins=origins, sources=sources)


def _evidence(mount: Mount, future: "Future[Imported] | None", scanned: Scan | None) -> Evidence:
    guessed = any(not runtime.is_known(value) for value in runtime.variables(mount).values())
    if scanned is None:
        return Evidence(mount, How.SKIPPED, f"its runtime is {mount.function.runtime or 'not named'}")
    if future is None:
        return Evidence(mount, How.STATIC, runtime.can_import(mount), scan=scanned, guessed=guessed)
    return _weighed(Evidence(mount, How.IMPORTED, imported=future.result(), scan=scanned, guessed=guessed))


def _weighed(found: Evidence) -> Evidence:
    """An import that needs what is only on Lambda proves nothing: then what was read has to do."""
    imported = found.imported
    if imported is None or imported.outcome is not Outcome.FAILED:
        return found
    for reason in _reasons(imported, found):
        return replace(found, how=How.STATIC, why=reason)
    return found


def _places(path: str, mount: Mount) -> list[Path]:
    """Where a path of Lambda's is in the built trees."""
    trees = {runtime.TASK_ROOT: [mount.task], runtime.OPT_ROOT: [layer.tree for layer in mount.layers]}
    return [
        tree / path.removeprefix(f"{root}/")
        for root, found in trees.items()
        for tree in found
        if path.startswith(f"{root}/")
    ]


def _reasons(imported: Imported, found: Evidence) -> Iterator[str]:
    if "network" in imported.attempts:
        yield "its import reaches for the network"
    if any(place.exists() for place in _places(imported.path, found.mount)):
        yield f"its import reads {imported.path}, a path that is there on Lambda alone"
    if "ModuleNotFoundError" in imported.kinds and found.mount.unknown:
        yield f"its import needs {imported.name}, which a layer that is not of the template may bring"
    if not _is_certain(imported, found):
        yield "its import fails, with variables whose values only CloudFormation knows"


def _is_certain(imported: Imported, found: Evidence) -> bool:
    """Would an import fail so whatever the values are that only CloudFormation knows?"""
    is_unset = found.scan is not None and imported.key in {name for _, name in found.scan.reads}
    is_absent = imported.path.startswith((f"{runtime.OPT_ROOT}/", f"{runtime.TASK_ROOT}/"))
    is_sure = is_unset or is_absent or "write" in imported.attempts or not found.guessed
    return is_sure or bool(_CERTAIN & set(imported.kinds))
