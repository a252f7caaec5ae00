"""Run pip-audit, which asks the index of Python packages for the known vulnerabilities of locked versions.

Its exit code says too little: it is 0 when the index knows none of the versions, as a mirror without advisories does,
and 1 both for a vulnerability and for a failed request. So the answers are counted, and the first question is about a
version that is known to be vulnerable: an answer without it comes from something else.
"""

import itertools
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automation.scanning import isolation
from automation.scanning.locked_versions import Pin
from automation.system import processes
from automation.system.errors import AutomationError, ToolError
from automation.system.processes import Finished

TOOL = "pip-audit"
VULNERABLE = Pin("requests", "2.19.1")  # CVE-2018-18074, published in 2018
_PROCESSES = 4  # each asks about one version after the other,
_PER_PROCESS = 25  # and takes longer to start than to ask about so many
_REQUEST_TIMEOUT_S = 15
_LIMIT_S = 300.0  # of one process, for a source that sends a byte from time to time
# What it prints when a request fails or an answer cannot be understood: the frames of that code, or an advice.
_ADVICE = "blocking this service"
_FAILED_REQUEST = re.compile(rf"pip_audit[\\/]_service[\\/]|{_ADVICE}")
_ERROR = re.compile(r"[A-Za-z][\w.:]*: ?\S")
_OPTIONS = ("--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json", "--aliases", "on")


@dataclass(frozen=True, slots=True)
class Advisory:
    """A known vulnerability of one version.

    Attributes:
        aliases: its ids in other databases.
        fixed_in: the versions without it, ascending; empty when there is none yet.
    """

    pin: Pin
    id: str
    aliases: tuple[str, ...]
    fixed_in: tuple[str, ...]
    description: str


@dataclass(frozen=True, slots=True)
class Answers:
    """What the source said.

    Attributes:
        unknown: the versions that it does not have.
        unreached: the versions that it did not answer about.
        failure: why it did not; empty when it answered about all.
    """

    advisories: tuple[Advisory, ...] = ()
    unknown: tuple[Pin, ...] = ()
    unreached: tuple[Pin, ...] = ()
    failure: str = ""


def ask(
    program: Path, pins: Iterable[Pin], *, folder: Path, timeout_s: int = _REQUEST_TIMEOUT_S, limit_s: float = _LIMIT_S
) -> Answers:
    """Return the known vulnerabilities of versions.

    Args:
        folder: for requests and the cache, which must be empty, so that no old answer counts.
        timeout_s: how long the source may be silent.
        limit_s: how long each process may take.

    Raises:
        AutomationError: pip-audit failed, and not because of its source.
    """
    wanted = tuple(sorted(set(pins)))
    client = _Client(program, folder, timeout_s, limit_s)
    first = client.ask(0, (VULNERABLE,))
    if not first.advisories:
        failure = (
            first.failure or f"it knows no vulnerability of {VULNERABLE.name} {VULNERABLE.version}, which has some"
        )
        return Answers(unreached=wanted, failure=failure)

    count = min(_PROCESSES, math.ceil(len(wanted) / _PER_PROCESS))
    with ThreadPoolExecutor(_PROCESSES) as pool:
        parts = list(pool.map(client.ask, itertools.count(1), shares(wanted, count)))
    return Answers(
        advisories=tuple(itertools.chain.from_iterable(part.advisories for part in parts)),
        unknown=tuple(itertools.chain.from_iterable(part.unknown for part in parts)),
        unreached=tuple(itertools.chain.from_iterable(part.unreached for part in parts)),
        failure=next((part.failure for part in parts if part.failure), ""),
    )


def shares(pins: Iterable[Pin], count: int) -> tuple[tuple[Pin, ...], ...]:
    """Divide versions into shares of about the same size; no share has two versions of one distribution.

    Args:
        count: of the shares; there are more where a distribution has more versions, and none is empty.
    """
    divided: list[dict[str, Pin]] = [{} for _ in range(count)]
    for pin in pins:
        free = [share for share in divided if pin.name not in share]
        if free:
            min(free, key=len)[pin.name] = pin
        else:
            divided.append({pin.name: pin})
    return tuple(tuple(share.values()) for share in divided if share)


@dataclass(frozen=True, slots=True)
class _Client:
    program: Path
    folder: Path
    timeout_s: int
    limit_s: float

    def ask(self, number: int, pins: Sequence[Pin]) -> Answers:
        """Ask about versions of different distributions; the number is that of the request."""
        request = self.folder / f"{number}.txt"
        request.write_text("".join(f"{name}=={version}\n" for name, version in pins))
        limits = ["--timeout", str(self.timeout_s), "--cache-dir", str(self.folder / f"{number}.cache")]
        command: list[str | Path] = [self.program, *_OPTIONS, *limits, "--requirement", request]
        env = isolation.environment(self.folder)
        try:
            finished = processes.run(command, cwd=self.folder, env=env, check=False, timeout_s=self.limit_s)
        except ToolError as failure:
            return Answers(unreached=tuple(pins), failure=failure.message)
        return _answers(finished, pins)


def _answers(finished: Finished, pins: Sequence[Pin]) -> Answers:
    try:
        entries = {str(entry["name"]): entry for entry in json.loads(finished.stdout)["dependencies"]}
    except (ValueError, LookupError, TypeError) as cause:
        if not _FAILED_REQUEST.search(finished.stderr):
            raise AutomationError(f"failed\n{finished.tail()}", where=TOOL) from cause
        return Answers(unreached=tuple(pins), failure=_last_error(finished.stderr))

    advisories: list[Advisory] = []
    for pin in pins:
        advisories += [_advisory(pin, vulnerability) for vulnerability in entries.get(pin.name, {}).get("vulns", ())]
    unknown = tuple(pin for pin in pins if "skip_reason" in entries.get(pin.name, ()))
    unreached = tuple(pin for pin in pins if not entries.get(pin.name, {}).keys() & {"vulns", "skip_reason"})
    return Answers(tuple(advisories), unknown, unreached, "its answer is incomplete" if unreached else "")


def _advisory(pin: Pin, vulnerability: Mapping[str, Any]) -> Advisory:
    return Advisory(
        pin=pin,
        id=str(vulnerability["id"]),
        aliases=tuple(sorted(vulnerability.get("aliases", ()))),
        fixed_in=tuple(vulnerability.get("fix_versions", ())),
        description=" ".join(str(vulnerability.get("description", "")).split()),
    )


def _last_error(stderr: str) -> str:
    """Return the last error with a text in pip-audit's output: a traceback may end in an error without one."""
    errors = [line for line in stderr.splitlines() if _ERROR.match(line) and _ADVICE not in line]
    return errors[-1].removeprefix("ERROR:pip_audit._cli:") if errors else "it gave no reason"
