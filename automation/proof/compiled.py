"""Rules about compiled files: for which machine, which Python and which libc they were made, and that they are there.

The files of one distribution make one finding, whatever their number.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from packaging.tags import Tag, parse_tag

from automation.proof import binaries, places
from automation.proof.binaries import Extension, Kind
from automation.proof.model import Fault, Rule, Severity, Subject
from automation.proof.places import Distribution, Place, Target

_PLATFORMS = {"x86_64": "x86_64-manylinux2014", "arm64": "aarch64-manylinux2014"}
_TEST_FOLDERS = frozenset({"tests", "test"})
# The older runtimes are on Amazon Linux 2, the others on Amazon Linux 2023: glibc 2.26 and 2.34.
_FIRST_ON_AL2023, _AL2_GLIBC, _AL2023_GLIBC = 12, 26, 34


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

    def made_for(self, architecture: str) -> str:
        """What it is for in place of this architecture."""
        if self.kind is not Kind.ELF:
            return str(self.kind)
        return self.extension.machine if self.extension and self.machine == architecture else self.machine


@dataclass(frozen=True, slots=True)
class _Group:
    """The compiled files of one distribution in a tree, or of none."""

    place: Place
    distribution: Distribution | None
    files: tuple[_File, ...]

    @property
    def name(self) -> str:
        return str(self.distribution) if self.distribution else "no distribution's"

    @property
    def tags(self) -> frozenset[Tag]:
        return _tags(self.distribution) if self.distribution else frozenset()

    def modules(self) -> list[list[_File]]:
        """The files that are one module, made for one Python or another."""
        found: dict[tuple[PurePosixPath, str], list[_File]] = {}
        for file in self.files:
            if file.extension:
                found.setdefault((file.path.parent, file.extension.module), []).append(file)
        return list(found.values())


def check_machine(subject: Subject) -> Iterator[Fault]:
    for group, target in _groups_by_target(subject):
        foreign = _foreign(group, target)
        if foreign:
            made_for = ", ".join(sorted({file.made_for(target.architecture) for file in foreign}))
            what = (
                f"{group.name} {places.some(file.path for file in foreign)} made for {made_for}, "
                f"not for {target.architecture} on Linux"
            )
            explains = group.place.modules(file.path for file in foreign)
            yield Fault(group.place.where, what, _install(target), explains=explains)


def check_python(subject: Subject) -> Iterator[Fault]:
    told: set[tuple[str, Target, str]] = set()
    for group, target in _groups_by_target(subject):
        others = [file.path for files in group.modules() for file in _of_other_pythons(files, target.minor)]
        if others:
            what = f"{group.name} {places.some(others)} is not for {target.runtime}"
            yield Fault(group.place.where, what, _install(target), explains=group.place.modules(others))
            told.add((group.place.where, target, group.name))
    for place in subject.places:
        for target in place.targets:
            silent = {name for where, other, name in told if (where, other) == (place.where, target)}
            yield from _wrong_tags(place, target, silent)


def check_libc(subject: Subject) -> Iterator[Fault]:
    for group, target in _groups_by_target(subject):
        has = _AL2023_GLIBC if target.minor >= _FIRST_ON_AL2023 else _AL2_GLIBC
        wanted = _libc_fault(group, has)
        if wanted:
            what = f"{group.name}: {wanted}; {target.runtime} has glibc 2.{has}"
            explains = group.place.modules(file.path for file in group.files)
            yield Fault(group.place.where, what, _install(target), explains=explains)


def check_presence(subject: Subject) -> Iterator[Fault]:
    for place in subject.places:
        present = {_module(path) for path in place.paths}
        for one in place.distributions:
            base = PurePosixPath(one.site.relative_to(place.tree).as_posix())
            lost = [path for path in sorted(one.listed) if _is_needed(path) and _module(base / path) not in present]
            if lost:
                what = f"{one} has no {places.some(lost)}, which its RECORD lists"
                mend = "run inv build --force; a vendored one has to be installed again, with its compiled files"
                explains = places.module_names(PurePosixPath(path) for path in lost)
                yield Fault(place.where, what, mend, explains=explains)


def _groups_by_target(subject: Subject) -> Iterator[tuple[_Group, Target]]:
    for place in subject.places:
        for group in _groups(place):
            yield from ((group, target) for target in place.targets)


def _groups(place: Place) -> list[_Group]:
    found: dict[str, tuple[Distribution | None, list[_File]]] = {}
    for path in place.paths:
        if binaries.is_shared(path):
            owner = place.owner_of(path)
            found.setdefault(owner.info if owner else "", (owner, []))[1].append(_file(place, path))
    return [_Group(place, owner, tuple(held)) for owner, held in found.values()]


def _file(place: Place, path: PurePosixPath) -> _File:
    full = place.tree / path
    head = binaries.read_head(full) if full.is_file() else b""
    return _File(path, binaries.extension(path), binaries.kind_of(head), binaries.machine_of(head))


def _foreign(group: _Group, target: Target) -> list[_File]:
    """The files of a module that none can be loaded of; the plain libraries when nothing of the group can."""
    found = []
    for files in group.modules():
        looked_for = [file for file in files if file.is_for(target.minor)] or files
        if not any(file.runs_on(target.architecture) for file in looked_for):
            found += looked_for
    for_any = any(tag.platform == "any" for tag in group.tags)
    if not for_any and not any(file.runs_on(target.architecture) for file in group.files):
        found += [file for file in group.files if file.extension is None and file.kind is not Kind.OTHER]
    return found


def _of_other_pythons(files: list[_File], minor: int) -> list[_File]:
    """A module's files when none is looked for by this Python, those of other systems left out."""
    ours = [file for file in files if file.extension and file.extension.is_linux and not file.extension.is_musl]
    return [] if any(file.is_for(minor) for file in files) else ours


