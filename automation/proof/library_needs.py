"""Find out how certain it is that a compiled file of a distribution is loaded when a function is imported."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import PurePosixPath

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from automation.proof import binaries, module_facts
from automation.proof.built_trees import BuiltTree, Distribution
from automation.proof.elf import Dynamic

_IMPORT = re.compile(r"(?m)^\s*(?:from\s+(\w+)|import\s+([^\n#;]+))")
NEWEST_MINOR = 14
_LOADING = (b"ctypes", b"dlopen")


def loaded_files(tree: BuiltTree, files: Mapping[PurePosixPath, Dynamic], minor: int) -> set[PurePosixPath]:
    """Return the files of a tree that are loaded when everything in it is imported.

    These are the modules for this Python, the libraries of distributions that have no module and load them through
    ctypes, and what these need in turn.
    """
    by_name = {path.name: path for path in files}
    waiting = [path for path in files if (module := binaries.extension(path)) and module.is_for(minor)]
    with_modules = {tree.owner_of(path) for path in waiting}
    for path in files:
        owner = tree.owner_of(path)
        if owner and owner not in with_modules and binaries.is_shared(path) and _loads_libraries(tree, owner):
            waiting.append(path)

    loaded: set[PurePosixPath] = set()
    while waiting:
        path = waiting.pop()
        if path not in loaded:
            loaded.add(path)
            waiting += [by_name[name] for name in files[path].needed if name in by_name]
    return loaded


def imported_distributions(trees: Iterable[BuiltTree]) -> frozenset[str]:
    """Return the distributions that the project's own code in these trees imports, and those that they require."""
    all_trees = list(trees)
    every = chain.from_iterable(tree.distributions for tree in all_trees)
    distributions = {entry.name: entry for entry in every}
    tops = frozenset(chain.from_iterable(map(_tops_imported, all_trees)))
    waiting = [name for name, entry in distributions.items() if tops & _tops_of(entry)]
    imported: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in distributions and name not in imported:
            imported.add(name)
            waiting += _required(distributions[name])
    return frozenset(imported)


def is_optional(tree: BuiltTree, path: PurePosixPath) -> bool:
    """Return whether the distribution of a compiled module does without it: each of its imports catches a failure."""
    module, owner = binaries.extension(path), tree.owner_of(path)
    if module is None or owner is None:
        return False
    naming = (code for code in _sources(tree, owner) if module.module.encode() in code)
    caught = list(chain.from_iterable(_imports_of(module.module, code) for code in naming))
    return bool(caught) and all(caught)


def caught_nodes(tree: ast.Module) -> set[ast.AST]:
    """Return the nodes of a module whose failure an except clause around them catches."""
    caught: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Try) and node.handlers:
            caught |= set(chain.from_iterable(ast.walk(statement) for statement in node.body))
    return caught


def _imports_of(module: str, code: bytes) -> Iterator[bool]:
    """Yield for each import of a module whether the code around it catches its failure."""
    try:
        parsed = module_facts.parse(code, NEWEST_MINOR)
    except (SyntaxError, ValueError):
        return
    caught = caught_nodes(parsed)
    for node in ast.walk(parsed):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names]
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            if module in {name.rpartition(".")[2] for name in names}:
                yield node in caught


def _loads_libraries(tree: BuiltTree, owner: Distribution) -> bool:
    return any(any(sign in code for sign in _LOADING) for code in _sources(tree, owner))


def _sources(tree: BuiltTree, owner: Distribution) -> Iterator[bytes]:
    for path in tree.paths:
        if path.suffix == ".py" and tree.owner_of(path) is owner:
            yield (tree.folder / path).read_bytes()


def _tops_of(distribution: Distribution) -> frozenset[str]:
    tops = (path.partition("/")[0] for path in distribution.listed if not path.startswith("bin/"))
    return frozenset(top.partition(".")[0] for top in tops)


def _tops_imported(tree: BuiltTree) -> Iterator[str]:
    """Yield the top-level names that the project's own modules in a tree import."""
    for path in tree.paths:
        if path.suffix == ".py" and tree.owner_of(path) is None:
            text = (tree.folder / path).read_text(encoding="utf-8", errors="replace")
            for origin, names in _IMPORT.findall(text):
                yield from (name.split()[0].partition(".")[0] for name in (origin or names).split(",") if name.strip())


def _required(distribution: Distribution) -> Iterator[str]:
    for text in distribution.requires:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        if requirement.marker is None or "extra" not in str(requirement.marker):
            yield canonicalize_name(requirement.name)
