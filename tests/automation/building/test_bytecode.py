import importlib.util
import marshal
import re
import subprocess
import sys
from pathlib import Path

import pytest

from automation.building import bytecode
from automation.building.bytecode import CodeTree
from automation.lambda_runtime.paths import OPT_ROOT, TASK_ROOT
from automation.system import tools
from automation.system.errors import ToolError

HERE = tools.own_python_version()
TAG = sys.implementation.cache_tag


def write(tree: Path, name: str, text: str) -> Path:
    """Write a module; return the path of its bytecode."""
    path = tree / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path.parent / "__pycache__" / f"{path.stem}.{TAG}.pyc"


def test_compile_all_is_unchecked_and_names_the_path_on_lambda(tmp_path: Path) -> None:
    pyc = write(tmp_path, "app.py", "x = 1\n")

    bytecode.compile_all([CodeTree(tmp_path, TASK_ROOT, HERE)])

    code = pyc.read_bytes()
    assert code[:4] == importlib.util.MAGIC_NUMBER
    assert int.from_bytes(code[4:8], "little") == 0b01
    assert b"/var/task/app.py" in code


def test_compile_all_gives_the_bytes_of_a_bare_interpreter(tmp_path: Path) -> None:
    """Bytecode depends on the strings that a process has interned, so this process must not compile it."""
    text = "from dataclasses import dataclass, field\nclass Path:\n    name: str = 'resolve'\n"
    ours, bare = (write(tmp_path / name, "app.py", text) for name in ("ours", "bare"))
    bare.parent.mkdir()
    script = (
        "import sys, py_compile as p; "
        "p.compile(sys.argv[1], sys.argv[2], '/opt/app.py', invalidation_mode=p.PycInvalidationMode.UNCHECKED_HASH)"
    )
    source = str(tmp_path / "bare" / "app.py")
    interpreter = [sys.executable, "-I", "-S", "-X", "no_debug_ranges", "-c"]
    subprocess.run([*interpreter, script, source, str(bare)], check=True)

    bytecode.compile_all([CodeTree(tmp_path / "ours", OPT_ROOT, HERE)])

    assert ours.read_bytes() == bare.read_bytes()


def test_compile_all_of_many_modules_gives_the_bytes_of_few(tmp_path: Path) -> None:
    text = "def f(left, right=(1, 2, 'a b')):\n    return left\n"
    few = write(tmp_path / "few", "m0.py", text)
    many = [write(tmp_path / "many", f"m{number}.py", text) for number in range(bytecode._ENOUGH_FOR_ALL_CORES + 9)]

    bytecode.compile_all([CodeTree(tmp_path / "few", OPT_ROOT, HERE)])
    bytecode.compile_all([CodeTree(tmp_path / "many", OPT_ROOT, HERE)])

    assert all(path.is_file() for path in many)
    assert few.read_bytes() == many[0].read_bytes()


def test_compile_all_module_of_two_trees_is_compiled_per_path(tmp_path: Path) -> None:
    mount_points = {"layer": OPT_ROOT, "same": OPT_ROOT, "task": TASK_ROOT}
    pycs = [write(tmp_path / name, "app.py", "x = 1\n") for name in mount_points]

    bytecode.compile_all([CodeTree(tmp_path / name, folder, HERE) for name, folder in mount_points.items()])

    layer, same, task = (pyc.read_bytes() for pyc in pycs)
    assert layer == same
    assert layer != task


def test_compile_all_skips_a_module_that_does_not_compile(tmp_path: Path) -> None:
    broken, sound = write(tmp_path, "broken.py", "def (:\n"), write(tmp_path, "sound.py", "")

    bytecode.compile_all([CodeTree(tmp_path, OPT_ROOT, HERE)])

    assert (broken.exists(), sound.exists()) == (False, True)


def test_compile_all_for_a_missing_python_does_nothing(tmp_path: Path) -> None:
    write(tmp_path, "app.py", "x = 1\n")

    bytecode.compile_all([CodeTree(tmp_path, OPT_ROOT, "3.99")])

    assert bytecode.find_interpreter("3.99") is None
    assert not (tmp_path / "__pycache__").exists()


def test_compile_all_keeps_lines_and_drops_columns(tmp_path: Path) -> None:
    pyc = write(tmp_path, "app.py", "def f(left, right):\n    return left + right\n")

    bytecode.compile_all([CodeTree(tmp_path, OPT_ROOT, HERE)])

    code = marshal.loads(pyc.read_bytes()[16:]).co_consts[0]  # noqa: S302 - compiled by this test
    assert {start for start, *_ in code.co_positions()} == {1, 2}
    assert {column for *_, column in code.co_positions()} == {None}


def test_compile_all_reuses_bytecode_of_a_similar_tree(tmp_path: Path) -> None:
    same, changed = (write(tmp_path / "now", name, "x = 1\n") for name in ("same.py", "changed.py"))
    lent = write(tmp_path / "last", "same.py", "x = 1\n")
    stale = write(tmp_path / "last", "changed.py", "")
    for path in (lent, stale):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"lent")

    bytecode.compile_all([CodeTree(tmp_path / "now", OPT_ROOT, HERE, tmp_path / "last")])

    assert same.read_bytes() == b"lent"
    assert changed.read_bytes()[:4] == importlib.util.MAGIC_NUMBER


@pytest.mark.parametrize(("answer", "is_found"), [(f"echo {sys.executable}", True), ("exit 1", False)])
def test_find_interpreter_falls_back_to_one_that_uv_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, is_found: bool
) -> None:
    (tmp_path / "uv").write_text(f"#!/bin/sh\n{answer}\n")
    (tmp_path / "uv").chmod(0o755)
    monkeypatch.setattr(tools, "uv_program", lambda: tmp_path / "uv")
    monkeypatch.setattr(tools, "own_python_version", lambda: "3.1")
    monkeypatch.setenv("PATH", str(tmp_path))
    bytecode.find_interpreter.cache_clear()

    assert (bytecode.find_interpreter(HERE) == Path(sys.executable)) is is_found
    bytecode.find_interpreter.cache_clear()


@pytest.mark.parametrize(
    ("version", "is_possible"),
    [("3.6", False), ("3.7", True), ("3.14", True), ("2.7", False), ("3", False), ("", False), ("3.x", False)],
)
def test_is_possible_from_python_3_7_on(version: str, *, is_possible: bool) -> None:
    assert bytecode.is_possible(version) is is_possible


def test_compile_all_for_a_python_that_is_too_old_does_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bytecode, "find_interpreter", lambda _: Path(sys.executable))
    bytecode.describe_interpreter.cache_clear()
    write(tmp_path, "app.py", "x = 1\n")

    bytecode.compile_all([CodeTree(tmp_path, OPT_ROOT, "3.6")])

    assert bytecode.describe_interpreter("3.6") == ""
    assert not (tmp_path / "__pycache__").exists()


def test_compile_all_that_fails_names_the_interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "python").write_text("#!/bin/sh\necho AttributeError: none >&2\nexit 1\n")
    (tmp_path / "python").chmod(0o755)
    monkeypatch.setattr(bytecode, "find_interpreter", lambda _: tmp_path / "python")
    write(tmp_path / "tree", "app.py", "x = 1\n")

    message = f"{tmp_path}/python could not compile the bytecode: AttributeError: none"
    with pytest.raises(ToolError, match=f"^{re.escape(message)}$"):
        bytecode.compile_all([CodeTree(tmp_path / "tree", OPT_ROOT, "3.7")])
