"""Isolated sessions, each in its own environment from locks/dev.txt. Run `nox` before a push."""

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
WHEEL_PYTHONS = ("3.12", "3.14")  # the oldest and the newest that the wheel supports
AFFECTED = "--affected"
# The tests start the same programs many times: an environment that forbids bytecode would have each compile them again.
BYTECODE = {"PYTHONDONTWRITEBYTECODE": ""}
# The tests that run the scanners.
SCANNED = (
    "tests/automation/test_security_planted.py",
    "tests/automation/test_audit_planted.py",
    "tests/automation/test_other_projects.py",
    "tests/workflows/test_linters.py",
)
NOT_CHECKED = 5  # the exit code of inv audit, and of the session security, when the advisories were not reached
# Two work at a time; of e2e, one trades days and the other one deploys to prod: tests/e2e/conftest.py.
WORKERS = ("-n", "2")
# The tests that follow the guides, and those that build a site.
GUIDES = ("tests/e2e/test_9_deploying_guide.py", "tests/e2e/test_9_tutorial.py", "tests/desk/documentation")
LINTERS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy",),
    ("lint-imports",),
    ("inv", "lock", "--check"),
    ("inv", "validate"),
    ("inv", "strategies.check", "--strict"),
)


@nox.session(python=PYTHON, tags=["check"])
def lint(session: nox.Session) -> None:
    """Run every linter: ruff, mypy, import-linter, the locks, cfn-lint and SAM's transform, strategies."""
    _install(session)
    failed = [" ".join(linter) for linter in LINTERS if not _passes(session, *linter)]
    if failed:
        session.error(f"failed: {', '.join(failed)}")
    session.log(f"{len(LINTERS)} linters passed")


@nox.session(python=PYTHON, tags=["check"])
def tests(session: nox.Session) -> None:
    """Run the tests with branch coverage. `-- --affected [REF]`: only those a change reaches; `-- ARGS` for pytest."""
    _install(session)
    arguments = session.posargs or ["--cov"]
    if arguments[0] == AFFECTED:
        arguments = _affected(session, *arguments[1:])
    if arguments:
        session.run("pytest", "-n", "auto", *arguments, env=BYTECODE)


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
def security(session: nox.Session) -> None:
    """Scan the templates as in prod, plant faults for the scanners, ask for vulnerabilities (no answer: exit 5)."""
    _install(session)
    session.run("inv", "security", "--env", "prod", *session.posargs)
    session.run("pytest", "-m", "slow", *SCANNED, env=BYTECODE)
    audit(session)


@nox.session(python=PYTHON, tags=["slow"], default=False)
def corpus(session: nox.Session) -> None:
    """Prove the small projects of tests/projects, follow the advice of every rule, use the wheel beside a project."""
    _install(session)
    where = session.posargs or ["tests/corpus", "tests/faults", "tests/wheel"]
    session.run("pytest", "-n", "auto", "-m", "slow", "--force-enable-socket", *where, env=BYTECODE)


@nox.session(python=WHEEL_PYTHONS, tags=["slow"], default=False)
def wheel(session: nox.Session) -> None:
    """Build the wheel, install it alone, and use it beside a small project: on every system, so without our locks."""
    session.install("pytest", "pytest-socket", "hypothesis", "invoke", "packaging", "pyyaml", "rich", "uv", "deflate")
    session.run("pytest", "-m", "slow", "tests/wheel", *session.posargs)


@nox.session(python=PYTHON, tags=["slow"], default=False)
def browser(session: nox.Session) -> None:
    """Open every page in the Chromium of this machine: no error, no request, no accessibility fault, right numbers."""
    _install(session, "browser")
    session.run("pytest", *WORKERS, "--force-enable-socket", "tests/browser", *session.posargs, env=BYTECODE)


@nox.session(python=PYTHON, tags=["slow"], default=False)
def coldstart(session: nox.Session) -> None:
    """Build every artifact and measure how long each handler takes to import, with and without bytecode."""
    _install(session)
    session.run("inv", "build")
    session.run("inv", "coldstart", *(session.posargs or ["--without-bytecode"]))


@nox.session(python=PYTHON, tags=["slow"], default=False)
def parity(session: nox.Session) -> None:
    """Build with SAM as well, and explain every difference between the artifacts."""
    _install(session)
    session.run("inv", "build")
    session.run("inv", "parity")


