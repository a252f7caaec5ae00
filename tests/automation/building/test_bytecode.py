import importlib.util
import marshal
import subprocess
import sys
from pathlib import Path

from automation.building import bytecode
from automation.building.bytecode import CodeTree

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
TAG = sys.implementation.cache_tag


def write(tree: Path, name: str, text: str) -> Path:
    path = tree / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path.parent / "__pycache__" / f"{path.stem}.{TAG}.pyc"


def test_compile_all_is_unchecked_and_names_lambdas_path(tmp_path: Path) -> None:
    made = write(tmp_path, "app.py", "x = 1\n")

    bytecode.compile_all([CodeTree(tmp_path, "/var/task", HERE)])

    code = made.read_bytes()
    assert code[:4] == importlib.util.MAGIC_NUMBER
    assert int.from_bytes(code[4:8], "little") == 0b01
    assert b"/var/task/app.py" in code


def test_compile_all_gives_the_bytes_of_a_bare_interpreter(tmp_path: Path) -> None:
    """The bytes depend on the strings that a process has interned, so they are not made in this one."""
    text = "from dataclasses import dataclass, field\nclass Path:\n    name: str = 'resolve'\n"
    ours, other = (write(tmp_path / name, "app.py", text) for name in ("ours", "other"))
    other.parent.mkdir()
    compiled = (
        "import sys, py_compile as p; "
        "p.compile(sys.argv[1], sys.argv[2], '/opt/app.py', invalidation_mode=p.PycInvalidationMode.UNCHECKED_HASH)"
    )
    source = str(tmp_path / "other" / "app.py")
    bare = [sys.executable, "-I", "-S", "-X", "no_debug_ranges", "-c"]
    subprocess.run([*bare, compiled, source, str(other)], check=True)

    bytecode.compile_all([CodeTree(tmp_path / "ours", "/opt", HERE)])

    assert ours.read_bytes() == other.read_bytes()


def test_compile_all_of_many_modules_gives_the_same_bytes_as_of_few(tmp_path: Path) -> None:
    text = "def f(left, right=(1, 2, 'a b')):\n    return left\n"
    few = write(tmp_path / "few", "m0.py", text)
    many = [write(tmp_path / "many", f"m{number}.py", text) for number in range(bytecode._ENOUGH_FOR_ALL_CORES + 9)]

    bytecode.compile_all([CodeTree(tmp_path / "few", "/opt", HERE)])
    bytecode.compile_all([CodeTree(tmp_path / "many", "/opt", HERE)])

    assert all(path.is_file() for path in many)
    assert few.read_bytes() == many[0].read_bytes()


def test_compile_all_module_of_two_trees_is_compiled_for_each_place(tmp_path: Path) -> None:
    made = [write(tmp_path / name, "app.py", "x = 1\n") for name in ("one", "two", "task")]
    places = zip(("one", "two", "task"), ("/opt", "/opt", "/var/task"), strict=True)

    bytecode.compile_all([CodeTree(tmp_path / name, place, HERE) for name, place in places])

    one, two, task = (path.read_bytes() for path in made)
    assert one == two
    assert one != task


def test_compile_all_passes_over_what_does_not_compile(tmp_path: Path) -> None:
    broken, sound = write(tmp_path, "broken.py", "def (:\n"), write(tmp_path, "sound.py", "")

    bytecode.compile_all([CodeTree(tmp_path, "/opt", HERE)])

    assert (broken.exists(), sound.exists()) == (False, True)


def test_compile_all_for_a_python_that_is_not_here_does_nothing(tmp_path: Path) -> None:
    write(tmp_path, "app.py", "x = 1\n")

    bytecode.compile_all([CodeTree(tmp_path, "/opt", "3.99")])

    assert bytecode.interpreter("3.99") is None
    assert not (tmp_path / "__pycache__").exists()


def test_compile_all_tells_tracebacks_lines_and_no_columns(tmp_path: Path) -> None:
    made = write(tmp_path, "app.py", "def f(left, right):\n    return left + right\n")

    bytecode.compile_all([CodeTree(tmp_path, "/opt", HERE)])

    code = marshal.loads(made.read_bytes()[16:]).co_consts[0]  # noqa: S302 - it was made here
    assert {start for start, *_ in code.co_positions()} == {1, 2}
    assert {column for *_, column in code.co_positions()} == {None}


def test_compile_all_takes_what_is_the_same_from_a_tree_that_is_like_it(tmp_path: Path) -> None:
    same, other = (write(tmp_path / "now", name, "x = 1\n") for name in ("same.py", "other.py"))
    lent, stale = (write(tmp_path / "last", name, text) for name, text in (("same.py", "x = 1\n"), ("other.py", "")))
    for path in (lent, stale):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"lent")

    bytecode.compile_all([CodeTree(tmp_path / "now", "/opt", HERE, tmp_path / "last")])

    assert same.read_bytes() == b"lent"
    assert other.read_bytes()[:4] == importlib.util.MAGIC_NUMBER
