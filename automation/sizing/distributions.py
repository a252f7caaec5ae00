"""A built tree -> the distributions it is made of, as their RECORD files tell."""

import csv
import os
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from automation.sizing.model import LOOSE, OWN, Part

_SITE = r"(?P<site>(?:python/(?:lib/python3\.\d+/site-packages/)?)?)"
_INFO = re.compile(_SITE + r"(?P<info>(?P<name>[^/]+?)-(?P<version>[^/-]+)\.dist-info)/")
_TOP = re.compile(_SITE + r"(?P<rest>.*)")
_CACHED = re.compile(r"(?P<folder>.*?)__pycache__/(?P<module>[^/]+?)\.[a-z]+-\d+(?:\.opt-\w+)?\.pyc")
_PLACES = 12
_ENOUGH_PLACES = 5
_DEPTH = 6


@dataclass(frozen=True, slots=True)
class _Distribution:
    """A dist-info folder of a tree; `site` is the folder it lies in, empty or with a slash at its end."""

    site: str
    info: str
    name: str
    version: str


def normalised(name: str) -> str:
    """Source: packaging.python.org, name normalisation."""
    return re.sub(r"[-_.]+", "-", name).lower()


def file_sizes(tree: Path) -> dict[str, int]:
    """The bytes of each file under a folder, by its path; a link counts as what it leads to."""
    found: dict[str, int] = {}
    pending = [("", str(tree))]
    while pending:
        prefix, folder = pending.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append((f"{prefix}{entry.name}/", entry.path))
                elif entry.is_file():
                    found[f"{prefix}{entry.name}"] = entry.stat().st_size
    return found


def installed(folder: Path) -> frozenset[str]:
    """The normalised names of the distributions installed in a folder; none when it is absent."""
    found = (_INFO.match(f"{path.name}/") for path in folder.glob("*.dist-info"))
    return frozenset(normalised(match["name"]) for match in found if match)


def parts(tree: Path, *, source: Path | None = None) -> tuple[Part, ...]:
    """What a tree is made of, biggest first; every file is in exactly one part.

    Args:
        source: the code folder that the tree was built from; what lies in it is the project's own.
    """
    sizes = file_sizes(tree)
    owners = _owners(tree, sizes)
    own = _names(source) if source else frozenset()
    files: dict[tuple[str, str], dict[str, int]] = {}
    for path in sizes:
        files.setdefault(_owner(path, owners, own), {})[path] = sizes[path]
    made = [_part(name, version, of) for (name, version), of in files.items()]
    return tuple(sorted(made, key=lambda one: (-one.bytes, one.name)))


def source_of(path: str) -> str:
    """The module whose bytecode a file is; any other file is itself."""
    match = _CACHED.fullmatch(path)
    if match:
        return f"{match['folder']}{match['module']}.py"
    return f"{path[:-1]}" if path.endswith(".pyc") else path


def _part(name: str, version: str, sizes: Mapping[str, int]) -> Part:
    by_source: dict[str, int] = {}
    for path, count in sizes.items():
        source = _below_site(source_of(path))
        by_source[source] = by_source.get(source, 0) + count
    bytecode = sum(count for path, count in sizes.items() if path.endswith(".pyc"))
    return Part(name, version, sum(sizes.values()), bytecode, _places(by_source))


def _places(sizes: Mapping[str, int]) -> dict[str, int]:
    """Folders of the least depth that tells the files apart; what is over of too many is not named."""
    groups: dict[str, int] = {}
    for depth in range(1, _DEPTH):
        groups = {}
        for path, count in sizes.items():
            place = "/".join(path.split("/")[:depth])
            groups[place] = groups.get(place, 0) + count
        if len(groups) >= _ENOUGH_PLACES:
            break
    biggest = sorted(groups.items(), key=lambda one: (-one[1], one[0]))
    return dict(biggest[:_PLACES])


def _owner(path: str, owners: Mapping[str, _Distribution], own: frozenset[str]) -> tuple[str, str]:
    source = source_of(path)
    found = owners.get(source)
    if found:
        return found.name, found.version
    info = _INFO.match(path)
    if info:
        return normalised(info["name"]), info["version"]
    return (OWN if _below_site(source).partition("/")[0] in own else LOOSE), ""


def _owners(tree: Path, sizes: Mapping[str, int]) -> dict[str, _Distribution]:
    """The distribution of each path that a RECORD names, whether the file is still there or not."""
    infos = {match[0]: match for path in sizes if (match := _INFO.match(path))}
    owners: dict[str, _Distribution] = {}
    for _, match in sorted(infos.items()):
        one = _Distribution(match["site"], match["info"], normalised(match["name"]), match["version"])
        for path in _claimed(tree, one, sizes):
            owners.setdefault(path, one)
    return owners


def _claimed(tree: Path, one: _Distribution, sizes: Mapping[str, int]) -> list[str]:
    folder = tree / one.site / one.info
    recorded = [posixpath.normpath(f"{one.site}{name}") for name in _recorded(folder / "RECORD")]
    return recorded or _under_top_level(folder, one, sizes)


def _recorded(record: Path) -> Iterator[str]:
    """The paths of a RECORD; none when it is absent or is no such file."""
    try:
        rows = list(csv.reader(record.read_text(encoding="utf-8").splitlines()))
    except (OSError, UnicodeDecodeError, csv.Error):
        return iter(())
    return (row[0] for row in rows if row)


def _under_top_level(folder: Path, one: _Distribution, sizes: Mapping[str, int]) -> list[str]:
    """Without a RECORD: what lies under the names of top_level.txt, or under the distribution's own name."""
    try:
        tops = (folder / "top_level.txt").read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError):
        tops = [one.name.replace("-", "_")]
    starts = tuple(f"{one.site}{top}{end}" for top in tops for end in ("/", ".py", ".libs/"))
    return [path for path in sizes if path.startswith(starts)]


def _below_site(path: str) -> str:
    match = _TOP.fullmatch(path)
    return match["rest"] if match else path


def _names(source: Path) -> frozenset[str]:
    """What lies at the top of a code folder; a layer's may hold its modules under `python/`."""
    return frozenset(
        path.name
        for folder in (source, source / "python")
        if folder.is_dir()
        for path in folder.iterdir()
        if not path.name.endswith(".dist-info")
    )