@nox.session(python=PYTHON, tags=["slow"], default=False)
def benchmarks(session: nox.Session) -> None:
    """Measure our build and `sam build` side by side, about half an hour; `-- --quick`, `-- growth` for less."""
    _install(session, "browser")
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session(python=PYTHON, tags=["slow"], default=False)
def laws(session: nox.Session) -> None:
    """Compare the engine with the naive evaluator on 20,000 generated strategies, about ten minutes."""
    _install(session)
    session.run("pytest", "-n", "auto", "-m", "slow", "tests/the_alchemiser", *session.posargs)


@nox.session(python=PYTHON, tags=["slow"], default=False)
def e2e(session: nox.Session) -> None:
    """Trade days in a separate sandbox and check the results; `-- -m slow`: twenty days, a day without each grant."""
    _install(session)
    session.run("inv", "build")
    _test_in_sandbox(session, "tests/e2e", *WORKERS, *(session.posargs or ["-m", "not slow"]))


@nox.session(python=PYTHON, tags=["slow"], default=False)
def simulate(session: nox.Session) -> None:
    """Try 2,000 simulated days full of faults, a large one, and faults in the data; `-- --seeds N`, `-- --seed S`."""
    _install(session)
    session.run("python", "-m", "tests.simulation", *session.posargs, env=BYTECODE)
    if not session.posargs:
        slow = ("tests/simulation", "tests/the_alchemiser/data_quality_monitor")
        session.run("pytest", "-m", "slow", *slow, env=BYTECODE)


@nox.session(python=PYTHON, tags=["slow"], default=False)
def chaos(session: nox.Session) -> None:
    """Trade 3 days in a separate sandbox under kills and outages; `-- --seeds N`, or `-- --seed S` to replay one."""
    _install(session)
    _run_in_sandbox(session, "python", "-m", "tests.chaos", *session.posargs)


@nox.session(python=PYTHON, tags=["slow"], default=False)
def docs(session: nox.Session) -> None:
    """Build the site, strictly, and type each command of docs/tutorial.md and docs/deploying.md into a shell."""
    _install(session)
    session.run("inv", "docs", "build")
    _test_in_sandbox(session, *GUIDES, *WORKERS, "-m", "slow", *session.posargs)


@nox.session(python=PYTHON, tags=["slow"], default=False)
def demo(session: nox.Session) -> None:
    """Deploy both stacks to a fresh sandbox and trade a real day there."""
    _install(session)
    session.run("inv", "sync", "sandbox.reset", "deploy", "--env", "local", "run-day", "--env", "local")


def audit(session: nox.Session) -> None:
    """Ask for the vulnerabilities of the locked versions; when nobody answers, end Nox with exit 5.

    Exit 5 ends Nox at once, so it needs a session that runs alone: it could hide the failure of another one.
    """
    try:
        session.run("inv", "audit")
    except CommandFailed as failure:
        if failure.return_code != NOT_CHECKED:
            raise
        if len(session._runner.manifest) > 1:
            session.error("the locked versions were not checked; run nox -s security alone: it ends with exit 5 then")
        session.warn("all else passed; NOT CHECKED: the known vulnerabilities of the locked versions, see above")
        raise SystemExit(NOT_CHECKED) from failure


def _install(session: nox.Session, lock: str = "dev") -> None:
    session.install("--require-hashes", "-r", f"locks/{lock}.txt")


def _test_in_sandbox(session: nox.Session, *arguments: str) -> None:
    _run_in_sandbox(session, "pytest", "--force-enable-socket", *arguments)


def _run_in_sandbox(session: nox.Session, *command: str) -> None:
    """Run a command with ports and a folder for a sandbox of its own."""
    state = Path(session.create_tmp()).resolve() / "sandbox"  # also for tests that run in a copy of the project
    shutil.rmtree(state, ignore_errors=True)
    env = {
        **BYTECODE,
        "ALCHEMISER_SANDBOX_DIR": str(state),
        "ALCHEMISER_EMULATOR_PORT": str(_free_port()),
        "ALCHEMISER_EXCHANGE_PORT": str(_free_port()),
    }
    try:
        session.run(*command, env=env)
    finally:
        for folder in (state, *sorted(state.glob("gw*"))):  # a worker's sandbox has a folder of its own
            session.run("inv", "sandbox.down", env={**env, "ALCHEMISER_SANDBOX_DIR": str(folder)})


def _affected(session: nox.Session, since: str = "", *others: str) -> list[str]:
    """Return the tests that the changes since a revision reach, and pytest's other arguments; empty for no tests."""
    revision = ["--since", since] if since else []
    output = session.run("inv", "affected", "--tests", *revision, silent=True) or ""
    test_files = [line for line in str(output).splitlines() if line.endswith(".py") and Path(line).is_file()]
    session.log(f"{len(test_files)} test file(s) reached" if test_files else "the changes reach no test")
    return [*test_files, *others] if test_files else []


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
