"""`inv audit`: known vulnerabilities of the locked versions; every one is fixed, or has a reason in one file.

A source of advisories that does not answer ends with exit 5: what nobody looked at is not clean.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from automation import security
from automation.project import model
from automation.scanning import locked_versions, pip_audit, reasons
from automation.scanning.locked_versions import Lock, Pin
from automation.scanning.model import Judgement, SecurityFinding
from automation.scanning.pip_audit import TOOL, Advisory, Answers
from automation.scanning.reasons import FILE
from automation.system import console, tools
from automation.system.errors import CheckFailedError, ConfigurationError, ToolError

_WHERE = "audit"
_UNKNOWN = "not-in-index"
_UNPINNED = "not-pinned"

type Ask = Callable[[Path, Sequence[Pin]], Answers]


@dataclass(frozen=True, slots=True)
class Audit:
    """The result of an audit.

    Attributes:
        locks: what was looked at, those that ship to Lambda first.
        unreached: the versions that nobody checked, because the source of advisories did not answer.
        failure: why it did not; empty when it answered about all.
    """

    judgement: Judgement
    locks: tuple[Lock, ...]
    unreached: tuple[Pin, ...]
    failure: str

    @property
    def pins(self) -> frozenset[Pin]:
        """Return every version of the locks."""
        return pins_of(self.locks)


def ask_source(root: Path, pins: Sequence[Pin]) -> Answers:
    """Ask the index of Python packages.

    Raises:
        ConfigurationError: pip-audit is neither locked nor installed.
        ToolError: it is locked and could not be installed.
        AutomationError: it failed, and not because of the index.
    """
    program = tools.find_program(root, TOOL)
    if program is None:
        raise ConfigurationError(f"{TOOL} is not installed; run: python -m pip install {TOOL}", where=_WHERE)
    with tempfile.TemporaryDirectory() as folder:
        return pip_audit.ask(program, pins, folder=Path(folder))


def audit(root: Path, *, ask: Ask = ask_source) -> Audit:
    """Look for known vulnerabilities in the versions of all locks, and compare them with the reasons.

    Args:
        ask: asks the source of advisories.

    Raises:
        ConfigurationError: a template, a lock or a reason is wrong, or pip-audit is missing.
        ToolError: a lock cannot be exported, or pip-audit could not be installed.
        AutomationError: pip-audit failed, and not because of its source.
    """
    accepted = reasons.read(root)
    locks = locked_versions.read(model.load(root))
    pins = sorted(pins_of(locks))
    with console.progress(f"asking for the advisories of {len(pins)} versions"):
        answers = ask(root, pins) if pins else Answers()

    # A reason is only stale when everything was looked at.
    ran = () if answers.unreached else (TOOL,)
    judgement = reasons.judge(findings(locks, answers), accepted, tools=ran, today=datetime.now(UTC).date())
    return Audit(judgement, locks, answers.unreached, answers.failure)


def pins_of(locks: Iterable[Lock]) -> frozenset[Pin]:
    """Return the versions of locks."""
    return frozenset[Pin]().union(*(lock.pins for lock in locks))


def findings(locks: Sequence[Lock], answers: Answers) -> Iterator[SecurityFinding]:
    """Yield a finding per vulnerability, per version that the index does not know, and per line without a version."""
    for advisory in answers.advisories:
        yield _of_advisory(advisory, locks)
    for pin in answers.unknown:
        what = "is not in the index, so nobody lists its vulnerabilities"
        yield _of_pin(pin, locks, _UNKNOWN, what, fix="check its name and version")
    for lock in locks:
        for text, line in lock.unpinned.items():
            what = f"{text} is not one version of the index, so its vulnerabilities are unknown"
            yield SecurityFinding(lock.path, line, text, TOOL, _UNPINNED, what, "lock it: inv lock")


def show(result: Audit) -> None:
    """Print the vulnerabilities without a reason, an entry to accept each, and a summary."""
    security.show_findings(result.judgement)
    console.result(summary(result))


def show_json(result: Audit) -> None:
    """Print every finding and every fault of the reasons as JSON, and what was not checked."""
    locks = [{"path": lock.path, "owners": lock.owners, "versions": len(lock.pins)} for lock in result.locks]
    unreached = [f"{name}=={version}" for name, version in result.unreached]
    more = {"locks": locks, "not checked": unreached, "failure": result.failure or None}
    console.result_json({"format": 1, **security.as_json(result.judgement), **more})


def summary(result: Audit) -> str:
    """Return how many versions were checked, and what was found."""
    total, judgement = len(result.pins), result.judgement
    if not total:
        return "no lock and no requirements.txt has a version, so nothing was checked"
    counts = f"{len(judgement.unexplained)} finding(s), {len(judgement.accepted)} accepted"
    checked = f"{total - len(result.unreached)} of {total} versions of {len(result.locks)} locks checked"
    reason = f" ({result.failure})" if result.unreached else ""
    return f"{checked}{reason}: {counts}"


def require_clean(result: Audit) -> None:
    """Refuse vulnerabilities without a reason and stale reasons, then an audit that did not see every version.

    Raises:
        CheckFailedError: something was found; `show` has printed it.
        ToolError: nothing was found, but not everything was checked.
    """
    judgement = result.judgement
    if not judgement.is_clean:
        unexplained, faults = len(judgement.unexplained), len(judgement.faults)
        raise CheckFailedError(f"{unexplained} finding(s) without a reason, {faults} fault(s) in {FILE}", where=_WHERE)
    if result.unreached:
        unreached, total = len(result.unreached), len(result.pins)
        message = f"{unreached} of {total} versions are not checked: the index of Python packages gave no advisories"
        advice = "run inv audit where it can be reached"
        raise ToolError(f"{message} ({result.failure}); {advice}", where=_WHERE)


def _of_advisory(advisory: Advisory, locks: Sequence[Lock]) -> SecurityFinding:
    fix = "no version fixes it yet; use another distribution, or accept it with a reason that ends"
    if advisory.fixed_in:
        fix = f"fixed in {', '.join(advisory.fixed_in)}: raise it in pyproject.toml or requirements.in, run inv lock"
    also_known = f", also known as {', '.join(advisory.aliases)}" if advisory.aliases else ""
    what = f"has the vulnerability {advisory.id}{also_known}"
    return _of_pin(advisory.pin, locks, advisory.id, what, fix=fix, detail=advisory.description)


def _of_pin(pin: Pin, locks: Sequence[Lock], rule: str, what: str, *, fix: str, detail: str = "") -> SecurityFinding:
    """Return a finding about a version: its place is the first lock that has it, which ships if any of them does."""
    having = [lock for lock in locks if pin in lock.pins]
    places = "; ".join(f"{lock.path} ({', '.join(lock.owners) or 'does not ship'})" for lock in having)
    first = having[0]
    return SecurityFinding(
        template=first.path,
        line=first.pins[pin],
        resource=pin.name,
        tool=TOOL,
        rule=rule,
        sentence=f"{pin.name} {pin.version} {what}; locked in {places}{f': {detail}' if detail else ''}",
        fix=fix,
    )
