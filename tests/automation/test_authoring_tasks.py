from pathlib import Path
from typing import Any

import pytest
from invoke.program import Program

from automation import authoring_tasks, commands, new_function, new_layer, remove_function, tasks
from automation.authoring.function_plans import Options

PLAN = object()


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Any]:
    """Record the calls of the three fronts; nothing is written."""
    recorded: list[Any] = []

    def create(root: Path, name: str, options: Options) -> object:
        recorded.append((root, name, options))
        return PLAN

    def remove(root: Path, name: str, *, yes: bool) -> object:
        recorded.append((root, name, yes))
        return PLAN

    def create_layer(root: Path, name: str, **choices: Any) -> object:
        recorded.append((root, name, choices))
        return PLAN

    monkeypatch.setattr(authoring_tasks, "ROOT", tmp_path)
    monkeypatch.setattr(new_function, "create", create)
    monkeypatch.setattr(new_layer, "create", create_layer)
    monkeypatch.setattr(remove_function, "remove", remove)
    for front in (new_function, remove_function):
        monkeypatch.setattr(front, "show", lambda root, plan: recorded.append((root, plan)))
    monkeypatch.setattr(new_layer, "show", recorded.append)
    return recorded


def inv(*words: str) -> int:
    """Run a command line; return its exit code."""
    try:
        Program(namespace=commands.assemble(tasks.collection()), name="inv").run(["inv", *words])
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def test_new_function_passes_name_and_options(calls: list[Any], tmp_path: Path) -> None:
    words = ["new-function", "risk", "--trigger", "bus", "--stack", "app", "--example", "Till", "--layer", "L"]
    words += ["--message", "Sold", "--schedule", "rate(1 day)", "--description", "Checks risk"]

    assert inv(*words) == 0
    assert calls == [
        (tmp_path, "risk", Options("bus", "app", "Till", "L", "Sold", "rate(1 day)", "Checks risk")),
        (tmp_path, PLAN),
    ]


def test_new_function_without_options_leaves_the_choices_open(calls: list[Any], tmp_path: Path) -> None:
    assert inv("new-function", "risk") == 0
    assert calls[0] == (tmp_path, "risk", Options())


@pytest.mark.parametrize(("words", "yes"), [(["risk"], False), (["risk", "--yes"], True)])
def test_remove_function_passes_name_and_consent(calls: list[Any], tmp_path: Path, words: list[str], yes: bool) -> None:
    assert inv("remove-function", *words) == 0
    assert calls == [(tmp_path, "risk", yes), (tmp_path, PLAN)]


def test_new_layer_passes_name_and_requirements(calls: list[Any], tmp_path: Path) -> None:
    words = ["new-layer", "--requirement", "a==1", "pages", "--requirement", "b==2", "--stack", "app", "--example", "W"]

    assert inv(*words) == 0
    assert calls == [
        (tmp_path, "pages", {"requirements": ("a==1", "b==2"), "stack": "app", "example": "W"}),
        PLAN,
    ]


@pytest.mark.parametrize("task", ["new-function", "new-layer", "remove-function"])
def test_task_without_a_name_exits_2(task: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert inv(task) == 2
    assert f"a name is missing; type, for example, inv {task} risk_check" in capsys.readouterr().err
