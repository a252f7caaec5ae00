"""Select the test files that a change reaches, from the project's files, their text and their imports. Pure.

A test is selected when it imports a changed module, directly or not, when a file in its folder changed, or when it, or
a module it imports, names a changed file. When the answer is unknown, every test is selected.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import PurePosixPath
from typing import Any

from automation.reach import import_graphs
from automation.reach.import_graphs import ImportGraph

_CONFTEST = "conftest.py"
_RUN_ALL = ("pyproject.toml", "noxfile.py", "pytest.ini", "tox.ini", "setup.cfg", "uv.lock", _CONFTEST)
_LOCKS = "locks/*"
_TEMPLATE = "template.yaml"


@dataclass(frozen=True, slots=True)
class PytestLayout:
    """The folders where pytest finds tests.

    Attributes:
        folders: pytest's testpaths, relative to the root.
        skipped_folders: pytest's norecursedirs, patterns of folders.
    """

    folders: tuple[str, ...] = ("tests",)
    skipped_folders: tuple[str, ...] = (".*",)

    @staticmethod
    def from_settings(settings: Mapping[str, Any]) -> "PytestLayout":
        """Read the table `[tool.pytest.ini_options]`."""
        default = PytestLayout()
        return PytestLayout(
            _words(settings.get("testpaths")) or default.folders,
            _words(settings.get("norecursedirs")) or default.skipped_folders,
        )

    def is_test(self, path: str) -> bool:
        name = PurePosixPath(path).name
        if not (name.endswith("_test.py") or (name.startswith("test_") and name.endswith(".py"))):
            return False
        return any(is_below(path, folder) for folder in self.folders) and not self._is_skipped(path)

    def _is_skipped(self, path: str) -> bool:
        """Match patterns with a slash against the path of a folder, others against its name. Source: pytest's docs."""
        for folder in PurePosixPath(path).parents:
            for pattern in self.skipped_folders if folder.name else ():
                if fnmatch(str(folder) if "/" in pattern else folder.name, pattern):
                    return True
        return False


@dataclass(frozen=True, slots=True)
class SelectedTests:
    """The test files to run, sorted.

    Attributes:
        run_all_reason: why every test is selected; empty when they were selected one by one.
    """

    files: tuple[str, ...] = ()
    run_all_reason: str = ""


def select(
    changed: Collection[str],
    texts: Mapping[str, str],
    graph: ImportGraph | None,
    layout: PytestLayout,
    *,
    templates: Collection[str] = (),
) -> SelectedTests:
    """Select the tests that a change reaches.

    Args:
        changed: changed files, relative to the root, deleted ones included.
        texts: the text of every module of the project, by its path.
        graph: the imports between the modules; None when they are unknown.
        templates: the paths of the project's templates: a changed one reaches every module that names template.yaml.
    """
    if not changed:
        return SelectedTests()

    tests = tuple(sorted(path for path in texts if layout.is_test(path)))
    for path in sorted(changed):
        if path in _RUN_ALL or fnmatch(path, _LOCKS):
            return SelectedTests(tests, f"{path} changed")
    if graph is None:
        return SelectedTests(tests, "the imports are unknown")

    reached = _reached_modules(changed, texts, graph, templates)
    selected = {test for test in tests if test in reached or reached & set(_conftests(test))}
    selected |= {test for test in tests if _names_folder(texts[test], changed)}
    for path in changed:
        selected.update(_tests_beside(path, tests, reached, layout))
    return SelectedTests(tuple(sorted(selected)))


def is_below(path: str, folder: str) -> bool:
    return path.startswith(f"{folder.rstrip('/')}/") or folder in {".", path}


def _words(setting: Any) -> tuple[str, ...]:
    """Split a pytest setting, which is a list or a text with spaces."""
    return tuple(setting.split() if isinstance(setting, str) else setting or ())


def _reached_modules(
    changed: Collection[str], texts: Mapping[str, str], graph: ImportGraph, templates: Collection[str]
) -> set[str]:
    """Return the paths of the modules that changed, depend on a changed file, or import one of these."""
    sources = {path for path in changed if path.endswith(".py")}
    sources.update(_modules_naming(changed, texts, templates))
    for path in changed:
        sources.update(_modules_beside(path, texts))

    path_by_module = {import_graphs.module_name(path): path for path in texts}
    modules = import_graphs.importers_of(graph, {import_graphs.module_name(path) for path in sources})
    return {path_by_module[module] for module in modules if module in path_by_module}


def _modules_naming(changed: Iterable[str], texts: Mapping[str, str], templates: Collection[str]) -> list[str]:
    """Return the modules that quote the name, the path or the dotted name of a changed file."""
    names: set[str] = set()
    for path in changed:
        names |= {path, PurePosixPath(path).name, import_graphs.module_name(path)}
    names -= {"", "__init__.py", "__main__.py"}
    names |= {_TEMPLATE} if set(changed) & set(templates) else set()
    pattern = _quoted(names)
    return [path for path, text in texts.items() if pattern.search(text)]


def _modules_beside(path: str, texts: Mapping[str, str]) -> list[str]:
    """Return, for a data file in a package, the modules in the nearest folder with any, and those naming its folder."""
    if path.endswith(".py") or "/" not in path:
        return []
    pattern = _quoted({PurePosixPath(path).parent.name})
    top = PurePosixPath(path).parts[0]
    naming = [module for module, text in texts.items() if is_below(module, top) and pattern.search(text)]
    for folder in list(PurePosixPath(path).parents)[:-1]:
        siblings = [module for module in texts if PurePosixPath(module).parent == folder]
        if siblings:
            return [*siblings, *naming]
    return naming


def _tests_beside(path: str, tests: Sequence[str], reached: Collection[str], layout: PytestLayout) -> list[str]:
    """Return, for a data file or conftest in a test folder, the tests below its folder.

    If there are none and no other rule selects a test, return those below the nearest parent folder that has tests.
    """
    if path.endswith(".py") and PurePosixPath(path).name != _CONFTEST:
        return []
    if not any(is_below(path, folder) for folder in layout.folders):
        return []

    is_reached = any(test in reached for test in tests)
    for number, folder in enumerate(list(PurePosixPath(path).parents)[:-1]):
        below = [test for test in tests if is_below(test, str(folder))]
        if below or (number == 0 and is_reached):
            return below
    return []


def _names_folder(text: str, changed: Iterable[str]) -> bool:
    """Return whether a test quotes the top folder or the parent folder of a changed file: it may read files there."""
    folders = {PurePosixPath(path).parts[0] for path in changed if "/" in path}
    folders |= {str(PurePosixPath(path).parent) for path in changed if "/" in path}
    return bool(folders) and bool(_quoted(folders).search(text))


def _conftests(test: str) -> list[str]:
    return [str(folder / _CONFTEST) for folder in PurePosixPath(test).parents]


def _quoted(names: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern of a quoted text that is one of the names, or a path that ends with one."""
    alternatives = "|".join(re.escape(name) for name in sorted(names)) or "(?!)"
    return re.compile(rf"[\"'/](?:{alternatives})[\"']")
