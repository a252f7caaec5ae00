"""A folder -> the zip that Lambda takes; the same content gives the same bytes, at any time, in any place."""

import zipfile
from pathlib import Path

from automation import files

EPOCH = (1980, 1, 1, 0, 0, 0)
_UNIX = 3


def pack(tree: Path, target: Path) -> None:
    """Write the zip of a folder: names sorted, times of 1980, modes 0644 or 0755, one compression level.

    It is written beside its place and renamed, so that an interrupted run leaves no half of one.
    """
    staged = target.with_name(f".{target.name}.new")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(staged, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            for path in files.walk(tree):
                archive.writestr(_entry(tree, path), (tree / path).read_bytes())
        staged.replace(target)
    finally:
        staged.unlink(missing_ok=True)


def _entry(tree: Path, path: Path) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(path.as_posix(), EPOCH)
    entry.create_system = _UNIX
    entry.compress_type = zipfile.ZIP_DEFLATED
    executable = (tree / path).stat().st_mode & 0o111
    entry.external_attr = (0o100755 if executable else 0o100644) << 16
    return entry
