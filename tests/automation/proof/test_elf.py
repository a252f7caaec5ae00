import struct
from pathlib import Path
from typing import Any

import pytest

from automation.proof import elf
from automation.proof.elf import Dynamic
from tests.faults.bakery import ARM64, X86_64
from tests.faults.elves import shared_object


def read(tmp_path: Path, content: bytes) -> Dynamic | None:
    path = tmp_path / "library.so"
    path.write_bytes(content)
    return elf.read(path)


def header_32(segments: int) -> bytes:
    fields = (3, 20, 1, 0, 52, 0, 0, 52, 32, segments, 0, 0, 0)
    return b"\x7fELF\x01\x02\x01" + bytes(9) + struct.pack(">HHIIIIIHHHHHH", *fields)


def test_read_returns_what_the_loader_reads(tmp_path: Path) -> None:
    versions = {"libc.so.6": ["GLIBC_2.17", "GLIBC_2.34"], "libstdc++.so.6": ["GLIBCXX_3.4.21"]}
    content = shared_object(
        ["libc.so.6", "libz.so.1"], machine=ARM64, soname="libown.so.2", runpath="$ORIGIN:/x", versions=versions
    )

    assert read(tmp_path, content) == Dynamic(
        machine=ARM64,
        needed=("libc.so.6", "libz.so.1"),
        soname="libown.so.2",
        search_path=("$ORIGIN", "/x"),
        versions=(("libc.so.6", "GLIBC_2.17"), ("libc.so.6", "GLIBC_2.34"), ("libstdc++.so.6", "GLIBCXX_3.4.21")),
    )


def test_read_nothing_needed_is_empty(tmp_path: Path) -> None:
    assert read(tmp_path, shared_object()) == Dynamic(machine=X86_64)


@pytest.mark.parametrize(
    ("paths", "expected"),
    [({"rpath": "/r"}, ("/r",)), ({"rpath": "/r", "runpath": "/run"}, ("/run",)), ({"runpath": "/run::"}, ("/run",))],
)
def test_read_runpath_goes_before_rpath(tmp_path: Path, paths: dict[str, Any], expected: tuple[str, ...]) -> None:
    dynamic = read(tmp_path, shared_object(**paths))

    assert dynamic is not None
    assert dynamic.search_path == expected


def test_read_32_bits_of_the_other_byte_order(tmp_path: Path) -> None:
    """The strings are in a second segment, which begins at the address where the first one ends."""
    strings, gap = b"\0libc.so.6\0", b"\0other.so\0"
    start = 52 + 3 * 32
    end = 0x1000 + start + 32
    entries = [(1, 1), (5, end), (10, len(strings)), (0, 0)]
    dynamic = b"".join(struct.pack(">iI", *entry) for entry in entries)
    segments = struct.pack(">8I", 1, 0, 0x1000, 0, start + 32, 0, 0, 0)
    segments += struct.pack(">8I", 1, start + 32 + len(gap), end, 0, len(strings), 0, 0, 0)
    segments += struct.pack(">8I", 2, start, 0x1000 + start, 0, len(dynamic), 0, 0, 0)

    assert read(tmp_path, header_32(3) + segments + dynamic + gap + strings) == Dynamic(
        machine=20, needed=("libc.so.6",)
    )


def test_read_smallest_file_has_only_a_machine(tmp_path: Path) -> None:
    assert read(tmp_path, header_32(0)) == Dynamic(machine=20)
    assert read(tmp_path, header_32(0)[:-1]) is None


def test_read_name_outside_of_the_string_table_is_empty(tmp_path: Path) -> None:
    content = shared_object(["liba.so"]).replace(struct.pack("<qQ", 1, 1), struct.pack("<qQ", 1, len(b"\0liba.so\0")))

    assert read(tmp_path, content) == Dynamic(machine=X86_64, needed=("",))


def test_read_table_of_more_than_64_mib_is_a_damaged_file(tmp_path: Path) -> None:
    strings = struct.pack("<qQ", 10, len(b"\0liba.so\0"))
    largest, larger = (
        shared_object(["liba.so"]).replace(strings, struct.pack("<qQ", 10, size)) for size in (64 << 20, (64 << 20) + 1)
    )

    assert read(tmp_path, largest) == Dynamic(machine=X86_64, needed=("liba.so",))
    assert read(tmp_path, larger) is None


@pytest.mark.parametrize(
    "content",
    [b"", b"#!/bin/sh\n", b"\x7fELF", b"\x7fELF\x02\x01\x01" + bytes(57), shared_object(["libc.so.6"])[:150]],
)
def test_read_other_or_damaged_file_is_none(tmp_path: Path, content: bytes) -> None:
    assert read(tmp_path, content) is None


def test_read_missing_file_is_none(tmp_path: Path) -> None:
    assert elf.read(tmp_path / "nothing.so") is None


def test_newest_version_is_of_its_family_by_number() -> None:
    names = ("GLIBC_2.9", "GLIBC_2.17", "GLIBC_PRIVATE", "GLIBCXX_3.4.30", "GLIBCXX_3.4.9")
    dynamic = Dynamic(versions=tuple(("lib", name) for name in names))

    assert dynamic.newest_version("GLIBC") == (2, 17)
    assert dynamic.newest_version("GLIBCXX") == (3, 4, 30)
    assert dynamic.newest_version("CXXABI") == ()


def test_newest_version_compressed_relocations_need_glibc_2_36() -> None:
    assert Dynamic(versions=(("libc.so.6", "GLIBC_ABI_DT_RELR"),)).newest_version("GLIBC") == (2, 36)
