"""Read the zips of the last build: what each function and layer of the project would run now."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from automation.building import artifacts, manifests, outputs
from automation.project.model import Project, Stack
from automation.system import files
from automation.system.digests import base64_of


@dataclass(frozen=True, slots=True)
class BuiltZip:
    """The zip of a function or layer.

    Attributes:
        digest: its SHA-256, in base64.
        is_installed: whether a lock decides its content, beside the project's code.
    """

    path: Path
    digest: str
    size_bytes: int
    is_installed: bool

    def read(self) -> bytes:
        """Return its content."""
        return files.read(self.path)


@dataclass(slots=True)
class Digests:
    """The digests of zips that were read before: a large one is read again only when it was written again."""

    known: dict[tuple[int, int, int], str] = field(default_factory=dict)

    def of(self, path: Path) -> str:
        """Return the SHA-256 of a file, in base64."""
        status = path.stat()
        key = status.st_ino, status.st_mtime_ns, status.st_size
        if key not in self.known:
            self.known[key] = base64_of(files.digest(files.read(path)))
        return self.known[key]


def read(project: Project, digests: Digests) -> Mapping[tuple[str, str], BuiltZip]:
    """Return the zip of everything that the last build of each stack made, by stack and logical id."""
    zips: dict[tuple[str, str], BuiltZip] = {}
    for stack in project.stacks:
        zips |= dict(_of_stack(stack, project.root, digests))
    return zips


def _of_stack(stack: Stack, root: Path, digests: Digests) -> Iterator[tuple[tuple[str, str], BuiltZip]]:
    built = manifests.read(root, stack.name).artifacts
    for artifact in artifacts.of_stack(stack, root, on_failure=lambda *_: None):
        path = root / stack.build_dir / outputs.zip_name(artifact.logical_id)
        if artifact.logical_id in built and path.is_file():
            zip_of_artifact = BuiltZip(path, digests.of(path), path.stat().st_size, artifact.lock is not None)
            yield (stack.name, artifact.logical_id), zip_of_artifact
