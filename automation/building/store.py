"""The store of finished artifacts, `.alchemiser/artifacts/<fingerprint>`: the same ingredients are built only once.

An artifact is staged and then renamed, so the store holds only complete ones. An artifact that somebody wrote to
afterwards is built again.
"""

import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from automation.building import bytecode, sources, wheels, zips
from automation.building.artifacts import Artifact
from automation.system import files

TREE = "tree"
ZIP = "artifact.zip"
_SEAL = "seal.json"
_KEPT_DAYS = 14
_INSTALLS_AT_ONCE = 2


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
    on_built: Callable[[str], None] = lambda _: None,
) -> dict[str, StoredArtifact]:
    """Build what the store lacks, or holds in an altered state.

    Args:
        artifacts: by fingerprint.
        force: build what the store holds, too.
        similar: fingerprint of an artifact that differs only in its files and can lend bytecode, by fingerprint.
        on_built: is called with the logical id of each artifact that is built.

    Returns:
        All artifacts, by fingerprint.

    Raises:
        AutomationError: something could not be installed or read; the store has gained nothing then.
    """
    missing = {key: artifact for key, artifact in artifacts.items() if force or not _mark_used(store / key)}
    staged = {key: store / f".{key}.new" for key in missing}
    for folder in staged.values():
        files.remove(folder)  # a killed build may have left it

    try:
        _fill_all([(artifact, staged[key] / TREE) for key, artifact in missing.items()])
        lenders = {} if force else _lenders(store, similar or {})
        _compile(missing, staged, lenders)
        _pack(missing, staged, on_built)
        # Last and together: when an artifact fails, none of this call has entered the store.
        for key, folder in staged.items():
            _seal(folder, store / key)
    finally:
        for folder in staged.values():
            files.remove(folder)
    return {key: locate(store, key) for key in artifacts}


def locate(store: Path, fingerprint: str) -> StoredArtifact:
    return StoredArtifact(store / fingerprint / TREE, store / fingerprint / ZIP)


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


def _fill_all(jobs: list[tuple[Artifact, Path]]) -> None:
    """Fill all trees in parallel; after a failure start no more, wait for those that run, and raise it."""
    with ThreadPoolExecutor(_INSTALLS_AT_ONCE) as pool:
        running: list[Future[None]] = [pool.submit(_fill, artifact, tree) for artifact, tree in jobs]
        try:
            for future in as_completed(running):
                future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _fill(artifact: Artifact, tree: Path) -> None:
    modules = tree / artifact.nested_in
    modules.mkdir(parents=True)
    if artifact.lock:
        wheels.install(artifact.lock, modules, version=artifact.version, architecture=artifact.architecture)
    sources.copy_files(sources.list_files(artifact.source, display_name=artifact.folder), modules)


def _lenders(store: Path, similar: Mapping[str, str]) -> dict[str, Path]:
    """Return the stored trees that can lend bytecode: only unaltered ones."""
    return {key: locate(store, lender).tree for key, lender in similar.items() if _mark_used(store / lender)}


def _compile(missing: Mapping[str, Artifact], staged: Mapping[str, Path], lenders: Mapping[str, Path]) -> None:
    bytecode.compile_all(
        bytecode.CodeTree(staged[key] / TREE, artifact.mounted_at, artifact.version, lenders.get(key))
        for key, artifact in missing.items()
        if artifact.version
    )


def _pack(missing: Mapping[str, Artifact], staged: Mapping[str, Path], on_built: Callable[[str], None]) -> None:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        packer = zips.Packer(pool)
        for key, artifact in missing.items():
            packer.pack(staged[key] / TREE, staged[key] / ZIP)
            on_built(artifact.logical_id)


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
