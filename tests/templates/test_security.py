"""The security of the real templates as far as our own rules see it; `nox -s security` asks the scanners too."""

from pathlib import Path

from automation import security
from automation.scanning import own_rules, reasons

ROOT = Path(__file__).parents[2]


def test_own_rules_find_nothing_in_prod() -> None:
    stacks = security.read_stacks(ROOT, "prod", variables={})

    assert list(own_rules.findings(stacks)) == []


def test_accepted_findings_have_at_most_ten_reasons() -> None:
    assert len(reasons.read(ROOT)) <= 10
