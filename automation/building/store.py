"""The store of finished artifacts, `.alchemiser/artifacts/<fingerprint>`: each is made once for what it is made of.

Two artifacts of the same ingredients are one. An artifact is staged and renamed, so that the store holds whole ones
only; one that was written to afterwards is made again.
"""

import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
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
class Stored:
    """A finished artifact: its tree and its zip."""

    tree: Path
    zip: Path


def make_all(
    wanted: Mapping[str, Artifact],
    store: Path,
    *,
    afresh: bool = False,
    like: Mapping[str, str] | None = None,
    advance: Callable[[str], None] = lambda _: None,
) -> dict[str, Stored]:
    """Make what the store does not hold whole.

    Args:
        wanted: by fingerprint.
        afresh: make what the store holds, too.
        like: by fingerprint that of an artifact that differs in its files alone, and can lend bytecode.
        advance: is told each artifact that is ready.

    Raises:
        AutomationError: something could not be installed or read; the store holds nothing of this call.
    """
    missing = {key: one for key, one in wanted.items() if afresh or not _is_whole(store / key)}
    staged = {key: _staged(store, key) for key in missing}
    for folder in staged.values():
        files.remove(folder)
    try:
        _in_parallel([partial(_fill, one, staged[key] / TREE) for key, one in missing.items()])
        lent = {} if afresh else {key: store / other for key, other in (like or {}).items() if _is_whole(store / other)}
        bytecode.compile_all(
            _code_tree(one, staged[key] / TREE, lent.get(key)) for key, one in missing.items() if one.version
        )
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            packer = zips.Packer(pool)
            for key, one in missing.items():
                packer.pack(staged[key] / TREE, staged[key] / ZIP)
                advance(one.logical_id)
        for key, folder in staged.items():
            _seal(folder, store / key)
    finally:
        for folder in staged.values():
            files.remove(folder)
    return {key: at(store, key) for key in wanted}


def at(store: Path, fingerprint: str) -> Stored:
    return Stored(store / fingerprint / TREE, store / fingerprint / ZIP)


def forget(store: Path, *, keep: Iterable[str]) -> None:
    """Remove artifacts that no build has used for two weeks, and what interrupted builds left."""
    oldest = time.time() - _KEPT_DAYS * 86_400
    kept = set(keep)
    for place in store.glob("*"):
        if place.name.startswith(".") or (place.name not in kept and place.stat().st_mtime < oldest):
            files.remove(place)


def _fill(artifact: Artifact, tree: Path) -> None:
    modules = tree / artifact.nested_in
    modules.mkdir(parents=True)
    if artifact.lock:
        wheels.install(artifact.lock, modules, version=artifact.version, architecture=artifact.architecture)
    sources.copy(sources.of_folder(artifact.source, called=artifact.called), modules)


def _code_tree(artifact: Artifact, tree: Path, like: Path | None) -> bytecode.CodeTree:
    return bytecode.CodeTree(tree, artifact.mounted_at, artifact.version, like / TREE if like else None)


def _staged(store: Path, key: str) -> Path:
    return store / f".{key}.new"


def _seal(staged: Path, place: Path) -> None:
    files.write_atomically(staged / _SEAL, json.dumps(_looks(staged)))
    files.remove(place)
    staged.rename(place)


def _is_whole(place: Path) -> bool:
    """Whether it is as it was sealed; its use is marked, so that it is kept."""
    try:
        whole = bool(json.loads((place / _SEAL).read_text()) == _looks(place))
    except (OSError, ValueError):
        return False
    if whole:
        os.utime(place)
    return whole


def _looks(place: Path) -> dict[str, str]:
    return {name: files.signature(place / name) for name in (TREE, ZIP)}


def _in_parallel(jobs: list[Callable[[], None]]) -> None:
    """Run all, and raise the first failure once none is running; what has not begun then is left out."""
    with ThreadPoolExecutor(_INSTALLS_AT_ONCE) as pool:
        running: list[Future[None]] = [pool.submit(job) for job in jobs]
        try:
            for one in as_completed(running):
                one.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
