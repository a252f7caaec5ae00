"""Every rule of the proof, and which of the faults that they find are reported."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

from automation.proof import artifact_rules, code_rules, template_rules
from automation.proof.model import Fault, Rule, Subject

# These rules need no evidence about the code, so they are checked while it is being imported.
EARLY: tuple[Rule, ...] = (*artifact_rules.RULES_OF_FILES, *template_rules.RULES)
LATE: tuple[Rule, ...] = (*code_rules.RULES, *artifact_rules.WEIGHED_RULES)
RULES: tuple[Rule, ...] = (*LATE, *EARLY)


@dataclass(frozen=True, slots=True)
class BrokenRule:
    """A rule and one fault that it found."""

    rule: Rule
    fault: Fault


def check(rules: Iterable[Rule], subject: Subject) -> list[BrokenRule]:
    """Return every fault that the rules find."""
    broken: list[BrokenRule] = []
    for rule in rules:
        broken += [BrokenRule(rule, fault) for fault in rule.check(subject)]
    return broken


def distinct(broken: Iterable[BrokenRule]) -> list[BrokenRule]:
    """Leave out the failing imports that a fault of another rule explains, and libraries that another rule names."""
    all_broken = _with_libraries_named_once(list(broken))
    others = [item.fault for item in all_broken if item.rule not in code_rules.RULES]
    causes = set(chain.from_iterable(fault.explains for fault in others))
    return [item for item in all_broken if item.rule not in code_rules.RULES or not _is_explained(item.fault, causes)]


def _with_libraries_named_once(broken: list[BrokenRule]) -> list[BrokenRule]:
    """Leave out the faults whose missing libraries are all in faults of another rule that are at least as severe."""
    by_severity = sorted(broken, key=lambda item: (item.fault.severity, item.rule in code_rules.RULES))
    named: dict[tuple[str, str], Rule] = {}
    repeated: list[BrokenRule] = []
    for item in by_severity:
        libraries = item.fault.libraries
        if libraries and all(named.get(library, item.rule) is not item.rule for library in libraries):
            repeated.append(item)
        for library in libraries:
            named.setdefault(library, item.rule)
    return [item for item in broken if item not in repeated]


def _is_explained(fault: Fault, causes: set[str]) -> bool:
    """Return whether a cause is one of the fault's modules, or a package that contains one."""
    prefixes = tuple(f"{cause}." for cause in causes)
    return any(f"{module}.".startswith(prefixes) for module in fault.explains)
