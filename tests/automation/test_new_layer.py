from pathlib import Path

import pytest

from automation import new_layer
from automation.locks import Lock
from automation.system.errors import ToolError, UsageError
from tests.automation.authoring.shops import snapshot
from tests.automation.authoring.test_layer_plans import PROJECT
from tests.automation.projects import write_files
from tests.automation.test_new_function import pass_lint


def lock(lock: Lock, *, root: Path) -> None:
    """Write what is locked into the lock."""
    [source] = lock.source
    text = f"{lock.python}\n{(root / source).read_text()}"
    (root / lock.target).write_text(text)


def test_create_writes_the_layer_with_its_lock(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_files(tmp_path, PROJECT)

    plan = new_layer.create(tmp_path, "pages", requirements=("a==1",), lint=pass_lint, compile_lock=lock)
    new_layer.show(plan)

    assert (tmp_path / "layers/pages/requirements.in").read_text() == "pydantic==2.0\na==1\n"
    assert (tmp_path / "layers/pages/requirements.txt").read_text() == "3.12\npydantic==2.0\na==1\n"
    assert "  PagesLayer:\n" in (tmp_path / "template.yaml").read_text()
    assert capsys.readouterr().out.splitlines() == [
        "PagesLayer in the stack main, like WebLayer",
        "  layers/pages/requirements.in",
        "  layers/pages/requirements.txt",
        "  template.yaml",
        "next: add !Ref PagesLayer to the Layers of a function, or name it as --layer of inv new-function",
    ]


def test_create_writes_nothing_when_there_is_no_lock(tmp_path: Path) -> None:
    def fail(lock: Lock, *, root: Path) -> None:
        raise ToolError("no solution")

    write_files(tmp_path, PROJECT)
    before = snapshot(tmp_path)

    with pytest.raises(ToolError, match="no solution"):
        new_layer.create(tmp_path, "pages", requirements=(), lint=pass_lint, compile_lock=fail)

    assert snapshot(tmp_path) == before


def test_create_passes_stack_and_example_on(tmp_path: Path) -> None:
    write_files(tmp_path, PROJECT)

    plan = new_layer.create(
        *(tmp_path, "pages"), requirements=(), stack="main", example="Maths", lint=pass_lint, compile_lock=lock
    )

    assert plan.layer == "Pages"


def test_create_without_a_name_says_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a name is missing; type, for example, inv new-layer risk_check"):
        new_layer.create(tmp_path, "", requirements=())
