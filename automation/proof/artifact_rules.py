"""The rules about the built artifacts."""

from automation.proof import compiled, layout, library_rules, sdk, shadowed_files
from automation.proof.model import Rule

RULES: tuple[Rule, ...] = (*layout.RULES, *compiled.RULES, *library_rules.RULES, *shadowed_files.RULES, *sdk.RULES)
