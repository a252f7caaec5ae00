import os
from pathlib import Path

import pytest

from automation.building import references
from automation.building.references import References


@pytest.mark.parametrize(
    ("code", "modules"),
    [
        ("import django.test", {"django.test"}),
        ("import numpy.lib.tests.helpers as h, os", {"numpy.lib.tests.helpers"}),
        ("from django.test import RequestFactory", {"django.test", "django.test.RequestFactory"}),
        ("from django import (\n    test,\n    urls,\n)", {"django.test"}),
        ("def late():\n    from pkg.tests.data import ROWS", {"pkg.tests.data", "pkg.tests.data.ROWS"}),
        ("from . import tests", {"own.sub.tests"}),
        ("from .tests import ROWS", {"own.sub.tests", "own.sub.tests.ROWS"}),
        ("from ..test.helpers import run", {"own.test.helpers", "own.test.helpers.run"}),
        ("RUNNER = 'django.test.runner.DiscoverRunner'", {"django.test.runner.DiscoverRunner"}),
        ("NAME = __import__('.tests.rows')", {"own.sub.tests.rows"}),
        ("from ....tests import x", set()),
    ],
)
def test_modules_in_tests_are_those_imported_or_named(code: str, modules: set[str]) -> None:
    assert references.modules_in_tests(code.encode(), "own.sub") == modules


@pytest.mark.parametrize(
    "code",
    ["import tests.helpers", "from test import support", "from jinja2.testing import x", "import contest", "test = 1"],
)
def test_modules_in_tests_top_level_or_longer_names_do_not_count(code: str) -> None:
    assert references.modules_in_tests(code.encode()) == frozenset()


def test_modules_in_tests_comment_does_not_count() -> None:
    assert references.modules_in_tests(b"# import pkg.tests\nimport pkg\n") == frozenset()


def test_modules_in_tests_unparsable_source_counts_every_name() -> None:
    assert references.modules_in_tests(b"import pkg.tests.rows\nthis is new syntax \xfc\n") == {"pkg.tests.rows"}


@pytest.mark.parametrize(
    "call",
    [
        "subprocess.run(['tool', '-v'])",
        "subprocess.run(args=('/var/task/bin/tool',))",
        "subprocess.Popen(os.path.join(HERE, 'bin', 'tool'))",
        "subprocess.check_output('bin/tool --all', shell=True)",
        "subprocess.getoutput(cmd='tool -v')",
        "asyncio.create_subprocess_exec('tool')  # subprocess",
        "os.execvp('tool', [])",
        "shutil.which('tool')",
        "os.system('tool x')",
    ],
)
def test_programs_run_are_named_first_in_a_call(call: str) -> None:
    assert "tool" in references.programs_run(f"import subprocess\n{call}\n".encode())


def test_programs_run_names_elsewhere_do_not_count() -> None:
    code = b"import subprocess\nNAME = 'tool'\nsubprocess.run(['ls', 'tool'])\nstart('tool')\nrun('')\n"

    assert references.programs_run(code) == {"ls"}


def test_programs_run_without_a_starting_module_is_empty() -> None:
    assert references.programs_run(b"app.run('tool')\n") == frozenset()


def test_of_own_files_reads_code_and_scripts(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import subprocess, pkg.tests\nTOOL = '/var/task/bin/tool'\n")
    (tmp_path / "run.sh").write_bytes(b"#!/bin/sh\nexec gunicorn app:app  # f\xfcr\n")
    (tmp_path / "bootstrap").write_text("#!/bin/sh\nexec uvicorn\n")
    (tmp_path / "start.bash").write_text("#!/bin/bash\nexec hypercorn\n")
    (tmp_path / "data.sh").write_text("no-script\n")
    (tmp_path / "data.csv").write_text("#!word\n")

    own = references.of_own_files(sorted(tmp_path.iterdir()))

    assert own.modules == {"pkg.tests"}
    assert {"tool", "gunicorn", "uvicorn", "hypercorn"} <= own.programs
    assert not {"no-script", "word"} & own.programs


def test_of_own_files_without_a_starting_module_names_no_program(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("TOOL = '/var/task/bin/tool'\n")

    assert references.of_own_files([tmp_path / "app.py"]) == References()


def test_of_own_files_changed_file_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "app.py"
    path.write_text("import a.tests\n")
    first = references.of_own_files([path])
    path.write_text("import b.tests\n")
    os.utime(path, ns=(1, 1))

    assert first.modules == {"a.tests"}
    assert references.of_own_files([path]).modules == {"b.tests"}


def test_references_as_text_are_sorted() -> None:
    assert str(References(frozenset({"b.tests"}), frozenset({"a"}))) == "a, b.tests"
    assert str(References()) == ""
