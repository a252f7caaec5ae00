"""The store of finished artifacts, `.alchemiser/artifacts/<fingerprint>`: the same ingredients are built only once.

An artifact is staged and then renamed, so the store holds only complete ones. An artifact that somebody wrote to
afterwards is built again.
"""

import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

from automation.building import (
    bytecode,
    dependencies,
    joint_installs,
    pruning,
    requirements,
    shared_cache,
    sources,
    uv_inputs,
    wheels,
    zips,
)
from automation.building.artifacts import Artifact, own_references
from automation.building.requirements import REQUIREMENTS
from automation.building.shared_cache import SharedCache
from automation.project.model import LAMBDA_LIMIT_BYTES
from automation.system import console, files, packages
from automation.system.errors import AutomationError, ConfigurationError

FOLDER = ".alchemiser/artifacts"
TREE = "tree"
ZIP = "artifact.zip"
PRUNED = "pruned.json"
_SEAL = "seal.json"
_KEPT_DAYS = 14
_INSTALLS_AT_ONCE = 2
_MANY = 4  # artifacts: from here on a log has a line for each


@dataclass(frozen=True, slots=True)
class StoredArtifact:
    """The tree and the zip of a finished artifact."""

    tree: Path
    zip: Path


def build_missing(
    artifacts: Mapping[str, Artifact],
    store: Path,
    *,
    force: bool = False,
    similar: Mapping[str, str] | None = None,
    shared: SharedCache = shared_cache.NONE,
    on_built: Callable[[str], None] = lambda _: None,
    on_failure: Callable[[str, AutomationError], None] | None = None,
) -> dict[str, StoredArtifact]:
    """Build what the store lacks, or holds in an altered state.

    Args:
        artifacts: by fingerprint.
        force: build what the store holds, too.
        similar: fingerprint of an artifact that differs only in its files and can lend bytecode, by fingerprint.
        shared: is asked for each missing artifact first, and gets each one whose locks decide every byte.
        on_built: is called with the logical id of each artifact that is built.
        on_failure: is called with the fingerprint of each artifact that cannot be built, and why; the others are built.
            Without it the first failure ends everything.

    Returns:
        All artifacts but those that failed, by fingerprint.

    Raises:
        AutomationError: something could not be installed or read; the store has gained nothing then.
    """
    missing = {key: artifact for key, artifact in artifacts.items() if force or not _mark_used(store / key)}
    staged = {key: store / f".{key}.new" for key in missing}
    for folder in staged.values():
        files.remove(folder)  # a killed build may have left it

    try:
        keys = {} if force else _shared_keys(missing, shared)
        taken = _take_all(keys, staged, shared)
        for key in taken:
            on_built(missing[key].logical_id)
        to_make = {key: artifact for key, artifact in missing.items() if key not in taken}

        lenders = {} if force else _lenders(store, similar or {})
        failed, warned = _make_all(to_make, staged, lenders, on_built=on_built, on_failure=on_failure)
        finished = {key: artifact for key, artifact in to_make.items() if key not in failed}
        # Last and together: when an artifact fails, none of this call has entered the store.
        for key in (*taken, *finished):
            _seal(staged[key], store / key)
        _share({key: keys[key] for key in finished if key in keys and key not in warned}, store, shared)
    finally:
        for folder in staged.values():
            files.remove(folder)
    return {key: locate(store, key) for key in artifacts if key not in failed}


def locate(store: Path, fingerprint: str) -> StoredArtifact:
    return StoredArtifact(store / fingerprint / TREE, store / fingerprint / ZIP)


def pruned_bytes(store: Path, fingerprint: str) -> int:
    """Return the bytes that pruning saved in an artifact; 0 when the store no longer has it."""
    return sum(_pruned(store / fingerprint).values())


def remove_unused(store: Path, *, keep: Iterable[str]) -> None:
    """Remove artifacts that no build has used for two weeks, and what interrupted builds left.

    Args:
        keep: the fingerprints to keep at any age.
    """
    oldest = time.time() - _KEPT_DAYS * 86_400
    kept = set(keep)
    for path in store.glob("*"):
        if path.name.startswith(".") or (path.name not in kept and path.stat().st_mtime < oldest):
            files.remove(path)


def _shared_keys(missing: Mapping[str, Artifact], shared: SharedCache) -> dict[str, str]:
    """Return the key in the shared cache of each artifact that may stand there, by fingerprint.

    Another version of this automation may make other bytes of the same ingredients.
    """
    if shared.folder is None or not missing:
        return {}
    own_code = packages.own_code()
    shareable = (key for key, artifact in missing.items() if _is_shareable(artifact))
    return {key: files.digest_of([key, own_code]) for key in shareable}


