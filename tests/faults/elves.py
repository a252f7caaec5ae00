"""Write small ELF files that need what a test says."""

import struct
from collections.abc import Mapping, Sequence

from tests.faults.bakery import X86_64

_HEADER_BYTES, _SEGMENT_BYTES = 64, 56
_NEEDED, _STRTAB, _STRSZ, _SONAME, _RPATH, _RUNPATH = 1, 5, 10, 14, 15, 29
_VERNEED, _VERNEEDNUM = 0x6FFFFFFE, 0x6FFFFFFF


def shared_object(
    needed: Sequence[str] = (),
    *,
    machine: int = X86_64,
    soname: str = "",
    runpath: str = "",
    rpath: str = "",
    versions: Mapping[str, Sequence[str]] | None = None,
) -> bytes:
    """Return a shared object of 64 bits with one segment, which is loaded at address 0x1000.

    Args:
        versions: the versions of symbols that it needs, by library.
    """
    strings = _Strings()
    entries = [(_NEEDED, strings.add(name)) for name in needed]
    entries += [
        (tag, strings.add(text)) for tag, text in ((_SONAME, soname), (_RUNPATH, runpath), (_RPATH, rpath)) if text
    ]
    table = _versions(versions or {}, strings)

    start = _HEADER_BYTES + 2 * _SEGMENT_BYTES
    count = len(entries) + 3 + (2 if table else 0)
    table_at = start + 16 * count
    strings_at = table_at + len(table)
    entries += [(_STRTAB, 0x1000 + strings_at), (_STRSZ, len(strings.content))]
    entries += [(_VERNEED, 0x1000 + table_at), (_VERNEEDNUM, len(versions or {}))] if table else []
    dynamic = b"".join(struct.pack("<qQ", *entry) for entry in [*entries, (0, 0)])

    body = dynamic + table + strings.content
    segments = _segment(1, 0, 0x1000, start + len(body)) + _segment(2, start, 0x1000 + start, len(dynamic))
    return _header(machine) + segments + body


class _Strings:
    """A string table that grows."""

    def __init__(self) -> None:
        self.content = b"\0"

    def add(self, text: str) -> int:
        start = len(self.content)
        self.content += text.encode() + b"\0"
        return start


def _versions(versions: Mapping[str, Sequence[str]], strings: _Strings) -> bytes:
    table = b""
    for number, (library, names) in enumerate(versions.items(), start=1):
        size = 16 + 16 * len(names)
        following = size if number < len(versions) else 0
        table += struct.pack("<HHIII", 1, len(names), strings.add(library), 16, following)
        for position, name in enumerate(names, start=1):
            step = 16 if position < len(names) else 0
            table += struct.pack("<IHHII", 0, 0, 0, strings.add(name), step)
    return table


def _segment(kind: int, offset: int, address: int, size: int) -> bytes:
    return struct.pack("<IIQQQQQQ", kind, 0, offset, address, address, size, size, 0x1000)


def _header(machine: int) -> bytes:
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    fields = (3, machine, 1, 0, _HEADER_BYTES, 0, 0, _HEADER_BYTES, _SEGMENT_BYTES, 2, 0, 0, 0)
    return ident + struct.pack("<HHIQQQIHHHHHH", *fields)
