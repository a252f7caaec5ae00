"""The reasons why findings are accepted: read security-reasons.toml and compare it with the findings of a scan."""

import json
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from fnmatch import fnmatchcase
from itertools import groupby
from pathlib import Path
from typing import Any

from automation.scanning.model import Judgement, Reason, SecurityFinding
from automation.system.errors import ConfigurationError, Finding

FILE = "security-reasons.toml"
_KEYS = {"rules", "resources", "reason", "until"}
_EXAMPLE = 'rules = ["checkov:CKV_AWS_117"], resources = ["*Function"] and reason = "why"'
_PLACEHOLDER = "say why this is accepted"


def read(root: Path) -> tuple[Reason, ...]:
    """Return the reasons of the project at `root`; none without the file.

    Raises:
        ConfigurationError: the file is not valid TOML, or an entry is incomplete.
    """
    try:
        document = tomllib.loads((root / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    except tomllib.TOMLDecodeError as cause:
        raise ConfigurationError(f"is not valid TOML: {cause}", where=FILE) from cause
    entries = document.get("reasons", [])
    if set(document) - {"reasons"} or not isinstance(entries, list):
        raise ConfigurationError("may contain only tables [[reasons]]", where=FILE)
    return tuple(_reason(number, entry) for number, entry in enumerate(entries, 1))


def judge(
    findings: Iterable[SecurityFinding], reasons: Sequence[Reason], *, tools: Collection[str], today: date
) -> Judgement:
    """Compare findings with reasons.

    Args:
        tools: those that ran; a reason for a rule of any other tool cannot be stale.
        today: a reason whose last day is before it does not count.
    """
    all_findings = tuple(findings)
    valid = [reason for reason in reasons if not _has_ended(reason, today)]
    by_finding = [(finding, _first_match(finding, valid)) for finding in all_findings]
    faults = [_ended(reason) for reason in reasons if _has_ended(reason, today)]
    for reason in valid:
        faults += _stale(reason, all_findings, tools)
    return Judgement(
        unexplained=tuple(finding for finding, reason in by_finding if reason is None),
        accepted=tuple((finding, reason) for finding, reason in by_finding if reason is not None),
        faults=tuple(faults),
        reasons=tuple(reasons),
    )


def entries_for(findings: Iterable[SecurityFinding]) -> Iterator[str]:
    """Yield an entry per rule, ready to append to security-reasons.toml once its reason is filled in."""
    ordered = sorted(findings, key=lambda finding: (finding.rule_name, finding.resource))
    for rule, group in groupby(ordered, key=lambda finding: finding.rule_name):
        resources = list(dict.fromkeys(finding.resource or "*" for finding in group))
        values = f"rules = {json.dumps([rule])}\nresources = {json.dumps(resources)}"
        yield f'[[reasons]]\n{values}\nreason = "{_PLACEHOLDER}"\n'


def _reason(number: int, entry: Any) -> Reason:
    where = f"{FILE}: reason {number}"
    if not isinstance(entry, Mapping) or set(entry) - _KEYS:
        raise ConfigurationError(f"may contain only {', '.join(sorted(_KEYS))}", where=where)
    text, until = entry.get("reason"), entry.get("until")
    rules, resources = (_texts(entry.get(key)) for key in ("rules", "resources"))
    if not rules or not resources or not isinstance(text, str) or text.strip() in {"", _PLACEHOLDER}:
        raise ConfigurationError(f"needs {_EXAMPLE}", where=where)
    if until is not None and (not isinstance(until, date) or isinstance(until, datetime)):
        raise ConfigurationError("until is not a date, as in until = 2030-01-31", where=where)
    return Reason(number, rules, resources, text.strip(), until)


def _texts(value: Any) -> tuple[str, ...]:
    is_list = isinstance(value, list) and all(isinstance(item, str) and item for item in value)
    return tuple(value) if is_list else ()


def _has_ended(reason: Reason, today: date) -> bool:
    return reason.until is not None and reason.until < today


def _first_match(finding: SecurityFinding, reasons: Iterable[Reason]) -> Reason | None:
    return next((reason for reason in reasons if _covers(reason, finding)), None)


def _covers(reason: Reason, finding: SecurityFinding) -> bool:
    return finding.rule_name in reason.rules and any(_is_named(finding, pattern) for pattern in reason.resources)


def _is_named(finding: SecurityFinding, pattern: str) -> bool:
    return fnmatchcase(finding.resource, pattern)


def _ended(reason: Reason) -> Finding:
    what = f"the reason for {', '.join(reason.rules)} ended on {reason.until}"
    return Finding(f"{FILE}: reason {reason.number}", what, "fix its findings, or decide again and set a later date")


def _stale(reason: Reason, findings: Sequence[SecurityFinding], tools: Collection[str]) -> list[Finding]:
    """Return the rules and the resources of a reason that match no finding any more."""
    if any(rule.partition(":")[0] not in tools for rule in reason.rules):
        return []
    where = f"{FILE}: reason {reason.number}"
    covered = [finding for finding in findings if _covers(reason, finding)]
    used_rules = {finding.rule_name for finding in covered}
    unused = [rule for rule in reason.rules if rule not in used_rules]
    unused += [pattern for pattern in reason.resources if not any(_is_named(finding, pattern) for finding in covered)]
    return [Finding(where, f"{name} matches no finding", "remove it") for name in unused]
