"""Starts the AWS emulator inside its own environment: `python launcher.py RUNTIME_PYTHON`.

It runs where the project's packages are absent, so it imports the standard library and ministack alone. Two things
differ from starting ministack by itself:
- Lambda workers run under RUNTIME_PYTHON, which holds what the Lambda runtime ships and nothing else. A worker then
  sees neither the emulator's packages nor the developer's.
- A layer is unpacked once per content, not once a worker; workers get a symlink to it.
"""

import hashlib
import os
import re
import shutil
import sys
import tempfile
import threading
import types
import zipfile
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

MINISTACK = "1.5.33"
_LAYER_FOLDER = re.compile(r"layer_\d+")
_unpacking = threading.Lock()


class LayerOnce(zipfile.ZipFile):
    """A ZipFile whose `extractall` into a layer's empty folder leaves a symlink to the one unpacked copy."""

    def extractall(
        self,
        path: str | os.PathLike[str] | None = None,
        members: Iterable[str | zipfile.ZipInfo] | None = None,
        pwd: bytes | None = None,
    ) -> None:
        """Unpack, or link to what is unpacked already."""
        target = Path(path or ".")
        if members or not _LAYER_FOLDER.fullmatch(target.name) or self.filename is None:
            super().extractall(path, members, pwd)
            return
        content = hashlib.sha256(Path(self.filename).read_bytes()).hexdigest()
        copy = Path(tempfile.gettempdir()) / "layers" / content
        with _unpacking:
            if not copy.exists():
                self._unpack_whole(copy)
        target.rmdir()
        target.symlink_to(copy, target_is_directory=True)

    def _unpack_whole(self, copy: Path) -> None:
        staged = copy.with_name(f".{copy.name}")
        shutil.rmtree(staged, ignore_errors=True)
        super().extractall(staged)
        staged.rename(copy)


def patched_zipfile() -> types.SimpleNamespace:
    """What the worker module uses of zipfile, with `LayerOnce` in ZipFile's place."""
    large = zipfile.LargeZipFile
    # The worker module asks for LargeFileError, which the standard library does not have.
    return types.SimpleNamespace(ZipFile=LayerOnce, BadZipFile=zipfile.BadZipFile, LargeFileError=large)


def main() -> None:
    """Replace what must be replaced, then become the emulator; never returns before it ends."""
    installed = version("ministack")
    if installed != MINISTACK:
        sys.exit(
            f"ministack {installed} is installed, and sandbox/launcher.py is made for {MINISTACK}: compare, then pin"
        )
    from ministack import app  # type: ignore[import-not-found]  # noqa: PLC0415 - lives in the emulator's environment
    from ministack.core import lambda_runtime  # type: ignore[import-not-found]  # noqa: PLC0415 - as above

    lambda_runtime.zipfile = patched_zipfile()
    # Lambda workers and init scripts are all that the emulator starts, each with sys.executable.
    sys.executable = sys.argv[1]
    sys.argv = ["ministack"]
    app.main()


if __name__ == "__main__":
    main()
