"""Write a set of files so that either all of them are changed, or none."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from automation.system import files

type Contents = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class FileChanges:
    """New contents of files.

    Attributes:
        contents: by path, relative to the project root; None removes a file.
    """

    contents: Contents = field(default_factory=dict)

    @property
    def removed(self) -> tuple[str, ...]:
        return tuple(path for path, text in self.contents.items() if text is None)


@contextmanager
def written(root: Path, changes: FileChanges) -> Iterator[None]:
    """Write the files; when that or the block fails, put everything back as it was."""
    before = {path: _bytes(root / path) for path in changes.contents}
    try:
        for path, text in changes.contents.items():
            _put(root, path, None if text is None else text.encode())
        yield
    except BaseException:
        for path, content in before.items():
            _put(root, path, content)
        raise


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _put(root: Path, path: str, content: bytes | None) -> None:
    target = root / path
    if content is None:
        files.remove_with_empty_parents(target, root)
    elif _bytes(target) != content:
        files.write_atomically(target, content, mode=target.stat().st_mode & 0o777 if target.exists() else 0o644)