def _is_shareable(artifact: Artifact) -> bool:
    """Return whether the ingredients decide every byte, and a build would warn of nothing."""
    lock = artifact.lock
    if lock is None:
        return artifact.is_zipped_as_is or not dependencies.unread(artifact.source, artifact.root)
    if lock.name != REQUIREMENTS:
        return False
    try:
        listed = list(requirements.read(lock, artifact.root))
        return uv_inputs.judge(listed, lock.name, has_input=True).has_every_hash
    except ConfigurationError:
        return False


def _take_all(keys: Mapping[str, str], staged: Mapping[str, Path], shared: SharedCache) -> set[str]:
    """Stage what the shared cache has, and return its fingerprints."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        is_taken = pool.map(lambda key: _take(keys[key], staged[key], shared), keys)
        return {key for key, is_here in zip(keys, is_taken, strict=True) if is_here}


def _take(shared_key: str, staged: Path, shared: SharedCache) -> bool:
    """Stage an artifact from the shared cache; return False when that has none."""
    staged.mkdir(parents=True)
    pruned = shared.fetch(shared_key, staged / TREE, staged / ZIP)
    if pruned is None:
        files.remove(staged)
        return False
    (staged / PRUNED).write_text(json.dumps(pruned), encoding="utf-8")
    return True


def _share(keys: Mapping[str, str], store: Path, shared: SharedCache) -> None:
    """Add artifacts of the store to the shared cache.

    Args:
        keys: in the shared cache, by fingerprint.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for key, shared_key in keys.items():
            artifact = locate(store, key)
            pool.submit(shared.add, shared_key, artifact.tree, artifact.zip, _pruned(store / key))


