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
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("python/module.py", text)
    return path


def unpack(zipped: Path, target: Path) -> Path:
    """As a worker does it: an archive of its own beside the folder, names checked, then unpacked."""
    target.mkdir(parents=True)
    own = target.with_suffix(".zip")
    own.write_bytes(zipped.read_bytes())
    layers = launcher.Layers(zipped.parent / "layers")
    with launcher.patched_zipfile(layers).ZipFile(own) as opened:
        opened.namelist()
        opened.extractall(target)
    return target


def test_a_layer_of_the_same_content_is_unpacked_once_and_linked(scratch: Path) -> None:
    first = unpack(archive(scratch / "a.zip"), scratch / "worker-1" / "layer_0")
    second = unpack(archive(scratch / "b.zip"), scratch / "worker-2" / "layer_3")

    assert first.resolve() == second.resolve()
    assert (second / "python" / "module.py").read_text() == "x = 1\n"


def test_layers_of_different_content_are_kept_apart(scratch: Path) -> None:
    first = unpack(archive(scratch / "a.zip"), scratch / "worker-1" / "layer_0")
    second = unpack(archive(scratch / "b.zip", "x = 2\n"), scratch / "worker-1" / "layer_1")

    assert (first / "python" / "module.py").read_text() != (second / "python" / "module.py").read_text()


def test_sixteen_workers_at_once_share_one_copy(scratch: Path) -> None:
    zipped = archive(scratch / "a.zip")
    targets = [scratch / f"worker-{number}" / "layer_0" for number in range(16)]

    opener = launcher.patched_zipfile(launcher.Layers(scratch / "layers")).ZipFile

    def work(target: Path) -> Path:
        target.mkdir(parents=True)
        opener(zipped).extractall(target)
        return target

    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(work, targets))

    assert len({target.resolve() for target in made}) == 1
    assert len(list((scratch / "layers").iterdir())) == 1


def test_a_functions_own_code_is_unpacked_as_ever(scratch: Path) -> None:
    code = unpack(archive(scratch / "code.zip"), scratch / "worker-1" / "code")

    assert not code.is_symlink()
    assert (code / "python" / "module.py").is_file()


def test_a_broken_layer_raises_what_the_worker_module_catches(scratch: Path) -> None:
    (scratch / "a.zip").write_bytes(b"no zip")

    with pytest.raises(launcher.patched_zipfile(launcher.Layers(scratch)).BadZipFile):
        unpack(scratch / "a.zip", scratch / "worker-1" / "layer_0")


def test_names_are_checked_by_the_worker_until_the_layer_is_unpacked(scratch: Path) -> None:
    zipped = archive(scratch / "layer_0.zip")
    opener = launcher.patched_zipfile(launcher.Layers(scratch / "layers")).ZipFile
    before = opener(zipped).namelist()
    unpack(zipped, scratch / "worker-1" / "layer_0")

    assert (before, opener(zipped).namelist()) == (["python/module.py"], [])


def test_prune_removes_only_what_was_not_used_for_a_week(scratch: Path) -> None:
    layers = launcher.Layers(scratch / "layers")
    used = unpack(archive(scratch / "a.zip"), scratch / "worker-1" / "layer_0").resolve()
    layers.prune(used.stat().st_mtime + 6 * 24 * 3600)
    kept = used.exists()
    layers.prune(used.stat().st_mtime + 8 * 24 * 3600)

    assert (kept, used.exists()) == (True, False)


def test_the_version_it_fits_is_the_locked_one() -> None:
    locked = re.search(r"^ministack==(\S+)", (LOCKS / "emulator.txt").read_text(), re.MULTILINE)

    assert locked is not None
    assert locked[1] == launcher.MINISTACK
