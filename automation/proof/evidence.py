"""The evidence about each function: the result of importing and of reading its code."""

import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import chain
from pathlib import Path

from automation.lambda_runtime import libraries, places, runtime
from automation.lambda_runtime.libraries import Presence
from automation.lambda_runtime.mounts import Mount
from automation.lambda_runtime.paths import OPT_ROOT, TASK_ROOT
from automation.lambda_runtime.places import Places
from automation.proof import elsewhere, imports, known_facts, scan
from automation.proof.imports import ImportResult, Outcome
from automation.proof.origins import Origins
from automation.proof.scan import Scan, SourceCache
from automation.system import packages

_CONCURRENT_IMPORTS = 3
# These exceptions would occur on Lambda too; any other kind may depend on a value that is only known there.
_CODING = frozenset({"ImportError", "SyntaxError", "NameError", "AttributeError", "TypeError"})
_NO_ATTRIBUTE = re.compile(r"^module '([\w.]+)' has no attribute ")
_CERTAIN = _CODING | {"SystemExit"}


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
    def python(self) -> str:
        """Return the version of the Python that imported it, `3.12.1`; empty when none did."""
        return self.imported.python if self.is_certain and self.imported is not None else ""

    @property
    def has_failed(self) -> bool:
        """Return whether the import certainly failed or found nothing to call."""
        return self.is_certain and self.imported is not None and self.imported.outcome is not Outcome.RESOLVED

    def imports(self, modules: frozenset[str]) -> bool:
        """Return whether the function certainly imports one of these top-level modules."""
        imported = self.scan.imported if self.scan is not None else frozenset()
        if self.imported is not None:
            # A package whose import fails is not loaded, but its files are in the stack.
            stack = chain.from_iterable(frame.file.parts for frame in self.imported.stack)
            imported |= self.imported.loaded | modules.intersection(stack)
        return not imported.isdisjoint(modules)


@contextmanager
def gathering(
    mounts: tuple[Mount, ...], root: Path, *, site: Path, origins: Origins, on_imported: Callable[[str], object]
) -> Iterator[Callable[[], tuple[Evidence, ...]]]:
    """Start importing every function, a few at a time, in separate processes.

    Args:
        on_imported: is called with the name of each function whose import has ended.

    Returns:
        A function that reads the code while the imports run, waits for them and returns the evidence; it raises
        ToolError when there is no interpreter to import with.
    """
    # The imports run in places of their own. The code is read through links, so that each file is read only once.
    with ExitStack() as stack, places.opened(root) as new_places, ThreadPoolExecutor(_CONCURRENT_IMPORTS) as pool:
        opts = [stack.enter_context(runtime.mounted(mount)) for mount in mounts]

        def import_one(mount: Mount) -> ImportResult | str:
            try:
                return _import(mount, new_places, root)
            finally:
                on_imported(mount.function.logical_id)

        running = [pool.submit(import_one, mount) for mount in mounts]

        def finish() -> tuple[Evidence, ...]:
            cache = SourceCache(known_facts.read(root))
            scans = [_scan(mount, opt, site, origins, cache) for mount, opt in zip(mounts, opts, strict=True)]
            known_facts.write(root, cache.known, cache.used)
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


def _import(mount: Mount, new_places: Places, root: Path) -> ImportResult | str:
    """Return the result of the import, or why it is not imported; both are empty for another language."""
    if not is_python(mount):
        return ""
    if why := runtime.why_not_importable(mount, root):
        return why
    with new_places.of(mount) as place:
        return imports.import_handler(place, root=root)


def _scan(mount: Mount, opt: Path, site: Path, origins: Origins, cache: SourceCache) -> Scan | None:
    if not is_python(mount):
        return None
    return scan.scan(mount, opt, site=site, origins=origins, cache=cache)


def _evidence(mount: Mount, future: "Future[ImportResult | str]", scanned: Scan | None) -> Evidence:
    guessed = any(not runtime.is_known(value) for value in runtime.variables(mount).values())
    if scanned is None:
        return Evidence(mount, ProofMethod.SKIPPED, f"its runtime is {mount.function.runtime or 'not named'}")

    imported = future.result()
    if isinstance(imported, str):
        return Evidence(mount, ProofMethod.STATIC, imported, scan=scanned, guessed=guessed)
    if imported.outcome is Outcome.UNFINISHED:
        why = "its import did not end, because this machine is too busy"
        return Evidence(mount, ProofMethod.STATIC, why, scan=scanned, guessed=guessed)
    if imported.outcome is Outcome.WAITED:
        why = "its import waits, or this machine is too busy"
        return Evidence(mount, ProofMethod.STATIC, why, imported, scanned, guessed)
    return _weighed(Evidence(mount, ProofMethod.IMPORTED, imported=imported, scan=scanned, guessed=guessed))