def _pruned(folder: Path) -> dict[str, int]:
    try:
        saved: dict[str, int] = json.loads((folder / PRUNED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return saved


def _make_all(
    missing: Mapping[str, Artifact],
    staged: Mapping[str, Path],
    lenders: Mapping[str, Path],
    *,
    on_built: Callable[[str], None],
    on_failure: Callable[[str, AutomationError], None] | None,
) -> tuple[set[str], set[str]]:
    """Fill, compile and pack all artifacts; return the keys of those that failed, and that got a warning.

    What installs nothing is made while uv installs the rest, so that no processor waits.
    """
    numbers = count(1)

    def report(artifact: Artifact) -> None:
        if len(missing) >= _MANY:
            console.event(f"installed {next(numbers)} of {len(missing)}: {artifact.logical_id}")

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        workshop = _Workshop(staged, lenders, zips.Packer(pool), report, on_built, on_failure)
        with_lock = {key: artifact for key, artifact in missing.items() if artifact.lock}
        without = {key: artifact for key, artifact in missing.items() if not artifact.lock}
        with ThreadPoolExecutor(1) as installer:
            installing = installer.submit(_make, with_lock, workshop)
            others = _make(without, workshop)
            installed = installing.result()
    return others[0] | installed[0], others[1] | installed[1]


@dataclass(frozen=True, slots=True)
class _Workshop:
    """What `_make_all` makes all of its artifacts with."""

    staged: Mapping[str, Path]
    lenders: Mapping[str, Path]
    packer: zips.Packer
    on_filled: Callable[[Artifact], None]
    on_built: Callable[[str], None]
    on_failure: Callable[[str, AutomationError], None] | None


def _make(batch: Mapping[str, Artifact], shop: _Workshop) -> tuple[set[str], set[str]]:
    """Make some of the artifacts, as `_make_all` does.

    The files of an artifact are compressed as soon as it is filled, while others are filled and while all are compiled.
    """
    failed = _fill_all(batch, shop)
    finished = {key: artifact for key, artifact in batch.items() if key not in failed}
    warned = _compile(finished, shop.staged, shop.lenders)
    for key in finished:
        shop.packer.prepare(shop.staged[key] / TREE)
    for key, artifact in finished.items():
        shop.packer.pack(shop.staged[key] / TREE, shop.staged[key] / ZIP)
        shop.on_built(artifact.logical_id)
    return failed, warned


def _fill_all(batch: Mapping[str, Artifact], shop: _Workshop) -> set[str]:
    """Fill all trees in parallel, the longest lock first, and return the keys of those that failed.

    After an error that nobody takes, start no more, wait for those that run, and raise it.
    """
    failed: set[str] = set()
    longest_first = sorted(batch, key=lambda key: _lock_bytes(batch[key]), reverse=True)
    joint = joint_installs.plan({key: batch[key] for key in longest_first})
    joined = set(chain.from_iterable(group.packages for group in joint))
    with ThreadPoolExecutor(_INSTALLS_AT_ONCE) as pool:
        running = [pool.submit(_fill_together, group, batch, shop) for group in joint]
        running += [pool.submit(_fill_each, [key], batch, shop) for key in longest_first if key not in joined]
        try:
            for future in as_completed(running):
                failures = future.result()
                failed.update(failures)
                for key, failure in failures.items():
                    _report(failure, key, shop.on_failure)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return failed


def _report(failure: AutomationError, key: str, on_failure: Callable[[str, AutomationError], None] | None) -> None:
    if on_failure is None:
        raise failure
    on_failure(key, failure)


def _fill_together(
    group: joint_installs.JointInstall, batch: Mapping[str, Artifact], shop: _Workshop
) -> dict[str, AutomationError]:
    """Fill the trees of a group, the shortest lock first: its files are compressed while longer ones are pruned."""
    folders = {key: shop.staged[key] / TREE / batch[key].nested_in for key in group.packages}
    work = shop.staged[next(iter(folders))] / "joint"
    is_installed = joint_installs.install(group, folders, work=work)
    return _fill_each(list(reversed(folders)), batch, shop, is_installed=is_installed)


def _fill_each(
    keys: Iterable[str], batch: Mapping[str, Artifact], shop: _Workshop, *, is_installed: bool = False
) -> dict[str, AutomationError]:
    """Fill trees one after the other; return the failures."""
    failures: dict[str, AutomationError] = {}
    for key in keys:
        try:
            _fill(batch[key], shop.staged[key] / TREE, is_installed=is_installed)
            shop.packer.prepare(shop.staged[key] / TREE)
        except AutomationError as failure:
            failures[key] = failure
        else:
            shop.on_filled(batch[key])
    return failures


def _lock_bytes(artifact: Artifact) -> int:
    return artifact.lock.stat().st_size if artifact.lock else 0


def _fill(artifact: Artifact, tree: Path, *, is_installed: bool) -> None:
    modules = tree / artifact.nested_in
    modules.mkdir(parents=True, exist_ok=is_installed)
    if artifact.lock:
        target = {"version": artifact.version, "architecture": artifact.architecture}
        if not is_installed:
            wheels.install(artifact.lock, modules, root=artifact.root, **target)
        saved = pruning.prune(modules, version=artifact.version, own=own_references(artifact))
        (tree.parent / PRUNED).write_text(json.dumps(saved), encoding="utf-8")
    elif not artifact.is_zipped_as_is and (unread := dependencies.unread(artifact.source, artifact.root)):
        console.warning(f"{artifact.folder}: {unread}")
    own_files = sources.list_files(artifact.source, display_name=artifact.folder)
    sources.copy_files(own_files, modules / artifact.package_folder)


def _lenders(store: Path, similar: Mapping[str, str]) -> dict[str, Path]:
    """Return the stored trees that can lend bytecode: only unaltered ones."""
    return {key: locate(store, lender).tree for key, lender in similar.items() if _mark_used(store / lender)}


def _compile(missing: Mapping[str, Artifact], staged: Mapping[str, Path], lenders: Mapping[str, Path]) -> set[str]:
    """Add bytecode to the trees; return the keys of those that get none, with a warning."""
    bytecode.compile_all(
        bytecode.CodeTree(staged[key] / TREE, artifact.mounted_at, artifact.version, lenders.get(key))
        for key, artifact in missing.items()
        if artifact.version and artifact.has_bytecode
    )
    return {key for key, artifact in missing.items() if _drop_bytecode_over_limit(artifact, staged[key] / TREE)}


def _drop_bytecode_over_limit(artifact: Artifact, tree: Path) -> bool:
    """Remove the bytecode of a tree that only its bytecode puts over Lambda's limit: a slow start beats none."""
    bytecode_bytes, other_bytes = 0, 0
    for path in files.walk(tree):
        size_bytes = (tree / path).stat().st_size
        is_bytecode = path.suffix == ".pyc"
        bytecode_bytes += size_bytes if is_bytecode else 0
        other_bytes += 0 if is_bytecode else size_bytes
    if not other_bytes <= LAMBDA_LIMIT_BYTES < other_bytes + bytecode_bytes:
        return False

    for folder in [path for path in tree.rglob("__pycache__") if path.is_dir()]:
        files.remove(folder)
    what = f"has {other_bytes:,} bytes, and {bytecode_bytes:,} bytes of bytecode would put it over Lambda's limit"
    console.warning(f"{artifact.logical_id}: {what}; it is built without bytecode and starts slower")
    return True


def _seal(staged: Path, path: Path) -> None:
    """Record the signatures of an artifact, then put it in the store by one rename: it is never there in part."""
    files.write_atomically(staged / _SEAL, json.dumps(_signatures(staged)))
    files.remove(path)
    staged.rename(path)


def _mark_used(path: Path) -> bool:
    """Mark an artifact as used now, so that it is kept; return False when it is missing or was altered."""
    try:
        is_whole = bool(json.loads((path / _SEAL).read_text()) == _signatures(path))
    except (OSError, ValueError):
        return False
    if is_whole:
        os.utime(path)
    return is_whole


def _signatures(path: Path) -> dict[str, str]:
    return {name: files.signature(path / name) for name in (TREE, ZIP)}
