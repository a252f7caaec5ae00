"""The rules about the templates."""

from automation.proof import configuration, mounting, routes
from automation.proof.model import Rule

RULES: tuple[Rule, ...] = (*mounting.RULES, *configuration.RULES, *routes.RULES)
