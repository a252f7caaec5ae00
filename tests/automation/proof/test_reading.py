from pathlib import PurePosixPath

import pytest

from automation.proof import reading
from automation.proof.module_facts import Module, ModuleFacts, When

MODULE = Module("shop.till.handler", PurePosixPath("/var/task/shop/till/handler.py"), False, "main", 12)
TILL = "/var/task/shop/till"


def read(text: str, module: Module = MODULE) -> ModuleFacts:
    return reading.read(text.encode(), module)


def imported(text: str) -> list[tuple[str, When]]:
    return [(statement.module, statement.when) for statement in read(text).imports if not statement.is_optional]


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("import x", When.IMPORTED),
        ("class A:\n    import x", When.IMPORTED),
        ("with open('/tmp/a') as f:\n    import x", When.IMPORTED),
        ("def main(event, context):\n    import x", When.HANDLED),
        ("def main(event, context):\n    if event: return\n    import x", When.MAYBE),
        ("def other():\n    import x", When.MAYBE),
        ("def other():\n    def main():\n        import x", When.MAYBE),
        ("if flag:\n    import x", When.MAYBE),
        ("for one in many:\n    import x", When.MAYBE),
        ("while True:\n    import x", When.MAYBE),
        ("match flag:\n    case 1:\n        import x", When.MAYBE),
        ("try:\n    work()\nexcept ValueError:\n    import x", When.MAYBE),
        ("try:\n    work()\nfinally:\n    import x", When.IMPORTED),
        ("if sys.version_info >= (3, 11):\n    import x\nelse:\n    import y", When.IMPORTED),
        ("if os.name == 'nt':\n    import y\nelse:\n    import x", When.IMPORTED),
        ("if not TYPE_CHECKING:\n    import x", When.IMPORTED),
        ("import importlib as i\ni.import_module('x')", When.IMPORTED),
        ("__import__('x')", When.IMPORTED),
    ],
)
def test_read_import_is_as_certain_as_its_surroundings(text: str, when: When) -> None:
    assert ("x", when) in imported(text)


@pytest.mark.parametrize(
    "text",
    [
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import x",
        "import typing as t\nif t.TYPE_CHECKING:\n    import x",
        "if __name__ == '__main__':\n    import x",
        "if sys.version_info < (3, 11):\n    import x",
        "if sys.platform == 'win32':\n    import x",
        "if False and flag:\n    import x",
        "try:\n    import x\nexcept ImportError:\n    x = None",
        "try:\n    import x\nexcept (ValueError, ModuleNotFoundError):\n    pass",
        "try:\n    import x\nexcept:\n    pass",
        "import contextlib\nwith contextlib.suppress(ImportError):\n    import x",
        "import importlib\nimportlib.import_module(name)",
    ],
)
def test_read_import_that_never_runs_or_may_fail_is_optional(text: str) -> None:
    assert "x" not in [name for name, _ in imported(text)]


@pytest.mark.parametrize(
    "text",
    [
        "try:\n    import x\nexcept ImportError as error:\n    raise RuntimeError from error",
        "try:\n    import x\nexcept ValueError:\n    pass",
        "import contextlib\nwith contextlib.suppress(KeyError):\n    import x",
    ],
)
def test_read_import_without_a_handler_that_absorbs_is_needed(text: str) -> None:
    assert "x" in [name for name, _ in imported(text)]


def test_read_import_in_an_except_clause_is_instead_of_another() -> None:
    facts = read("try:\n    import fast\nexcept ImportError:\n    import slow\n")

    assert [(statement.module, statement.instead_of) for statement in facts.imports] == [
        ("fast", ()),
        ("slow", ("fast",)),
    ]


@pytest.mark.parametrize(
    ("text", "module"),
    [
        ("from . import stock", "shop.till"),
        ("from ..common import prices", "shop.common"),
        ("from ....common import prices", ""),
        ("import importlib\nimportlib.import_module('.stock', __package__)", "shop.till.stock"),
    ],
)
def test_read_relative_import_is_made_absolute(text: str, module: str) -> None:
    assert module in [statement.module for statement in read(text).imports]