def _wrong_tags(place: Place, target: Target, silent: set[str]) -> Iterator[Fault]:
    for one in place.distributions:
        tags = _tags(one)
        if not tags or str(one) in silent or any(_fits(tag, target.minor) for tag in tags):
            continue
        modules = [made for path in one.listed if (made := binaries.extension(PurePosixPath(path)))]
        is_certain = any(made.minor is None for made in modules)
        what = f"{one} is a wheel for {places.some(sorted(map(str, tags)))}, not for {target.runtime}"
        severity = Severity.ERROR if is_certain else Severity.WARNING
        explains = places.module_names(PurePosixPath(path) for path in one.listed)
        yield Fault(place.where, what, _install(target), severity, explains)


def _tags(one: Distribution) -> frozenset[Tag]:
    return frozenset(tag for text in one.tags if text.count("-") == 2 for tag in parse_tag(text))


def _fits(tag: Tag, minor: int) -> bool:
    """May CPython 3.<minor> use a wheel of this tag, its platform apart?"""
    kind, major, digits = tag.interpreter[:2], tag.interpreter[2:3], tag.interpreter[3:]
    if kind not in {"cp", "py"} or major != "3" or not (digits.isdigit() or not digits):
        return False
    least = int(digits or 0)
    return least == minor if tag.abi.startswith("cp") else least <= minor


def _libc_fault(group: _Group, has: int) -> str:
    """What this group asks of the C library that is not there, in words; nothing when all is well."""
    linux = [tag.platform for tag in group.tags if "linux" in tag.platform]
    many = [glibc for platform in linux if (glibc := _glibc_of(platform)) is not None]
    if linux and all(platform.startswith("musllinux") for platform in linux):
        return f"a wheel for musl ({places.some(sorted(linux))})"
    named = [f.path for fs in group.modules() for f in fs if f.extension and f.extension.is_musl and len(fs) == 1]
    if named:
        return f"{places.some(named)} is for musl"
    if many:
        return f"a wheel for glibc 2.{min(many)} or newer" if min(many) > has else ""
    return _wanted_by_symbols(group, has)


def _wanted_by_symbols(group: _Group, has: int) -> str:
    """Where no tag promises anything, what the files themselves ask for."""
    for file in group.files:
        if file.kind is Kind.ELF:
            content = (group.place.tree / file.path).read_bytes()
            if binaries.is_linked_to_musl(content):
                return f"{file.path} is linked to musl"
            if (wanted := binaries.glibc_wanted(content)) > has:
                return f"{file.path} asks for glibc 2.{wanted}"
    return ""


def _glibc_of(platform: str) -> int | None:
    """The 17 of `manylinux_2_17_x86_64`; None when it is no manylinux platform."""
    old = {"manylinux1": 5, "manylinux2010": 12, "manylinux2014": 17}
    name, _, rest = platform.partition("_")
    if name == "manylinux":
        minor = rest.split("_")[1]
        return int(minor) if minor.isdigit() else None
    return old.get(name)


def _is_needed(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return binaries.is_shared(PurePosixPath(path)) and ".." not in parts and not _TEST_FOLDERS & set(parts[:-1])


def _module(path: PurePosixPath) -> tuple[PurePosixPath, str]:
    """What is the same for the same module made for another Python."""
    made = binaries.extension(path)
    return path.parent, f"{made.module}.*" if made else path.name


def _install(target: Target) -> str:
    platform = _PLATFORMS.get(target.architecture, target.architecture)
    version = target.runtime.removeprefix("python")
    vendored = f"uv pip install --python-platform {platform} --python-version {version} --only-binary :all: --target …"
    return f"run inv build for {target.runtime} on {target.architecture}; where it was vendored: {vendored}"


RULES: tuple[Rule, ...] = (
    Rule(
        "wrong-machine",
        "Compiled files are for the function's architecture, on Linux",
        "The loader refuses the file, and Lambda says that there is no module, such as `pydantic_core._pydantic_core`.",
        check_machine,
    ),
    Rule(
        "wrong-python",
        "Compiled modules are for the function's Python",
        "Python does not look for a module that is tagged for another version, and says that there is none.",
        check_python,
    ),
    Rule(
        "wrong-libc",
        "Compiled files ask for no other C library than the runtime's",
        "Lambda has glibc 2.34 from python3.12 on, 2.26 before, and no musl: the loader refuses the file.",
        check_libc,
    ),
    Rule(
        "missing-extension",
        "Every compiled file that a wheel brought is in the tree",
        "The package is there and its compiled half is not: its import fails.",
        check_presence,
    ),
)
