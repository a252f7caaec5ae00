from pathlib import PurePosixPath

import pytest

from automation.proof import binaries
from automation.proof.binaries import Kind
from tests.faults.bakery import ARM64, X86_64, elf


@pytest.mark.parametrize(
    ("name", "minors"),
    [
        ("_core.cpython-312-x86_64-linux-gnu.so", {12}),
        ("_core.cpython-311-aarch64-linux-gnu.so", {11}),
        ("_core.abi3.so", {11, 12}),
        ("_core.so", {11, 12}),
        ("_core.cpython-312-x86_64-linux-musl.so", set()),
        ("_core.cpython-312-darwin.so", set()),
        ("_core.cp312-win_amd64.pyd", set()),
        ("_core.pypy310-pp73-x86_64-linux-gnu.so", set()),
    ],
)
def test_extension_is_for_the_pythons_that_look_for_its_name(name: str, minors: set[int]) -> None:
    extension = binaries.extension(PurePosixPath(name))

    assert extension is not None
    assert {minor for minor in (11, 12) if extension.is_for(minor)} == minors


@pytest.mark.parametrize("name", ["libopenblas-4b78795a.so", "libssl.so.3", "module.py", "libssl.so"])
def test_extension_of_a_plain_library_is_none(name: str) -> None:
    assert binaries.extension(PurePosixPath(name)) is None


def test_is_shared_accepts_libraries_of_every_system() -> None:
    names = ["a.so", "liba.so.3", "liba.so.3.1", "a.dylib", "a.pyd", "a.dll", "a.py", "so", "a.sooner"]

    assert [name for name in names if binaries.is_shared(PurePosixPath(name))] == names[:6]


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (elf(X86_64), Kind.ELF),
        (bytes.fromhex("cffaedfe"), Kind.MACH_O),
        (bytes.fromhex("cafebabe"), Kind.MACH_O),
        (b"MZ\x90", Kind.PE),
        (b"", Kind.OTHER),
    ],
)
def test_kind_of_reads_the_first_bytes(head: bytes, kind: Kind) -> None:
    assert binaries.kind_of(head) is kind


def test_machine_of_returns_the_template_name_or_a_number() -> None:
    assert [binaries.machine_of(elf(number)) for number in (X86_64, ARM64, 999)] == ["x86_64", "arm64", "machine 999"]
