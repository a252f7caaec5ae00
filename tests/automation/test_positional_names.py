"""Names after a task are parsed by Invoke's own program."""

from pathlib import Path

import pytest
from invoke.program import Program

TASKS = """
from invoke import task
from automation import commands

@task(iterable=["names"], optional=["page"])
def build(c, names, stack="", force=False, page=""):
    print(names, stack, force, page)

@task
def size(c):
    print("size")

from invoke.collection import Collection
namespace = commands.assemble(Collection(build, size))
"""


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("build", "[]  False"),
        ("build One Two", "['One', 'Two']  False"),
        ("build --force One --stack data Two", "['One', 'Two'] data True"),
        ("build --stack=data One", "['One'] data False"),
        ("build --names One Two", "['One', 'Two']  False"),
        ("build One size", "['One']  False \nsize"),
        ("build One --page file", "['One']  False file"),
        ("build One --page", "['One']  False True"),
    ],
)
def test_words_are_what_is_neither_flag_nor_value_nor_task(
    line: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tasks.py").write_text(TASKS)

    Program().run(["inv", "--search-root", str(tmp_path), *line.split()], exit=False)

    assert capsys.readouterr().out.strip() == said.strip()


@pytest.mark.parametrize("line", ["size One", "build --nothing", "One"])
def test_words_elsewhere_are_refused_as_before(line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "tasks.py").write_text(TASKS)

    Program().run(["inv", "--search-root", str(tmp_path), *line.split()], exit=False)

    assert "No idea what" in capsys.readouterr().err
