"""Starts the AWS emulator inside its own environment: `python launcher.py RUNTIME_PYTHON LAYERS`.

It runs where the project's packages are absent, so it imports the standard library and ministack alone. Three things
differ from starting ministack by itself:
- Lambda workers run under RUNTIME_PYTHON, which holds what the Lambda runtime ships and nothing else. A worker then
  sees neither the emulator's packages nor the developer's.
- The log of an invocation is waited for, so that it is whole when the invocation ends.
- A layer is unpacked once per content into the folder LAYERS, not once a worker; workers get a symlink to it. What a
  later start of the emulator finds there it uses.
"""

import hashlib
import os
import re
import shutil
import sys
import threading
import time
import types
import zipfile
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path

MINISTACK = "1.5.33"
# For the first line of an invocation, for silence after the last, and in all. Every handler here logs a line a message;
# with the emulator's own 0.05 s a busy machine reads it too late and files it under the worker's next invocation.
LOG_WAITS_S = (2.0, 0.02, 4.0)
_LAYER_FOLDER = re.compile(r"layer_\d+")
_UNUSED_S = 7 * 24 * 3600.0


class Layers:
    """The folder of unpacked layers, by the digest of their archives. Copies unused for a week are removed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._unpacking = threading.Lock()

    def copy_of(self, archive: zipfile.ZipFile) -> Path:
        """Where an archive's content lies once it is unpacked."""
        return self._folder / hashlib.sha256(Path(archive.filename or "").read_bytes()).hexdigest()

    def unpacked(self, archive: zipfile.ZipFile, unpack: Callable[[Path], None]) -> Path:
        """The copy of an archive's content, unpacked now if it is not there yet; a copy is whole or not there."""
        copy = self.copy_of(archive)
        with self._unpacking:
            if not copy.exists():
                staged = copy.with_name(f".{copy.name}")
                shutil.rmtree(staged, ignore_errors=True)
                unpack(staged)
                staged.rename(copy)
            os.utime(copy)
        return copy

    def prune(self, now: float) -> None:
        """Remove what was not used for a week before now, in seconds since the epoch."""
        for copy in self._folder.glob("*"):
            if now - copy.stat().st_mtime > _UNUSED_S:
                shutil.rmtree(copy)


def layer_once(layers: Layers) -> type[zipfile.ZipFile]:
    """A ZipFile whose `extractall` into a worker's folder of a layer leaves a symlink to the one unpacked copy."""

    class LayerOnce(zipfile.ZipFile):
        def namelist(self) -> list[str]:
            """The names that the worker module must still check against its target: of an unpacked layer none."""
            is_unpacked = _is_layer(Path(self.filename or "").with_suffix("")) and layers.copy_of(self).exists()
            return [] if is_unpacked else super().namelist()

        def extractall(
            self,
            path: str | os.PathLike[str] | None = None,
            members: Iterable[str | zipfile.ZipInfo] | None = None,
            pwd: bytes | None = None,
        ) -> None:
            """Unpack, or link to what is unpacked already."""
            target = Path(path or ".")
            if members or not _is_layer(target):
                super().extractall(path, members, pwd)
                return
            names = super().namelist()
            copy = layers.unpacked(self, lambda staged: super(LayerOnce, self).extractall(staged, names))
            target.rmdir()
            target.symlink_to(copy, target_is_directory=True)

    return LayerOnce


def _is_layer(target: Path) -> bool:
    return _LAYER_FOLDER.fullmatch(target.name) is not None


def patched_zipfile(layers: Layers) -> types.SimpleNamespace:
    """What the worker module uses of zipfile, with `layer_once` in ZipFile's place."""
    large = zipfile.LargeZipFile
    # The worker module asks for LargeFileError, which the standard library does not have.
    return types.SimpleNamespace(ZipFile=layer_once(layers), BadZipFile=zipfile.BadZipFile, LargeFileError=large)


def main() -> None:
    """Replace what must be replaced, then become the emulator; never returns before it ends."""
    installed = version("ministack")
    if installed != MINISTACK:
        sys.exit(
            f"ministack {installed} is installed, and sandbox/launcher.py is made for {MINISTACK}: compare, then pin"
        )
    from ministack import app  # type: ignore[import-not-found]  # noqa: PLC0415 - lives in the emulator's environment
    from ministack.core import lambda_runtime  # type: ignore[import-not-found]  # noqa: PLC0415 - as above

    # Lambda workers and init scripts are all that the emulator starts, each with sys.executable.
    sys.executable, folder = sys.argv[1], Path(sys.argv[2])
    layers = Layers(folder)
    layers.prune(time.time())
    lambda_runtime.zipfile = patched_zipfile(layers)
    lambda_runtime.Worker._drain_stderr_bounded.__defaults__ = LOG_WAITS_S
    sys.argv = ["ministack"]
    app.main()


if __name__ == "__main__":
    main()
