import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO

import pytest
from invoke.collection import Collection
from invoke.context import Context
from invoke.program import Program
from invoke.tasks import task

from automation import commands
from automation.system import console, errors
from automation.system.errors import CheckFailedError, Finding, ToolError, UsageError
from tests.automation.projects import make_shop, write_files

ROOT = Path(__file__).resolve().parents[2]
TASKS = "from automation import commands, tasks\n\nnamespace = commands.assemble(tasks.collection())\n"


@task
def refuse(_context: Context) -> None:
    """Refuse to run."""
    raise UsageError("there is no such thing\n  at all", where="--thing")


@task
def check(_context: Context) -> None:
    """Find a fault."""
    raise CheckFailedError("1 fault", findings=[Finding("a.py", "is wrong", "fix it")])


@task
def interrupt(_context: Context) -> None:
    """Be interrupted."""
    raise KeyboardInterrupt


@task
def stumble(_context: Context) -> None:
    """Fall over a bug."""
    raise ZeroDivisionError


def run(*words: str, tasks: "tuple[Any, ...]" = (refuse, check, interrupt, stumble)) -> int:
    program = Program(namespace=commands.assemble(Collection(*tasks), Collection("inner", check)), name="inv")
    try:
        program.run(["inv", *words])
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def test_task_that_raises_an_automation_error_prints_one_paragraph(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("refuse") == UsageError.exit_code

    captured = capsys.readouterr()
    assert captured.err == "error: --thing: there is no such thing at all\n"
    assert captured.out == ""


@pytest.mark.parametrize("words", [("check",), ("inner.check",)])
def test_task_whose_check_fails_lists_the_findings(words: tuple[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*words) == 3

    captured = capsys.readouterr()
    assert captured.out == "a.py: is wrong; fix it\n"
    assert captured.err == "error: 1 fault\n"


def test_task_that_is_interrupted_exits_130() -> None:
    assert run("interrupt") == 130


def test_task_with_a_bug_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        run("stumble")


@task
def reach(_context: Context) -> None:
    """Need a package that only an extra brings."""
    raise ModuleNotFoundError("No module named 'botocore'", name="botocore.exceptions")


@task
def stray(_context: Context) -> None:
    """Need a package that nobody knows."""
    raise ModuleNotFoundError("No module named 'nowhere'", name="nowhere")


def test_task_without_its_package_says_how_to_install_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("reach", tasks=(reach,)) == ToolError.exit_code

    assert capsys.readouterr().err == "error: botocore is not installed; run: pip install boto3\n"


def test_task_without_an_unknown_module_keeps_its_traceback() -> None:
    with pytest.raises(ModuleNotFoundError, match="nowhere"):
        run("stray", tasks=(stray,))


def test_find_root_is_the_nearest_folder_with_our_tasks(tmp_path: Path) -> None:
    write_files(tmp_path, {"tasks.py": TASKS, "a/tasks.py": "import invoke\n", "a/b/c/x": "", "d/tasks.py": TASKS})

    assert commands.find_root(tmp_path / "a" / "b" / "c") == tmp_path
    assert commands.find_root(tmp_path) == tmp_path
    assert commands.find_root(tmp_path / "d") == tmp_path / "d"

    write_files(tmp_path, {"e/tasks/__init__.py": TASKS, "d/e/tasks/__init__.py": TASKS, "d/e/tasks.py": ""})
    assert commands.find_root(tmp_path / "e") == tmp_path / "e"
    assert commands.find_root(tmp_path / "d" / "e") == tmp_path / "d"


def test_has_our_tasks_in_a_folder_that_cannot_be_looked_into_is_false() -> None:
    assert commands.has_our_tasks(Path("x" * 300)) is False


def test_find_root_without_our_tasks_is_the_folder_itself(tmp_path: Path) -> None:
    (tmp_path / "tasks.py").write_bytes(b"automatio\xff")
    (tmp_path / "a").mkdir()

    assert commands.find_root(tmp_path / "a") == tmp_path / "a"


@pytest.mark.parametrize("namespace", ["", "\nns = Collection(own, Collection('more', own))\n"])
def test_tasks_of_a_module_stay_at_the_top_and_win(namespace: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "from invoke import Collection, task\n\n@task(name='check')\ndef own(_):\n    'Own.'\n" + namespace
    module = ModuleType("some_tasks")
    exec(text, vars(module))  # noqa: S102 - a module of this test
    monkeypatch.setitem(sys.modules, "some_tasks", module)

    assembled = commands.assemble(Collection(check, refuse), commands.tasks_of("some_tasks"))

    assert assembled["check"].__doc__ == "Own."
    assert assembled["refuse"].__doc__ == "Refuse to run."
    assert ("more.check" in assembled.task_names) is bool(namespace)


def test_no_task_lists_them_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 0

    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert "refuse       Refuse to run." in lines
    assert "inner.check  Find a fault." in lines


def test_list_shows_the_first_line_of_each_docstring(capsys: pytest.CaptureFixture[str]) -> None:
    @task
    def explained(_context: Context) -> None:
        """Do much.

        In detail.
        """

    @task
    def silent(_context: Context) -> None:
        explained(_context)

    run(tasks=(explained, silent))

    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert {"explained Do much.", "silent"} <= set(lines)


def test_nameless_collection_may_hold_a_named_one(capsys: pytest.CaptureFixture[str]) -> None:
    namespace = commands.assemble(Collection(refuse, Collection("secrets", check)))

    with pytest.raises(SystemExit) as ended:
        Program(namespace=namespace, name="inv").run(["inv", "secrets.check"])

    assert ended.value.code == 3
    assert capsys.readouterr().out == "a.py: is wrong; fix it\n"


def test_end_with_an_exit_code_ends_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    @task
    def finish(_context: Context, code: int = 0) -> None:
        """End with a code that is a result."""
        commands.end_with(code)

    assert run("finish", "--code", "7", tasks=(finish,)) == 7
    assert run("finish", tasks=(finish,)) == 0
    assert "".join(capsys.readouterr()) == ""


def test_assemble_later_task_takes_the_place_of_an_earlier_one() -> None:
    @task(name="refuse")
    def other(_context: Context) -> None:
        """Do something else."""

    namespace = commands.assemble(Collection(refuse), tasks=(other,))

    assert namespace["refuse"].__doc__ == "Do something else."


def test_exit_codes_of_the_error_tree_are_distinct() -> None:
    codes = [value.exit_code for value in vars(errors).values() if hasattr(value, "exit_code")]

    assert sorted(codes) == [1, 2, 3, 4, 5, 6, 8]


def test_automation_copied_beside_another_project_works_there(tmp_path: Path) -> None:
    make_shop(tmp_path, tasks_py=TASKS)
    (tmp_path / "tasks.py").write_text(TASKS)
    shutil.copytree(ROOT / "automation", tmp_path / "automation", ignore=shutil.ignore_patterns("__pycache__"))
    inv = [sys.executable, "-m", "invoke"]

    synced = subprocess.run([*inv, "sync"], cwd=tmp_path, capture_output=True, text=True, check=False)
    unknown = subprocess.run(
        [*inv, "deploy", "--env", "nonsense"], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert synced.stdout == "synced: 5 written, 0 deleted, 0 unchanged\n", synced.stderr
    assert unknown.returncode == 2
    assert "the environments are: here, live" in unknown.stderr


@task
def report(_context: Context) -> None:
    """Print a line, a table and a line."""
    console.result("a line")
    console.table(("column",), [("cell",)])
    console.result("a line")


@task
def finish(_context: Context) -> None:
    """Print a line, and end with a result."""
    console.result("a line")
    commands.end_with(7)


@pytest.fixture
def closed_pipe() -> Iterator[TextIO]:
    """Return a file that writes to a pipe whose reader has closed it."""
    reading, writing = os.pipe()
    os.close(reading)
    file = os.fdopen(writing, "w")
    yield file
    console._console.cache_clear()  # it keeps what it could not write
    with suppress(BrokenPipeError):
        file.close()


@pytest.mark.parametrize("words", [("report",), ("finish",), ("check",), ("--list",), ("report", "--help"), ()])
def test_output_into_a_closed_pipe_ends_quietly(
    words: tuple[str, ...],
    closed_pipe: TextIO,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdout", closed_pipe)

    assert run(*words, tasks=(report, finish, check)) == 141

    assert capsys.readouterr().err == ""
    closed_pipe.flush()  # as the interpreter does at its end


def test_error_into_a_closed_pipe_ends_quietly(closed_pipe: TextIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", closed_pipe)

    assert run("refuse") == 141
    closed_pipe.flush()


@pytest.mark.parametrize("words", [("report",), ("finish",)])
def test_output_is_passed_on_before_the_end(words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as stdout, os.fdopen(reading, "rb", buffering=0) as reader:
        monkeypatch.setattr(sys, "stdout", stdout)

        run(*words, tasks=(report, finish))

        assert reader.read(100).startswith(b"a line\n")


def test_findings_come_before_the_error_in_a_common_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "log").open("a") as stdout, (tmp_path / "log").open("a") as stderr:
        monkeypatch.setattr(sys, "stdout", stdout)
        monkeypatch.setattr(sys, "stderr", stderr)

        assert run("check") == 3

    assert (tmp_path / "log").read_text() == "a.py: is wrong; fix it\nerror: 1 fault\n"


@pytest.mark.parametrize(("variable", "is_kept"), [("", True), ("1", False)])
def test_automation_keeps_its_bytecode_though_invoke_does_not(tmp_path: Path, variable: str, is_kept: bool) -> None:
    shutil.copytree(ROOT / "automation", tmp_path / "automation", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "tasks.py").write_text(TASKS)
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": variable}

    subprocess.run([sys.executable, "-m", "invoke", "--list"], cwd=tmp_path, env=env, check=True, capture_output=True)

    assert (tmp_path / "automation/__pycache__").is_dir() is is_kept
