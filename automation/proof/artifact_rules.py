"""The rules about the built artifacts."""

from automation.proof import compiled, layout, library_rules, sdk, shadowed_files
from automation.proof.model import Rule

RULES_OF_FILES: tuple[Rule, ...] = (*layout.RULES, *compiled.RULES, *library_rules.RULES)
# How severe their faults are depends on what the code imports.
WEIGHED_RULES: tuple[Rule, ...] = (*shadowed_files.RULES, *sdk.RULES)
RULES: tuple[Rule, ...] = (*RULES_OF_FILES, *WEIGHED_RULES)
