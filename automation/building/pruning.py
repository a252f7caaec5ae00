"""Remove from installed packages what nothing on Lambda needs; keep whatever other code refers to.

Test folders, type stubs and programs are removed. A test folder stays when code outside of it imports one of its
modules, stubs stay where a lazy loader reads them, and a program stays when code runs it.
"""

import base64
import csv
import hashlib
import re
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path

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

    A file that changes is replaced, because other trees may have the same file under a hard link.

    Args:
        version: of Python, `3.12`; a program that stays is run by it.
        own: what the project's own code refers to.

    Returns:
        The bytes that were saved, by removed folder, by program, and for all stubs together.
    """
    packages = _Packages(tree, tuple(name for name, _ in files.entries(tree)), own)
    saved: dict[str, int] = {}
    removed: list[str] = []
    for path, name in packages.removals():
        if name:
            saved[name] = saved.get(name, 0) + (tree / path).lstat().st_size
        removed.append(path)

    files.remove_with_empty_folders(tree, removed)
    programs = [path for path in packages.programs if (tree / path).exists()]
    for path in programs:
        _make_runnable(tree / path, version)
    _rewrite_records(tree, set(packages.paths) - set(removed), changed=programs)
    return saved


@dataclass(frozen=True)
class _Packages:
    """The files of installed packages, and what other code refers to in them."""

    tree: Path
    paths: Sequence[str]
    own: References

    def removals(self) -> Iterator[tuple[str, str]]:
        """Yield each file to remove with the name under which its size is reported; no name for an installer's mark."""
        for path in self.paths:
            if _name(path) in _MARKS:
                yield path, ""
            elif folder := self._unwanted_folder(path):
                yield path, folder
            elif path.endswith(".pyi") and _top(path) not in self._readers_of_stubs:
                yield path, "*.pyi"
            elif path in self.programs and _name(path) not in self._programs_run:
                yield path, path

    @cached_property
    def programs(self) -> frozenset[str]:
        is_package = f"{PROGRAMS}/__init__.py" in self.paths
        return frozenset(path for path in self.paths if _top(path) == PROGRAMS and not is_package)

    @cached_property
    def unwanted_folders(self) -> frozenset[str]:
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
    def _sources(self) -> list[tuple[str, bytes]]:
        """The modules that may refer to a test folder; pytest alone reads a conftest.py."""
        names = [path for path in self.paths if path.endswith(".py") and _name(path) != "conftest.py"]
        return [(path, files.read(f"{self.tree}/{path}")) for path in names]

    @cached_property
    def _readers_of_stubs(self) -> frozenset[str]:
        """The packages with code that reads stubs at run time."""
        return frozenset(
            _top(path)
            for path, code in self._sources
            if any(sign in code for sign in _READS_STUBS) and not self._unwanted_folder(path)
        )

    @cached_property
    def _programs_run(self) -> frozenset[str]:
        programs = set(self.own.programs)
        names = "|".join(re.escape(_name(path)) for path in self.programs)
        named = re.compile(rf"[\"'/]({names})[\"'\s]".encode())
        for path, code in self._sources if self.programs else ():
            if named.search(code) and path not in self.programs and not self._unwanted_folder(path):
                programs |= references.programs_run(code)
        return frozenset(programs)

    def _unwanted_folder(self, path: str) -> str:
        folder = _test_folder(path)
        return folder if folder in self.unwanted_folders else ""


def _test_folders(paths: Iterable[str]) -> set[str]:
    """Return the test folders that contain a test; a folder without one is a part of its package like any other."""
    tests = (path for path in paths if _TEST_FILE.fullmatch(_name(path)))
    return {folder for path in tests if (folder := _test_folder(path))}


def _test_modules(path: str, code: bytes) -> frozenset[str]:
    return references.modules_in_tests(code, path.rpartition("/")[0].replace("/", "."))


def _is_mentioned(folder: str, modules: Iterable[str]) -> bool:
    name = folder.replace("/", ".")
    return any(f"{module}.".startswith(f"{name}.") for module in modules)


def _test_folder(path: str) -> str:
    """Return the outermost test folder that contains a file, unless it is at the top, where it is a package itself."""
    parts = path.split("/")
    for number, part in enumerate(parts[1:-1], start=2):
        if part in TEST_FOLDERS:
            return "/".join(parts[:number])
    return ""


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _top(path: str) -> str:
    return path.partition("/")[0]


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
        code = _IMPORTS_SYS.sub(add_packages, code, count=1)
    files.write_atomically(program, code, mode=0o755)


def _rewrite_records(tree: Path, present: Container[str], *, changed: Iterable[str]) -> None:
    """Leave out the rows of files that are gone, and give the programs that stay their new digest."""
    new_rows = {path: _row(tree, path) for path in changed}
    for record in tree.glob("*.dist-info/RECORD"):
        rows = [row for row in record.read_bytes().decode().splitlines() if row]
        names = [name for name, *_ in csv.reader(rows)]
        listed = zip(names, rows, strict=True)
        kept = [(name, row) for name, row in listed if name in present or (tree / name).exists()]
        files.write_atomically(record, "".join(f"{new_rows.get(name, row)}\n" for name, row in kept))


def _row(tree: Path, path: str) -> str:
    content = (tree / path).read_bytes()
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(content)}"
