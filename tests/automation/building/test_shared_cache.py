import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from automation.building import shared_cache, zips
from automation.building.shared_cache import SharedCache
from automation.system import console, files
from tests.automation.projects import write_files

DAY_S = 86_400
KEY, YOUNG, OLD = (digit * 64 for digit in "abc")
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


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    said: list[str] = []
    monkeypatch.setattr(console, "warning", said.append)
    return said


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A tree with a module, a program, and a file in a folder of its own; its zip is beside it."""
    tree = tmp_path / "made"
    write_files(tree, {"app.py": "x = 1\n", "bin/tool": "#!/bin/sh\n", "a/b/data.txt": "é"})
    (tree / "bin/tool").chmod(0o755)
    zips.pack(tree, tree.with_suffix(".zip"))
    return tree


def add(cache: SharedCache, key: str, made: Path) -> None:
    cache.add(key, made, made.with_suffix(".zip"), PRUNED)


def fetch(cache: SharedCache, folder: Path, key: str = KEY) -> object:
    return cache.fetch(key, folder / "tree", folder / "copy.zip")


def entries(cache: SharedCache) -> list[str]:
    assert cache.folder
    return sorted(path.name for path in cache.folder.iterdir())


def test_fetch_gives_the_tree_the_zip_and_what_was_pruned(cache: SharedCache, made: Path, tmp_path: Path) -> None:
    add(cache, KEY, made)

    assert fetch(cache, tmp_path) == PRUNED
    assert (tmp_path / "copy.zip").read_bytes() == (tmp_path / "made.zip").read_bytes()
    zips.pack(tmp_path / "tree", tmp_path / "again.zip")  # the same files with the same modes
    assert (tmp_path / "again.zip").read_bytes() == (tmp_path / "made.zip").read_bytes()
    assert stat.S_IMODE((tmp_path / "tree/bin/tool").stat().st_mode) == 0o755
    assert not (tmp_path / "tree/app.py").stat().st_mode & 0o111


def test_fetch_gives_what_the_deleted_first_clone_had(cache: SharedCache, made: Path, tmp_path: Path) -> None:
    add(cache, KEY, made)
    files.remove(made)
    files.remove(tmp_path / "made.zip")

    assert fetch(cache, tmp_path) == PRUNED
    files.remove(tmp_path / "cache")
    assert (tmp_path / "tree/app.py").read_text() == "x = 1\n"


def test_fetch_empty_artifact_is_an_empty_folder(cache: SharedCache, tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    zips.pack(tmp_path / "made", tmp_path / "made.zip")
    cache.add(KEY, tmp_path / "made", tmp_path / "made.zip", {})

    assert fetch(cache, tmp_path) == {}
    assert list((tmp_path / "tree").iterdir()) == []


def test_fetch_unknown_key_leaves_nothing_and_says_nothing(
    cache: SharedCache, tmp_path: Path, notes: list[str]
) -> None:
    assert fetch(cache, tmp_path) is None
    assert list(tmp_path.iterdir()) == []
    assert notes == []


def flip_last_byte(path: Path) -> None:
    """Change the bytes of a file but neither its size nor its time."""
    before, content = path.stat(), path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a bit of the zip": lambda entry: flip_last_byte(entry / "artifact.zip"),
    "an empty zip": lambda entry: (entry / "artifact.zip").write_bytes(b""),
    "no zip": lambda entry: (entry / "artifact.zip").unlink(),
    "a written file": lambda entry: (entry / "tree/app.py").write_text("x = 2\n"),
    "a file too many": lambda entry: write_files(entry, {"tree/more.py": ""}),
    "a file too few": lambda entry: (entry / "tree/a/b/data.txt").unlink(),
    "no tree": lambda entry: files.remove(entry / "tree"),
    "half a note": lambda entry: (entry / "note.json").write_text("{"),
    "an empty note": lambda entry: (entry / "note.json").write_text("{}"),
    "a list as note": lambda entry: (entry / "note.json").write_text("[]"),
    "no note": lambda entry: (entry / "note.json").unlink(),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_fetch_damaged_entry_is_removed_with_a_warning(
    cache: SharedCache, made: Path, tmp_path: Path, warnings: list[str], damage: str
) -> None:
    add(cache, KEY, made)
    DAMAGES[damage](tmp_path / "cache" / KEY)

    assert fetch(cache, tmp_path) is None

    assert entries(cache) == []
    assert not (tmp_path / "tree").exists()
    assert not (tmp_path / "copy.zip").exists()
    reason = "No such file or directory" if damage in {"no zip", "no note"} else "it is damaged"
    assert warnings == [f"{tmp_path / 'cache' / KEY} is not used ({reason}); building it again"]


def test_fetch_entry_that_another_process_removes_meanwhile_says_nothing(
    cache: SharedCache, made: Path, tmp_path: Path, warnings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    add(cache, KEY, made)
    link_tree = files.link_tree

    def link_and_lose(source: Path, target: Path) -> None:
        link_tree(source, target)
        files.remove(tmp_path / "cache" / KEY)

    monkeypatch.setattr(files, "link_tree", link_and_lose)

    assert fetch(cache, tmp_path) is None
    assert not (tmp_path / "tree").exists()
    assert warnings == []


def test_zips_are_copies_so_that_damage_on_one_side_stays_there(cache: SharedCache, made: Path, tmp_path: Path) -> None:
    whole = made.with_suffix(".zip").read_bytes()
    add(cache, KEY, made)
    fetch(cache, tmp_path)

    flip_last_byte(tmp_path / "cache" / KEY / "artifact.zip")

    assert made.with_suffix(".zip").read_bytes() == whole
    assert (tmp_path / "copy.zip").read_bytes() == whole


def test_cache_without_folder_has_nothing_and_takes_nothing(made: Path, tmp_path: Path) -> None:
    add(shared_cache.NONE, KEY, made)

    assert fetch(shared_cache.NONE, tmp_path) is None
    shared_cache.NONE.remove_unused()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["made", "made.zip"]


def test_add_to_a_folder_that_cannot_be_written_is_only_said(made: Path, tmp_path: Path, notes: list[str]) -> None:
    (tmp_path / "file").write_text("")
    cache = SharedCache(tmp_path / "file/cache")

    add(cache, KEY, made)

    assert notes == [
        f"{tmp_path / 'file/cache'} cannot be written (Not a directory); nothing is shared with other clones"
    ]


def test_add_what_another_process_has_added_keeps_its_entry(
    cache: SharedCache, made: Path, tmp_path: Path, notes: list[str]
) -> None:
    add(cache, KEY, made)
    before = (tmp_path / "cache" / KEY).stat().st_ino

    add(cache, KEY, made)

    assert (tmp_path / "cache" / KEY).stat().st_ino == before
    assert (entries(cache), notes) == ([KEY], [])


def test_add_notes_the_bytes_of_tree_and_zip(cache: SharedCache, made: Path, tmp_path: Path) -> None:
    add(cache, KEY, made)

    note = json.loads((tmp_path / "cache" / KEY / "note.json").read_bytes())
    assert note["bytes"] == 6 + 10 + 2 + (tmp_path / "made.zip").stat().st_size


def add_used(cache: SharedCache, key: str, made: Path, used_s: float) -> None:
    assert cache.folder
    add(cache, key, made)
    os.utime(cache.folder / key / "note.json", (used_s, used_s))


def test_remove_unused_keeps_what_was_used_in_the_last_month(cache: SharedCache, made: Path) -> None:
    now_s = 1_000 * DAY_S
    add_used(cache, YOUNG, made, now_s - 30 * DAY_S)
    add_used(cache, OLD, made, now_s - 30 * DAY_S - 1)

    cache.remove_unused(now_s=now_s)

    assert entries(cache) == [YOUNG]


def test_remove_unused_keeps_the_latest_within_the_limit(cache: SharedCache, made: Path, tmp_path: Path) -> None:
    now_s = 1_000 * DAY_S
    for number, key in enumerate((KEY, YOUNG, OLD)):
        add_used(cache, key, made, now_s - number)
    size_bytes = json.loads((tmp_path / "cache" / KEY / "note.json").read_bytes())["bytes"]

    cache.remove_unused(max_bytes=2 * size_bytes, now_s=now_s)
    assert entries(cache) == [KEY, YOUNG]

    cache.remove_unused(max_bytes=2 * size_bytes - 1, now_s=now_s)
    assert entries(cache) == [KEY]


def test_remove_unused_removes_what_is_not_an_entry_and_nothing_of_others(cache: SharedCache, tmp_path: Path) -> None:
    """Half an entry of a killed process goes after a day; zips and notes lay there in earlier versions."""
    names = [f"{KEY}.zip", f"{KEY}.json", f"{OLD}/tree/app.py", f".{KEY}.x/tree/app.py", f".{YOUNG}.x/tree/app.py"]
    write_files(tmp_path / "cache", dict.fromkeys([*names, "mine/app.py", "mine.zip"], ""))
    now_s = (tmp_path / f"cache/.{KEY}.x").stat().st_mtime
    os.utime(tmp_path / f"cache/.{YOUNG}.x", (now_s - DAY_S - 1, now_s - DAY_S - 1))

    cache.remove_unused(now_s=now_s)

    assert entries(cache) == [f".{KEY}.x", "mine", "mine.zip"]


def test_remove_unused_without_a_cache_does_nothing(cache: SharedCache, tmp_path: Path) -> None:
    cache.remove_unused()

    assert list(tmp_path.iterdir()) == []


def test_fetch_counts_as_use(cache: SharedCache, made: Path, tmp_path: Path) -> None:
    add_used(cache, KEY, made, 1.0)

    fetch(cache, tmp_path)
    cache.remove_unused()

    assert entries(cache) == [KEY]


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
