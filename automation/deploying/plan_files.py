"""Saved plans: `inv diff --out FILE` writes one, and `inv deploy --plan FILE` executes it if nothing has moved.

A plan names an account, a region, a commit, stacks and digests. When any of these differs from what is there now, the
plan is refused: something else would happen than what a person read and allowed.
"""

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from automation.deploying.changes.model import Action, Assessment, Danger, Rank, RankedChange
from automation.deploying.releases import records as releases
from automation.system import files
from automation.system.errors import CheckFailedError, ConfigurationError, Finding

FORMAT = 1
_MODE = 0o600
_SCOPE_FIELDS = ("environment", "account", "region", "endpoint", "consent", "commit", "is_dirty")
_STACK_FIELDS = ("stack_id", "digest", "parameters", "code", "adopt")
_LABELS = {
    "is_dirty": "uncommitted changes",
    "stack_id": "stack id",
    "changed_at": "last change",
    "digest": "digest of template, code and parameters",
}
_HASH = re.compile(r"[0-9a-f]{40,64}")


@dataclass(frozen=True, slots=True)
class PlannedStack:
    """One stack of a saved plan.

    Attributes:
        stack: its name in pyproject.toml.
        stack_id, changed_at: the stack as it was when the plan was made; empty when it did not exist.
        template: the S3 location of the template.
        digest: of the template, its zips and the parameters.
        parameters: NoEcho ones masked; see stack_inputs.py.
        code: the digest of each zip, by logical id.
        change_set: its id; empty for a provisional plan, whose change set is created when an earlier stack stands.
        adopt: what it takes over from an earlier stack: a physical id or `new`, by logical id.
    """

    stack: str
    stack_name: str
    stack_id: str = ""
    changed_at: str = ""
    template: str = ""
    digest: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    code: Mapping[str, str] = field(default_factory=dict)
    change_set: str = ""
    adopt: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """A plan, and everything that it is bound to.

    Attributes:
        endpoint: URL that replaces AWS; empty for AWS itself.
        consent: what the environment asked a person to confirm.
        created_at: RFC 3339, UTC.
    """

    environment: str
    account: str
    region: str
    endpoint: str
    consent: str
    commit: str
    is_dirty: bool
    created_at: str
    stacks: tuple[PlannedStack, ...] = ()
    assessment: Assessment = field(default_factory=Assessment)


def write(path: Path, plan: SavedPlan) -> None:
    """Write a plan to a file that only its owner can read.

    Raises:
        ConfigurationError: the file cannot be written.
    """
    content = {"format": FORMAT, "verdict": plan.assessment.verdict, "plan": asdict(plan)}
    try:
        text = json.dumps(content | {"digest": _digest(content["plan"])}, indent=1) + "\n"
        files.write_atomically(path, text, mode=_MODE)
    except OSError as cause:
        raise ConfigurationError(f"the plan cannot be written: {cause.strerror}", where=str(path)) from cause


def read(path: Path, *, environment: str) -> SavedPlan:
    """Read a plan from a file.

    Args:
        environment: its name, for the command that makes the plan again.

    Raises:
        ConfigurationError: it is missing, damaged, edited, or of another version of this program.
    """
    fix = _command(environment, path)
    content = _content(path, fix)
    if content.get("format") != FORMAT:
        message = f"is a plan in format {content.get('format')}, but this version reads format {FORMAT}"
        raise ConfigurationError(f"{message}; {fix}", where=str(path))
    try:
        if content["digest"] != _digest(content["plan"]):
            raise ConfigurationError(f"the plan was edited or damaged; {fix}", where=str(path))
        return _plan(content["plan"])
    except (KeyError, TypeError, ValueError, AttributeError) as cause:
        message = f"the plan is damaged ({type(cause).__name__}: {cause}); {fix}"
        raise ConfigurationError(message, where=str(path)) from cause


