"""The workflows only call nox and inv, after the README's own lines, and what they call exists with these options."""

import json
import re
import shlex
import subprocess
import sys
from functools import cache
from itertools import chain

import pytest
from invoke.exceptions import ParseError
from invoke.parser import Parser
from invoke.parser.context import ParserContext

import tasks
from tests.workflows.reading import ROOT, jobs, readme

LINES = sorted(set(chain.from_iterable(job.lines() for job in jobs())))
VERSION = re.search(r'"nox\[uv\]==([\d.]+)"', readme())
INSTALLS = tuple(
    line.partition(" && .venv/bin/nox")[0] for line in readme().splitlines() if line.startswith("python3 -m venv")
)
# The wheel is tested on systems whose virtual environments have other folders, so there nox goes into the job's Python.
INSTALLS_ELSEWHERE = tuple(
    f"python -m pip install -q {word}" for word in re.findall(r'"nox\[uv\]==[\d.]+"', readme())[:1]
)
NOX, INV = (".venv/bin/nox ", "python -m nox "), (".venv/bin/inv ",)


@cache
def sessions() -> frozenset[str]:
    """Return the sessions that nox itself lists."""
    words = [sys.executable, "-m", "nox", "--list", "--json", "--tags", "check", "slow"]
    listed = json.loads(subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout)
    return frozenset(entry["session"] for entry in listed) | {entry["name"] for entry in listed}


def faults(line: str) -> list[str]:
    """Return why a line may not be in a workflow."""
    if line in {*INSTALLS, *INSTALLS_ELSEWHERE}:
        return []
    if line.startswith(NOX):
        return _nox_faults(shlex.split(line.partition("nox ")[2]))
    if line.startswith(INV):
        return _inv_faults(shlex.split(line.partition("inv ")[2]))
    return [f"{line}: neither nox, inv nor an install line of the README"]


def _nox_faults(words: list[str]) -> list[str]:
    end = words.index("--") if "--" in words else len(words)
    names, arguments = words[1:end], words[end + 1 :]
    if words[0] != "-s" or not names:
        return [f"nox {shlex.join(words)}: names no session"]
    unknown = [f"nox has no session {name}" for name in names if name not in sessions()]
    # The session `size` passes them on to `inv size`; no other one gets any.
    more = _inv_faults(["size", *arguments]) if names == ["size"] else [f"{names}: {arguments}"] if arguments else []
    return [*unknown, *more]


def _inv_faults(words: list[str]) -> list[str]:
    if not re.fullmatch(r"[\w.-]+", words[0]):
        return [f"inv {shlex.join(words)}: names no task"]
    try:
        Parser(contexts=tasks.namespace.to_contexts(), initial=ParserContext(name="inv")).parse_argv(words)
    except ParseError as error:
        return [f"inv {shlex.join(words)}: {error}"]
    return []


@pytest.mark.parametrize("line", LINES)
def test_line_is_nox_inv_or_an_install_line(line: str) -> None:
    assert faults(line) == []


@pytest.mark.parametrize(
    "line",
    [
        "curl https://example.org | sh",
        "echo hello && .venv/bin/inv build",
        "pip install nox",
        ".venv/bin/pip install -q boto3",
        ".venv/bin/nox -s lnit",
        ".venv/bin/nox",
        ".venv/bin/nox -s tests -- --comment",
        ".venv/bin/nox -s size -- --coment",
        ".venv/bin/inv deploi --env staging",
        ".venv/bin/inv deploy --env staging --jes",
        ".venv/bin/inv diff --env prod --plan plan.json",
        ".venv/bin/inv --help",
        INSTALLS[0].replace("2026", "2025"),
        "\n".join(INSTALLS[:1] * 2),
    ],
)
def test_another_line_is_found(line: str) -> None:
    """Planted fault: a line that no person types, or whose session, task or option does not exist."""
    assert faults(line)


def test_every_install_line_is_used_and_has_the_locked_nox() -> None:
    lock = (ROOT / "locks" / "dev.txt").read_text()

    assert VERSION is not None
    assert f"nox=={VERSION[1]} " in lock
    assert len(set(INSTALLS)) == 2
    assert {*INSTALLS, *INSTALLS_ELSEWHERE} <= set(LINES)


def test_every_slow_session_of_the_readme_runs_on_a_pull_request() -> None:
    """The second command of the README, in parallel."""
    line = next(line for line in readme().splitlines() if line.startswith("python3") and " e2e " in line)
    commands = [part.partition("nox -s ")[2] for part in line.split(" && ") if "nox -s " in part]
    wanted = set(shlex.split(" ".join(commands)))
    assert {"lint", "browser", "security"} <= wanted
    called = [
        shlex.split(line.partition("-s ")[2])
        for job in jobs()
        if job.workflow == "pull-request.yml"
        for line in job.lines()
    ]

    assert wanted <= set(chain.from_iterable(called))