def _weighed(evidence: Evidence) -> Evidence:
    """Fall back to the static proof when the import failed because it needs what only Lambda has."""
    imported = evidence.imported
    if imported is None or imported.outcome is not Outcome.FAILED:
        return evidence

    if there := next(_on_lambda(imported, evidence), None):
        # What is there on Lambda makes no finding, so nothing of this import counts.
        return replace(evidence, method=ProofMethod.STATIC, why=there, imported=None)
    reason = next(_reasons(imported, evidence), None)
    return replace(evidence, method=ProofMethod.STATIC, why=reason) if reason else evidence


def _on_lambda(imported: ImportResult, evidence: Evidence) -> Iterator[str]:
    """Yield what the import needs and Lambda has."""
    noted = [item.removeprefix("mount:") for item in imported.attempts if item.startswith("mount:")]
    if _CODING & set(imported.kinds):
        noted = []
    trees = mounted_trees(evidence.mount)
    if "FileNotFoundError" in imported.kinds and any(path.exists() for path in paths_in_trees(imported.path, trees)):
        noted.append(imported.path)
    for path in noted:
        yield f"its import reads {path}, a path that exists only on Lambda"
    if variable := runtime.placeholder_in(f"{imported.text} {imported.key}", evidence.mount):
        yield f"its import needs the value of {variable}, which is only known at deploy time"
    if "ModuleNotFoundError" in imported.kinds and elsewhere.is_provided(evidence.mount, imported.name):
        is_sdk = imported.name in runtime.SDK_MODULES
        more = f"; for a real import run: {packages.how_to_install('boto3')}" if is_sdk else ""
        yield f"its import needs {imported.name}, which the runtime or a public layer provides{more}"


def _reasons(imported: ImportResult, evidence: Evidence) -> Iterator[str]:
    if {"TimeoutError", "TimeoutExpired"} & set(imported.kinds):
        yield "its import gives up waiting, for which this machine may be too busy"
    if "network" in imported.attempts:
        yield "its import uses the network"
    changes_path = evidence.scan is not None and evidence.scan.changes_path
    provider = elsewhere.provider(evidence.mount, imported.name, changes_path=changes_path)
    if "ModuleNotFoundError" in imported.kinds and provider:
        yield f"its import needs {imported.name}, which {provider}"
    if package := versioned_package(imported, evidence.mount):
        yield f"its import needs a part of {package}, of which the runtime may have another version"
    if library := next(_maybe_absent(imported, evidence), ""):
        yield f"its import loads {library}, which may be missing on Lambda"
    if imported.text == "unsupported locale setting":
        yield "its import sets a locale, which this machine or Lambda may lack"
    if not _is_certain(imported, evidence):
        yield "its import fails, and some of its variables are only known at deploy time"


def versioned_package(imported: ImportResult, mount: Mount) -> str:
    """Return the package of the runtime whose version decides whether an import fails; empty for none.

    The import runs with one version of the SDK, and Lambda moves each of its runtimes to later ones at any time.
    """
    kind = imported.kinds[0] if imported.kinds else ""
    attribute = _NO_ATTRIBUTE.search(imported.text) if kind == "AttributeError" else None
    name = attribute[1] if attribute else imported.name if kind in {"ImportError", "ModuleNotFoundError"} else ""
    top = "botocore" if kind == "UnknownServiceError" else name.partition(".")[0]
    is_absent = kind == "ModuleNotFoundError" and name == top
    return top if top in runtime.SDK_MODULES and not is_absent and not elsewhere.ships(mount, top) else ""


def _maybe_absent(imported: ImportResult, evidence: Evidence) -> Iterator[str]:
    system = libraries.of_runtime(int(str(evidence.mount.function.runtime).rpartition(".")[2]))
    meant = system.meant(imported.refused_libraries)
    yield from (name for name in meant if system.presence(name) is not Presence.ABSENT)


def _is_certain(imported: ImportResult, evidence: Evidence) -> bool:
    """Return whether the import would fail whatever the values are that are only known at deploy time."""
    reads = evidence.scan.reads if evidence.scan is not None else ()
    is_unset = imported.key in {name for _, name in reads}
    is_missing_file = imported.path.startswith((f"{OPT_ROOT}/", f"{TASK_ROOT}/"))
    is_sure = is_unset or is_missing_file or _is_refused(imported) or not _may_depend_on_values(imported, evidence)
    return is_sure or bool(_CERTAIN & set(imported.kinds))


def _may_depend_on_values(imported: ImportResult, evidence: Evidence) -> bool:
    """Return whether an import may have used a value that is only known at deploy time."""
    mount = evidence.mount
    if mount.macros or any(name.startswith("Fn::") for name in runtime.variables(mount)):
        return True
    return evidence.guessed and any(item == "program" or item.startswith("variable:") for item in imported.attempts)


def _is_refused(imported: ImportResult) -> bool:
    """Return whether the import failed because of something that Lambda refuses too."""
    is_hidden = "outside" in imported.attempts and "FileNotFoundError" in imported.kinds
    has_no_library = "OSError" in imported.kinds and any(item.startswith("library:") for item in imported.attempts)
    is_semaphore = "OSError" in imported.kinds and "semaphore" in imported.attempts
    return "write" in imported.attempts or is_hidden or has_no_library or is_semaphore
