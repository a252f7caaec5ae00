"""Isolated sessions, each in an environment of its own from locks/dev.txt. `nox` before a push."""

import os
import shutil
import socket
from pathlib import Path

import nox
from nox.command import CommandFailed

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.error_on_missing_interpreters = True
nox.options.reuse_venv = "no" if os.environ.get("CI") else "yes"
nox.options.sessions = ["lint", "tests", "prove", "size"]

PYTHON = "3.12"
AFFECTED = "--affected"
LINTERS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy",),
    ("lint-imports",),
    ("inv", "validate"),
    ("inv", "strategies.check", "--strict"),
)


@nox.session(python=PYTHON, tags=["check"])
def lint(session: nox.Session) -> None:
    """Run every linter: ruff, mypy, import-linter, cfn-lint and sam validate on both templates, the book's check."""
    _install(session)
    failed = [" ".join(linter) for linter in LINTERS if not _passes(session, *linter)]
    if failed:
        session.error(f"failed: {', '.join(failed)}")
    session.log(f"{len(LINTERS)} linters passed")


@nox.session(python=PYTHON, tags=["check"])
def tests(session: nox.Session) -> None:
    """Run the tests with branch coverage; `-- --affected [REF]`: those a change reaches; else pytest takes them."""
    _install(session)
    words = session.posargs or ["--cov"]
    if words[0] == AFFECTED:
        words = _affected(session, *words[1:])
    if words:
        session.run("pytest", "-n", "auto", *words)


@nox.session(python=PYTHON, tags=["check"])
def prove(session: nox.Session) -> None:
    """Build every artifact and prove that it works on Lambda."""
    _install(session)
    session.run("inv", "build")
    session.run("inv", "prove", *session.posargs)


@nox.session(python=PYTHON, tags=["check"])
def size(session: nox.Session) -> None:
    """Build every artifact and measure it against its budget."""
    _install(session)
    session.run("inv", "build")
    session.run("inv", "size", *session.posargs)


@nox.session(python=PYTHON, tags=["slow"], default=False)
def coldstart(session: nox.Session) -> None:
    """Build every artifact and measure how long each handler takes to import, with and without bytecode."""
    _install(session)
    session.run("inv", "build")
    session.run("inv", "coldstart", *(session.posargs or ["--without-bytecode"]))


@nox.session(python=PYTHON, tags=["slow"], default=False)
def parity(session: nox.Session) -> None:
    """Build with SAM too, and explain every difference of the artifacts."""
    _install(session)
    session.run("inv", "build")
    session.run("inv", "parity")


@nox.session(python=PYTHON, tags=["slow"], default=False)
def benchmarks(session: nox.Session) -> None:
    """Measure ours and `sam build` side by side, about twenty minutes; `-- --quick`, `-- growth` for less."""
    _install(session)
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session(python=PYTHON, tags=["slow"], default=False)
def laws(session: nox.Session) -> None:
    """Hold the engine against the naive evaluator on 20,000 generated strategies, about ten minutes."""
    _install(session)
    session.run("pytest", "-n", "auto", "-m", "slow", "tests/the_alchemiser", *session.posargs)


@nox.session(python=PYTHON, tags=["slow"], default=False)
def e2e(session: nox.Session) -> None:
    """Trade days in a sandbox of its own and check what they left; `-- -m slow`: twenty days, every grant removed."""
    _install(session)
    state = Path(session.create_tmp()) / "sandbox"
    shutil.rmtree(state, ignore_errors=True)
    env = {
        "ALCHEMISER_SANDBOX_DIR": str(state),
        "ALCHEMISER_EMULATOR_PORT": str(_free_port()),
        "ALCHEMISER_EXCHANGE_PORT": str(_free_port()),
    }
    try:
        session.run("pytest", "tests/e2e", "--force-enable-socket", *(session.posargs or ["-m", "not slow"]), env=env)
    finally:
        session.run("inv", "sandbox.down", env=env)


@nox.session(python=PYTHON, tags=["slow"], default=False)
def demo(session: nox.Session) -> None:
    """Deploy both stacks to a fresh sandbox and trade a real day there."""
    _install(session)
    session.run("inv", "sync", "sandbox.reset", "deploy", "--env", "local", "run-day", "--env", "local")


def _install(session: nox.Session) -> None:
    session.install("--require-hashes", "-r", "locks/dev.txt")


def _affected(session: nox.Session, since: str = "", *others: str) -> list[str]:
    """The tests that what has changed since a revision reaches, and pytest's other arguments."""
    revision = ["--since", since] if since else []
    said = session.run("inv", "affected", "--tests", *revision, silent=True) or ""
    found = [line for line in str(said).splitlines() if line.endswith(".py") and Path(line).is_file()]
    session.log(f"{len(found)} test file(s) reached" if found else "no test is reached by what has changed")
    return [*found, *others] if found else []


def _passes(session: nox.Session, *command: str) -> bool:
    try:
        session.run(*command)
    except CommandFailed:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
