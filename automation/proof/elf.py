"""Read what the loader reads of an ELF file: the libraries that it needs, where it looks for them, symbol versions.

Only the dynamic section and its tables are read, never the whole file. Source: the System V ABI, chapter 5, and the
Linux Standard Base, 10.7 (symbol versions).
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_LOAD, _DYNAMIC = 1, 2
_NULL, _NEEDED, _STRTAB, _STRSZ, _SONAME, _RPATH, _RUNPATH = 0, 1, 5, 10, 14, 15, 29
_VERNEED, _VERNEEDNUM = 0x6FFFFFFE, 0x6FFFFFFF
_MAX_TABLE_BYTES = 64 * 1024 * 1024
_HEADER_BYTES, _HEADER_BYTES_32 = 64, 52
# A file with compressed relocations asks for this instead of a number. Source: the news of glibc 2.36.
_VERSION_OF_FEATURE = {"GLIBC_ABI_DT_RELR": "GLIBC_2.36"}
_VERSION = re.compile(r"(?P<family>[A-Z]+)_(?P<numbers>\d+(\.\d+)*)")


@dataclass(frozen=True, slots=True)
class Dynamic:
    """What the loader reads of an ELF file.

    Attributes:
        machine: the number of its architecture, as `binaries.MACHINES` has them.
        needed: the names of the libraries to load with it.
        soname: the name under which it satisfies the needs of others once it is loaded; empty when it has none.
        search_path: the folders of its RUNPATH, or otherwise of its RPATH; they may begin with `$ORIGIN`.
        versions: pairs of a library and a version of symbols that it must have, such as `libc.so.6`, `GLIBC_2.17`.
    """

    machine: int = 0
    needed: tuple[str, ...] = ()
    soname: str = ""
    search_path: tuple[str, ...] = ()
    versions: tuple[tuple[str, str], ...] = ()

    def newest_version(self, family: str) -> tuple[int, ...]:
        """Return the newest version of a family of symbols that the file needs, (2, 17) for GLIBC_2.17; else ()."""
        matches = (_VERSION.fullmatch(_VERSION_OF_FEATURE.get(version, version)) for _, version in self.versions)
        numbers = (match["numbers"].split(".") for match in matches if match and match["family"] == family)
        return max((tuple(map(int, parts)) for parts in numbers), default=())


def read(path: Path) -> Dynamic | None:
    """Return what the loader reads of a file; None when it is no ELF file, or a damaged one."""
    try:
        with path.open("rb") as file:
            return _Reader(file).dynamic()
    except (OSError, struct.error, ValueError, UnicodeDecodeError):
        return None


class _Reader:
    """Reads one file; addresses in memory are translated to offsets by the segments that are loaded."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        head = file.read(_HEADER_BYTES)
        if head[:4] != b"\x7fELF" or len(head) < _HEADER_BYTES_32:
            raise ValueError("no ELF file")
        self.is_64 = head[4] == 2
        self.order = ">" if head[5] == 2 else "<"
        self.machine = self._unpack("H", head, 18)
        if self.is_64:
            offset, size, count = self._unpack("Q", head, 32), self._unpack("H", head, 54), self._unpack("H", head, 56)
        else:
            offset, size, count = self._unpack("I", head, 28), self._unpack("H", head, 42), self._unpack("H", head, 44)
        table = self._bytes(offset, size * count)
        self.segments = [self._segment(table[at : at + size]) for at in range(0, len(table), size)]

    def dynamic(self) -> Dynamic:
        entries = list(self._entries())
        values = dict(entries)
        strings = self._bytes(self._offset(values[_STRTAB]), values[_STRSZ]) if _STRTAB in values else b""
        paths = _text(strings, values[_RUNPATH] if _RUNPATH in values else values.get(_RPATH, 0))
        return Dynamic(
            machine=self.machine,
            needed=tuple(_text(strings, value) for tag, value in entries if tag == _NEEDED),
            soname=_text(strings, values.get(_SONAME, 0)),
            search_path=tuple(folder for folder in paths.split(":") if folder),
            versions=tuple(self._versions(values, strings)),
        )

    def _entries(self) -> Iterator[tuple[int, int]]:
        """Yield the tags and values of the dynamic section, up to its end."""
        entry = struct.Struct(self.order + ("qQ" if self.is_64 else "iI"))
        for kind, offset, _, size in self.segments:
            if kind == _DYNAMIC:
                section = self._bytes(offset, size)
                for tag, value in entry.iter_unpack(section[: len(section) - len(section) % entry.size]):
                    if tag == _NULL:
                        return
                    yield tag, value

    def _versions(self, values: dict[int, int], strings: bytes) -> Iterator[tuple[str, str]]:
        """Yield the library and the name of each version that the file needs."""
        if _VERNEED not in values:
            return
        at = self._offset(values[_VERNEED])
        for _ in range(values.get(_VERNEEDNUM, 0)):
            _, count, library, first, following = struct.unpack(f"{self.order}HHIII", self._bytes(at, 16))
            each = at + first
            for _ in range(count):
                _, _, _, name, step = struct.unpack(f"{self.order}IHHII", self._bytes(each, 16))
                yield _text(strings, library), _text(strings, name)
                each += step
            at += following

    def _segment(self, entry: bytes) -> tuple[int, int, int, int]:
        """Return the kind, the offset, the address and the size in the file of one segment."""
        if self.is_64:
            kind, _, offset, address, _, size = struct.unpack_from(f"{self.order}IIQQQQ", entry)
        else:
            kind, offset, address, _, size = struct.unpack_from(f"{self.order}IIIII", entry)
        return kind, offset, address, size

    def _offset(self, address: int) -> int:
        for kind, offset, start, size in self.segments:
            if kind == _LOAD and start <= address < start + size:
                return offset + address - start
        raise ValueError("an address outside of every segment")

    def _bytes(self, offset: int, count: int) -> bytes:
        if count > _MAX_TABLE_BYTES:
            raise ValueError("a table that is too large")
        self.file.seek(offset)
        return self.file.read(count)

    def _unpack(self, kind: str, content: bytes, offset: int) -> int:
        return int(struct.unpack_from(self.order + kind, content, offset)[0])


def _text(strings: bytes, start: int) -> str:
    """Return the string that begins at an offset of a string table; the first one is empty."""
    return strings[start : strings.index(b"\0", start)].decode() if start < len(strings) else ""
