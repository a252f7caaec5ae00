import os
import re
import shlex
import signal
import sys
from pathlib import Path

import pytest

from automation.system import processes
from automation.system.errors import ToolError


def python(code: str) -> list[str | Path]:
    return [sys.executable, "-c", code]


def test_run_captures_both_streams(tmp_path: Path) -> None:
    code = "import sys; sys.stdout.buffer.write(b'out \\xff'); print('err', file=sys.stderr)"

    finished = processes.run(python(code), cwd=tmp_path)

    assert (finished.exit_code, finished.stdout, finished.stderr) == (0, "out \ufffd", "err\n")


def test_run_missing_program_raises(tmp_path: Path) -> None:
    message = "^no-such-program --help: no-such-program was not found; install it, and put its folder on PATH$"
    with pytest.raises(ToolError, match=message) as caught:
        processes.run(["no-such-program", "--help", "--all"], cwd=tmp_path)

    assert caught.value.exit_code == 5


def test_run_in_missing_folder_names_the_folder(tmp_path: Path) -> None:
    message = f": the folder {re.escape(str(tmp_path / 'missing'))} does not exist$"
    with pytest.raises(ToolError, match=message):
        processes.run(python("pass"), cwd=tmp_path / "missing")


def test_run_file_without_permission_raises(tmp_path: Path) -> None:
    (tmp_path / "tool").touch(mode=0o644)

    with pytest.raises(ToolError) as caught:
        processes.run([tmp_path / "tool", "--a", "--b"], cwd=tmp_path)

    tool = str(tmp_path / "tool")
    assert str(caught.value) == f"{tool} --a: {tool} cannot be run: Permission denied"


def test_run_failing_program_shows_end_of_its_output(tmp_path: Path) -> None:
    code = "import sys; print('last words', file=sys.stderr); sys.exit(3)"

    with pytest.raises(ToolError) as caught:
        processes.run(python(code), cwd=tmp_path)

    assert str(caught.value) == f"{shlex.join([sys.executable, '-c', code])}: failed with exit code 3\nlast words"


def test_run_unchecked_failure_is_returned(tmp_path: Path) -> None:
    assert processes.run(python("raise SystemExit(3)"), cwd=tmp_path, check=False).exit_code == 3


def test_run_beyond_timeout_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r": took longer than 0\.2 s and was stopped$"):
        processes.run(python("import time; time.sleep(30)"), cwd=tmp_path, timeout_s=0.2)


def test_run_with_on_wait_passes_the_process_until_it_ends(tmp_path: Path) -> None:
    def stop(process: int) -> None:
        waited.append(process)
        os.kill(process, signal.SIGTERM)

    waited: list[int] = []
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"

    finished = processes.run(python(code), cwd=tmp_path, on_wait=stop, check=False, timeout_s=600)

    assert (finished.stdout, finished.exit_code) == (f"{waited[0]}\n", -signal.SIGTERM)


def test_run_with_on_wait_beyond_timeout_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"took longer than 0\.1 s"):
        processes.run(python("import time; time.sleep(30)"), cwd=tmp_path, timeout_s=0.1, on_wait=lambda _: None)


def test_run_on_wait_that_raises_stops_the_program(tmp_path: Path) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        processes.run(python("import time; time.sleep(60)"), cwd=tmp_path, on_wait=interrupt)


def test_run_with_on_line_passes_each_line(tmp_path: Path) -> None:
    lines: list[str] = []

    code = "import sys; sys.stdout.buffer.write(b'aX\\n\\xff\\n'); print('b', file=sys.stderr)"

    finished = processes.run(python(code), cwd=tmp_path, on_line=lines.append)

    assert lines == ["aX", "\ufffd", "b"]
    assert (finished.stdout, finished.stderr) == ("aX\n\ufffd\nb\n", "")


def test_run_on_line_that_raises_stops_the_program(tmp_path: Path) -> None:
    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    code = "import time; print('a', flush=True); time.sleep(30)"
    with pytest.raises(KeyboardInterrupt):
        processes.run(python(code), cwd=tmp_path, on_line=interrupt)


def test_started_sends_the_input_when_it_is_due(tmp_path: Path) -> None:
    code = "import os, sys; print(os.environ['A'], sys.stdin.read()); print('err', file=sys.stderr); sys.exit(3)"

    with processes.started(python(code), cwd=tmp_path, env={"A": "b"}) as finish:
        finished = finish("input", 60.0)

    assert (finished.exit_code, finished.stdout, finished.stderr) == (3, "b input\n", "err\n")
    assert finished.seconds > 0


def test_started_beyond_timeout_is_stopped(tmp_path: Path) -> None:
    code = "import time; time.sleep(30)"

    with (
        processes.started(python(code), cwd=tmp_path, env={}) as finish,
        pytest.raises(ToolError, match=r": took longer than 0\.1 s and was stopped$"),
    ):
        finish("", 0.1)


def test_started_program_that_nobody_asks_is_stopped(tmp_path: Path) -> None:
    """It would wait for its input, which it must not take for empty either."""
    code = "import sys, pathlib; sys.stdin.read(); pathlib.Path('went_on').touch()"

    with processes.started(python(code), cwd=tmp_path, env={}):
        pass

    assert not (tmp_path / "went_on").exists()


def test_tail_prefers_stderr() -> None:
    finished = processes.Finished(("a",), 1, "out\n", "1\n2\n3\n", 0.0)

    assert finished.tail(2) == "2\n3"


def test_tail_without_stderr_has_fifteen_lines_of_stdout() -> None:
    finished = processes.Finished(("a",), 1, "\n".join(map(str, range(20))), " \n", 0.0)

    assert finished.tail().splitlines() == [str(number) for number in range(5, 20)]


def test_environment_adds_removes_and_prepends_to_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin")
    monkeypatch.setenv("UNWANTED", "x")

    environment = processes.environment({"ADDED": "y"}, path_first=[Path("/tool/bin")], without=["UNWANTED"])

    assert environment["PATH"] == "/tool/bin:/usr/bin"
    assert environment["ADDED"] == "y"
    assert "UNWANTED" not in environment
