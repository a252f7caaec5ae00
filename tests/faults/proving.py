"""Every rule, asked of a project at a root."""

from pathlib import Path

from automation import prove
from automation.project import model
from automation.proof.model import Fault


def found(root: Path, runtime_site: Path) -> list[tuple[str, Fault]]:
    """What every rule finds, with the rule's id; what another's fault explains is left out, as `inv prove` does."""
    subject = prove.gather(model.load(root), site=runtime_site)
    broken = [prove.Broken(rule, fault) for rule in prove.RULES for fault in rule.check(subject)]
    return [(one.rule.id, one.fault) for one in prove.distinct(broken)]
