"""Rules about the layout of a built tree: nesting, links, bytecode, size."""

import importlib.util
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path, PurePosixPath

from automation.lambda_runtime.mounts import Mount
from automation.lambda_runtime.paths import LAYER_MODULES
from automation.project.model import LAMBDA_LIMIT_BYTES, Layer
from automation.proof import built_trees
from automation.proof.built_trees import BuiltTree
from automation.proof.model import Fault, Rule, Severity, Subject
from automation.system import files

# Flags of a .pyc that is checked by hash (PEP 552).
_UNCHECKED, _CHECKED = 0b01, 0b11
_CACHE = "__pycache__"
_TAGS = re.compile(r"\.[^.]+(\.opt-\w+)?\.pyc$")  # what stands after the module's name, which may have dots


def check_nesting(subject: Subject) -> Iterator[Fault]:
    for tree in subject.built_trees:
        nesting = _layer_nesting(tree) if isinstance(tree.owner, Layer) else _function_nesting(tree)
        if nesting:
            folder, what = nesting
            inner = tree.source.rstrip("/") + "/" + folder.name
            key = "ContentUri" if isinstance(tree.owner, Layer) else "CodeUri"
            is_in_source = bool(tree.source) and (subject.project.root / inner).is_dir()
            fix = f"change it to {key}: {inner}/" if is_in_source else "run inv build --force"
            yield Fault(tree.where, what, fix, explains=_lost_modules(tree, folder, subject))


def check_links(subject: Subject) -> Iterator[Fault]:
    for tree in subject.built_trees:
        for path in (PurePosixPath(name) for name, is_link in tree.names.items() if is_link):
            if problem := _link_problem(tree.folder, path):
                fix = "replace the link with the file itself"
                yield Fault(tree.where, f"{path} {problem}", fix, explains=tree.modules([path]))


def check_bytecode(subject: Subject) -> Iterator[Fault]:
    for tree in subject.built_trees:
        paths_by_problem: dict[str, list[str]] = {}
        for name in tree.names:
            if name.endswith(".pyc") and f"/{name}".rpartition("/")[0].endswith(f"/{_CACHE}"):
                paths_by_problem.setdefault(_bytecode_problem(f"{tree.folder}/{name}"), []).append(name)

        for problem, paths in paths_by_problem.items():
            if problem:
                severity = Severity.ERROR if problem == _OLD_CODE else Severity.WARNING
                yield Fault(
                    tree.where, f"{problem}: {built_trees.abbreviate(paths)}", "run inv build --force", severity
                )


def check_size(subject: Subject) -> Iterator[Fault]:
    weights = {tree: _size_bytes(tree) for tree in subject.trees.values()}
    owners = {tree.folder: tree.owner for tree in subject.built_trees}
    for mount in subject.mounts:
        layers = max(mount.variants, key=lambda variant: sum(weights.get(layer.tree, 0) for layer in variant))
        parts = {"its own tree": weights.get(mount.task, 0)}
        parts |= {layer.logical_id: weights.get(layer.tree, 0) for layer in layers}
        total = sum(parts.values())
        if total > LAMBDA_LIMIT_BYTES:
            largest_first = sorted(parts.items(), key=lambda part: -part[1])
            sizes = ", ".join(f"{name} {size_bytes:,}" for name, size_bytes in largest_first)
            over = total - LAMBDA_LIMIT_BYTES
            what = f"{total:,} bytes unzipped, {over:,} over Lambda's limit of {LAMBDA_LIMIT_BYTES:,}: {sizes}"
            fix = "remove a requirement, or split the function; inv size shows the largest parts"
            heaviest, bytecode_bytes = _heaviest_bytecode(mount)
            if bytecode_bytes >= over and heaviest in owners:
                name = owners[heaviest].logical_id
                what += f"; {bytecode_bytes:,} bytes of {name} are bytecode that the build adds"
                fix = f"add Metadata: {{Alchemiser: {{Bytecode: false}}}} to {name} in {mount.stack.template.path}"
            yield Fault(mount.where, what, fix)


_OLD_CODE = "bytecode differs from the source beside it, and Lambda runs the bytecode"
_NO_SOURCE = "bytecode has no source, so Python ignores it"
_TIMED = "bytecode is checked by its source's time, which a deployment changes, so every cold start compiles again"
_CHANGED = "bytecode differs from the source beside it, so every cold start compiles again"


def _layer_nesting(tree: BuiltTree) -> tuple[PurePosixPath, str] | None:
    """Return the folder that should not be there, and a message that lists its content."""
    folder = PurePosixPath(LAYER_MODULES, LAYER_MODULES)
    inner = tree.folder / folder
    if not inner.is_dir() or (inner / "__init__.py").is_file():
        return None

    entries = sorted(f"{folder}/{entry.name}" for entry in inner.iterdir() if entry.name != "__pycache__")
    return folder, f"its modules are one folder too deep: {built_trees.abbreviate(entries)}"


