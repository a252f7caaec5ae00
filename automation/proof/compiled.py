"""Rules about compiled files: they are there, and built for the function's architecture, Python and C library.

The files of one distribution give one finding, however many they are.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePosixPath

from packaging.tags import Tag, parse_tag

from automation.lambda_runtime import libraries
from automation.lambda_runtime.libraries import System
from automation.project.architectures import X86_64
from automation.project.model import Layer
from automation.proof import binaries, built_trees, elf, requirement_files
from automation.proof.binaries import Extension, Kind
from automation.proof.built_trees import BuiltTree, Distribution, Platform
from automation.proof.model import Fault, Rule, Severity, Subject, merged

_TEST_FOLDERS = frozenset({"tests", "test"})
_GLIBC = "GLIBC"
_PREFIXES = {"GLIBCXX": "GLIBCXX_", "CXXABI": "CXXABI_"}
_OF_MYPYC = "__mypyc"
_CPP_LIBRARY = "libstdc++.so.6"


@dataclass(frozen=True, slots=True)
class _File:
    path: PurePosixPath
    extension: Extension | None
    kind: Kind
    machine: str

    def runs_on(self, architecture: str) -> bool:
        named = self.extension.machine if self.extension else ""
        return self.kind is Kind.ELF and self.machine == architecture and named in {"", architecture}

    def is_for(self, minor: int) -> bool:
        return self.extension is not None and self.extension.is_for(minor)

    def actual_target(self, architecture: str) -> str:
        """Return the system or architecture of a file that does not run on `architecture`."""
        if self.kind is not Kind.ELF:
            return str(self.kind)
        return self.extension.machine if self.extension and self.machine == architecture else self.machine


@dataclass(frozen=True, slots=True)
class _Group:
    """The compiled files of one distribution in a tree, or those that no distribution lists."""

    tree: BuiltTree
    distribution: Distribution | None
    files: tuple[_File, ...]

    @property
    def name(self) -> str:
        return str(self.distribution) if self.distribution else ""

    @property
    def label(self) -> str:
        """Return the start of a message about the group."""
        return f"{self.name}: " if self.name else ""

    @property
    def tags(self) -> frozenset[Tag]:
        return _tags(self.distribution) if self.distribution else frozenset()

    def modules(self, minor: int) -> list[list[_File]]:
        """Return the files of each extension module that Python 3.`minor` needs: one per Python and architecture.

        Python ignores files with the tag of another system or version, and takes the source beside them. A library of
        mypyc is loaded by compiled modules alone.
        """
        files_by_module: dict[tuple[PurePosixPath, str], list[_File]] = {}
        for file in self.files:
            if file.extension:
                files_by_module.setdefault((file.path.parent, file.extension.module), []).append(file)
        return [files for files in files_by_module.values() if not self._is_replaced(files, minor)]

    def _is_replaced(self, files: list[_File], minor: int) -> bool:
        if any(file.is_for(minor) for file in files) or files[0].extension is None:
            return False
        name = files[0].extension.module
        return name.endswith(_OF_MYPYC) or (self.tree.folder / files[0].path.with_name(f"{name}.py")).is_file()


def check_machine(subject: Subject) -> Iterator[Fault]:
    for group, platform in _groups_by_platform(subject):
        foreign = _foreign_files(group, platform)
        # What the layer does not even declare is a fault of the template, which runtime-mismatch reports.
        if foreign and not _is_undeclared(group.tree, platform):
            targets = ", ".join(sorted({file.actual_target(platform.architecture) for file in foreign}))
            paths = built_trees.abbreviate(file.path for file in foreign)
            what = f"{group.label}built for {targets}, not for {platform.architecture} on Linux: {paths}"
            explains = group.tree.modules(file.path for file in foreign)
            fix = _machine_fix(group, foreign[0].path, platform, subject.project.root)
            yield Fault(group.tree.where, what, fix, explains=explains)


def check_python(subject: Subject) -> Iterator[Fault]:
    reported: set[tuple[str, Platform, str]] = set()
    for group, platform in _groups_by_platform(subject):
        files = chain.from_iterable(
            _files_for_other_pythons(module, platform.minor) for module in group.modules(platform.minor)
        )
        paths = [file.path for file in files]
        if paths:
            what = f"{group.label}not built for {platform.runtime}: {built_trees.abbreviate(paths)}"
            fix = requirement_files.install_for(
                group.tree, group.distribution, paths[0], platform, subject.project.root
            )
            yield Fault(group.tree.where, what, fix, explains=group.tree.modules(paths))
            reported.add((group.tree.where, platform, group.name))

    for tree in subject.built_trees:
        for platform in tree.platforms:
            names = {name for where, target, name in reported if (where, target) == (tree.where, platform)}
            yield from _wrong_tags(tree, platform, subject.project.root, reported=names)


def check_libc(subject: Subject) -> Iterator[Fault]:
    for group, platform in _groups_by_platform(subject):
        system = libraries.of_runtime(platform.minor)
        problem, family = _libc_problem(group, system, platform.minor)
        if problem:
            newest = f"{_PREFIXES.get(family, 'glibc ')}{_dotted(system.newest[family])}"
            what = f"{group.label}{problem}; {platform.runtime} has {newest}"
            # Only libstdc++ is updated in the life of a system.
            severity = Severity.ERROR if family == _GLIBC or system.is_frozen else Severity.WARNING
            explains = group.tree.modules(file.path for file in group.files)
            fix = f"replace it by one that was built on {system.name}"
            if group.distribution:
                fix = requirement_files.install_for(
                    group.tree, group.distribution, group.files[0].path, platform, subject.project.root
                )
            yield Fault(group.tree.where, what, fix, severity, explains)


def check_presence(subject: Subject) -> Iterator[Fault]:
    for tree in subject.built_trees:
        present = {_module_key(path) for path in tree.paths if binaries.is_shared(path)}
        for distribution in tree.distributions:
            site = PurePosixPath(distribution.site.relative_to(tree.folder).as_posix())
            needed = [path for path in sorted(distribution.listed) if _is_needed(path)]
            lost = [path for path in needed if _module_key(site / path) not in present]
            if lost:
                what = f"{distribution} lacks {built_trees.abbreviate(lost)}, which its RECORD lists"
                fix = requirement_files.install_again(tree, distribution, lost[0], subject.project.root)
                explains = built_trees.module_names(PurePosixPath(path) for path in lost)
                yield Fault(tree.where, what, fix, explains=explains)


def foreign_files(tree: BuiltTree, platform: Platform) -> list[PurePosixPath]:
    """Return the compiled files of a tree that its functions of one platform cannot load."""
    foreign = chain.from_iterable(_foreign_files(group, platform) for group in _groups(tree))
    return [file.path for file in foreign]


def _groups_by_platform(subject: Subject) -> Iterator[tuple[_Group, Platform]]:
    for tree in subject.built_trees:
        for group in _groups(tree):
            yield from ((group, platform) for platform in tree.platforms)


def _groups(tree: BuiltTree) -> list[_Group]:
    groups: dict[str, tuple[Distribution | None, list[_File]]] = {}
    for path in tree.paths:
        if binaries.is_shared(path):
            owner = tree.owner_of(path)
            groups.setdefault(owner.info if owner else "", (owner, []))[1].append(_file(tree, path))
    return [_Group(tree, owner, tuple(files)) for owner, files in groups.values()]


def _file(tree: BuiltTree, path: PurePosixPath) -> _File:
    full = tree.folder / path
    head = binaries.read_head(full) if full.is_file() else b""
    return _File(path, binaries.extension(path), binaries.kind_of(head), binaries.machine_of(head))


def _foreign_files(group: _Group, platform: Platform) -> list[_File]:
    """Return the files of modules that cannot be loaded, and the plain libraries when no file of the group can."""
    foreign = []
    for files in group.modules(platform.minor):
        candidates = [file for file in files if file.is_for(platform.minor)] or files
        if not any(file.runs_on(platform.architecture) for file in candidates):
            foreign += candidates

    is_pure = any(tag.platform == "any" for tag in group.tags)
    if not is_pure and not any(file.runs_on(platform.architecture) for file in group.files):
        foreign += [file for file in group.files if file.extension is None and file.kind is not Kind.OTHER]
    return foreign


def _files_for_other_pythons(files: list[_File], minor: int) -> list[_File]:
    """Return the Linux files of a module that this Python does not look for; empty when it looks for any of them."""
    if any(file.is_for(minor) for file in files):
        return []
    return [file for file in files if file.extension and file.extension.is_linux and not file.extension.is_musl]


def _wrong_tags(tree: BuiltTree, platform: Platform, root: Path, *, reported: set[str]) -> Iterator[Fault]:
    for distribution in tree.distributions:
        tags = _tags(distribution)
        if not tags or str(distribution) in reported or any(_fits(tag, platform.minor) for tag in tags):
            continue

        wheel = built_trees.abbreviate(sorted(map(str, tags)))
        what = f"{distribution} is a wheel for {wheel}, not for {platform.runtime}"
        # A compiled module without a version in its name is loaded, and fails.
        severity = Severity.ERROR if _has_untagged_module(distribution.listed) else Severity.WARNING
        explains = built_trees.module_names(PurePosixPath(path) for path in distribution.listed)
        fix = requirement_files.install_for(tree, distribution, tree.info(distribution) / "WHEEL", platform, root)
        yield Fault(tree.where, what, fix, severity, explains)


def _has_untagged_module(paths: Iterable[str]) -> bool:
    extensions = (binaries.extension(PurePosixPath(path)) for path in paths)
    return any(extension is not None and extension.minor is None for extension in extensions)


def _tags(distribution: Distribution) -> frozenset[Tag]:
    texts = (text for text in distribution.tags if text.count("-") == 2)
    return frozenset(chain.from_iterable(parse_tag(text) for text in texts))


def _fits(tag: Tag, minor: int) -> bool:
    """Return whether CPython 3.`minor` may use a wheel of this tag, apart from its platform."""
    kind, major, digits = tag.interpreter[:2], tag.interpreter[2:3], tag.interpreter[3:]
    if kind not in {"cp", "py"} or major != "3" or not (digits.isdigit() or not digits):
        return False
    least = int(digits or 0)
    return least == minor if tag.abi.startswith("cp") else least <= minor


def _libc_problem(group: _Group, system: System, minor: int) -> tuple[str, str]:
    """Return what a group needs of the C or C++ library that the runtime lacks, and the family of the symbols.

    The first is empty when the runtime lacks nothing.
    """
    linux = [tag.platform for tag in group.tags if "linux" in tag.platform]
    if linux and all(platform.startswith("musllinux") for platform in linux):
        return f"a wheel for musl ({built_trees.abbreviate(sorted(linux))})", _GLIBC

    only_files = [files[0] for files in group.modules(minor) if len(files) == 1]
    musl = [file.path for file in only_files if file.extension and file.extension.is_musl]
    if musl:
        return f"{built_trees.abbreviate(musl)} is for musl", _GLIBC

    promised = [glibc for platform in linux if (glibc := _glibc_of(platform)) is not None]
    if promised and (2, min(promised)) > system.newest[_GLIBC]:
        return f"a wheel for glibc 2.{min(promised)} or newer", _GLIBC
    return _libc_problem_by_symbols(group, system)


def _libc_problem_by_symbols(group: _Group, system: System) -> tuple[str, str]:
    """Check the symbols that the files import: the tags of a wheel may promise nothing, or too much."""
    brings_cpp = any(path.name == _CPP_LIBRARY for path in group.tree.paths)
    families = [_GLIBC] if brings_cpp else list(system.newest)
    for file in group.files:
        dynamic = elf.read(group.tree.folder / file.path) if file.kind is Kind.ELF else None
        if dynamic is not None:
            if any(name.startswith("libc.musl-") for name in dynamic.needed):
                return f"{file.path} is linked to musl", _GLIBC
            for family in families:
                if (needed := dynamic.newest_version(family)) > system.newest[family]:
                    return f"{file.path} needs {_PREFIXES.get(family, 'glibc ')}{_dotted(needed)}", family
    return "", ""


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _glibc_of(platform: str) -> int | None:
    """Return the 17 of `manylinux_2_17_x86_64`, or None for a platform that is not manylinux."""
    old = {"manylinux1": 5, "manylinux2010": 12, "manylinux2014": 17}
    name, _, rest = platform.partition("_")
    if name == "manylinux":
        minor = rest.split("_")[1]
        return int(minor) if minor.isdigit() else None
    return old.get(name)


def _is_needed(path: str) -> bool:
    parts = path.split("/")
    return binaries.is_shared(PurePosixPath(parts[-1])) and ".." not in parts and not _TEST_FOLDERS & set(parts[:-1])


def _module_key(path: PurePosixPath) -> tuple[PurePosixPath, str]:
    """Return a key that all files of one module share, whichever Python they were built for."""
    extension = binaries.extension(path)
    return path.parent, f"{extension.module}.*" if extension else path.name


def _is_undeclared(tree: BuiltTree, platform: Platform) -> bool:
    owner = tree.owner
    return isinstance(owner, Layer) and built_trees.is_excluded((platform.architecture,), owner.architectures)


def _machine_fix(group: _Group, path: PurePosixPath, platform: Platform, root: Path) -> str:
    tree, owner, own = group.tree, group.tree.owner, platform.architecture
    if isinstance(owner, Layer) and owner.metadata.get("BuildMethod"):
        if len({entry.architecture for entry in tree.platforms}) > 1:
            layer = owner.logical_id
            return f"set the same Architectures for all functions that mount {layer}: it is built for only one"
        if next(iter(owner.architectures), X86_64) != own:
            return f"put {own} first in CompatibleArchitectures of {owner.logical_id}, and run inv build"
    return requirement_files.install_for(tree, group.distribution, path, platform, root)


RULES: tuple[Rule, ...] = (
    Rule(
        "wrong-machine",
        "Compiled files are for Linux and for the function's architecture",
        "The loader refuses the file, and the import fails as if `pydantic_core._pydantic_core` were missing.",
        merged(check_machine),
    ),
    Rule(
        "wrong-python",
        "Compiled modules are for the function's Python version",
        "Python ignores a module that is tagged for another version, so the import finds no module.",
        merged(check_python),
    ),
    Rule(
        "wrong-libc",
        "Compiled files need no other C or C++ library than the runtime's",
        "Lambda has glibc 2.34 from python3.12 on and 2.26 before, and no musl: the loader refuses the file.",
        merged(check_libc),
    ),
    Rule(
        "missing-extension",
        "Every compiled file of an installed wheel is in the tree",
        "The package is there without its compiled part, so its import fails.",
        merged(check_presence),
    ),
)
