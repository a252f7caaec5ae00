"""Which test files a change reaches: pure, from the project's files, their text and the imports between them.

A test is run when it imports a changed module by however many steps, when a file of its folder changed, or when it, or
something it imports, names a changed file. What cannot be told runs everything.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import PurePosixPath
from typing import Any

from automation.reach import imports
from automation.reach.imports import Graph

_CONFTEST = "conftest.py"
_EVERYTHING = ("pyproject.toml", "noxfile.py", "pytest.ini", "tox.ini", "setup.cfg", "uv.lock", _CONFTEST)
_LOCKS = "locks/*"
_TEMPLATE = "template.yaml"


@dataclass(frozen=True, slots=True)
class Layout:
    """Where pytest finds tests.

    Attributes:
        folders: relative to the root.
        not_entered: patterns of folders, as pytest's norecursedirs.
    """

    folders: tuple[str, ...] = ("tests",)
    not_entered: tuple[str, ...] = (".*",)

    @staticmethod
    def of(settings: Mapping[str, Any]) -> "Layout":
        """Read `[tool.pytest.ini_options]`."""
        known = Layout()
        given = [settings.get(key) for key in ("testpaths", "norecursedirs")]
        words = [one.split() if isinstance(one, str) else one for one in given]
        return Layout(tuple(words[0] or known.folders), tuple(words[1] or known.not_entered))

    def is_test(self, path: str) -> bool:
        name = PurePosixPath(path).name
        if not (name.endswith("_test.py") or (name.startswith("test_") and name.endswith(".py"))):
            return False
        return any(is_below(path, folder) for folder in self.folders) and not self._is_hidden(path)

    def _is_hidden(self, path: str) -> bool:
        """A pattern with a slash is for the whole path, one without for a folder's name. Source: pytest's docs."""
        folders = [one for one in PurePosixPath(path).parents if one.name]
        return any(
            fnmatch(str(folder) if "/" in pattern else folder.name, pattern)
            for folder in folders
            for pattern in self.not_entered
        )


@dataclass(frozen=True, slots=True)
class Choice:
    """The test files to run, sorted.

    Attributes:
        everything: why these are all there are; empty when they were chosen.
    """

    files: tuple[str, ...] = ()
    everything: str = ""


def choose(
    changed: Collection[str],
    texts: Mapping[str, str],
    graph: Graph | None,
    layout: Layout,
    *,
    templates: Collection[str] = (),
) -> Choice:
    """Choose the tests.

    Args:
        changed: changed files, relative to the root; those deleted too.
        texts: every module of the project by its path.
        graph: the imports between them; None when it is not known.
        templates: the project's templates: a change of one reaches whatever reads a template.
    """
    if not changed:
        return Choice()
    tests = tuple(sorted(path for path in texts if layout.is_test(path)))
    for path in sorted(changed):
        if path in _EVERYTHING or fnmatch(path, _LOCKS):
            return Choice(tests, f"{path} changed")
    if graph is None:
        return Choice(tests, "the imports are not known")
    modules = {imports.module_of(path): path for path in texts}
    goals = {imports.module_of(path) for path in changed if path.endswith(".py")}
    goals |= {imports.module_of(path) for path in _naming(changed, texts, templates)}
    goals |= {imports.module_of(path) for one in changed for path in _beside(one, texts)}
    reached = {modules[name] for name in imports.reaching(graph, goals) if name in modules}
    found = {test for test in tests if test in reached or reached & set(_conftests(test))}
    found |= {test for one in changed for test in _in_test_folder(one, tests, reached, layout)}
    found |= {test for test in tests if _names_folder(texts[test], changed)}
    return Choice(tuple(sorted(found)))


def is_below(path: str, folder: str) -> bool:
    return path.startswith(f"{folder.rstrip('/')}/") or folder in {".", path}


def _naming(changed: Iterable[str], texts: Mapping[str, str], templates: Collection[str]) -> list[str]:
    """The modules with a text that is the name, the path or the dotted name of a changed file."""
    names = {name for path in changed for name in (path, PurePosixPath(path).name, imports.module_of(path)) if name}
    names -= {"__init__.py", "__main__.py"}
    names |= {_TEMPLATE} if set(changed) & set(templates) else set()
    pattern = _quoted(names)
    return [path for path, text in texts.items() if pattern.search(text)]


def _beside(path: str, texts: Mapping[str, str]) -> list[str]:
    """For a data file in a package: the modules in the nearest folder that has any, and those that name its folder."""
    if path.endswith(".py") or "/" not in path:
        return []
    pattern = _quoted({PurePosixPath(path).parent.name})
    top = PurePosixPath(path).parts[0]
    naming = [one for one, text in texts.items() if is_below(one, top) and pattern.search(text)]
    for folder in list(PurePosixPath(path).parents)[:-1]:
        found = [one for one in texts if PurePosixPath(one).parent == folder]
        if found:
            return [*found, *naming]
    return naming


def _in_test_folder(path: str, tests: Sequence[str], reached: Collection[str], layout: Layout) -> list[str]:
    """For a data file among the tests: those below its folder; else those that name it, else all below the next one."""
    if path.endswith(".py") and PurePosixPath(path).name != _CONFTEST:
        return []
    if not any(is_below(path, folder) for folder in layout.folders):
        return []
    folder, *above = [str(one) for one in PurePosixPath(path).parents][:-1]
    if below := [test for test in tests if is_below(test, folder)]:
        return below
    if any(test in reached for test in tests):
        return []
    return next((found for one in above if (found := [test for test in tests if is_below(test, one)])), [])


def _names_folder(text: str, changed: Iterable[str]) -> bool:
    """Does a test name the top folder, or the very folder, of a changed file? It may read what is in there."""
    folders = {PurePosixPath(path).parts[0] for path in changed if "/" in path}
    folders |= {str(PurePosixPath(path).parent) for path in changed if "/" in path}
    return bool(folders) and bool(_quoted(folders).search(text))


def _conftests(test: str) -> list[str]:
    return [str(folder / _CONFTEST) for folder in PurePosixPath(test).parents]


def _quoted(names: Iterable[str]) -> re.Pattern[str]:
    """Finds a text in quotes that is one of the names, or a path that ends so."""
    alternatives = "|".join(re.escape(name) for name in sorted(names)) or "(?!)"
    return re.compile(rf"[\"'/](?:{alternatives})[\"']")
