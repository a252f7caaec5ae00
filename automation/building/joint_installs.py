"""Install the locks of several artifacts by one run of uv, and give each artifact what its own lock lists.

Layers often share packages: one run copies, checks and compresses each package once. The trees get hard links, so
nothing may write to an installed file in place: code that changes a file must replace it.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from automation.building import requirements, uv_inputs, wheels
from automation.building.artifacts import Artifact
from automation.building.requirements import REQUIREMENTS, Kind
from automation.system import files
from automation.system.errors import AutomationError, ConfigurationError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_MARK_OF_UV = ".lock"
_SEPARATORS = re.compile(r"[-_.]+")


@dataclass(frozen=True, slots=True)
class JointInstall:
    """Artifacts whose locks can be installed together.

    Attributes:
        target: version of Python and architecture.
        lines: the line of each package, by its normalized name.
        packages: the names in the lock of each artifact, by the artifact's key.
    """

    target: tuple[str, str]
    lines: Mapping[str, str]
    packages: Mapping[str, frozenset[str]]

    def fits(self, target: tuple[str, str], lines: Mapping[str, str]) -> bool:
        return target == self.target and all(self.lines.get(name, line) == line for name, line in lines.items())


def plan(artifacts: Mapping[str, Artifact]) -> tuple[JointInstall, ...]:
    """Return which artifacts are installed together: at least two, with the same lines for the packages they share.

    Only plain locks are: of wheels by name and version, each with a hash, and without options.

    Args:
        artifacts: by key; they are tried in this order.
    """
    groups: list[JointInstall] = []
    for key, artifact in artifacts.items():
        target, lines = (artifact.version, artifact.architecture), _plain_lines(artifact)
        if not lines:
            continue
        group = next((group for group in groups if group.fits(target, lines)), None)
        if group:
            groups.remove(group)
        before = group or JointInstall(target, {}, {})
        groups.append(JointInstall(target, {**before.lines, **lines}, {**before.packages, key: frozenset(lines)}))
    return tuple(group for group in groups if len(group.packages) > 1)


def install(group: JointInstall, folders: Mapping[str, Path], *, work: Path) -> bool:
    """Fill the folders of a group; return False, with nothing filled, when its locks must be installed one by one.

    Args:
        folders: to fill, by the key of their artifact; they do not exist yet.
        work: a folder on the same file system for this call alone; it is removed in the end.
    """
    version, architecture = group.target
    lock, tree = work / REQUIREMENTS, work / "tree"
    files.remove(work)
    try:
        work.mkdir(parents=True)
        lock.write_text("".join(f"{line}\n" for line in group.lines.values()), encoding="utf-8")
        wheels.install(lock, tree, root=work, version=version, architecture=architecture)
        if (owned := _files_by_package(tree)) is None:
            return False
        _hand_out(tree, owned, {folders[key]: names & owned.keys() for key, names in group.packages.items()})
    except AutomationError:
        return False  # only the install of each lock can say which of them is at fault
    finally:
        files.remove(work)
    return True


def _hand_out(tree: Path, owned: Mapping[str, Sequence[str]], packages: Mapping[Path, frozenset[str]]) -> None:
    """Link the packages of each folder; the tree itself becomes the first folder that has all of them."""
    complete = next((folder for folder, names in packages.items() if names == owned.keys()), None)
    for folder, names in packages.items():
        folder.parent.mkdir(parents=True, exist_ok=True)
        for package in names if folder != complete else ():
            _link(tree, owned[package], folder)
    if complete is not None:
        tree.rename(complete)


def _link(tree: Path, names: Iterable[str], folder: Path) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        files.link(tree / name, folder / name)


def _plain_lines(artifact: Artifact) -> dict[str, str]:
    """Return the lines of a plain lock by the names of their packages; nothing for any other lock."""
    if artifact.lock is None or artifact.lock.name != REQUIREMENTS:
        return {}
    try:
        listed = list(requirements.read(artifact.lock, artifact.root))
        state = uv_inputs.judge(listed, REQUIREMENTS, has_input=True)
    except ConfigurationError:
        return {}
    is_plain = state.has_every_hash and all(line.kind is Kind.NAMED and not line.is_constraint for line in listed)
    lines = {_normalized(line.value): line.text() for line in listed} if is_plain else {}
    return lines if len(lines) == len(listed) else {}


def _normalized(requirement: str) -> str:
    """Return the name in a requirement or in that of a dist-info, as the Simple API writes it."""
    name = _NAME.match(requirement)
    return _SEPARATORS.sub("-", name[0].partition("==")[0]).lower() if name else ""


def _files_by_package(tree: Path) -> dict[str, list[str]] | None:
    """Return the installed files of each package; None when a file belongs to none, to two, or lies elsewhere."""
    owned: dict[str, list[str]] = {}
    owners: Counter[str] = Counter()
    for info in tree.glob("*.dist-info"):
        with (info / "RECORD").open(encoding="utf-8", newline="") as rows:
            names = [name for name, *_ in csv.reader(rows)]
        owned[_normalized(info.name.partition("-")[0])] = names
        owners.update(names)

    present = {name for name, _ in files.entries(tree)}
    is_clear = owners.keys() == present - {_MARK_OF_UV} and set(owners.values()) == {1}
    return owned if is_clear else None
