"""Split a built tree into the distributions in it, by their RECORD files."""

import csv
import os
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from automation.lambda_runtime.paths import LAYER_MODULES, site_packages
from automation.sizing.model import NO_DISTRIBUTION, OWN_CODE, Part

_SITE = rf"(?P<site>(?:{LAYER_MODULES}/(?:{site_packages(r'python3\.\d+')}/)?)?)"
_INFO = re.compile(_SITE + r"(?P<info>(?P<name>[^/]+?)-(?P<version>[^/-]+)\.dist-info)/")
_TOP = re.compile(_SITE + r"(?P<rest>.*)")
_CACHED = re.compile(r"(?P<folder>.*?)__pycache__/(?P<module>[^/]+?)\.[a-z]+-\d+(?:\.opt-\w+)?\.pyc")
_MAX_PLACES = 12
_ENOUGH_PLACES = 5
_MAX_DEPTH = 6


@dataclass(frozen=True, slots=True)
class _Distribution:
    """A dist-info folder of a tree.

    Attributes:
        site: the folder that contains it, empty or with a slash at its end.
        info: the name of the dist-info folder.
    """

    site: str
    info: str
    name: str
    version: str


def normalise_name(name: str) -> str:
    """Normalise the name of a distribution. Source: packaging.python.org, name normalisation."""
    return re.sub(r"[-_.]+", "-", name).lower()


def file_sizes(tree: Path) -> dict[str, int]:
    """Return the bytes of each file under a folder, by relative path; a link counts as the file it points to."""
    size_by_path: dict[str, int] = {}
    pending = [("", str(tree))]
    while pending:
        prefix, folder = pending.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append((f"{prefix}{entry.name}/", entry.path))
                elif entry.is_file():
                    size_by_path[f"{prefix}{entry.name}"] = entry.stat().st_size
    return size_by_path


def installed_names(folder: Path) -> frozenset[str]:
    """Return the normalised names of the distributions installed in a folder; empty when the folder is missing."""
    matches = (_INFO.match(f"{path.name}/") for path in folder.glob("*.dist-info"))
    return frozenset(normalise_name(match["name"]) for match in matches if match)


def split_tree(tree: Path, *, source: Path | None = None) -> tuple[Part, ...]:
    """Split a built tree into parts, biggest first; every file is in exactly one part.

    Args:
        source: the code folder that the tree was built from: files named as its entries are the project's own code.
    """
    sizes = file_sizes(tree)
    owners = _owners(tree, sizes)
    own_names = _top_names(source) if source else frozenset()

    files: dict[tuple[str, str], dict[str, int]] = {}
    for path in sizes:
        files.setdefault(_owner(path, owners, own_names), {})[path] = sizes[path]
    parts = [_part(name, version, part_sizes) for (name, version), part_sizes in files.items()]
    return tuple(sorted(parts, key=lambda part: (-part.bytes, part.name)))


def bytecode_source(path: str) -> str:
    """Return the module that a bytecode file was compiled from; the path itself for any other file."""
    match = _CACHED.fullmatch(path)
    if match:
        return f"{match['folder']}{match['module']}.py"
    return f"{path[:-1]}" if path.endswith(".pyc") else path


def _part(name: str, version: str, sizes: Mapping[str, int]) -> Part:
    by_source: dict[str, int] = {}
    for path, count in sizes.items():
        source = _below_site(bytecode_source(path))
        by_source[source] = by_source.get(source, 0) + count
    bytecode = sum(count for path, count in sizes.items() if path.endswith(".pyc"))
    return Part(name, version, sum(sizes.values()), bytecode, _places(by_source))


def _places(sizes: Mapping[str, int]) -> dict[str, int]:
    """Return the biggest folders, at the least depth with enough of them."""
    groups: dict[str, int] = {}
    for depth in range(1, _MAX_DEPTH):
        groups = {}
        for path, count in sizes.items():
            folder = "/".join(path.split("/")[:depth])
            groups[folder] = groups.get(folder, 0) + count
        if len(groups) >= _ENOUGH_PLACES:
            break
    biggest = sorted(groups.items(), key=lambda group: (-group[1], group[0]))
    return dict(biggest[:_MAX_PLACES])


def _owner(path: str, owners: Mapping[str, _Distribution], own_names: frozenset[str]) -> tuple[str, str]:
    """Return the name and version of the part that a file belongs to."""
    source = bytecode_source(path)
    distribution = owners.get(source)
    if distribution:
        return distribution.name, distribution.version
    info = _INFO.match(path)
    if info:
        return normalise_name(info["name"]), info["version"]
    return (OWN_CODE if _below_site(source).partition("/")[0] in own_names else NO_DISTRIBUTION), ""


def _owners(tree: Path, sizes: Mapping[str, int]) -> dict[str, _Distribution]:
    """Return the distribution of each path that a RECORD lists, whether the file still exists or not."""
    infos = {match[0]: match for path in sizes if (match := _INFO.match(path))}
    owners: dict[str, _Distribution] = {}
    for _, match in sorted(infos.items()):
        distribution = _Distribution(match["site"], match["info"], normalise_name(match["name"]), match["version"])
        for path in _owned_paths(tree, distribution, sizes):
            owners.setdefault(path, distribution)
    return owners


def _owned_paths(tree: Path, distribution: _Distribution, sizes: Mapping[str, int]) -> list[str]:
    folder = tree / distribution.site / distribution.info
    recorded = [posixpath.normpath(f"{distribution.site}{name}") for name in _recorded(folder / "RECORD")]
    return recorded or _below_top_level(folder, distribution, sizes)


def _recorded(record: Path) -> Iterator[str]:
    """Return the paths that a RECORD lists; none when it is missing or cannot be parsed."""
    try:
        rows = list(csv.reader(record.read_text(encoding="utf-8").splitlines()))
    except (OSError, UnicodeDecodeError, csv.Error):
        return iter(())
    return (row[0] for row in rows if row)


def _below_top_level(folder: Path, distribution: _Distribution, sizes: Mapping[str, int]) -> list[str]:
    """Without a RECORD, return the paths below the names in top_level.txt, or below the distribution's own name."""
    try:
        names = (folder / "top_level.txt").read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError):
        names = [distribution.name.replace("-", "_")]
    starts: list[str] = []
    for name in names:
        starts += [f"{distribution.site}{name}{end}" for end in ("/", ".py", ".libs/")]
    return [path for path in sizes if path.startswith(tuple(starts))]


def _below_site(path: str) -> str:
    match = _TOP.fullmatch(path)
    return match["rest"] if match else path


def _top_names(source: Path) -> frozenset[str]:
    """Return the names at the top of a code folder, and of its `python/`, where a layer may keep its modules."""
    names: set[str] = set()
    for folder in (source, source / LAYER_MODULES):
        if folder.is_dir():
            names.update(path.name for path in folder.iterdir() if not path.name.endswith(".dist-info"))
    return frozenset(names)