def moved(plan: SavedPlan, *, now: SavedPlan, path: Path) -> tuple[Finding, ...]:
    """Return each thing that differs from when the plan was made.

    Args:
        now: the plan that would be made now; its change sets, time and assessment are not compared.
        path: the plan's file, for the command that makes it again.
    """
    fix = _command(plan.environment, path)
    findings = [_finding(plan.environment, name, plan, now, fix) for name in _SCOPE_FIELDS]

    stacks_now = {stack.stack_name: stack for stack in now.stacks}
    for stack in plan.stacks:
        present = stacks_now.pop(stack.stack_name, None)
        if present is None:
            findings.append(Finding(stack.stack_name, "the environment does not have this stack any more", fix))
        else:
            findings += _stack_findings(stack, present, fix)
    findings += [Finding(name, "the environment has this new stack", fix) for name in stacks_now]
    return tuple(finding for finding in findings if finding is not None)


def require_unmoved(plan: SavedPlan, *, now: SavedPlan, path: Path) -> None:
    """Refuse a plan when anything has moved since it was made.

    Raises:
        CheckFailedError: with a finding for each difference.
    """
    findings = moved(plan, now=now, path=path)
    if findings:
        message = f"the plan is stale: {len(findings)} thing(s) have changed since it was made; nothing was changed"
        raise CheckFailedError(message, where=str(path), findings=findings)


def _stack_findings(before: PlannedStack, now: PlannedStack, fix: str) -> Iterable[Finding | None]:
    yield from (_finding(before.stack_name, name, before, now, fix) for name in _STACK_FIELDS)
    if not releases.is_same_moment(before.changed_at, now.changed_at):
        yield _finding(before.stack_name, "changed_at", before, now, fix)


def _finding(where: str, name: str, before: Any, now: Any, fix: str) -> Finding | None:
    """Return a finding when an attribute differs, otherwise None."""
    was, is_now, label = getattr(before, name), getattr(now, name), _LABELS.get(name, name)
    if was == is_now:
        return None
    if isinstance(was, Mapping):
        keys = sorted(key for key in {*was, *is_now} if was.get(key) != is_now.get(key))
        entries = [_difference(key, was.get(key), is_now.get(key)) for key in keys]
        return Finding(where, f"{label}: {'; '.join(entries)}", fix)
    return Finding(where, _difference(label, was, is_now), fix)


def _difference(label: str, was: Any, is_now: Any) -> str:
    return f"{label} was {_text(was)}, is now {_text(is_now)}"


def _text(value: Any) -> str:
    match value:
        case None | "":
            return "missing"
        case bool():
            return "yes" if value else "no"
        case str() if _HASH.fullmatch(value):
            return value[:12]
    return str(value)


def _command(environment: str, path: Path) -> str:
    return f"make the plan again: {shlex.join(['inv', 'diff', '--env', environment, '--out', str(path)])}"


def _content(path: Path, fix: str) -> Mapping[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as cause:
        raise ConfigurationError(f"the plan does not exist; {fix}", where=str(path)) from cause
    except OSError as cause:
        raise ConfigurationError(f"the plan cannot be read: {cause.strerror}", where=str(path)) from cause
    except ValueError as cause:
        raise ConfigurationError(f"the plan is damaged ({cause}); {fix}", where=str(path)) from cause
    if not isinstance(content, Mapping):
        raise ConfigurationError(f"the plan is damaged (not a JSON object); {fix}", where=str(path))
    return content


def _digest(plan: Any) -> str:
    """Return the digest of a plan's content, so that a cut or edited file is noticed. It is not a signature."""
    return files.digest(json.dumps(plan, sort_keys=True).encode())


def _plan(values: Mapping[str, Any]) -> SavedPlan:
    stacks = tuple(PlannedStack(**stack) for stack in values["stacks"])
    return SavedPlan(**{**values, "stacks": stacks, "assessment": _assessment(values["assessment"])})


def _assessment(values: Mapping[str, Any]) -> Assessment:
    return Assessment(
        changes=tuple(_change(change) for change in values["changes"]),
        dangers=tuple(_danger(danger) for danger in values["dangers"]),
        allowed=tuple(_danger(danger) for danger in values["allowed"]),
        unused=tuple(values["unused"]),
    )


def _change(values: Mapping[str, Any]) -> RankedChange:
    return RankedChange(**{**values, "rank": Rank(values["rank"]), "action": Action(values["action"])})


def _danger(values: Mapping[str, Any]) -> Danger:
    return Danger(**{**values, "rank": Rank(values["rank"])})