@pytest.mark.parametrize(
    "text",
    [
        "import os\nos.environ['X']",
        "from os import environ\nenviron['X']",
        "import os as o\no.environ['X']",
        "import os\nNAME = 'X'\nos.environ[NAME]",
        "import os\ntry:\n    os.environ['X']\nexcept KeyError as error:\n    raise SystemExit from error",
    ],
)
def test_read_variable_without_a_default_is_a_read(text: str) -> None:
    assert [variable_read.variable for variable_read in read(text).reads] == ["X"]


@pytest.mark.parametrize(
    "text",
    [
        "import os\nos.environ.get('X')",
        "import os\nos.getenv('X')",
        "import os\ntry:\n    os.environ['X']\nexcept KeyError:\n    pass",
        "import os\ndef load():\n    return os.environ['X']\ntry:\n    load()\nexcept KeyError:\n    pass",
        "import os\nos.environ[f'{PREFIX}X']",
        "import os\nfor name in many:\n    os.environ[name]",
        "import os\nos.environ['X'] = '1'",
    ],
)
def test_read_variable_guarded_or_not_literal_is_ignored(text: str) -> None:
    assert read(text).reads == ()


@pytest.mark.parametrize(
    "text",
    [
        "import os\nif 'X' in os.environ:\n    os.environ['X']",
        "import os\nif os.environ.get('X'):\n    os.environ['X']",
        "import os\nos.getenv('X') and os.environ['X']",
        "import os\nos.environ.setdefault('X', '1')\nos.environ['X']",
    ],
)
def test_read_variable_tested_first_counts_as_set(text: str) -> None:
    assert "X" in read(text).set_here


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("from pathlib import Path\n(Path(__file__).parent / 'a.txt').read_text()", f"{TILL}/a.txt"),
        ("from pathlib import Path\nHERE = Path(__file__).resolve().parent\nopen(HERE / 'a.txt')", f"{TILL}/a.txt"),
        ("import pathlib\npathlib.Path(__file__).with_name('a.txt').open()", f"{TILL}/a.txt"),
        (
            "from pathlib import Path\nPath(__file__).parents[1].joinpath('b', 'a.txt').read_bytes()",
            "/var/task/shop/b/a.txt",
        ),
        ("import os\nopen(os.path.join(os.path.dirname(__file__), 'a.txt'), 'rb')", f"{TILL}/a.txt"),
        ("import os\nHERE = os.path.dirname(os.path.abspath(__file__))\nopen(HERE + '/a.txt')", f"{TILL}/a.txt"),
        ("import os\nHERE = os.path.dirname(__file__)\nopen(f'{HERE}/a.txt', mode='r')", f"{TILL}/a.txt"),
        (
            "from pathlib import Path\nP: Path = Path(__file__).parent / '..' / 'a.txt'\nP.read_text()",
            "/var/task/shop/a.txt",
        ),
        ("open('a.txt')", "/var/task/a.txt"),
        ("open('/opt/a.txt')", "/opt/a.txt"),
        (
            "from pathlib import Path\ndef f():\n    here = Path(__file__).parent\n    (here / 'a.txt').read_text()",
            f"{TILL}/a.txt",
        ),
        ("import numpy as np\nfrom pathlib import Path\nnp.load(Path(__file__).with_name('a.npy'))", f"{TILL}/a.npy"),
    ],
)
def test_read_literal_path_is_opened(text: str, path: str) -> None:
    assert [str(opened.path.path) for opened in read(text).opened] == [path]


@pytest.mark.parametrize(
    "text",
    [
        "from importlib.resources import files\nfiles('shop.till').joinpath('a.txt').read_text()",
        "from importlib import resources\n(resources.files(__package__) / 'a.txt').read_bytes()",
        "import importlib.resources\nimportlib.resources.read_text('shop.till', 'a.txt')",
        "import pkgutil\npkgutil.get_data(__package__, 'a.txt')",
    ],
)
def test_read_resource_is_a_path_of_its_package(text: str) -> None:
    assert [(opened.path.package, str(opened.path.path)) for opened in read(text).opened] == [("shop.till", "a.txt")]


@pytest.mark.parametrize(
    "text",
    [
        "from pathlib import Path\n(Path(__file__).parent / name).read_text()",
        "from pathlib import Path\nP = Path(__file__).parent\nP = P / 'x'\nP.read_text()",
        "from pathlib import Path\ndef f(P):\n    P.read_text()",
        "from pathlib import Path\n(Path(__file__).parent / 'a.txt').write_text('')",
        "from pathlib import Path\n(Path(__file__).parent / 'a.txt').open('w')",
        "open('/tmp/a.txt', mode)",
        "try:\n    open('a.txt')\nexcept FileNotFoundError:\n    pass",
        "P = P",
    ],
)
def test_read_path_partly_literal_written_or_guarded_is_ignored(text: str) -> None:
    assert read(text).opened == ()


