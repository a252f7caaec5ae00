"""The rules about the built artifacts."""

from automation.proof import compiled, layout, overlaps, sdk
from automation.proof.model import Rule

RULES: tuple[Rule, ...] = (*layout.RULES, *compiled.RULES, *overlaps.RULES, *sdk.RULES)
