"""What a compiled file says of itself: by its first bytes, its name, and the symbols it asks for."""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

MACHINES = {62: "x86_64", 183: "arm64", 3: "x86 (32 bit)", 40: "arm (32 bit)", 243: "riscv64", 21: "ppc64", 22: "s390x"}
_MACH_O = tuple(bytes.fromhex(magic) for magic in ("feedface", "feedfacf", "cefaedfe", "cffaedfe", "cafebabe"))
_NAME = re.compile(
    r"^(?P<module>[A-Za-z_]\w*)"
    r"(?:\.(?P<abi>cpython-(?P<minor>3\d+)t?(?:-(?P<platform>[\w-]+))?|abi3|pypy[\w-]+|cp(?P<windows>3\d+)-[\w-]+))?"
    r"\.(?P<suffix>so|pyd)$"
)
_NAMED_MACHINES = {"x86_64": "x86_64", "aarch64": "arm64"}
_SHARED = re.compile(r"\.(so(\.\d+)*|dylib|pyd|dll)$")
_GLIBC = re.compile(rb"\0GLIBC_2\.(\d+)(?:\.\d+)?(?=\0)")
_MUSL = b"\0libc.musl-"


class Kind(StrEnum):
    """The system that a compiled file is for."""

    ELF = "Linux"
    MACH_O = "macOS"
    PE = "Windows"
    OTHER = "no system"


@dataclass(frozen=True, slots=True)
class Extension:
    """What the name of an extension module tells.

    Attributes:
        module: its name for `import`.
        abi: the tag in its name; empty when it has none, which any Python tries to load.
        minor: 12 of `cpython-312`; None when any minor version may load it.
        machine: that of its tag, as templates name it; empty when the name tells none.
        is_musl: its tag is one that only a musl Python looks for.
    """

    module: str
    abi: str
    minor: int | None
    machine: str
    is_musl: bool
    is_linux: bool

    def is_for(self, minor: int) -> bool:
        """Does a Linux CPython 3.<minor> look for a file of this name?"""
        return self.is_linux and not self.is_musl and not self.abi.startswith("pypy") and self.minor in {None, minor}


def extension(path: PurePosixPath) -> Extension | None:
    """What the file's name says, when it is one of an extension module. `libx.so` is taken as a plain library."""
    match = _NAME.match(path.name)
    if match is None or (match["abi"] is None and match["module"].startswith("lib")):
        return None
    digits, platform = match["minor"] or match["windows"], match["platform"] or ""
    return Extension(
        module=match["module"],
        abi=match["abi"] or "",
        minor=int(digits[1:]) if digits else None,
        machine=_NAMED_MACHINES.get(platform.partition("-")[0], ""),
        is_musl=platform.endswith("-musl"),
        is_linux=match["suffix"] == "so" and not platform.startswith("darwin"),
    )


def is_shared(path: PurePosixPath) -> bool:
    """Is it named like a shared library or an extension module, of any system?"""
    return _SHARED.search(path.name) is not None


def kind_of(head: bytes) -> Kind:
    if head.startswith(b"\x7fELF"):
        return Kind.ELF
    if head.startswith(_MACH_O):
        return Kind.MACH_O
    return Kind.PE if head.startswith(b"MZ") else Kind.OTHER


def machine_of(head: bytes) -> str:
    """The architecture of an ELF file from its first 20 bytes, as templates name it; else its number."""
    order = "big" if head[5:6] == b"\x02" else "little"
    number = int.from_bytes(head[18:20], order)  # type: ignore[arg-type] # one of the two literals
    return MACHINES.get(number, f"machine {number}")


def read_head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(20)


def glibc_wanted(content: bytes) -> int:
    """The newest glibc 2.x that an ELF file asks for; 0 when it asks for none."""
    return max((int(match[1]) for match in _GLIBC.finditer(content)), default=0)


def is_linked_to_musl(content: bytes) -> bool:
    return _MUSL in content
