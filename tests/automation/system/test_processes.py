import sys
from pathlib import Path

import pytest

from automation.system import processes
from automation.system.errors import ToolError


def python(code: str) -> list[str | Path]:
    return [sys.executable, "-c", code]


def test_run_captures_both_streams(tmp_path: Path) -> None:
    finished = processes.run(python("import sys; print('out'); print('err', file=sys.stderr)"), cwd=tmp_path)

    assert (finished.exit_code, finished.stdout, finished.stderr) == (0, "out\n", "err\n")


def test_run_absent_program_is_a_tool_error(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="no-such-program was not found") as caught:
        processes.run(["no-such-program", "--help"], cwd=tmp_path)

    assert caught.value.exit_code == 5


def test_run_in_absent_folder_names_the_folder(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"the folder .*gone does not exist"):
        processes.run(python("pass"), cwd=tmp_path / "gone")


def test_run_file_without_permission_is_a_tool_error(tmp_path: Path) -> None:
    (tmp_path / "tool").touch(mode=0o644)

    with pytest.raises(ToolError, match="cannot be run"):
        processes.run([tmp_path / "tool"], cwd=tmp_path)


def test_run_failing_program_shows_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="exit code 3\nlast words"):
        processes.run(python("import sys; print('last words', file=sys.stderr); sys.exit(3)"), cwd=tmp_path)


def test_run_unchecked_failure_is_returned(tmp_path: Path) -> None:
    assert processes.run(python("raise SystemExit(3)"), cwd=tmp_path, check=False).exit_code == 3


def test_run_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"took longer than 0\.2 s"):
        processes.run(python("import time; time.sleep(30)"), cwd=tmp_path, timeout_s=0.2)


def test_run_followed_hands_on_each_line(tmp_path: Path) -> None:
    lines: list[str] = []

    finished = processes.run(python("print('a'); print('b')"), cwd=tmp_path, on_line=lines.append)

    assert lines == ["a", "b"]
    assert finished.stdout == "a\nb\n"


def test_run_follower_that_raises_stops_the_program(tmp_path: Path) -> None:
    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    code = "import time; print('a', flush=True); time.sleep(30)"
    with pytest.raises(KeyboardInterrupt):
        processes.run(python(code), cwd=tmp_path, on_line=interrupt)


def test_tail_prefers_what_was_said_on_stderr() -> None:
    finished = processes.Finished(("a",), 1, "out\n", "1\n2\n3\n", 0.0)

    assert finished.tail(2) == "2\n3"


def test_environment_sets_takes_away_and_puts_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin")
    monkeypatch.setenv("UNWANTED", "x")

    made = processes.environment({"ADDED": "y"}, path_first=[Path("/tool/bin")], without=["UNWANTED"])

    assert made["PATH"] == "/tool/bin:/usr/bin"
    assert made["ADDED"] == "y"
    assert "UNWANTED" not in made
