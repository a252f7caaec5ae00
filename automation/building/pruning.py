"""Remove from installed packages what nothing on Lambda needs; keep whatever other code refers to.

Test folders, type stubs and programs are removed. A test folder stays when code outside of it imports one of its
modules, stubs stay where a lazy loader reads them, and a program stays when code runs it.
"""

import base64
import csv
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path, PurePosixPath

from automation.building import references
from automation.building.references import TEST_FOLDERS, References
from automation.system import files

PROGRAMS = "bin"
_NOTHING = References()
_MARKS = frozenset({".lock", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json"})
_TEST_FILE = re.compile(r"(test_.*|.*_tests?|tests?|conftest)\.py")
_READS_STUBS = (b"attach_stub", b'.pyi"', b".pyi'")
_PYTHON_SCRIPT = re.compile(rb"#!.*python.*\n")
_IMPORTS_SYS = re.compile(rb"(?m)^import sys\n")


def prune(tree: Path, *, version: str, own: References = _NOTHING) -> dict[str, int]:
    """Remove what no import needs; keep the dist-info, whose RECORD files then list what is left.

    Args:
        version: of Python, `3.12`; a program that stays is run by it.
        own: what the project's own code refers to.

    Returns:
        The bytes that were saved, by removed folder, by program, and for all stubs together.
    """
    packages = _Packages(tree, tuple(PurePosixPath(path.as_posix()) for path in files.walk(tree)), own)
    saved: dict[str, int] = {}
    for path, name in packages.removals():
        if name:
            saved[name] = saved.get(name, 0) + (tree / path).lstat().st_size
        # A zip has no empty folders, so the tree has none either.
        files.remove_with_empty_parents(tree / path, tree)

    programs = [path for path in packages.programs if (tree / path).exists()]
    for path in programs:
        _make_runnable(tree / path, version)
    _rewrite_records(tree, changed=programs)
    return saved


@dataclass(frozen=True)
class _Packages:
    """The files of installed packages, and what other code refers to in them."""

    tree: Path
    paths: Sequence[PurePosixPath]
    own: References

    def removals(self) -> Iterator[tuple[PurePosixPath, str]]:
        """Yield each file to remove with the name under which its size is reported; no name for an installer's mark."""
        for path in self.paths:
            if path.name in _MARKS:
                yield path, ""
            elif folder := self._unwanted_folder(path):
                yield path, str(folder)
            elif path.suffix == ".pyi" and path.parts[0] not in self._readers_of_stubs:
                yield path, "*.pyi"
            elif path in self.programs and path.name not in self._programs_run:
                yield path, str(path)

    @cached_property
    def programs(self) -> frozenset[PurePosixPath]:
        is_package = PurePosixPath(PROGRAMS, "__init__.py") in self.paths
        return frozenset(path for path in self.paths if path.parts[0] == PROGRAMS and not is_package)

    @cached_property
    def unwanted_folders(self) -> frozenset[PurePosixPath]:
        """The test folders that no code outside of them refers to."""
        unwanted = _test_folders(self.paths)
        waiting = list(self._sources) if unwanted else []
        modules = set(self.own.modules)
        while True:
            unwanted -= {folder for folder in unwanted if _is_mentioned(folder, modules)}
            # What a folder that stays refers to must stay, too.
            staying = [(path, code) for path, code in waiting if _test_folder(path) not in unwanted]
            if not staying:
                return frozenset(unwanted)
            waiting = [(path, code) for path, code in waiting if _test_folder(path) in unwanted]
            modules = set(chain.from_iterable(_test_modules(path, code) for path, code in staying))

    @cached_property
    def _sources(self) -> list[tuple[PurePosixPath, bytes]]:
        """The modules that may refer to a test folder; pytest alone reads a conftest.py."""
        names = [path for path in self.paths if path.suffix == ".py" and path.name != "conftest.py"]
        return [(path, (self.tree / path).read_bytes()) for path in names]

    @cached_property
    def _readers_of_stubs(self) -> frozenset[str]:
        """The packages with code that reads stubs at run time."""
        return frozenset(
            path.parts[0]
            for path, code in self._sources
            if any(sign in code for sign in _READS_STUBS) and not self._unwanted_folder(path)
        )

    @cached_property
    def _programs_run(self) -> frozenset[str]:
        programs = set(self.own.programs)
        names = "|".join(re.escape(path.name) for path in self.programs)
        named = re.compile(rf"[\"'/]({names})[\"'\s]".encode())
        for path, code in self._sources if self.programs else ():
            if named.search(code) and path not in self.programs and not self._unwanted_folder(path):
                programs |= references.programs_run(code)
        return frozenset(programs)

    def _unwanted_folder(self, path: PurePosixPath) -> PurePosixPath | None:
        folder = _test_folder(path)
        return folder if folder in self.unwanted_folders else None


def _test_folders(paths: Iterable[PurePosixPath]) -> set[PurePosixPath]:
    """Return the test folders that contain a test; a folder without one is a part of its package like any other."""
    tests = (path for path in paths if _TEST_FILE.fullmatch(path.name))
    return {folder for path in tests if (folder := _test_folder(path))}


def _test_modules(path: PurePosixPath, code: bytes) -> frozenset[str]:
    return references.modules_in_tests(code, ".".join(path.parent.parts))


def _is_mentioned(folder: PurePosixPath, modules: Iterable[str]) -> bool:
    name = ".".join(folder.parts)
    return any(f"{module}.".startswith(f"{name}.") for module in modules)


def _test_folder(path: PurePosixPath) -> PurePosixPath | None:
    """Return the outermost test folder that contains a file, unless it is at the top, where it is a package itself."""
    for number, part in enumerate(path.parts[1:-1], start=2):
        if part in TEST_FOLDERS:
            return PurePosixPath(*path.parts[:number])
    return None


def _make_runnable(program: Path, version: str) -> None:
    """Let a script run on Lambda: by Lambda's Python, with the packages beside its folder, and with the run bit.

    The installer names the interpreter of this machine, which Lambda does not have, and whose path would make the
    artifact of one lock differ from folder to folder. Lambda has its Python in /var/lang/bin. Source: the Dockerfiles
    of github.com/aws/aws-lambda-base-images, 2025.
    """
    code = program.read_bytes()
    if _PYTHON_SCRIPT.match(code):
        code = _PYTHON_SCRIPT.sub(f"#!/var/lang/bin/python{version}\n".encode(), code, count=1)
        add_packages = b'import sys\nsys.path.insert(0, __file__.rpartition("/")[0] + "/..")\n'
        program.write_bytes(_IMPORTS_SYS.sub(add_packages, code, count=1))
    program.chmod(0o755)


def _rewrite_records(tree: Path, *, changed: Iterable[PurePosixPath]) -> None:
    """Leave out the rows of files that are gone, and give the programs that stay their new digest."""
    new_rows = {str(path): _row(tree, path) for path in changed}
    for record in tree.glob("*.dist-info/RECORD"):
        rows = [row for row in record.read_bytes().decode().splitlines() if row]
        names = [name for name, *_ in csv.reader(rows)]
        kept = [(name, row) for name, row in zip(names, rows, strict=True) if (tree / name).exists()]
        record.write_bytes("".join(f"{new_rows.get(name, row)}\n" for name, row in kept).encode())


def _row(tree: Path, path: PurePosixPath) -> str:
    content = (tree / path).read_bytes()
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(content)}"
