import re
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sandbox import launcher

LOCKS = Path(launcher.__file__).parent.parent / "locks"


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    (tmp_path / "layers").mkdir()
    return tmp_path


def archive(path: Path, text: str = "x = 1\n") -> Path:
    with zipfile.ZipFile(path, "w") as zipped:
        zipped.writestr("python/module.py", text)
    return path


def unpack(zipped: Path, target: Path) -> Path:
    """Unpack as a worker does: copy the archive beside the folder, check its names, extract it."""
    target.mkdir(parents=True)
    own = target.with_suffix(".zip")
    own.write_bytes(zipped.read_bytes())
    layers = launcher.Layers(zipped.parent / "layers")
    with launcher.patched_zipfile(layers).ZipFile(own) as opened:
        opened.namelist()
        opened.extractall(target)
    return target


def test_extractall_of_equal_layers_links_to_one_copy(scratch: Path) -> None:
    first = unpack(archive(scratch / "a.zip"), scratch / "worker-1" / "layer_0")
    second = unpack(archive(scratch / "b.zip"), scratch / "worker-2" / "layer_3")

    assert first.resolve() == second.resolve()
    assert (second / "python" / "module.py").read_text() == "x = 1\n"


def test_extractall_of_different_layers_keeps_them_apart(scratch: Path) -> None:
    first = unpack(archive(scratch / "a.zip"), scratch / "worker-1" / "layer_0")
    second = unpack(archive(scratch / "b.zip", "x = 2\n"), scratch / "worker-1" / "layer_1")

    assert (first / "python" / "module.py").read_text() != (second / "python" / "module.py").read_text()


def test_extractall_by_sixteen_workers_shares_one_copy(scratch: Path) -> None:
    zipped = archive(scratch / "a.zip")
    targets = [scratch / f"worker-{number}" / "layer_0" for number in range(16)]

    opener = launcher.patched_zipfile(launcher.Layers(scratch / "layers")).ZipFile

    def work(target: Path) -> Path:
        target.mkdir(parents=True)
        opener(zipped).extractall(target)
        return target

    with ThreadPoolExecutor(16) as pool:
        folders = list(pool.map(work, targets))

    assert len({folder.resolve() for folder in folders}) == 1
    assert len(list((scratch / "layers").iterdir())) == 1


def test_extractall_of_function_code_makes_no_link(scratch: Path) -> None:
    code = unpack(archive(scratch / "code.zip"), scratch / "worker-1" / "code")

    assert not code.is_symlink()
    assert (code / "python" / "module.py").is_file()


def test_extractall_of_a_broken_layer_raises_bad_zip_file(scratch: Path) -> None:
    (scratch / "a.zip").write_bytes(b"no zip")

    with pytest.raises(launcher.patched_zipfile(launcher.Layers(scratch)).BadZipFile):
        unpack(scratch / "a.zip", scratch / "worker-1" / "layer_0")


def test_namelist_of_an_unpacked_layer_is_empty(scratch: Path) -> None:
    zipped = archive(scratch / "layer_0.zip")
    opener = launcher.patched_zipfile(launcher.Layers(scratch / "layers")).ZipFile
    before = opener(zipped).namelist()
    unpack(zipped, scratch / "worker-1" / "layer_0")

    assert (before, opener(zipped).namelist()) == (["python/module.py"], [])


def test_prune_removes_copies_unused_for_a_week(scratch: Path) -> None:
    layers = launcher.Layers(scratch / "layers")
    used = unpack(archive(scratch / "a.zip"), scratch / "worker-1" / "layer_0").resolve()
    layers.prune(used.stat().st_mtime + 6 * 24 * 3600)
    kept = used.exists()
    layers.prune(used.stat().st_mtime + 8 * 24 * 3600)

    assert (kept, used.exists()) == (True, False)


def test_supported_ministack_is_the_locked_version() -> None:
    locked = re.search(r"^ministack==(\S+)", (LOCKS / "emulator.txt").read_text(), re.MULTILINE)

    assert locked is not None
    assert locked[1] == launcher.MINISTACK
