import base64
import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from automation.building import pruning
from automation.building.references import References
from automation.system import files
from tests.automation.projects import write_files

SCRIPT = "#!/home/me/.venv/bin/python\n# -*- coding: utf-8 -*-\nimport sys\nfrom tool import main\nsys.exit(main())\n"


def prune(tree: Path, own: References = References()) -> dict[str, int]:  # noqa: B008 - frozen
    return pruning.prune(tree, version="3.12", own=own)


def left(tree: Path) -> set[str]:
    return {path.as_posix() for path in files.walk(tree)}


def digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def test_prune_keeps_metadata_and_removes_what_no_import_needs(tmp_path: Path) -> None:
    wanted = {"numpy/core.py", "numpy-1.dist-info/METADATA", "tests/kept.py", "tests/test_kept.py"}
    unwanted = {"bin/f2py", ".lock", "numpy/core.pyi", "numpy/tests/test_a.py"}
    marks = ("REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json")
    write_files(tmp_path, dict.fromkeys([*wanted, *unwanted, *(f"numpy-1.dist-info/{mark}" for mark in marks)], ""))

    prune(tmp_path)

    assert left(tmp_path) == wanted
    assert not (tmp_path / "bin").exists()


def test_prune_leaves_no_empty_folder(tmp_path: Path) -> None:
    write_files(
        tmp_path, {"pkg/a.py": "", "pkg/_core/deep/a.pyi": "", "pkg/tests/data/test_a.py": "", "pkg/keep/b.py": ""}
    )

    prune(tmp_path)

    folders = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_dir()}
    assert folders == {"pkg", "pkg/keep"}


def test_prune_returns_the_bytes_saved_by_folder_program_and_stubs(tmp_path: Path) -> None:
    contents = {"a/tests/test_x.py": "1234", "a/tests/sub/tests/rows.csv": "12", "a/x.pyi": "1", "b/y.pyi": "123"}
    write_files(tmp_path, {**contents, "bin/run": "12345", ".lock": "1234567", "a/x.py": ""})

    assert prune(tmp_path) == {"a/tests": 6, "*.pyi": 4, "bin/run": 5}


def test_prune_record_lists_only_what_is_left(tmp_path: Path) -> None:
    record = "numpy-1.dist-info/RECORD"
    core = '"numpy/a,b.py",sha256=x,1'
    for folder in ("here", "there"):
        rows = f"{core}\nbin/f2py,sha256={folder},9\nnumpy/core.pyi,sha256=y,1\n{record},,\n"
        files_there = dict.fromkeys(["numpy/a,b.py", "bin/f2py", "numpy/core.pyi"], "")
        write_files(tmp_path / folder, {**files_there, record: rows})
        prune(tmp_path / folder)

    assert (tmp_path / "here" / record).read_text() == f"{core}\n{record},,\n"
    assert (tmp_path / "here" / record).read_bytes() == (tmp_path / "there" / record).read_bytes()


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("django/core.py", "from django.test.runner import Runner\n"),
        ("django/core.py", "from .test import runner\n"),
        ("django/conf.py", "RUNNER = 'django.test.runner.Runner'\n"),
        ("other.py", "def f():\n    import django.test\n"),
    ],
)
def test_prune_folder_that_other_code_imports_stays_whole(tmp_path: Path, path: str, code: str) -> None:
    wanted = {"django/test/runner.py", "django/test/test_it.py", "django/test/data/rows.csv", path}
    write_files(tmp_path, {**dict.fromkeys(wanted, ""), path: code, "django/db/tests/test_b.py": ""})

    prune(tmp_path)

    assert left(tmp_path) == wanted


def test_prune_folder_that_only_tests_import_is_removed(tmp_path: Path) -> None:
    code = "from pkg.tests.helpers import x\n"
    write_files(
        tmp_path, {"pkg/a.py": "", "pkg/tests/test_a.py": code, "pkg/conftest.py": code, "pkg/tests/helpers.py": ""}
    )

    prune(tmp_path)

    assert left(tmp_path) == {"pkg/a.py", "pkg/conftest.py"}


def test_prune_folder_that_a_staying_folder_imports_stays(tmp_path: Path) -> None:
    contents = {
        "a/x.py": "import b.tests.rows\n",
        "b/tests/test_rows.py": "import c.tests.more\n",
        "b/tests/rows.py": "",
        "c/tests/test_more.py": "",
        "c/tests/more.py": "import d.other\n",
        "d/tests/test_d.py": "",
        "e/deep/x.py": "from .tests import rows\n",
        "e/deep/tests/test_e.py": "",
    }
    write_files(tmp_path, contents)

    prune(tmp_path)

    assert left(tmp_path) == set(contents) - {"d/tests/test_d.py"}


