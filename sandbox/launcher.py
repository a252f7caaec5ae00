"""Start the AWS emulator inside its own environment: `python launcher.py RUNTIME_PYTHON LAYERS`.

The project's packages are not installed there, so this module imports only the standard library and ministack. It
starts ministack with these differences:
- Lambda workers run under RUNTIME_PYTHON, which has only what the Lambda runtime ships. A worker then sees neither the
  emulator's packages nor the developer's.
- The emulator waits for the log of an invocation, so that the log is complete when the invocation ends.
- A layer is unpacked once per content into the folder LAYERS, not once per worker; workers get a symlink to it. Later
  starts of the emulator reuse the copies.
- Stacks keep the rules of `aws_rules.py`: the emulator then refuses and replaces what AWS refuses and replaces.
- Calls are authorized on event buses, by two more condition keys, and as over TLS; see `emulator_grants.py`.
- A queue or log group without a name gets a new one; see `emulator_names.py`.
- An alarm looks at its own dimensions and at missing data, and queues have figures; see `emulator_alarms.py`.
- A deleted stack is kept with the resources that it retained; see `emulator_deletions.py`.
- Sent mails survive a restart; see `emulator_mails.py`.
- A worker with replaced code never answers, and one that has ended is not waited for; see `emulator_workers.py`.
- A worker can be killed at one of its requests, when a plan says so; see `kills.py`.
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
# How long to wait for the first log line of an invocation, for silence after the last line, and in all. Every handler
# logs a line per message. With the emulator's default of 0.05 s, a busy machine reads that line too late and files it
# under the worker's next invocation.
LOG_WAITS_S = (2.0, 0.02, 4.0)
_LAYER_FOLDER = re.compile(r"layer_\d+")
_UNUSED_S = 7 * 24 * 3600.0


class Layers:
    """The folder of unpacked layers, named by the digest of their archives. Copies unused for a week are removed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._unpacking = threading.Lock()

    def copy_of(self, archive: zipfile.ZipFile) -> Path:
        """Return the folder of an archive's unpacked content, whether or not it exists yet."""
        return self._folder / hashlib.sha256(Path(archive.filename or "").read_bytes()).hexdigest()

    def unpacked(self, archive: zipfile.ZipFile, unpack: Callable[[Path], None]) -> Path:
        """Return the folder of an archive's unpacked content; unpack it first if it does not exist."""
        copy = self.copy_of(archive)
        with self._unpacking:
            if not copy.exists():
                staged = copy.with_name(f".{copy.name}")
                shutil.rmtree(staged, ignore_errors=True)
                unpack(staged)
                # Renamed last, so that an interrupted unpack never leaves a partial copy under the final name.
                staged.rename(copy)
            os.utime(copy)
        return copy

    def prune(self, now: float) -> None:
        """Remove the copies that were not used in the week before `now` (seconds since the epoch)."""
        for copy in self._folder.glob("*"):
            if now - copy.stat().st_mtime > _UNUSED_S:
                shutil.rmtree(copy)


def linked_zipfile(layers: Layers) -> type[zipfile.ZipFile]:
    """Return a ZipFile class that extracts a layer into a worker's folder as a symlink to the shared copy."""

    class LinkedZipFile(zipfile.ZipFile):
        def namelist(self) -> list[str]:
            """Return the names that the worker module must still check; none for a layer that is already unpacked."""
            is_unpacked = _is_layer(Path(self.filename or "").with_suffix("")) and layers.copy_of(self).exists()
            return [] if is_unpacked else super().namelist()

        def extractall(
            self,
            path: str | os.PathLike[str] | None = None,
            members: Iterable[str | zipfile.ZipInfo] | None = None,
            pwd: bytes | None = None,
        ) -> None:
            """Unpack the archive; for a layer, link to its shared copy."""
            target = Path(path or ".")
            if members or not _is_layer(target):
                super().extractall(path, members, pwd)
                return
            names = super().namelist()
            copy = layers.unpacked(self, lambda staged: super(LinkedZipFile, self).extractall(staged, names))
            target.rmdir()
            target.symlink_to(copy, target_is_directory=True)

    return LinkedZipFile


def _is_layer(target: Path) -> bool:
    return _LAYER_FOLDER.fullmatch(target.name) is not None


def patched_zipfile(layers: Layers) -> types.SimpleNamespace:
    """Return a stand-in for the module zipfile, as the worker module uses it, with `linked_zipfile` as its ZipFile."""
    large = zipfile.LargeZipFile
    # The worker module asks for LargeFileError, which the standard library does not have.
    return types.SimpleNamespace(ZipFile=linked_zipfile(layers), BadZipFile=zipfile.BadZipFile, LargeFileError=large)


def main() -> None:
    """Apply the differences, then run the emulator until it ends."""
    installed = version("ministack")
    if installed != MINISTACK:
        sys.exit(
            f"sandbox/launcher.py supports ministack {MINISTACK}, but {installed} is installed; "
            "check the patches in launcher.py, then update MINISTACK"
        )
    from ministack import app  # type: ignore[import-not-found]  # noqa: PLC0415 - lives in the emulator's environment
    from ministack.core import lambda_runtime  # type: ignore[import-not-found]  # noqa: PLC0415 - as above

    # The emulator starts only Lambda workers and init scripts, each with sys.executable.
    sys.executable, folder = sys.argv[1], Path(sys.argv[2])
    layers = Layers(folder)
    layers.prune(time.time())
    lambda_runtime.zipfile = patched_zipfile(layers)
    lambda_runtime.Worker._drain_stderr_bounded.__defaults__ = LOG_WAITS_S
    # A script finds modules in its own folder; the rules lie in the package, one folder above.
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    from sandbox import (  # noqa: PLC0415 - sys.path is right only now
        emulator_alarms,
        emulator_deletions,
        emulator_grants,
        emulator_mails,
        emulator_names,
        emulator_rules,
        emulator_workers,
        kills,
    )

    changes = (emulator_rules, emulator_deletions, emulator_grants, emulator_mails, emulator_names, emulator_alarms)
    for change in (*changes, emulator_workers):
        change.apply()
    app.app = kills.killing(app.app)
    sys.argv = ["ministack"]
    app.main()


if __name__ == "__main__":
    main()
