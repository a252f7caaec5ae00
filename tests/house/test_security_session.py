"""Exit 5 of `nox -s security` says "not checked" and nothing else: it hides no failure, in Nox or in .ci/run."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOXFILE = """
import importlib.util
import nox

spec = importlib.util.spec_from_file_location("project_sessions", {noxfile!r})
project = importlib.util.module_from_spec(spec)
spec.loader.exec_module(project)
nox.registry._REGISTRY.clear()  # only its function is wanted

@nox.session(venv_backend="none")
def security(session):
    project.audit(session)

@nox.session(venv_backend="none")
def fails(session):
    session.error("planted")

@nox.session(venv_backend="none")
def passes(session):
    session.log("it ran")
"""
# Stands for Python in .ci/run: its environment has a pip that installs nothing, and a nox that ends as it should.
PYTHON = """#!/bin/sh
mkdir -p .venv/bin
printf '#!/bin/sh\\n' > .venv/bin/pip
printf '#!/bin/sh\\necho "nox $*"\\n[ "$*" = "-s security" ] && exit $SECURITY || exit $OTHERS\\n' > .venv/bin/nox
chmod +x .venv/bin/pip .venv/bin/nox
"""


def write_program(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("exit_of_inv", "sessions", "code", "says"),
    [
        (0, ("security",), 0, "Session security was successful"),
        (5, ("security",), 5, "NOT CHECKED: the known vulnerabilities of the locked versions"),
        (3, ("security",), 1, "Session security failed"),
        (1, ("security",), 1, "Session security failed"),
        (5, ("fails", "security"), 1, "run nox -s security alone: it ends with exit 5 then"),
        (5, ("security", "passes"), 1, "it ran"),
    ],
)
def test_session_ends_with_5_only_alone_and_only_when_nobody_answered(
    tmp_path: Path, exit_of_inv: int, sessions: tuple[str, ...], code: int, says: str
) -> None:
    write_program(tmp_path / "bin" / "inv", f"#!/bin/sh\nexit {exit_of_inv}\n")
    (tmp_path / "noxfile.py").write_text(NOXFILE.format(noxfile=str(ROOT / "noxfile.py")))
    env = os.environ | {"PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"}

    command = [sys.executable, "-m", "nox", "--noxfile", "noxfile.py", "-s", *sessions]
    finished = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)

    assert finished.returncode == code, finished.stderr
    assert says in finished.stderr


@pytest.mark.parametrize(
    ("others", "security", "code", "is_said"),
    [(0, 0, 0, False), (0, 5, 0, True), (0, 1, 1, False), (1, 0, 1, False), (5, 5, 5, False), (0, 2, 2, False)],
)
def test_ci_takes_only_exit_5_of_security_as_not_checked(
    tmp_path: Path, others: int, security: int, code: int, *, is_said: bool
) -> None:
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci" / "run")
    write_program(tmp_path / "bin" / "python3", PYTHON)
    write_program(tmp_path / "bin" / "chromium", "#!/bin/sh\n")
    env = {"PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.defpath}", "OTHERS": str(others), "SECURITY": str(security)}

    command = ["bash", str(tmp_path / ".ci" / "run")]
    finished = subprocess.run(command, env=env, capture_output=True, text=True, check=False)

    assert finished.returncode == code, finished.stderr
    assert ("NOT CHECKED: the known vulnerabilities" in finished.stdout) == is_said
    assert ("nox -s security" in finished.stdout) == (others == 0)


def test_ci_and_readme_run_the_same_sessions() -> None:
    ci = (ROOT / ".ci" / "run").read_text()
    readme = (ROOT / "README.md").read_text()
    [line] = [line for line in ci.splitlines() if "nox -s lint" in line]

    assert f"{line.removeprefix('.venv/bin/')} && .venv/bin/nox -s security\n" in readme