def test_prune_folder_that_own_code_imports_stays(tmp_path: Path) -> None:
    write_files(tmp_path, dict.fromkeys(["a/tests/test_x.py", "b/tests/test_x.py", "b2/tests/test_x.py"], ""))

    prune(tmp_path, References(modules=frozenset({"b.tests.test_x"})))

    assert left(tmp_path) == {"b/tests/test_x.py"}


def test_prune_folder_without_a_test_is_a_part_of_its_package(tmp_path: Path) -> None:
    wanted = {"werk/test/client.py", "sets/train/a.csv", "sets/test/a.csv"}
    write_files(tmp_path, dict.fromkeys(wanted, ""))

    prune(tmp_path)

    assert left(tmp_path) == wanted


@pytest.mark.parametrize("name", ["test_x.py", "x_test.py", "x_tests.py", "tests.py", "test.py", "conftest.py"])
def test_prune_folder_with_one_test_is_removed(tmp_path: Path, name: str) -> None:
    write_files(tmp_path, {f"a/tests/{name}": "", "a/tests/rows.csv": ""})

    prune(tmp_path)

    assert left(tmp_path) == set()


@pytest.mark.parametrize("code", ["lazy.attach_stub(__name__, __file__)", "open(f'{base}.pyi')", 'suffix = ".pyi"'])
def test_prune_stubs_stay_where_code_reads_them(tmp_path: Path, code: str) -> None:
    write_files(
        tmp_path, {"sk/__init__.py": code, "sk/sub/__init__.pyi": "", "np/__init__.py": "", "np/__init__.pyi": ""}
    )

    prune(tmp_path)

    assert left(tmp_path) == {"sk/__init__.py", "sk/sub/__init__.pyi", "np/__init__.py"}


def test_prune_stubs_that_only_tests_read_are_removed(tmp_path: Path) -> None:
    write_files(tmp_path, {"np/tests/test_x.py": "open('x.pyi')", "np/__init__.pyi": ""})

    prune(tmp_path)

    assert left(tmp_path) == set()


def test_prune_program_that_own_code_names_stays_and_runs(tmp_path: Path) -> None:
    write_files(tmp_path, {"bin/tool": SCRIPT, "bin/rest": SCRIPT, "tool.py": "def main():\n    print('ran')\n"})

    prune(tmp_path, References(programs=frozenset({"tool"})))

    script = (tmp_path / "bin/tool").read_text()
    assert left(tmp_path) == {"bin/tool", "tool.py"}
    assert script.startswith("#!/var/lang/bin/python3.12\n# -*- coding: utf-8 -*-\nimport sys\nsys.path.insert(0, ")
    assert (tmp_path / "bin/tool").stat().st_mode & 0o777 == 0o755
    ran = subprocess.run([sys.executable, "-I", tmp_path / "bin/tool"], capture_output=True, text=True, check=True)
    assert ran.stdout == "ran\n"


def test_prune_program_that_a_package_runs_stays_with_its_new_digest(tmp_path: Path) -> None:
    record = "pkg-1.dist-info/RECORD"
    rows = f"bin/tool,sha256=old,1\npkg/a.py,,\n{record},,\n"
    code = "import subprocess\nsubprocess.run(['tool'])\nsubprocess.run(['also'])\n"
    write_files(tmp_path, {"bin/also": "", "bin/rest": "", "bin/tool": "\x7fELF", "pkg/a.py": code, record: rows})

    prune(tmp_path)

    assert left(tmp_path) == {"bin/also", "bin/tool", "pkg/a.py", record}
    row = f"bin/tool,sha256={digest(b'\x7fELF')},4"
    assert (tmp_path / record).read_text() == f"{row}\npkg/a.py,,\n{record},,\n"


def test_prune_program_that_a_package_only_names_is_removed(tmp_path: Path) -> None:
    write_files(tmp_path, {"bin/tool": "", "pkg/a.py": "import subprocess\nNAME = 'tool'\n"})

    prune(tmp_path)

    assert left(tmp_path) == {"pkg/a.py"}


@pytest.mark.parametrize("path", ["pkg/tests/test_a.py", "bin/more.py"])
def test_prune_program_that_only_removed_code_runs_is_removed(tmp_path: Path, path: str) -> None:
    write_files(tmp_path, {"bin/tool": "", "pkg/a.py": "", path: "import subprocess\nsubprocess.run(['tool'])\n"})

    prune(tmp_path)

    assert left(tmp_path) == {"pkg/a.py"}


def test_prune_package_called_bin_stays(tmp_path: Path) -> None:
    write_files(tmp_path, {"bin/__init__.py": "", "bin/x.py": ""})

    prune(tmp_path)

    assert left(tmp_path) == {"bin/__init__.py", "bin/x.py"}