def test_read_path_tested_before_opening_is_tested() -> None:
    facts = read("from pathlib import Path\nP = Path(__file__).with_name('a')\nif P.exists():\n    P.read_text()")

    assert {opened.path for opened in facts.opened} == facts.tested


def test_read_template_loader_has_its_folder_and_templates() -> None:
    facts = read(
        "from jinja2 import Environment, FileSystemLoader\nfrom pathlib import Path\n"
        "E = Environment(loader=FileSystemLoader(Path(__file__).parent / 'pages'))\nE.get_template('mail.html')\n"
    )

    assert facts.loaders is not None
    assert [str(loader.path.path) for loader in facts.loaders] == [f"{TILL}/pages"]
    assert [name for name, _, _ in facts.templates] == ["mail.html"]


def test_read_package_loader_uses_the_templates_folder() -> None:
    facts = read("import jinja2\njinja2.PackageLoader('shop.till')\n")

    assert facts.loaders is not None
    assert [str(loader.path) for loader in facts.loaders] == ["templates of package shop.till"]


def test_read_loader_of_an_unknown_folder_is_unknown() -> None:
    assert read("import jinja2\njinja2.FileSystemLoader(folder)\n").loaders is None


def test_read_invalid_source_is_an_error_with_its_line() -> None:
    assert read("x = 1\nif True\n").error == (2, "expected ':'")


def test_read_syntax_of_a_later_version_is_an_error() -> None:
    older = Module("m", PurePosixPath("/var/task/m.py"), False, "", 9)

    assert read("match x:\n    case 1: pass\n", older).error is not None


def test_read_invalid_escape_gives_no_warning() -> None:
    assert read("P = '\\d'\n").error is None


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("def a(): ...", {"a"}),
        ("class A:\n    b = 1", {"A"}),
        ("a, (b, *c) = x", {"a", "b", "c"}),
        ("if x:\n    a = 1\nelse:\n    from y import b as c", {"a", "c"}),
        ("for a in x: pass", {"a"}),
        ("with x as a: pass", {"a"}),
        ("type A = int", {"A"}),
        ("import a.b", {"a"}),
    ],
)
def test_read_names_are_what_importing_defines(text: str, names: set[str]) -> None:
    defined = read(text).names

    assert defined is not None
    assert {name for name in defined if not name.startswith("__")} >= names


@pytest.mark.parametrize(
    "text", ["from x import *", "def __getattr__(n): ...", "globals()['a'] = 1", "def f():\n    global a\n    a = 1"]
)
def test_read_names_defined_at_run_time_are_unknown(text: str) -> None:
    assert read(text).names is None


def test_read_name_bound_once_to_a_literal_is_uncallable() -> None:
    assert read("a = {}\nb = 1\nb = print\nc = print\n").uncallable == {"a"}


@pytest.mark.parametrize(
    ("code", "folders", "is_unknown"),
    [
        ("sys.path.insert(0, 'vendor')", ["/var/task/vendor"], False),
        ("sys.path.append('/opt/lib')", ["/opt/lib"], False),
        ("sys.path.append(os.path.join(os.path.dirname(__file__), 'lib'))", [f"{TILL}/lib"], False),
        ("sys.path.extend(['a', '/mnt/efs'])", ["/var/task/a", "/mnt/efs"], False),
        ("site.addsitedir('vendor')", ["/var/task/vendor"], False),
        ("sys.path.append(os.environ['LIB'])", [], True),
        ("sys.path.extend(folders())", [], True),
        ("sys.path += ['lib']", [], True),
        ("sys.path[:0] = ['lib']", [], True),
        ("sys.path = ['lib', *sys.path]", [], True),
        ("sys.path.remove('lib'); lines.append('x'); lines.extend('x'); names[0] = sys.path[0]", [], False),
    ],
)
def test_read_folders_added_to_sys_path_are_noted(code: str, folders: list[str], is_unknown: bool) -> None:
    facts = read(f"import os, site, sys\n{code}")

    assert [str(folder) for folder in facts.added_folders] == folders
    assert facts.changes_path is is_unknown
