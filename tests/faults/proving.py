"""Check every rule on a project."""

from pathlib import Path

from automation import prove
from automation.project import model
from automation.proof import rules
from automation.proof.model import Fault


def find_faults(root: Path, runtime_site: Path) -> list[tuple[str, Fault]]:
    """Return what every rule finds, with the rule's id, without the faults that another one explains."""
    subject = prove.gather(model.load(root), site=runtime_site)
    broken = rules.check(rules.RULES, subject)
    return [(item.rule.id, item.fault) for item in rules.distinct(broken)]
