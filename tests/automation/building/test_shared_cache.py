import json
import os
import stat
import zipfile
from pathlib import Path

import pytest

from automation.building import shared_cache, zips
from automation.building.shared_cache import SharedCache
from automation.system import console
from tests.automation.projects import write_files

DAY_S = 86_400
PRUNED = {"tests": 5}


@pytest.fixture
def cache(tmp_path: Path) -> SharedCache:
    return SharedCache(tmp_path / "cache")


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what is said on a terminal."""
    said: list[str] = []
    monkeypatch.setattr(console, "note", said.append)
    return said


def packed(folder: Path) -> Path:
    """Return the zip of a tree with a module, a program, and a file in a folder of its own."""
    write_files(folder / "made", {"app.py": "x = 1\n", "bin/tool": "#!/bin/sh\n", "a/b/data.txt": "é"})
    (folder / "made/bin/tool").chmod(0o755)
    zips.pack(folder / "made", folder / "made.zip")
    return folder / "made.zip"


def entries(cache: SharedCache) -> list[str]:
    assert cache.folder
    return sorted(path.name for path in cache.folder.iterdir())


def test_fetch_gives_the_tree_the_zip_and_what_was_pruned(cache: SharedCache, tmp_path: Path) -> None:
    archive = packed(tmp_path)
    cache.add("k", archive, PRUNED)

    pruned = cache.fetch("k", tmp_path / "tree", tmp_path / "copy.zip")

    assert pruned == PRUNED
    assert (tmp_path / "copy.zip").read_bytes() == archive.read_bytes()
    zips.pack(tmp_path / "tree", tmp_path / "again.zip")  # the same files with the same modes
    assert (tmp_path / "again.zip").read_bytes() == archive.read_bytes()
    assert stat.S_IMODE((tmp_path / "tree/bin/tool").stat().st_mode) == 0o755
    assert not (tmp_path / "tree/app.py").stat().st_mode & 0o111


def test_fetch_empty_artifact_is_an_empty_folder(cache: SharedCache, tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    zips.pack(tmp_path / "made", tmp_path / "made.zip")
    cache.add("k", tmp_path / "made.zip", {})

    assert cache.fetch("k", tmp_path / "tree", tmp_path / "copy.zip") == {}
    assert list((tmp_path / "tree").iterdir()) == []


def test_fetch_unknown_key_leaves_nothing_and_says_nothing(
    cache: SharedCache, tmp_path: Path, notes: list[str]
) -> None:
    assert cache.fetch("k", tmp_path / "tree", tmp_path / "copy.zip") is None
    assert list(tmp_path.iterdir()) == []
    assert notes == []


def test_fetch_note_without_zip_leaves_nothing(cache: SharedCache, tmp_path: Path) -> None:
    cache.add("k", packed(tmp_path), PRUNED)
    (tmp_path / "cache/k.zip").unlink()

    assert cache.fetch("k", tmp_path / "tree", tmp_path / "copy.zip") is None
    assert not (tmp_path / "copy.zip").exists()


def flip_last_byte(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


@pytest.mark.parametrize(
    ("name", "content"), [("k.zip", None), ("k.zip", b""), ("k.json", b"{"), ("k.json", b"[]"), ("k.json", b"{}")]
)
def test_fetch_damaged_entry_is_removed_and_said(
    cache: SharedCache, tmp_path: Path, notes: list[str], name: str, content: bytes | None
) -> None:
    cache.add("k", packed(tmp_path), PRUNED)
    path = tmp_path / "cache" / name
    flip_last_byte(path) if content is None else path.write_bytes(content)

    assert cache.fetch("k", tmp_path / "tree", tmp_path / "copy.zip") is None

    assert entries(cache) == []
    assert not (tmp_path / "tree").exists()
    assert not (tmp_path / "copy.zip").exists()
    [note] = notes
    assert note.startswith(f"{tmp_path / 'cache/k.zip'} is not used (")
    assert note.endswith("); building it again")


@pytest.mark.parametrize("name", ["../outside.py", "/outside.py", "a/../../outside.py"])
def test_fetch_zip_that_would_write_outside_is_refused(cache: SharedCache, tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr(name, "")
    cache.add("k", tmp_path / "evil.zip", {})

    assert cache.fetch("k", tmp_path / "deep/tree", tmp_path / "copy.zip") is None
    assert not (tmp_path / "deep/outside.py").exists()
    assert entries(cache) == []


def test_cache_without_folder_has_nothing_and_takes_nothing(tmp_path: Path) -> None:
    shared_cache.NONE.add("k", packed(tmp_path), {})

    assert shared_cache.NONE.fetch("k", tmp_path / "tree", tmp_path / "copy.zip") is None
    shared_cache.NONE.remove_unused()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["made", "made.zip"]


def test_add_to_a_folder_that_cannot_be_written_is_only_said(tmp_path: Path, notes: list[str]) -> None:
    (tmp_path / "file").write_text("")
    cache = SharedCache(tmp_path / "file/cache")

    cache.add("k", packed(tmp_path), {})

    assert notes == [
        f"{tmp_path / 'file/cache'} cannot be written (Not a directory); nothing is shared with other clones"
    ]


def add_used(cache: SharedCache, key: str, archive: Path, used_s: float) -> None:
    assert cache.folder
    cache.add(key, archive, {})
    os.utime(cache.folder / f"{key}.json", (used_s, used_s))


def test_remove_unused_keeps_what_was_used_in_the_last_month(cache: SharedCache, tmp_path: Path) -> None:
    archive, now_s = packed(tmp_path), 1_000 * DAY_S
    add_used(cache, "young", archive, now_s - 30 * DAY_S)
    add_used(cache, "old", archive, now_s - 30 * DAY_S - 1)

    cache.remove_unused(now_s=now_s)

    assert entries(cache) == ["young.json", "young.zip"]


def test_remove_unused_keeps_the_latest_within_the_limit(cache: SharedCache, tmp_path: Path) -> None:
    archive, now_s = packed(tmp_path), 1_000 * DAY_S
    for number, key in enumerate("abc"):
        add_used(cache, key, archive, now_s - number)

    cache.remove_unused(max_bytes=2 * archive.stat().st_size, now_s=now_s)
    assert entries(cache) == ["a.json", "a.zip", "b.json", "b.zip"]

    cache.remove_unused(max_bytes=2 * archive.stat().st_size - 1, now_s=now_s)
    assert entries(cache) == ["a.json", "a.zip"]


def test_remove_unused_zip_without_note_goes(cache: SharedCache, tmp_path: Path) -> None:
    cache.add("k", packed(tmp_path), {})
    (tmp_path / "cache/k.json").unlink()

    cache.remove_unused()

    assert entries(cache) == []


def test_fetch_counts_as_use(cache: SharedCache, tmp_path: Path) -> None:
    add_used(cache, "k", packed(tmp_path), 1.0)

    cache.fetch("k", tmp_path / "tree", tmp_path / "copy.zip")
    cache.remove_unused()

    assert entries(cache) == ["k.json", "k.zip"]


def test_add_replaces_an_entry_whole(cache: SharedCache, tmp_path: Path) -> None:
    archive = packed(tmp_path)
    cache.add("k", archive, {})
    cache.add("k", archive, PRUNED)

    note = json.loads((tmp_path / "cache/k.json").read_bytes())
    assert (note["bytes"], note["pruned"]) == (archive.stat().st_size, PRUNED)
    assert entries(cache) == ["k.json", "k.zip"]


@pytest.mark.parametrize(
    ("platform", "environ", "folder"),
    [
        ("linux", {"HOME": "/home/me"}, "/home/me/.cache/alchemiser/artifacts"),
        ("linux", {"HOME": "/home/me", "XDG_CACHE_HOME": "/fast"}, "/fast/alchemiser/artifacts"),
        ("linux", {}, None),
        ("darwin", {"HOME": "/Users/me"}, "/Users/me/Library/Caches/alchemiser/artifacts"),
        ("win32", {"LOCALAPPDATA": "/local", "USERPROFILE": "/me"}, "/local/alchemiser/artifacts"),
        ("win32", {"USERPROFILE": "/me"}, "/me/alchemiser/artifacts"),
        ("linux", {"HOME": "/home/me", "ALCHEMISER_CACHE_DIR": "/own"}, "/own"),
        ("linux", {"HOME": "/home/me", "ALCHEMISER_CACHE_DIR": ""}, None),
    ],
)
def test_of_user_is_the_cache_folder_of_the_system(platform: str, environ: dict[str, str], folder: str | None) -> None:
    cache = shared_cache.of_user(environ, platform=platform)

    assert cache.folder == (Path(folder) if folder else None)
