"""Rules about how a built tree is laid out: nesting, links, bytecode, size."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from automation.project.model import LAMBDA_LIMIT_BYTES, Layer
from automation.proof import places
from automation.proof.model import Fault, Rule, Severity, Subject
from automation.proof.places import Place
from automation.system import files

_UNCHECKED, _CHECKED = 0b01, 0b11


def check_nesting(subject: Subject) -> Iterator[Fault]:
    for place in subject.places:
        found = _layer_nesting(place) if isinstance(place.owner, Layer) else _function_nesting(place)
        if found:
            folder, what = found
            inner = place.source.rstrip("/") + "/" + folder.name
            key = "ContentUri" if isinstance(place.owner, Layer) else "CodeUri"
            is_in_source = bool(place.source) and (subject.project.root / inner).is_dir()
            mend = f"write {key}: {inner}/ there" if is_in_source else "run inv build --force"
            yield Fault(place.where, what, mend, explains=_lost_modules(place, folder, subject))


def check_links(subject: Subject) -> Iterator[Fault]:
    for place in subject.places:
        for path in place.paths:
            if problem := _link_problem(place.tree, path):
                explains = place.modules([path])
                yield Fault(place.where, f"{path} {problem}", "put the file itself there", explains=explains)


def check_bytecode(subject: Subject) -> Iterator[Fault]:
    for place in subject.places:
        found: dict[str, list[PurePosixPath]] = {}
        for path in place.paths:
            if path.suffix == ".pyc" and path.parent.name == "__pycache__":
                found.setdefault(_bytecode_problem(place.tree, path), []).append(path)
        for problem, paths in found.items():
            if problem:
                severity = Severity.ERROR if problem == _OLD_CODE else Severity.WARNING
                what = f"{places.some(paths)} {problem}"
                yield Fault(place.where, what, "run inv build --force", severity)


def check_size(subject: Subject) -> Iterator[Fault]:
    weights = {tree: _size_bytes(tree) for tree in subject.trees.values()}
    for mount in subject.mounts:
        parts = {"its own tree": weights.get(mount.task, 0)}
        parts |= {layer.logical_id: weights.get(layer.tree, 0) for layer in mount.layers}
        total = sum(parts.values())
        if total > LAMBDA_LIMIT_BYTES:
            made_of = ", ".join(f"{name} {count:,}" for name, count in sorted(parts.items(), key=lambda part: -part[1]))
            over = total - LAMBDA_LIMIT_BYTES
            what = f"{total:,} bytes unzipped, {over:,} over the {LAMBDA_LIMIT_BYTES:,} that Lambda takes: {made_of}"
            yield Fault(mount.where, what, "drop a requirement, or split the function; inv size tells what is big")


_OLD_CODE = "was not made from the source beside it, and Lambda runs it all the same"
_NO_SOURCE = "has no source, so Python does not look at it"
_TIMED = "goes by the time of its source, which no deployment keeps: it is made again at every cold start"
_CHANGED = "was not made from the source beside it: it is made again at every cold start"


def _layer_nesting(place: Place) -> tuple[PurePosixPath, str] | None:
    """The folder that should not be there, and what lies in it."""
    folder = PurePosixPath("python", "python")
    inner = place.tree / folder
    if not inner.is_dir() or (inner / "__init__.py").is_file():
        return None
    held = places.some(sorted(f"{folder}/{one.name}" for one in inner.iterdir() if one.name != "__pycache__"))
    return folder, f"its modules are one folder too deep: {held}"


def _function_nesting(place: Place) -> tuple[PurePosixPath, str] | None:
    """Code one folder below where Handler looks for it, and nowhere else."""
    handler = str(getattr(place.owner, "handler", ""))
    module = Path(*handler.split(".")[:-1])
    if "." not in handler or _is_module(place.tree / module):
        return None
    deeper = sorted(one.name for one in place.tree.iterdir() if one.is_dir() and _is_module(one / module))
    if len(deeper) != 1:
        return None
    what = f"what Handler {handler} names is one folder too deep, at {deeper[0]}/{module.as_posix()}.py"
    return PurePosixPath(deeper[0]), what


def _lost_modules(place: Place, folder: PurePosixPath, subject: Subject) -> tuple[str, ...]:
    """The modules in a folder that is not on sys.path, without the namespaces that trees beside it have parts of."""
    lost = places.module_names(path.relative_to(folder) for path in place.paths if path.is_relative_to(folder))
    mounted = [{mount.task, *(layer.tree for layer in mount.layers)} for mount in subject.mounts]
    beside = {tree for trees in mounted if place.tree in trees for tree in trees} - {place.tree}
    others = [site for other in subject.places if other.tree in beside for site in other.sites]
    return tuple(name for name in lost if not any((site / name.replace(".", "/")).is_dir() for site in others))


def _is_module(path: Path) -> bool:
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def _size_bytes(tree: Path) -> int:
    """What a tree comes to unzipped; a link counts as what it leads to, and as nothing when it leads nowhere."""
    return sum((tree / path).stat().st_size for path in files.walk(tree) if (tree / path).exists())


def _link_problem(tree: Path, path: PurePosixPath) -> str:
    link = tree / path
    if not link.is_symlink():
        return ""
    target = link.readlink()
    if target.is_absolute():
        return f"is a link to {target}, which is not on Lambda"
    if not link.resolve().is_relative_to(tree.resolve()):
        return f"is a link out of the tree, to {target}"
    return "" if link.exists() else f"is a link to {target}, which is not there"


def _bytecode_problem(tree: Path, path: PurePosixPath) -> str:
    """What is wrong with a .pyc of this Python; one of another Python is left alone."""
    head = (tree / path).read_bytes()[:16]
    if head[:4] != importlib.util.MAGIC_NUMBER:
        return ""
    source = tree / path.parent.parent / f"{path.name.split('.')[0]}.py"
    if not source.is_file():
        return _NO_SOURCE
    flags = int.from_bytes(head[4:8], "little")
    if flags not in {_UNCHECKED, _CHECKED}:
        return _TIMED
    if head[8:16] == importlib.util.source_hash(source.read_bytes()):
        return ""
    return _OLD_CODE if flags == _UNCHECKED else _CHANGED


RULES: tuple[Rule, ...] = (
    Rule(
        "double-nesting",
        "Modules lie where Lambda looks for them, not one folder deeper",
        "/opt/python/python and a folder below /var/task are not on sys.path: nothing in them can be imported.",
        check_nesting,
    ),
    Rule(
        "symlink-outside",
        "No link leads out of a tree",
        "What it leads to stays on the machine that built it.",
        check_links,
    ),
    Rule(
        "stale-bytecode",
        "Bytecode was made from the source beside it, by content and not by time",
        "Unchecked bytecode runs whatever the source says; what goes by time is thrown away at every cold start.",
        check_bytecode,
    ),
    Rule(
        "too-large",
        "A function and its layers come to at most 262,144,000 bytes unzipped",
        "CloudFormation refuses the function, minutes into the deployment.",
        check_size,
    ),
)
