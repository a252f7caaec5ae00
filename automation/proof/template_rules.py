"""The rules about the templates."""

from automation.proof import configuration, layer_rules, routes
from automation.proof.model import Rule

RULES: tuple[Rule, ...] = (*layer_rules.RULES, *configuration.RULES, *routes.RULES)
