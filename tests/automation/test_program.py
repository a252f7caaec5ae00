import os
import sys
from pathlib import Path

import pytest

from automation import init, program, tasks
from automation.program import NAME
from automation.project.model import Project


@pytest.fixture(autouse=True)
def _here(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "ROOT", shop.root)


def alchemiser(*words: str) -> int:
    """Run a command line; return its exit code."""
    try:
        program.program().run([NAME, *words])
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def test_program_lists_the_tasks_of_inv_and_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert alchemiser() == 0

    listed = {line.partition(" ")[0] for line in capsys.readouterr().out.splitlines()}
    assert {"build", "init", "prove", "dlq.list", "secrets.set", "size"} <= listed


def test_init_passes_its_option_on(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []
    monkeypatch.setattr(init, "start", lambda root, **options: calls.append((root, options)))

    assert alchemiser("init", "--yes") == alchemiser("init") == 0
    assert alchemiser("init", "-y") == 1
    assert calls == [(shop.root, {"yes": value, "variables": os.environ}) for value in (True, False)]


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_prove_builds_first_and_prints_only_json(
    words: tuple[str], shop: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[object] = []
    monkeypatch.setattr(init, "build_stale", lambda root, **options: calls.append((root, options)))
    monkeypatch.setattr(tasks.prove, "body", lambda _context, *rest: calls.append(rest))

    assert alchemiser("prove", "Till", *words) == 0
    assert calls == [
        (shop.root, {"variables": os.environ, "is_silent": bool(words)}),
        (["Till"], bool(words), False),
    ]


def test_why_not_inv_without_tasks_names_the_command(tmp_path: Path) -> None:
    text = "tasks.py does not use the automation, so type alchemiser where a message says inv, or run alchemiser init"

    assert program.why_not_inv(tmp_path) == text
    (tmp_path / "tasks.py").write_text("import invoke\n")
    assert program.why_not_inv(tmp_path) == text


def test_why_not_inv_needs_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tasks.py").write_text("from automation import commands\n")
    monkeypatch.setenv("PATH", str(tmp_path))

    assert program.why_not_inv(tmp_path) == "inv is not on PATH, so type alchemiser where a message says inv"

    (tmp_path / "inv").touch(mode=0o755)
    assert program.why_not_inv(tmp_path) == ""


@pytest.mark.parametrize(
    ("words", "exit_code", "is_hinted"),
    [("prove --nonsense", 1, True), ("init --nonsense", 1, False), ("--version", 0, False)],
)
def test_main_that_fails_without_tasks_says_what_to_type(
    words: str,
    exit_code: int,
    is_hinted: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(program, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "argv", [NAME, *words.split()])

    with pytest.raises(SystemExit) as ended:
        program.main()

    assert (ended.value.code or 0) == exit_code
    assert ("tasks.py does not use" in capsys.readouterr().err) is is_hinted
