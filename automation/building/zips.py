"""A folder -> the zip that Lambda takes; the same content gives the same bytes, at any time, in any place.

zipfile compresses one entry after the other, and again what another zip had. Here the files are compressed side by
side and once for all zips of a build; the container around them is the plain one. Source: PKWARE APPNOTE 6.3.
"""

import struct
import zlib
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from automation.system import files
from automation.system.errors import ConfigurationError

LEVEL = 5  # 1 % larger than 6, in two thirds of the time
_DEFLATED = 8
_NEEDS_2_0 = 20
_MADE_ON_UNIX = (3 << 8) | _NEEDS_2_0
_UTF8_NAME = 0x800
_DATE_1980 = (1 << 5) | 1
_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END = struct.Struct("<4sHHHHIIH")
_MOST_ENTRIES = 0xFFFF
_MOST_BYTES = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class _Stream:
    """One compressed content: its check sum, its size before, and the bytes."""

    crc: int
    size: int
    packed: bytes


@dataclass(slots=True)
class Packer:
    """Packs folders; a content that it has compressed once it does not compress again."""

    pool: ThreadPoolExecutor
    streams: dict[str, Future[_Stream]] = field(default_factory=dict)

    def pack(self, tree: Path, target: Path) -> None:
        """Write the zip of a folder: names sorted, times of 1980, modes 0644 or 0755, one compression level.

        It is written beside its place and renamed, so that an interrupted run leaves no half of one.

        Raises:
            ConfigurationError: more files, or more bytes, than a plain zip holds.
        """
        entries = [(path.as_posix(), tree / path) for path in files.walk(tree)]
        if len(entries) > _MOST_ENTRIES:
            raise ConfigurationError(f"has {len(entries):,} files, more than a zip takes", where=str(tree))
        streams = [self._compressed(path) for _, path in entries]
        staged = target.with_name(f".{target.name}.new")
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with staged.open("wb") as out:
                _write(
                    out, [(name, path, stream.result()) for (name, path), stream in zip(entries, streams, strict=True)]
                )
            staged.replace(target)
        finally:
            staged.unlink(missing_ok=True)

    def _compressed(self, path: Path) -> Future[_Stream]:
        content = path.read_bytes()
        key = files.digest(content)
        if key not in self.streams:
            self.streams[key] = self.pool.submit(_compress, content)
        return self.streams[key]


def pack(tree: Path, target: Path) -> None:
    """`Packer.pack` for one folder."""
    with ThreadPoolExecutor() as pool:
        Packer(pool).pack(tree, target)


def _compress(content: bytes) -> _Stream:
    squeezer = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return _Stream(zlib.crc32(content), len(content), squeezer.compress(content) + squeezer.flush())


def _write(out: BinaryIO, entries: list[tuple[str, Path, _Stream]]) -> None:
    central = []
    for name, path, stream in entries:
        encoded = name.encode()
        shared = (_UTF8_NAME, _DEFLATED, 0, _DATE_1980, stream.crc, len(stream.packed), stream.size, len(encoded))
        mode = (0o100755 if path.stat().st_mode & 0o111 else 0o100644) << 16
        central.append(
            _CENTRAL.pack(b"PK\1\2", _MADE_ON_UNIX, _NEEDS_2_0, *shared, 0, 0, 0, 0, mode, out.tell()) + encoded
        )
        out.write(_LOCAL.pack(b"PK\3\4", _NEEDS_2_0, *shared, 0) + encoded)
        out.write(stream.packed)
    start = out.tell()
    if start > _MOST_BYTES:
        raise ConfigurationError(f"comes to {start:,} bytes, more than a zip takes", where=str(out.name))
    out.writelines(central)
    out.write(_END.pack(b"PK\5\6", 0, 0, len(central), len(central), out.tell() - start, start, 0))
