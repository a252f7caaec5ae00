"""Every zip reader can read our zips, and the same files always give the same bytes."""

import hashlib
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automation.building import zips
from automation.system.errors import ConfigurationError

NAMES = st.text("abcé_/", min_size=1, max_size=12).map(lambda name: f"f{name.replace('/', '_')}")


def write(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


@given(files=st.dictionaries(NAMES, st.binary(max_size=300), max_size=6))
@settings(max_examples=40, deadline=None)
def test_pack_can_be_read_by_the_standard_library(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    root = tmp_path_factory.mktemp("zip")
    zips.pack(write(root / "tree", {"always": b"", **files}), root / "packed.zip")

    with zipfile.ZipFile(root / "packed.zip") as packed:
        assert packed.testzip() is None
        assert {name: packed.read(name) for name in packed.namelist()} == {"always": b"", **files}


def test_pack_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = (write(tmp_path / name, {"a/x.py": b"1" * 999, "b": b""}) for name in ("first", "second"))
    (second / "b").touch()
    for tree in (first, second):
        zips.pack(tree, tmp_path / f"{tree.name}.zip")

    assert (tmp_path / "first.zip").read_bytes() == (tmp_path / "second.zip").read_bytes()


def test_pack_keeps_the_executable_bit_and_normalises_modes(tmp_path: Path) -> None:
    tree = write(tmp_path / "tree", {"plain": b"", "run": b""})
    (tree / "plain").chmod(0o600)
    (tree / "run").chmod(0o700)
    zips.pack(tree, tmp_path / "packed.zip")

    with zipfile.ZipFile(tmp_path / "packed.zip") as packed:
        entries = {
            member.filename: (oct(member.external_attr >> 16), member.date_time[:3]) for member in packed.infolist()
        }
    assert entries == {"plain": ("0o100644", (1980, 1, 1)), "run": ("0o100755", (1980, 1, 1))}


def test_pack_gives_the_bytes_of_every_machine(tmp_path: Path) -> None:
    """Another level or compressor changes them: then every artifact must be built again, so raise BUILDER."""
    content = b"".join(f"{number * number}: {number % 7}\n".encode() for number in range(5_000))
    zips.pack(write(tmp_path / "tree", {"data/squares.txt": content, "empty": b""}), tmp_path / "packed.zip")

    packed = (tmp_path / "packed.zip").read_bytes()

    assert (len(packed), hashlib.sha256(packed).hexdigest()) == (
        21_627,
        "acf6e64d4d6dde5f0078d31c8aee2180b4098a5d15a8b8a33edcca6e61ea5c7c",
    )


def test_packer_content_of_two_zips_is_compressed_once(tmp_path: Path) -> None:
    trees = [write(tmp_path / name, {name: b"same" * 99, "own": name.encode()}) for name in ("first", "second")]
    with ThreadPoolExecutor(2) as pool:
        packer = zips.Packer(pool)
        for tree in trees:
            packer.pack(tree, tmp_path / f"{tree.name}.zip")

    assert len(packer.streams) == 3


def test_pack_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = write(tmp_path / "tree", {"a": b"", "b": b""})
    monkeypatch.setattr(zips, "_MAX_ENTRIES", 1)

    with pytest.raises(ConfigurationError, match="2 files, more than a zip can hold"):
        zips.pack(tree, tmp_path / "packed.zip")

    assert not (tmp_path / "packed.zip").exists()
