"""Find out what a compiled file needs, from its first bytes, its name and the symbols it imports."""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from automation.project.architectures import ARM64, X86_64, from_machine

# e_machine of the ELF header.
MACHINES = {62: X86_64, 183: ARM64, 3: "x86 (32 bit)", 40: "arm (32 bit)", 243: "riscv64", 21: "ppc64", 22: "s390x"}
_MACH_O = tuple(bytes.fromhex(magic) for magic in ("feedface", "feedfacf", "cefaedfe", "cffaedfe", "cafebabe"))
_NAME = re.compile(
    r"^(?P<module>[A-Za-z_]\w*)"
    r"(?:\.(?P<abi>cpython-(?P<minor>3\d+)t?(?:-(?P<platform>[\w-]+))?|abi3|pypy[\w-]+|cp(?P<windows>3\d+)-[\w-]+))?"
    r"\.(?P<suffix>so|pyd)$"
)
_SHARED = re.compile(r"\.(so(\.\d\w*)*|dylib|pyd|dll)$")


class Kind(StrEnum):
    """The operating system that a compiled file runs on."""

    ELF = "Linux"
    MACH_O = "macOS"
    PE = "Windows"
    OTHER = "no system"


@dataclass(frozen=True, slots=True)
class Extension:
    """The facts in the file name of an extension module.

    Attributes:
        module: its name for `import`.
        abi: the tag in its name; empty when it has none, so that any Python tries to load it.
        minor: 12 for `cpython-312`; None when any minor version may load it.
        machine: the architecture of its tag, as templates name it; empty when the tag names none.
        is_musl: only a musl Python looks for its tag.
    """

    module: str
    abi: str
    minor: int | None
    machine: str
    is_musl: bool
    is_linux: bool

    def is_for(self, minor: int) -> bool:
        """Return whether CPython 3.`minor` on Linux looks for a file of this name."""
        return self.is_linux and not self.is_musl and not self.abi.startswith("pypy") and self.minor in {None, minor}


def extension(path: PurePosixPath) -> Extension | None:
    """Parse the file name of an extension module; None for any other file. `libx.so` counts as a plain library."""
    match = _NAME.match(path.name)
    if match is None or (match["abi"] is None and match["module"].startswith("lib")):
        return None

    digits, platform = match["minor"] or match["windows"], match["platform"] or ""
    return Extension(
        module=match["module"],
        abi=match["abi"] or "",
        minor=int(digits[1:]) if digits else None,
        machine=from_machine(platform.partition("-")[0]) or "",
        is_musl=platform.endswith("-musl"),
        is_linux=match["suffix"] == "so" and not platform.startswith("darwin"),
    )


def is_shared(path: PurePosixPath) -> bool:
    """Return whether a file has the name of a shared library or an extension module, of any system."""
    return _SHARED.search(path.name) is not None


def kind_of(head: bytes) -> Kind:
    if head.startswith(b"\x7fELF"):
        return Kind.ELF
    if head.startswith(_MACH_O):
        return Kind.MACH_O
    return Kind.PE if head.startswith(b"MZ") else Kind.OTHER


def machine_of(head: bytes) -> str:
    """Return the architecture of an ELF file as templates name it, or `machine <number>` when it has no such name.

    Args:
        head: at least the first 20 bytes.
    """
    order = "big" if head[5:6] == b"\x02" else "little"
    number = int.from_bytes(head[18:20], order)  # type: ignore[arg-type] # one of the two literals
    return MACHINES.get(number, f"machine {number}")


def read_head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(20)
