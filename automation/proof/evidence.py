"""The evidence about each function: the result of importing and of reading its code."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from automation.lambda_runtime import runtime
from automation.lambda_runtime.mounts import Mount
from automation.lambda_runtime.paths import OPT_ROOT, TASK_ROOT
from automation.proof import imports, scan
from automation.proof.imports import ImportResult, Outcome
from automation.proof.origins import Origins
from automation.proof.scan import Scan, SourceCache

_CONCURRENT_IMPORTS = 3
# These exceptions would occur on Lambda too; any other kind may depend on a value that is only known there.
_CERTAIN = frozenset({"ImportError", "SyntaxError", "NameError", "AttributeError", "TypeError", "SystemExit"})


class ProofMethod(StrEnum):
    """How a function was proven."""

    IMPORTED = "imported"
    STATIC = "static"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Evidence:
    """The evidence about one function.

    Attributes:
        why: why it was not imported; empty when it was.
        imported: None when it was not imported.
        scan: None when it was skipped.
        guessed: the value of one of its environment variables is only known at deploy time.
    """

    mount: Mount
    method: ProofMethod
    why: str = ""
    imported: ImportResult | None = None
    scan: Scan | None = None
    guessed: bool = False

    @property
    def is_certain(self) -> bool:
        """Return whether the import here has the same result as on Lambda."""
        return self.method is ProofMethod.IMPORTED

    @property
    def has_failed(self) -> bool:
        """Return whether the import certainly failed or found nothing to call."""
        return self.is_certain and self.imported is not None and self.imported.outcome is not Outcome.RESOLVED


@contextmanager
def gathering(
    mounts: tuple[Mount, ...], root: Path, *, site: Path, origins: Origins
) -> Iterator[Callable[[], tuple[Evidence, ...]]]:
    """Start importing every function, a few at a time, in separate processes.

    Returns:
        A function that reads the code while the imports run, waits for them and returns the evidence; it raises
        ToolError when there is no interpreter to import with.
    """
    with ExitStack() as stack, ThreadPoolExecutor(_CONCURRENT_IMPORTS) as pool:
        opts = [stack.enter_context(runtime.mounted(mount)) for mount in mounts]
        running = [_start(pool, mount, opt, root) for mount, opt in zip(mounts, opts, strict=True)]

        def finish() -> tuple[Evidence, ...]:
            cache = SourceCache()
            scans = [_scan(mount, opt, site, origins, cache) for mount, opt in zip(mounts, opts, strict=True)]
            return tuple(map(_evidence, mounts, running, scans))

        yield finish


def paths_in_trees(path: str, trees: Iterable[tuple[str, Path]]) -> Iterator[Path]:
    """Yield where a path of Lambda would lie in the built trees.

    Args:
        trees: built trees, each with the folder of Lambda at which it is mounted.
    """
    for mount_point, tree in trees:
        if path.startswith(f"{mount_point}/"):
            yield tree / path.removeprefix(f"{mount_point}/")


def mounted_trees(mount: Mount) -> list[tuple[str, Path]]:
    """Return the trees of a function, its own first, each with the folder of Lambda at which it is mounted."""
    return [(TASK_ROOT, mount.task), *((OPT_ROOT, layer.tree) for layer in mount.layers)]


def is_python(mount: Mount) -> bool:
    """Return whether a function runs on one of Lambda's Python runtimes."""
    return isinstance(mount.function.runtime, str) and mount.function.runtime.startswith("python3.")


def _start(pool: ThreadPoolExecutor, mount: Mount, opt: Path, root: Path) -> "Future[ImportResult] | None":
    if not is_python(mount) or runtime.why_not_importable(mount):
        return None
    return pool.submit(imports.import_handler, mount, opt, root=root)


def _scan(mount: Mount, opt: Path, site: Path, origins: Origins, cache: SourceCache) -> Scan | None:
    if not is_python(mount):
        return None
    return scan.scan(mount, opt, site=site, origins=origins, cache=cache)


def _evidence(mount: Mount, future: "Future[ImportResult] | None", scanned: Scan | None) -> Evidence:
    guessed = any(not runtime.is_known(value) for value in runtime.variables(mount).values())
    if scanned is None:
        return Evidence(mount, ProofMethod.SKIPPED, f"its runtime is {mount.function.runtime or 'not named'}")
    if future is None:
        return Evidence(mount, ProofMethod.STATIC, runtime.why_not_importable(mount), scan=scanned, guessed=guessed)

    imported = future.result()
    return _weighed(Evidence(mount, ProofMethod.IMPORTED, imported=imported, scan=scanned, guessed=guessed))


def _weighed(evidence: Evidence) -> Evidence:
    """Fall back to the static proof when the import failed because it needs what only Lambda has."""
    imported = evidence.imported
    if imported is None or imported.outcome is not Outcome.FAILED:
        return evidence

    reason = next(_reasons(imported, evidence), None)
    return replace(evidence, method=ProofMethod.STATIC, why=reason) if reason else evidence


def _reasons(imported: ImportResult, evidence: Evidence) -> Iterator[str]:
    if "network" in imported.attempts:
        yield "its import uses the network"
    if any(path.exists() for path in paths_in_trees(imported.path, mounted_trees(evidence.mount))):
        yield f"its import reads {imported.path}, a path that exists only on Lambda"
    if "ModuleNotFoundError" in imported.kinds and evidence.mount.unknown:
        yield f"its import needs {imported.name}, which a layer outside the template may provide"
    if not _is_certain(imported, evidence):
        yield "its import fails, and some of its variables are only known at deploy time"


def _is_certain(imported: ImportResult, evidence: Evidence) -> bool:
    """Return whether the import would fail whatever the values are that are only known at deploy time."""
    reads = evidence.scan.reads if evidence.scan is not None else ()
    is_unset = imported.key in {name for _, name in reads}
    is_missing_file = imported.path.startswith((f"{OPT_ROOT}/", f"{TASK_ROOT}/"))
    is_sure = is_unset or is_missing_file or "write" in imported.attempts or not evidence.guessed
    return is_sure or bool(_CERTAIN & set(imported.kinds))