def _function_nesting(tree: BuiltTree) -> tuple[PurePosixPath, str] | None:
    """Return the only folder that has the handler's module one level too deep, and a message."""
    handler = str(getattr(tree.owner, "handler", ""))
    module = Path(*handler.split(".")[:-1])
    if "." not in handler or _is_module(tree.folder / module):
        return None

    deeper = sorted(entry.name for entry in tree.folder.iterdir() if entry.is_dir() and _is_module(entry / module))
    if len(deeper) != 1:
        return None
    what = f"the module of Handler {handler} is one folder too deep, at {deeper[0]}/{module.as_posix()}.py"
    return PurePosixPath(deeper[0]), what


def _lost_modules(tree: BuiltTree, folder: PurePosixPath, subject: Subject) -> tuple[str, ...]:
    """Return the modules in a folder that is not on sys.path, without namespaces that trees mounted with it share."""
    beside: set[Path] = set()
    for mount in subject.mounts:
        mounted = {mount.task, *(layer.tree for layer in mount.layers)}
        beside |= mounted - {tree.folder} if tree.folder in mounted else set()
    sites = list(chain.from_iterable(other.sites for other in subject.built_trees if other.folder in beside))

    def is_shared(name: str) -> bool:
        return any((site / name.replace(".", "/")).is_dir() for site in sites)

    lost = built_trees.module_names(path.relative_to(folder) for path in tree.paths if path.is_relative_to(folder))
    return tuple(name for name in lost if not is_shared(name))


def _is_module(path: Path) -> bool:
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def _size_bytes(tree: Path) -> int:
    """Return the unzipped size of a tree; a link counts as its target, or as nothing when the target is missing."""
    total = 0
    for _, entry in files.entries(tree):
        with suppress(OSError):
            total += entry.stat().st_size
    return total


def _heaviest_bytecode(mount: Mount) -> tuple[Path, int]:
    """Return the tree of a function with the most bytecode, and the bytes of that bytecode."""
    trees = [mount.task, *(layer.tree for layer in mount.layers)]
    sizes = {tree: sum(path.stat().st_size for path in tree.rglob("__pycache__/*.pyc")) for tree in trees}
    return max(sizes.items(), key=lambda size: size[1])


def _link_problem(tree: Path, path: PurePosixPath) -> str:
    link = tree / path
    target = link.readlink()
    if target.is_absolute():
        return f"is a link to {target}, which does not exist on Lambda"
    if not link.resolve().is_relative_to(tree.resolve()):
        return f"is a link out of the tree, to {target}"
    return "" if link.exists() else f"is a link to {target}, which does not exist"


def _bytecode_problem(path: str) -> str:
    """Return the problem of a .pyc of this Python; empty when it has none or is for another Python.

    There are thousands of files, and a Path for each takes longer than to read it.
    """
    with open(path, "rb") as file:  # noqa: PTH123
        head = file.read(16)
    if head[:4] != importlib.util.MAGIC_NUMBER:
        return ""
    cache, _, name = path.rpartition("/")
    try:
        with open(f"{cache.removesuffix(_CACHE)}{_TAGS.sub('', name)}.py", "rb") as file:  # noqa: PTH123
            source = file.read()
    except (FileNotFoundError, IsADirectoryError):
        return _NO_SOURCE

    flags = int.from_bytes(head[4:8], "little")
    if flags not in {_UNCHECKED, _CHECKED}:
        return _TIMED
    if head[8:16] == importlib.util.source_hash(source):
        return ""
    return _OLD_CODE if flags == _UNCHECKED else _CHANGED


RULES: tuple[Rule, ...] = (
    Rule(
        "double-nesting",
        "Modules are where Lambda looks for them, not one folder deeper",
        "/opt/python/python and folders below /var/task are not on sys.path, so their modules cannot be imported.",
        check_nesting,
    ),
    Rule(
        "symlink-outside",
        "Every link points to a file inside its tree",
        "The target stays on the machine that built the tree; Lambda gets a broken link.",
        check_links,
    ),
    Rule(
        "stale-bytecode",
        "Bytecode matches the source beside it and is checked by content, not by time",
        "Lambda runs unchecked bytecode even when the source differs, and recompiles time-checked bytecode at every "
        "cold start.",
        check_bytecode,
    ),
    Rule(
        "too-large",
        "A function and its layers take at most 262,144,000 bytes unzipped",
        "CloudFormation refuses the function, minutes into the deployment.",
        check_size,
    ),
)
